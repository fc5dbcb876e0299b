"""accepted, review or failed: DESIGN's rule, and the warnings that say what stood in the way. Knows choices and issues, no document.

Accepted: every required field is confident and confirmed, every other value given is confident enough and contradicted by nothing,
the rows of tables add up or multiply, no page is missing and nothing is an error. Neither confidence nor arithmetic alone is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from docpipe.annotations import Product, Rule
from docpipe.fields import FieldSpec
from docpipe.records import Issue, Reading, Readings, Status
from docpipe.validate.choice import Choice, Choices, says
from docpipe.validate.reconcile import every_sum
from docpipe.validate.rows import place
from docpipe.validate.rules import Finding
from docpipe.validate.swaps import doubtful


@dataclass(frozen=True)
class Thresholds:
    """Confidence a value needs: a required one; another, confirmed or not; a cell of a row; and to be given at all."""

    required: float = 0.85
    confirmed: float = 0.75
    optional: float = 0.95
    cell: float = 0.6
    given: float = 0.4


THRESHOLDS = Thresholds()


def verdict(
    readings: Readings,
    specs: Sequence[FieldSpec],
    rules: Sequence[Rule],
    choices: Choices,
    findings: Sequence[Finding],
    issues: Sequence[Issue],
) -> tuple[Status, list[Issue]]:
    """The status, and a warning for every value that keeps the document from being accepted."""
    if nothing_was_read(readings):
        return "failed", []
    given = [choice for choice in choices.values() if choice.value is not None]
    if not given:
        return "review", [Issue(code="nothing_found", severity="error", message="no field of the schema was found")]
    doubts = [
        *_unconfirmed(specs, given),
        *_unsure(given),
        *_loose_rows(rules, given, findings),
        *_swappable(rules, choices, findings),
    ]
    bad = any(issue.severity == "error" for issue in issues) or any(page.status == "failed" for page in readings.pages)
    return ("review" if doubts or bad else "accepted"), doubts


def nothing_was_read(readings: Readings) -> bool:
    """Every page failed, or every engine that was called (one with nothing to read is not)."""
    if readings.pages and all(page.status == "failed" for page in readings.pages):
        return True
    return not any(isinstance(outcome, Reading) and outcome.usage.calls for outcome in readings.outcomes)


def _unconfirmed(specs: Sequence[FieldSpec], given: Sequence[Choice]) -> Iterator[Issue]:
    """Values that must be confident and confirmed and are not: the required ones, or all where none is marked."""
    marked = any(spec.required for spec in specs)
    for choice in given:
        if marked and not choice.spec.required:
            continue
        if choice.confidence < THRESHOLDS.required:
            yield _doubt("low_confidence", choice, f"confidence {choice.confidence:.2f}, needs {THRESHOLDS.required:.2f}")
        if not choice.confirmed_by:
            yield _doubt("unconfirmed", choice, "nothing but its place speaks for it")


def _unsure(given: Sequence[Choice]) -> Iterator[Issue]:
    """Other values that a consumer would read with the rest."""
    for choice in given:
        if says(choice, "turned"):
            yield _doubt("meaning", choice, "words beside it may make another thing of its label")
        if says(choice, "goes_on"):
            yield _doubt("continues", choice, "it may go on in the next line")
        least = THRESHOLDS.cell if choice.spec.repeated else THRESHOLDS.confirmed if choice.confirmed_by else THRESHOLDS.optional
        if choice.confidence < least and not choice.spec.required:
            yield _doubt("low_confidence", choice, f"confidence {choice.confidence:.2f}, needs {least:.2f}")


def _loose_rows(rules: Sequence[Rule], given: Sequence[Choice], findings: Sequence[Finding]) -> Iterator[Issue]:
    """Rows of a table that the schema's arithmetic speaks of, and that neither add up nor multiply. Where a row is a product, its columns
    must be labelled too: quantity and price swap unnoticed."""
    results = {rule.result for rule in rules if isinstance(rule, Product)}
    kept = {path for finding in findings if finding.state in ("holds", "weak") for path in finding.paths}
    for path in sorted(results | {path for rule in every_sum(rules) for path in rule.parts if "[*]" in path}):
        mine = [choice for choice in given if choice.spec.path == path]
        loose = [choice for choice in mine if not choice.confirmed_by and (path in results or choice.path not in kept)]
        rows = {found[1] for choice in given if (found := place(choice.path)) and choice.spec.path.startswith(path.partition("[")[0] + "[")}
        have = {found[1] for choice in mine if (found := place(choice.path))}
        if loose:
            yield _doubt("rows_unconfirmed", loose[0], f"{len(loose)} of {len(rows)} rows neither add up nor multiply")
        elif rows - have:
            yield Issue(code="rows_unconfirmed", path=f"{path.partition('[')[0]}[{min(rows - have)}]", message="a row without an amount")


def _swappable(rules: Sequence[Rule], choices: Choices, findings: Sequence[Finding]) -> Iterator[Issue]:
    """Values that a relation takes either way round, and of which nothing says which is which."""
    kept = (finding for finding in findings if finding.state in ("holds", "weak"))
    found = {path for finding in kept for path in doubtful(finding, choices, rules)}
    for path, choice in choices.items():
        if path in found and not choice.confirmed_by and not choice.spec.required:
            yield _doubt("unconfirmed", choice, "it could be another value of its sum or product, and stands at no label of its own")


def _doubt(code: str, choice: Choice, message: str) -> Issue:
    return Issue(code=code, path=choice.path, page=choice.winner.page if choice.winner else None, message=message)
