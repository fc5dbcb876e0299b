"""Issues: what a person should know about these values. Knows findings, contests and pages; judges no verdict.

An error is something that contradicts a value, or a hole; a warning is something that nothing confirms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from docpipe.annotations import AnyOf, AtMost, Distinct, Ordered, Product, Rule, Sum
from docpipe.fields import FieldSpec
from docpipe.records import Failure, Issue, PageSummary, Readings
from docpipe.validate.choice import XML, Choice, Choices, is_labelled, says
from docpipe.validate.confirm import agree, contradiction
from docpipe.validate.rules import Finding
from docpipe.values.identifiers import checksum

DIFFERS_FROM = 0.8  # so sure must the page's value be to contradict the XML
NAME_DIFFERS_FROM = 0.5  # whom to pay is where fraud happens
Severity = Literal["error", "warning"]
_FREE_TEXT = frozenset({"address", "text", "page_text", "bool", "choice"})
_KINDS = {"cover": "a cover sheet", "terms": "terms and conditions", "separator": "a separator sheet"}
_CODES: tuple[tuple[type[Rule], str, str], ...] = (
    (Sum, "sum_mismatch", "does not add up"),
    (AnyOf, "sum_mismatch", "does not add up"),
    (Product, "product_mismatch", "does not multiply out"),
    (AtMost, "share_exceeded", "larger than what it is a part of allows"),
    (Ordered, "date_order", "comes before what it should follow"),
    (Distinct, "same_party", "two different fields have one value"),
)


def complaints(readings: Readings, specs: Sequence[FieldSpec], choices: Choices, findings: Sequence[Finding], page: Choices) -> list[Issue]:
    """Every issue that follows from the values, in the order: holes, contradictions, doubts. `page` is what the engines that looked at
    the page say without the XML."""
    return [
        *_damage(readings),
        *pages_failed(readings),
        *pages_passed_over(readings.pages),
        *engines_failed(readings),
        *_missing(specs, choices),
        *_broken(findings, choices),
        *_checksums(choices),
        *_struck(choices),
        *_contradicted(choices),
        *xml_differs(choices, page),
        *_doubts(choices),
    ]


def _damage(readings: Readings) -> Iterator[Issue]:
    """Pages, or a later version of them, may be missing without a trace."""
    if readings.job.document.repaired:
        message = "the file is damaged; what could be saved of it was read"
        yield Issue(code="repaired_document", severity="error", message=message, suggestion="ask the sender for the file again")


def pages_failed(readings: Readings) -> Iterator[Issue]:
    """A hole in the document."""
    for page in sorted(readings.pages, key=lambda page: page.number):
        if page.status == "failed":
            yield Issue(
                code="page_failed", severity="error", page=page.number, message=f"the page could not be read: {page.error or 'unknown'}"
            )


def pages_passed_over(pages: Iterable[PageSummary]) -> Iterator[Issue]:
    """Those of a kind that holds nothing to extract; that a blank one does not is plain."""
    for page in pages:
        if page.kind not in ("content", "blank"):
            yield Issue(code="page_skipped", page=page.number, message=f"taken for {_KINDS[page.kind]}: nothing was looked for on it")


def engines_failed(readings: Readings) -> Iterator[Issue]:
    """An engine that gave up on pages, or on the whole document, and what engines have to say themselves."""
    failures = [outcome for outcome in readings.outcomes if isinstance(outcome, Failure)]
    for failure in sorted(failures, key=lambda failure: (failure.engine, failure.pages)):
        page = failure.pages[0] if len(failure.pages) == 1 else None
        yield Issue(code="engine_failed", severity="error", page=page, message=f"{failure.engine}: {failure.code}: {failure.message}")
    own = {issue for outcome in readings.outcomes if not isinstance(outcome, Failure) for issue in outcome.issues}
    yield from sorted(own, key=lambda issue: issue.model_dump_json())


def _missing(specs: Sequence[FieldSpec], choices: Choices) -> Iterator[Issue]:
    given = {choice.spec.path for choice in choices.values() if choice.value is not None}
    for spec in specs:
        if spec.required and spec.path not in given:
            yield Issue(code="missing_required", severity="error", path=spec.path, message="required, and nothing was found for it")


def _broken(findings: Iterable[Finding], choices: Choices) -> Iterator[Issue]:
    for finding in findings:
        if finding.state in ("broken", "unexplained"):
            path = finding.paths[0]
            code, message = next((code, message) for rule, code, message in _CODES if isinstance(finding.rule, rule))
            winner = choices[path].winner if path in choices else None
            with_what = ", ".join(finding.paths[1:6])
            yield Issue(
                code=code,
                severity="error",
                path=path,
                page=winner.page if winner else None,
                message=f"{message}: {with_what}" if with_what else message,
                suggestion=finding.expected,
            )


def _checksums(choices: Choices) -> Iterator[Issue]:
    """An IBAN that cannot be paid to is an error wherever it comes from; a tax id that text layer or XML give so is the document's own."""
    for choice in choices.values():
        winner = choice.winner
        if winner is not None and isinstance(choice.value, str) and checksum(choice.spec.kind, choice.value) is False:
            as_written = winner.engine == XML or winner.evidence.features.get("ocr") == 0.0
            severity: Severity = "warning" if as_written and choice.spec.kind == "tax_id" else "error"
            yield Issue(code="checksum_failed", severity=severity, path=choice.path, page=winner.page, message="the checksum does not hold")


def _struck(choices: Choices) -> Iterator[Issue]:
    """Somebody crossed the value out, or another one at the field's label: what counts instead, if anything, is for a person to see."""
    for choice in choices.values():
        labelled = [one for one in choice.ranked if is_labelled(one) and one.score >= 0 and one.evidence.features.get("struck")]
        crossed = choice.winner if says(choice, "struck") else next(iter(labelled), None)
        if crossed is not None:
            rest = (str(one.value) for one in choice.ranked if is_labelled(one) and not one.evidence.features.get("struck"))
            message = f"{crossed.raw or crossed.value!r} is crossed out"
            yield Issue(
                code="struck_out", severity="error", path=choice.path, page=crossed.page, message=message, suggestion=next(rest, None)
            )


def _contradicted(choices: Choices) -> Iterator[Issue]:
    """The document gives a field two values: an error, whatever else confirms one of them. Where another page has a number of its own, it
    holds several documents."""
    for choice in choices.values():
        rival = contradiction(choice, choices)
        if rival is not None and choice.winner is not None:
            apart = choice.spec.kind == "id" and choice.spec.required and rival.page != choice.winner.page
            yield Issue(
                code="several_documents" if apart else "two_values",
                severity="error",
                path=choice.path,
                page=rival.page,
                message=f"{choice.value} here, {rival.value} at the same label on page {rival.page}",
                suggestion="split the file into its documents" if apart else str(rival.value),
            )


def xml_differs(choices: Choices, page: Choices) -> Iterator[Issue]:
    """The page by itself is sure of another value than the document's XML. An error where the XML's value is not printed at the field's
    label either (a name: anywhere): one of the two was changed. Other texts are often put differently, so for them it is a warning."""
    for choice in choices.values():
        printed = page.get(choice.path)
        if choice.winner is None or choice.winner.engine != XML or printed is None or printed.winner is None:
            continue
        kind, own = choice.spec.kind, choice.winner
        if printed.confidence < (NAME_DIFFERS_FROM if kind == "name" else DIFFERS_FROM) or agree(kind, own, printed.winner):
            continue
        somewhere = any(agree(kind, own, candidate) and (kind == "name" or is_labelled(candidate)) for candidate in printed.ranked)
        message = f"the XML says {choice.value}, the page says {printed.value}"
        severity: Severity = "warning" if somewhere or kind in _FREE_TEXT else "error"
        yield Issue(
            code="xml_differs",
            severity=severity,
            path=choice.path,
            page=printed.winner.page,
            message=message,
            suggestion=str(printed.value),
        )


def _doubts(choices: Choices) -> Iterator[Issue]:
    for choice in choices.values():
        if choice.winner is not None and not choice.winner.grounded:
            who = "the XML" if choice.winner.engine == XML else choice.winner.engine
            message = f"{who} says {choice.value!r}, which no page prints in its place"
            yield Issue(code="ungrounded", severity="error", path=choice.path, page=choice.winner.page, message=message)
        if choice.dropped == "low_confidence":
            first = choice.ranked[0]
            yield Issue(
                code="low_confidence", path=choice.path, page=first.page, message="too unsure to be given", suggestion=_shown(choice)
            )


def _shown(choice: Choice) -> str | None:
    value = choice.ranked[0].value
    return None if value is None else str(value)
