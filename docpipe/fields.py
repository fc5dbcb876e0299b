"""A schema class seen as a flat list of fields. Knows Pydantic and the annotations, no document."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import sys
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docpipe import plugins
from docpipe.annotations import (
    FieldKind,
    Kind,
    Labels,
    Merge,
    MergePolicy,
    NotLabels,
    OtherTitles,
    OwnTitles,
    Required,
    Rows,
    RowSource,
    Rule,
)
from docpipe.errors import SchemaError
from docpipe.records import SchemaRef

BUILT_IN = Path(__file__).resolve().parent.parent / "schemas"
DEFAULT_SCHEMA = "transcript"
AUTO = "auto"
_MARK = re.compile(r"\[[*\d]*\]")


@dataclass(frozen=True)
class FieldSpec:
    """One leaf of a schema. `path` uses `[*]` for every row of a list; `groups` are the enclosing models' field names, outermost
    first, and `sections` the headings that their blocks are printed under; `choices` are the values of a Literal; `rows` says what a
    row is where the field stands in a list."""

    path: str
    name: str
    kind: FieldKind
    description: str
    labels: tuple[str, ...] = ()
    not_labels: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    required: bool = False
    merge: MergePolicy = "best"
    rows: RowSource | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What may be printed beside the value: its labels, or where its author gives none, the field's own name in words."""
        return self.labels or (" ".join(name_words(self.name)),)

    @property
    def repeated(self) -> bool:
        """The field stands in the rows of a table or list."""
        return "[*]" in self.path


PICTURES = (".png", ".jpg")  # of examples


@cache
def fields_of(schema: type[BaseModel]) -> tuple[FieldSpec, ...]:
    """Every leaf of the schema, in the order of the class. Raises SchemaError for a type that cannot be read."""
    return tuple(_walk(schema, _Place()))


def rules_of(schema: type[BaseModel]) -> tuple[Rule, ...]:
    """The relations the class declares in `rules`."""
    return tuple(getattr(schema, "rules", ()))


def titles_of(schema: type[BaseModel]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What documents of the schema call themselves, and what those do that are easily taken for one: `own_titles`, `other_titles`."""
    own, other = getattr(schema, "own_titles", None), getattr(schema, "other_titles", None)
    return own.all() if isinstance(own, OwnTitles) else (), other.all() if isinstance(other, OtherTitles) else ()


def examples_of(schema: type[BaseModel]) -> tuple[tuple[Path, Path], ...]:
    """The image and the answer of every example in the folder beside the schema's file, as `invoice.examples/` beside `invoice.py`."""
    file = getattr(sys.modules.get(schema.__module__), "__file__", None)
    if file is None:
        return ()
    answers = sorted(_example_files(file, ".json"))
    pictures = [(answer.with_suffix(suffix), answer) for answer in answers for suffix in PICTURES]
    return tuple(pair for pair in pictures if pair[0].is_file())


def lone_examples(schema: type[BaseModel]) -> list[str]:
    """The names of the images and answers in that folder that lack the other of the two."""
    file = getattr(sys.modules.get(schema.__module__), "__file__", None)
    paired = {path for pair in examples_of(schema) for path in pair}
    return sorted(path.name for path in _example_files(file, ".json", *PICTURES) if path not in paired) if file else []


def _example_files(schema_file: str, *suffixes: str) -> list[Path]:
    folder = Path(schema_file).with_suffix(".examples")
    return [path for suffix in suffixes for path in folder.glob(f"*{suffix}")]


def pattern(path: str) -> str:
    """`line_items[3].amount` -> `line_items[*].amount`, the spec a candidate's path belongs to."""
    return _MARK.sub("[*]", path)


def is_auto(reference: str) -> bool:
    """The reference is `auto` or `auto:A,B`: the document's schema is to be chosen, of all or of these."""
    return reference.partition(":")[0] == AUTO


def load_schema(reference: str) -> tuple[type[BaseModel], SchemaRef]:
    """The schema class that `reference` names (bare built-in name, module:Class or path.py:Class), and its identity."""
    if is_auto(reference):
        raise SchemaError(f"{reference} stands for several schemas", hint="name one")
    schema = plugins.load(reference, BaseModel, BUILT_IN, error=SchemaError)
    return schema, schema_ref(schema, reference)


def schema_ref(schema: type[BaseModel], reference: str | None = None) -> SchemaRef:
    """The name and the hash of everything the schema says: its JSON Schema, its labels, rules, titles and examples. The name of a file's
    folder is left out, so that the same schema has the same name everywhere."""
    name = reference or schema.__name__
    head, _, tail = name.rpartition(":")
    name = f"{Path(head).name}:{tail}" if head.endswith(".py") else name
    said: list[object] = [schema.model_json_schema(), [repr(spec) for spec in fields_of(schema)], [repr(rule) for rule in rules_of(schema)]]
    said += [titles_of(schema)] if any(titles_of(schema)) else []
    said += [hashlib.sha256(file.read_bytes()).hexdigest() for example in examples_of(schema) for file in example]
    return SchemaRef(name=name, sha256=hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest())


@dataclass(frozen=True)
class _Place:
    """Where in the schema a walk stands."""

    prefix: str = ""
    groups: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    above: tuple[type, ...] = ()
    rows: RowSource | None = None


def _walk(model: type[BaseModel], place: _Place) -> Iterator[FieldSpec]:
    for name, info in model.model_fields.items():
        path, kind, rows = place.prefix + name, bare_type(info.annotation), place.rows
        if get_origin(kind) in (list, tuple):
            path, kind = path + "[*]", bare_type(get_args(kind)[0])
            rows = said.source if (said := _said(info, Rows)) else "table"
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if kind in (model, *place.above):
                raise SchemaError(f"{path}: {kind.__name__} contains itself", hint="a schema must have an end; list the levels you need")
            labels = _said(info, Labels)
            sections = labels.all() if labels else place.sections
            yield from _walk(kind, _Place(path + ".", (*place.groups, name), sections, (model, *place.above), rows))
        else:
            yield _leaf(info, kind, path, name, replace(place, rows=rows))


def _leaf(info: FieldInfo, kind: Any, path: str, name: str, place: _Place) -> FieldSpec:
    labels, not_labels, merge, said_kind = (_said(info, what) for what in (Labels, NotLabels, Merge, Kind))
    return FieldSpec(
        path=path,
        name=name,
        kind=said_kind.kind if said_kind else _kind(kind, path, name, info.description or ""),
        description=info.description or "",
        labels=labels.all() if labels else (),
        not_labels=not_labels.all() if not_labels else (),
        groups=place.groups,
        sections=place.sections,
        rows=place.rows,
        choices=_choices(kind),
        required=_said(info, Required) is not None,
        merge=merge.policy if merge else "best",
    )


def _said(info: FieldInfo, what: type[Any]) -> Any:
    return next((mark for mark in marks_of(info) if type(mark) is what), None)


def marks_of(info: FieldInfo) -> tuple[Any, ...]:
    """All that a field's annotation says beside its type, wherever it is written: `Annotated[X | None, mark]` or
    `Annotated[X, mark] | None`."""
    return (*info.metadata, *_inner_marks(info.annotation))


def _inner_marks(annotation: Any) -> Iterator[Any]:
    yield from getattr(annotation, "__metadata__", ())
    for argument in get_args(annotation):
        yield from _inner_marks(argument)


def bare_type(annotation: Any) -> Any:
    """`X | None` -> `X`; `Annotated[X, ...]` -> `X`."""
    if get_origin(annotation) is typing.Annotated:
        return bare_type(get_args(annotation)[0])
    if get_origin(annotation) in (typing.Union, types.UnionType):
        some = [part for part in get_args(annotation) if part is not type(None)]
        return bare_type(some[0]) if len(some) == 1 else annotation
    return annotation


def _choices(kind: Any) -> tuple[str, ...]:
    return tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else ()


_BY_TYPE: dict[Any, FieldKind] = {
    bool: "bool", datetime.date: "date", datetime.datetime: "date", datetime.time: "time", Decimal: "money", float: "money", int: "quantity"
}  # fmt: skip
_BY_WORD: tuple[tuple[frozenset[str], FieldKind], ...] = (
    (frozenset({"iban"}), "iban"),
    (frozenset({"currency"}), "currency"),
    (frozenset({"address"}), "address"),
    (frozenset({"name", "person", "citizenship", "country", "signer"}), "name"),
    (frozenset({"number", "no", "id", "tin", "ssn", "ein", "itin", "code", "numbers"}), "id"),
)


def _kind(kind: Any, path: str, name: str, description: str) -> FieldKind:
    """The kind of a field from its type and, for `str`, from the words of its name and then its description."""
    if get_origin(kind) is Literal:
        return "choice"
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    if kind is not str:
        raise SchemaError(
            f"{path}: {kind} cannot be read from a page", hint="use str, bool, int, Decimal, date, time, Literal, a model or a list"
        )
    words = set(name_words(name))
    for keys, found in _BY_WORD:
        if keys & words:
            return found
    return "name" if {"name", "who"} & set(re.findall(r"[a-z]+", re.split(r"[;(]", description.lower())[0])) else "text"


def name_words(name: str) -> list[str]:
    """`invoice_number`, `InvoiceNumber` and `SSN_ITIN` -> their words, in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
