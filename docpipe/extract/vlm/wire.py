"""A schema class -> the JSON Schema that a model's answer has to follow. Knows Pydantic and what servers enforce; no page, no prompt.

One portable subset for every backend: each property required and nullable, texts and lists bounded, numbers and dates as texts, nothing by
reference. What it leaves out, such as a pattern, is judged by validation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, get_args, get_origin

from annotated_types import MaxLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docpipe.errors import SchemaError
from docpipe.fields import FieldSpec, bare_type, fields_of

# Characters that a value of the kind may have: twice what the longest of the samples has, so that a loop ends early.
LONGEST: Mapping[str, int] = {
    "name": 160, "address": 300, "id": 64, "tax_id": 48, "iban": 48, "currency": 16, "money": 40, "quantity": 32, "rate": 24, "date": 40,
    "time": 24, "page_text": 12_000,
}  # fmt: skip
LONGEST_TEXT = 600
MOST_ROWS = 200
# What OpenAI's strict mode takes; other servers take more.
DEEPEST = 10
MOST_PROPERTIES = 5000
MOST_CHOICES = 1000
MOST_NAMED = 120_000  # characters of all names and choices together
Json = dict[str, Any]


@dataclass(frozen=True)
class Wire:
    """What an answer has to look like. `specs` are the fields that are asked for, by path, in the schema's order."""

    schema: Json = field(hash=False)
    specs: Mapping[str, FieldSpec] = field(hash=False)


@cache
def compile_wire(schema: type[BaseModel], only: frozenset[str] | None = None) -> Wire:
    """What a page is asked for: all fields but those of a list with a row for each page, which is filled from the page's own text. With
    `only` these paths and no others; of a list, the whole row.

    Raises SchemaError, which names the field, for a schema that cannot be asked of a model.
    """
    specs = {spec.path: spec for spec in fields_of(schema) if spec.rows != "pages"}
    if only is not None:
        lists = {_list_of(path) for path in only} - {None}
        specs = {path: spec for path, spec in specs.items() if path in only or _list_of(path) in lists}
    if not specs:
        raise SchemaError(f"{schema.__name__} has no field that is read off one page", hint="read it with another engine")
    compiled = _object(schema, "", specs, depth=1)
    _within_limits(compiled, specs)
    return Wire(compiled, specs)


def _list_of(path: str) -> str | None:
    return path.partition("[")[0] if "[" in path else None


def _object(model: type[BaseModel], prefix: str, specs: Mapping[str, FieldSpec], *, depth: int) -> Json:
    if depth > DEEPEST:
        raise SchemaError(
            f"{prefix.rstrip('.')}: more than {DEEPEST} levels deep", hint="a model is asked for flatter schemas: join levels"
        )
    properties = {}
    for name, info in model.model_fields.items():
        node = _node(info, prefix + name, specs, depth=depth)
        if node is not None:
            properties[name] = node
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _node(info: FieldInfo, path: str, specs: Mapping[str, FieldSpec], *, depth: int) -> Json | None:
    """The field, or None where nothing of it is asked for."""
    kind, repeated = bare_type(info.annotation), False
    if get_origin(kind) in (list, tuple):
        kind, path, repeated = bare_type(get_args(kind)[0]), path + "[*]", True
    if not any(asked == path or asked.startswith(path + ".") for asked in specs):
        return None
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        inner = _object(kind, path + ".", specs, depth=depth + 1)
        item = inner if repeated else {"anyOf": [inner, {"type": "null"}]}
    else:
        item = _leaf(specs[path], None if repeated else _bound(info), nullable=not repeated)
    if repeated:
        most = min(_bound(info) or MOST_ROWS, MOST_ROWS)
        item = {"anyOf": [{"type": "array", "items": item, "maxItems": most}, {"type": "null"}]}
    return {"description": info.description, **item} if info.description else item


def _leaf(spec: FieldSpec, bound: int | None, *, nullable: bool) -> Json:
    def type_of(name: str) -> str | list[str]:
        return [name, "null"] if nullable else name

    if spec.kind == "bool":
        return {"type": type_of("boolean")}
    if spec.kind == "choice":
        return {"type": type_of("string"), "enum": [*spec.choices, *([None] if nullable else [])]}
    longest = LONGEST.get(spec.kind, LONGEST_TEXT)
    return {"type": type_of("string"), "maxLength": min(bound or longest, longest)}


def _bound(info: FieldInfo) -> int | None:
    return next((mark.max_length for mark in info.metadata if isinstance(mark, MaxLen)), None)


def _within_limits(compiled: Json, specs: Mapping[str, FieldSpec]) -> None:
    names = list(_names(compiled))
    most = max(specs.values(), key=lambda spec: len(spec.choices))
    if len(names) > MOST_PROPERTIES:
        raise SchemaError(f"{most.path}: {len(names)} fields, a model is asked for {MOST_PROPERTIES}", hint="split the schema")
    choices = [choice for spec in specs.values() for choice in spec.choices]
    if len(choices) > MOST_CHOICES or sum(map(len, [*names, *choices])) > MOST_NAMED:
        raise SchemaError(f"{most.path}: too many or too long choices", hint="use str, and look the value up afterwards")


def _names(node: Any) -> Iterator[str]:
    """The name of every property, however deep."""
    if isinstance(node, dict):
        yield from node.get("properties", {})
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _names(child)
