"""What OpenAI's strict mode takes of JSON Schema, looked at before anything is sent. Knows schemas alone.

https://platform.openai.com/docs/guides/structured-outputs#supported-schemas, as quoted in many projects in 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from docpipe.errors import SchemaError

DEEPEST = 10
MOST_PROPERTIES = 5000
MOST_NAMED = 120_000  # characters of all names, choices and constants together
MOST_CHOICES = 1000
LONG_ENUM, MOST_LONG_ENUM = 250, 15_000  # of more choices than the first, the characters together
FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
TAKEN = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "const", "description", "title", "$ref", "$defs"}
    | {"pattern", "format", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"}
)
_LENGTHS = frozenset({"minLength", "maxLength"})  # answered with 400, "'maxLength' is not permitted"
_HINT = "ask for less, or DOCPIPE_MODEL__API__STRUCTURED=json_object"
Json = Mapping[str, Any]


def strict(schema: Json) -> dict[str, Any]:
    """The schema as strict mode takes it: without the lengths of texts, which whoever reads the answer has to look at.

    Raises SchemaError, with the place, for one that would be refused.
    """
    loose: dict[str, Any] = _without_lengths(schema)
    if loose.get("type") != "object":
        raise SchemaError("the schema is not of an object", hint=_HINT)
    for path, node, depth in _nodes(loose, "", 1):
        if problem := _problem(node, depth):
            raise SchemaError(f"{path or 'the schema'}: {problem}", hint=_HINT)
    _check_size([node for _, node, _ in _nodes(loose, "", 1)])
    return loose


def _without_lengths(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {
            name: {key: _without_lengths(one) for key, one in child.items()} if name in ("properties", "$defs") else _without_lengths(child)
            for name, child in node.items()
            if name not in _LENGTHS
        }
    return [_without_lengths(child) for child in node] if isinstance(node, list | tuple) else node


def _nodes(node: Json, path: str, depth: int) -> Iterator[tuple[str, Json, int]]:
    """Every schema within, with its place and how many objects deep it lies."""
    yield path, node, depth
    below = depth + 1 if node.get("properties") else depth
    for kind in ("properties", "$defs"):
        for name, child in node.get(kind, {}).items():
            yield from _nodes(child, f"{path}.{name}".lstrip("."), below)
    for child in node.get("anyOf", ()):
        yield from _nodes(child, path, depth)
    if isinstance(node.get("items"), Mapping):
        yield from _nodes(node["items"], f"{path}[*]", depth)


def _problem(node: Json, depth: int) -> str:
    """Why this schema, without those within it, would be refused; empty where it would not."""
    if odd := node.keys() - TAKEN:
        return f"{sorted(odd)[0]} is not taken"
    if "format" in node and node["format"] not in FORMATS:
        return f"the format {node['format']} is not taken"
    if "properties" in node or node.get("type") == "object":
        if node.get("additionalProperties") is not False:
            return "additionalProperties has to be false"
        if missing := node.get("properties", {}).keys() - set(node.get("required", ())):
            return f"{sorted(missing)[0]} has to be required; let it be null instead"
        if depth > DEEPEST:
            return f"more than {DEEPEST} levels deep"
    choices = [choice for choice in node.get("enum", ()) if isinstance(choice, str)]
    if len(choices) > LONG_ENUM and sum(map(len, choices)) > MOST_LONG_ENUM:
        return f"the {len(choices)} choices have more than {MOST_LONG_ENUM} characters"
    return ""


def _check_size(nodes: list[Json]) -> None:
    names = [name for node in nodes for kind in ("properties", "$defs") for name in node.get(kind, {})]
    choices = [str(choice) for node in nodes for choice in (*node.get("enum", ()), *([node["const"]] if "const" in node else []))]
    if sum(len(node.get("properties", {})) for node in nodes) > MOST_PROPERTIES:
        raise SchemaError(f"more than {MOST_PROPERTIES} properties", hint=_HINT)
    if len(choices) > MOST_CHOICES:
        raise SchemaError(f"more than {MOST_CHOICES} choices", hint=_HINT)
    if sum(map(len, [*names, *choices])) > MOST_NAMED:
        raise SchemaError(f"names and choices have more than {MOST_NAMED} characters", hint=_HINT)
