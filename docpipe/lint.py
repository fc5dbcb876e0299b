"""What is wrong or weak in a schema before any document is read with it. Knows Pydantic and the annotations, no document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields as attributes
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docpipe.annotations import AnyOf, Labels, Rule
from docpipe.errors import SchemaError
from docpipe.fields import FieldSpec, fields_of, marks_of, rules_of
from docpipe.records import Issue

SHORTEST_DESCRIPTION = 3  # words; fewer repeat the name
# Words that stand beside many different values of one page. Alone, or before better ones, they point anywhere.
_BROAD_WORDS = (
    "number no name date total amount value id code description type address price quantity sum text page reference tax item"
    " nummer nr datum betrag summe wert adresse anschrift preis menge seite referenz steuer"
    " nom numéro montant valeur nombre prix quantité référence taxe número fecha importe valor precio cantidad referencia"
    " numero data importo valore nome prezzo bedrag naam prijs aantal 번호 이름 날짜 금액 합계 일자 주소 수량"
)
_BROAD = frozenset(_BROAD_WORDS.split())
_CHECKED_KINDS = frozenset({"iban", "tax_id"})  # their checksum confirms them
_LOOK_AROUND = ("(?=", "(?!", "(?<=", "(?<!")


def lint(schema: type[BaseModel]) -> list[Issue]:
    """Errors keep the schema from being read with; warnings cost accuracy. Each issue's path is the field's."""
    try:
        specs = fields_of(schema)
    except SchemaError as problem:
        path, _, what = problem.message.partition(": ")
        return [Issue(code="unreadable", severity="error", path=path, message=what, suggestion=problem.hint or None)]
    return [*_models(schema, ""), *_shared_labels(specs), *_rules(schema, specs), *_beyond_rules(schema, specs)]


def _models(model: type[BaseModel], prefix: str) -> Iterator[Issue]:
    if not model.model_fields:
        yield Issue(code="no_fields", severity="error", path=prefix or None, message=f"{model.__name__} has no field")
    for name, info in model.model_fields.items():
        path = prefix + name
        yield from _description(info, path)
        yield from _default(info, path)
        yield from _pattern(info, path)
        yield from _labels(info, path)
        for part in _parts(info.annotation):
            yield from _models(part, f"{path}.")


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models inside a field's type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _parts(argument)


def _description(info: FieldInfo, path: str) -> Iterator[Issue]:
    words = (info.description or "").split()
    if not words:
        yield Issue(code="no_description", severity="error", path=path, message="has no description; it is what a model is asked for")
    elif len("".join(words)) < 4 or (len(words) < SHORTEST_DESCRIPTION and "".join(words).isascii()):
        yield Issue(
            code="short_description", path=path, message="says little; tell it from the other values of the page", suggestion=info.title
        )


def _default(info: FieldInfo, path: str) -> Iterator[Issue]:
    if info.is_required():
        yield Issue(
            code="not_optional",
            path=path,
            message="has no default: the data of a document without it does not fit the class",
            suggestion="X | None = Field(None, ...), or default_factory=list; mark it Required() to have it confirmed",
        )
    elif info.annotation is float or float in get_args(info.annotation):
        yield Issue(code="float", path=path, message="a float cannot hold money exactly", suggestion="Decimal")


def _pattern(info: FieldInfo, path: str) -> Iterator[Issue]:
    for mark in marks_of(info):
        said = getattr(mark, "pattern", None)
        text = said if isinstance(said, str) else getattr(said, "pattern", "")
        if any(sign in text for sign in _LOOK_AROUND):
            yield Issue(
                code="look_around",
                severity="error",
                path=path,
                message=f"the pattern {text!r} looks around, which no constrained decoding can",
            )


def _labels(info: FieldInfo, path: str) -> Iterator[Issue]:
    for labels in (mark for mark in marks_of(info) if type(mark) is Labels):
        every = [label.casefold() for said in labels.by_language.values() for label in said]
        if not all(every):
            yield Issue(code="empty_label", severity="error", path=path, message="has an empty label")
        if every and all(label in _BROAD for label in every):
            yield Issue(code="broad_labels", path=path, message=f"has only labels that stand beside many values: {', '.join(every)}")
        elif "." not in path:  # a row's cell has its column, a party's line its block: only a field of the whole page needs more
            yield from _broad_first(labels, path)
        yield from _doubles(labels, path)
        for label in every:
            if len(label) == 1:
                yield Issue(code="short_label", path=path, message=f"the label {label!r} is found everywhere")


def _broad_first(labels: Labels, path: str) -> Iterator[Issue]:
    for language, said in labels.by_language.items():
        if said[0].casefold() in _BROAD:
            yield Issue(
                code="broad_first",
                path=path,
                message=f"{language}: {said[0]!r} comes first",
                suggestion="list the most specific label first",
            )


def _doubles(labels: Labels, path: str) -> Iterator[Issue]:
    for said in labels.by_language.values():
        folded = [label.casefold() for label in said]
        for label in sorted({label for label in folded if folded.count(label) > 1}):
            yield Issue(code="double_label", path=path, message=f"lists the label {label!r} more than once")


def _shared_labels(specs: tuple[FieldSpec, ...]) -> Iterator[Issue]:
    """Two fields of one block with the same label: the page cannot tell them apart."""
    seen: dict[tuple[tuple[str, ...], str], str] = {}
    for spec in specs:
        for label in dict.fromkeys(label.casefold() for label in spec.labels):
            first = seen.setdefault((spec.groups, label), spec.path)
            if first != spec.path:
                yield Issue(code="shared_label", path=spec.path, message=f"has the label {label!r} in common with {first}")


def _rules(schema: type[BaseModel], specs: tuple[FieldSpec, ...]) -> Iterator[Issue]:
    known = {spec.path for spec in specs}
    for rule in rules_of(schema):
        for path in _paths(rule):
            if path not in known and not any(spec.startswith((f"{path}.", f"{path}[*].")) for spec in known):
                yield Issue(
                    code="unknown_path", severity="error", path=path, message=f"{type(rule).__name__} names a field the schema lacks"
                )


def _paths(rule: Rule) -> Iterator[str]:
    for attribute in attributes(rule):
        value = getattr(rule, attribute.name)
        if isinstance(rule, AnyOf):
            yield from (path for part in rule.rules for path in _paths(part))
        elif isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            yield from (part for part in value if isinstance(part, str))


def _beyond_rules(schema: type[BaseModel], specs: tuple[FieldSpec, ...]) -> Iterator[Issue]:
    """Required fields that nothing but a second reading can confirm: every document without one goes to review."""
    reached = {path for rule in rules_of(schema) for path in _paths(rule)}
    for spec in specs:
        if spec.required and not spec.labels and spec.path not in reached and spec.kind not in _CHECKED_KINDS:
            yield Issue(
                code="unconfirmable",
                path=spec.path,
                message="is required, yet has no label and stands in no rule: few documents will be accepted",
                suggestion="give it Labels, or a rule that reaches it",
            )
