"""Least-change repair of misread numbers: one slip, one value, only to what some reading of the print supports and the rules agree on.

Invents no number to balance a sum; where more than one change would do, or only one rule speaks for it, nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from docpipe.annotations import AnyOf, Product, Rule, Sum
from docpipe.records import Candidate, Issue, Value
from docpipe.validate.choice import NUMBERS, XML, Choice, Choices, number, value_key, values_of
from docpipe.validate.rules import Finding, check
from docpipe.values.amounts import parse_amount, plain
from docpipe.values.confusions import readings

MOST = 4  # changes in one document; more slips than that are no slips
MOST_FAILING = 3  # rows that do not multiply: from here on, and more than FAILING_SHARE of all, the columns are wrong, not the digits
FAILING_SHARE = 0.3
LOOKED_AT = 80  # values tried at most, so that a hopeless document stays cheap


@dataclass(frozen=True)
class Change:
    """One value to another that its print may say, and how many broken rules that mends."""

    path: str
    candidate: Candidate
    mended: int


def repair(choices: Choices, rules: Sequence[Rule], decimal: str) -> tuple[dict[str, Choice], list[Issue]]:
    """The choices with misread numbers put right, and an issue for each; the misread value stays among the alternatives."""
    arithmetic = [rule for rule in rules if isinstance(rule, Sum | AnyOf | Product)]
    settled, issues = dict(choices), []
    for _ in range(MOST):
        values = values_of(settled)
        findings = check(arithmetic, values)
        if not any(finding.state == "broken" for finding in findings) or _hopeless(findings):
            break
        best = _best(list(_changes(settled, arithmetic, values, findings, decimal)))
        if best is None:
            break
        before = settled[best.path]
        issues.append(_issue(before, best.candidate))
        settled[best.path] = Choice(best.path, before.spec, (best.candidate, *before.ranked))
    return settled, issues


def _hopeless(findings: Sequence[Finding]) -> bool:
    products = [finding for finding in findings if isinstance(finding.rule, Product) and finding.state != "absent"]
    failing = sum(finding.state == "broken" for finding in products)
    return failing > max(MOST_FAILING, FAILING_SHARE * len(products))


def _best(changes: Sequence[Change]) -> Change | None:
    """The change that mends most, where it is the only one that does."""
    if not changes:
        return None
    most = max(change.mended for change in changes)
    best = [change for change in changes if change.mended == most]
    return best[0] if len(best) == 1 else None


def _changes(
    choices: Choices, rules: Sequence[Rule], values: Mapping[str, Value], findings: Sequence[Finding], decimal: str
) -> Iterator[Change]:
    """Every change that breaks nothing, mends something and has two rules, or one whose other end is sure, to speak for it."""
    broken = [finding for finding in findings if finding.state == "broken"]
    paths = dict.fromkeys(path for finding in broken for path in finding.paths if path in choices)
    tried = 0
    for path in paths:
        for candidate in _supported(choices[path], decimal):
            if (tried := tried + 1) > LOOKED_AT:
                return
            after = check(rules, {**values, path: candidate.value})
            mended = len(broken) - sum(finding.state == "broken" for finding in after)
            if mended > 0 and _spoken_for(path, after):
                yield Change(path, candidate, mended)


def _supported(choice: Choice, decimal: str) -> Iterator[Candidate]:
    """What else the value may be: its other candidates, then its print with one slip undone. Nothing for what the XML says."""
    winner = choice.winner
    if winner is None or winner.engine == XML or choice.spec.kind not in NUMBERS:
        return
    seen = {value_key(choice.spec.kind, winner.value)}
    for candidate in [*choice.losers, *_slips(winner, decimal)]:
        key = value_key(choice.spec.kind, candidate.value)
        if key not in seen and number(candidate.value) is not None:
            seen.add(key)
            yield candidate


def _slips(winner: Candidate, decimal: str) -> Iterator[Candidate]:
    negative = (number(winner.value) or Decimal(0)) < 0
    for text in readings(winner.raw or str(winner.value)):
        found = parse_amount(text, decimal)
        if found is not None:
            signed = -abs(found) if negative else found
            yield winner.model_copy(update={"value": plain(signed), "grounded": winner.grounded})


def _spoken_for(path: str, findings: Sequence[Finding]) -> bool:
    """Two exact relations hold with the new value; or one does whose result other relations hold for, or, in a sum, all its parts."""
    holding = [finding for finding in findings if finding.state == "holds"]
    mine = [finding for finding in holding if path in finding.paths]
    if len(mine) != 1:
        return len(mine) > 1
    sure = {other for finding in holding if finding is not mine[0] for other in finding.paths}
    if isinstance(mine[0].rule, Product):
        return mine[0].paths[0] != path and mine[0].paths[0] in sure
    return all(other in sure for other in mine[0].paths if other != path)


def _issue(before: Choice, repaired: Candidate) -> Issue:
    """A warning where another engine read the new value too; else an error: one slip undone is a guess until somebody looks."""
    key = value_key(before.spec.kind, repaired.value)
    seconded = any(one.engine != repaired.engine and value_key(before.spec.kind, one.value) == key for one in before.ranked)
    return Issue(
        code="repaired",
        severity="warning" if seconded else "error",
        path=before.path,
        page=repaired.page,
        message=f"read as {before.value}; the sums and products hold with {repaired.value}",
        suggestion=str(repaired.value),
    )
