"""Choices -> the result: the data tree in the schema's own shape, the fields with their evidence, the usage. Knows no rule."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from docpipe.fields import FieldSpec
from docpipe.records import (
    Alternative,
    Candidate,
    Failure,
    Field,
    Issue,
    Outcome,
    Producer,
    Readings,
    Result,
    ResultUsage,
    Sent,
    Status,
    Usage,
    Value,
)
from docpipe.validate.choice import Choice, Choices, value_key, values_of
from docpipe.validate.rows import place

S = TypeVar("S", bound=BaseModel)
MOST_ALTERNATIVES = 5
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def build(
    readings: Readings, schema: type[S], specs: Sequence[FieldSpec], choices: Choices, issues: Sequence[Issue], status: Status
) -> Result[S]:
    """The result of these choices; `data` is the schema's class where it accepts the values, else the same tree as plain JSON."""
    data, misfits = typed(schema, specs, values_of(choices))
    if misfits and status == "accepted":
        status = "review"
    pages = len(readings.pages)
    return Result[schema](  # type: ignore[valid-type]
        status=status,
        document=readings.job.document,
        schema_ref=readings.job.schema_ref,
        data=data,
        fields=tuple(field(choice) for choice in choices.values() if choice.at is not None),
        issues=(*issues, *misfits),
        pages=tuple(sorted(readings.pages, key=lambda page: page.number)),
        usage=ResultUsage(pages=pages, by_engine=usage(readings.outcomes), sent=sent(outcome.sent for outcome in readings.outcomes)),
        producer=producer(readings.outcomes),
        job=readings.job.id,
    )


def typed(schema: type[S], specs: Sequence[FieldSpec], values: Mapping[str, Value]) -> tuple[S | dict[str, Any], list[Issue]]:
    """The schema's own class with these values, or the plain tree and an error issue for each value that the class refuses."""
    tree = grow(specs, values)
    try:
        return schema.model_validate(tree), []
    except ValidationError as problem:
        return tree, [
            Issue(code="schema_mismatch", severity="error", path=dotted(error["loc"]), message=error["msg"])
            for error in problem.errors(include_url=False, include_input=False)
        ]


def dotted(location: Iterable[int | str]) -> str:
    """Pydantic's location as a path: `("line_items", 3, "amount")` -> `line_items[3].amount`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".")


def grow(specs: Sequence[FieldSpec], values: Mapping[str, Value]) -> dict[str, Any]:
    """A tree of all the schema's fields: null where there is no value, an empty list where there is no row."""
    tree: dict[str, Any] = {}
    for spec in specs:
        if spec.repeated:
            _put(tree, spec.path.partition("[*]")[0], [], only_if_missing=True)
        else:
            _put(tree, spec.path, None)
    rows: dict[str, int] = {}
    for path in values:
        if found := place(path):
            rows[found[0]] = max(rows.get(found[0], 0), found[1] + 1)
    for spec in specs:
        head, _, tail = spec.path.partition("[*]")
        if spec.repeated and "[*]" not in tail:
            for row in range(rows.get(head, 0)):
                _put(tree, f"{head}[{row}]{tail}", None)
    for path, value in values.items():
        _put(tree, path, value)
    return tree


def _put(tree: dict[str, Any], path: str, value: Any, *, only_if_missing: bool = False) -> None:
    """Set `path` in the tree, growing dicts and lists on the way."""
    steps: list[str | int] = [int(index) if index else name for name, index in _STEP.findall(path)]
    node: Any = tree
    for step, following in itertools.pairwise(steps):
        node = _child(node, step, [] if isinstance(following, int) else {})
    last = steps[-1]
    if only_if_missing and isinstance(node, dict) and last in node:
        return
    _child(node, last, None)
    node[last] = value


def _child(node: Any, step: str | int, fresh: Any) -> Any:
    """The child at `step`, made of `fresh` where there is none."""
    if isinstance(node, list) and isinstance(step, int):
        node.extend([None] * (step + 1 - len(node)))
    elif step not in node:
        node[step] = None
    if node[step] is None:
        node[step] = fresh
    return node[step]


def field(choice: Choice) -> Field:
    """The value that stands, with its evidence and what it won against; of equal values only the best is kept."""
    winner = choice.ranked[choice.at or 0]
    return Field(
        path=choice.path,
        value=winner.value,
        raw=winner.raw,
        page=winner.page,
        box=winner.box,
        engine=winner.engine,
        model=winner.model,
        confidence=choice.confidence,
        grounded=winner.grounded,
        label=winner.evidence.label,
        label_box=winner.evidence.label_box,
        confirmed_by=choice.confirmed_by,
        alternatives=alternatives(choice),
    )


def alternatives(choice: Choice) -> tuple[Alternative, ...]:
    """The best of each other value."""
    seen = {value_key(choice.spec.kind, choice.value)}
    kept: list[Candidate] = []
    for candidate in choice.losers:
        key = value_key(choice.spec.kind, candidate.value)
        if key not in seen:
            seen.add(key)
            kept.append(candidate)
    return tuple(
        Alternative(value=other.value, raw=other.raw, page=other.page, box=other.box, engine=other.engine)
        for other in kept[:MOST_ALTERNATIVES]
    )


def usage(outcomes: Sequence[Outcome]) -> dict[str, Usage]:
    """What every engine's calls cost together, a failed call counted as a call."""
    spent: dict[str, list[Usage]] = {}
    for outcome in outcomes:
        spent.setdefault(outcome.engine, []).append(outcome.usage)
    return {engine: Usage.total(spent[engine]) for engine in sorted(spent)}


def sent(parts: Iterable[Sent | None]) -> tuple[Sent, ...]:
    """What went to other machines: for each host, and each way of sending, the pages."""
    pages: dict[tuple[str, bool, bool], set[int]] = {}
    for one in filter(None, parts):
        pages.setdefault((one.host, one.words, one.redacted), set()).update(one.pages)
    return tuple(
        Sent(host=host, pages=tuple(sorted(numbers)), words=words, redacted=redacted)
        for (host, words, redacted), numbers in sorted(pages.items())
    )


def producer(outcomes: Sequence[Outcome]) -> Producer:
    """This version of docpipe and the engines and models that took part."""
    try:
        own = version("docpipe")
    except PackageNotFoundError:
        own = "0"
    engines = sorted({outcome.engine for outcome in outcomes})
    models = {outcome.engine: outcome.model for outcome in outcomes if not isinstance(outcome, Failure) and outcome.model}
    return Producer(docpipe=own, engines={engine: own for engine in engines}, models=dict(sorted(models.items())))
