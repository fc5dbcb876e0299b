"""Readings -> a Result: normalize, merge, reconcile, rules, repair, confidence, verdict. Pure: the same readings give the same result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel

from docpipe.annotations import Rule
from docpipe.fields import FieldSpec, fields_of, rules_of
from docpipe.records import Candidate, Issue, Locale, Reading, Readings, Result
from docpipe.validate.build import build
from docpipe.validate.choice import XML, Choice, Choices, values_of
from docpipe.validate.complaints import complaints
from docpipe.validate.confidence import assess, confidence
from docpipe.validate.confirm import confirm
from docpipe.validate.locale import infer
from docpipe.validate.merge import Judge, merge
from docpipe.validate.normalize import normalized
from docpipe.validate.question import question
from docpipe.validate.reconcile import reconcile
from docpipe.validate.relations import fill, relate
from docpipe.validate.repair import repair
from docpipe.validate.rows import Row
from docpipe.validate.rules import check
from docpipe.validate.unsettled import unsettled
from docpipe.validate.verdict import THRESHOLDS, verdict

__all__ = ["contests", "settle", "unsettled", "validate", "without_xml"]

S = TypeVar("S", bound=BaseModel)


def validate(readings: Readings, schema: type[S]) -> Result[S]:
    """The document's values and verdict from what the engines read. Opens no file, asks no clock; raises nothing for bad readings."""
    specs, rules = fields_of(schema), rules_of(schema)
    merged, conflicts, locale = contests(readings, schema)
    choices, dropped = settle(merged, rules)
    choices, repaired = repair(choices, rules, locale.decimal or ".")
    choices = fill(choices, rules, {spec.path: spec for spec in specs})
    findings = check(rules, values_of(choices))
    text_layer = all(page.words == "text_layer" for page in readings.pages if page.status != "blank")
    choices = confirm(assess(choices, findings), findings, rules, text_layer=text_layer, only_xml=not readings.pages)
    choices, ambiguous = question(choices, locale)
    issues = [*conflicts, *dropped, *repaired, *ambiguous, *complaints(readings, specs, choices, findings, without_xml(merged, rules))]
    status, doubts = verdict(readings, specs, rules, choices, findings, issues)
    return build(readings, schema, specs, choices, [*issues, *doubts], status)


def contests(readings: Readings, schema: type[BaseModel]) -> tuple[dict[str, Choice], list[Issue], Locale]:
    """Every field's candidates with their values, merged over pages and engines; the conflicts that merging found; and how the document
    writes numbers and dates."""
    specs, rules = fields_of(schema), rules_of(schema)
    by_path = {spec.path: spec for spec in specs}
    read = [outcome for outcome in readings.outcomes if isinstance(outcome, Reading)]
    locale = infer(read, by_path, rules)
    choices, conflicts = merge(normalized(read, by_path, locale), specs, _judge(rules))
    return choices, conflicts, locale


def without_xml(merged: Choices, rules: Sequence[Rule]) -> dict[str, Choice]:
    """What the pages alone would give: the same contests without the candidates of the document's own XML, where it has any."""
    if not any(candidate.engine == XML for choice in merged.values() for candidate in choice.ranked):
        return {}
    page = {path: tuple(one for one in choice.ranked if one.engine != XML) for path, choice in merged.items()}
    return settle({path: replace(merged[path], ranked=ranked, at=0) for path, ranked in page.items() if ranked}, rules)[0]


def settle(choices: Choices, rules: Sequence[Rule], *, least: float = THRESHOLDS.given) -> tuple[dict[str, Choice], list[Issue]]:
    """The joint choice: the values that fit together, without those outside tables that stay less sure than `least`. A broken relation
    drops nothing: which of its values is wrong is for a person to see."""
    chosen, dropped = relate(reconcile(choices, rules, _sure), rules)
    sure = assess(chosen, [finding for finding in check(rules, values_of(chosen)) if finding.state != "broken"])
    for path, choice in sure.items():
        if choice.winner is not None and not choice.spec.repeated and choice.confidence < least:
            sure[path] = choice.drop("low_confidence")
    return sure, dropped


def _sure(choice: Choice, candidate: Candidate) -> float:
    return confidence(choice.stand(candidate), frozenset())


def _judge(rules: Sequence[Rule]) -> Judge:
    """How merging compares engines: by the confidence of each one's best, and for rows by the relations that hold among them."""

    def sure(spec: FieldSpec, ranked: tuple[Candidate, ...]) -> float:
        return confidence(Choice(spec.path, spec, ranked), frozenset())

    def together(rows: Sequence[Row]) -> float:
        values = {cell.path: cell.value for row in rows for cell in sorted(row, key=lambda cell: cell.score) if cell.value is not None}
        found = check(rules, values)
        return sum(finding.state == "holds" for finding in found) - sum(finding.state == "broken" for finding in found) + len(values) / 1e6

    return Judge(confidence=sure, rows=together)
