"""A result arranged for looking at: sheets with boxes, groups of fields. Knows records, no HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from docpipe.records import Box, Field, Issue, PageSummary, Result, Word

A4 = (595.0, 842.0)
State = Literal["sure", "check", "wrong", "none"]


@dataclass(frozen=True)
class Picture:
    """What a page looks like: its image as a data URI, else its words where they stand."""

    image: str | None = None
    words: tuple[Word, ...] = ()


class Mark(NamedTuple):
    """A box on a sheet, in percent of its sides, and the index of its field."""

    field: int
    state: State
    title: str
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Sheet:
    """One page: what is known of it, what it looks like, and the marks on it."""

    page: PageSummary
    width: float
    height: float
    picture: Picture
    marks: tuple[Mark, ...]
    issues: tuple[Issue, ...]


@dataclass(frozen=True)
class Entry:
    """One field with what speaks for and against it; `index` is its place in `result.fields`, None for a value that nobody could read."""

    index: int | None
    path: str
    name: str
    state: State
    field: Field | None = None
    issues: tuple[Issue, ...] = ()


@dataclass
class Group:
    """Fields that belong together: a block, or a row of a list."""

    title: str
    entries: list[Entry] = field(default_factory=list)


def sheets_of(result: Result[Any], pictures: Mapping[int, Picture]) -> list[Sheet]:
    """Every page in order with the boxes of its fields."""
    return [_sheet(result, page, pictures.get(page.number, Picture())) for page in result.pages]


def groups_of(result: Result[Any]) -> list[Group]:
    """The fields by block or row, in the order of the result; values that are null come after their block's others."""
    read = {found.path for found in result.fields}
    entries = [_entry(result, index, found) for index, found in enumerate(result.fields)]
    entries += [Entry(None, path, _last(path), "none", None, _about(result, path)) for path in _nulls(result.data) if path not in read]
    order: dict[str, int] = {}
    for entry in entries:
        order.setdefault(_block(entry.path), len(order))
    entries.sort(key=lambda entry: order[_block(entry.path)])
    return [Group(title, list(some)) for title, some in groupby(entries, key=lambda entry: _block(entry.path))]


def issues_without_field(result: Result[Any]) -> list[Issue]:
    """What is to be said of the document or a page rather than of one field."""
    known = {found.path for found in result.fields} | set(_nulls(result.data))
    return [issue for issue in result.issues if issue.path not in known]


def _sheet(result: Result[Any], page: PageSummary, picture: Picture) -> Sheet:
    width, height = (page.width or A4[0]), (page.height or A4[1])
    marks = tuple(
        _mark(index, _state(result, found), found, found.box, width, height)
        for index, found in enumerate(result.fields)
        if found.page == page.number and found.box is not None
    )
    return Sheet(page, width, height, picture, marks, tuple(issue for issue in result.issues if issue.page == page.number))


def _mark(index: int, state: State, found: Field, box: Box, width: float, height: float) -> Mark:
    x0, y0, x1, y1 = box
    return Mark(
        index, state, f"{found.path}: {found.value}", x0 / width * 100, y0 / height * 100, (x1 - x0) / width * 100, (y1 - y0) / height * 100
    )


def _entry(result: Result[Any], index: int, found: Field) -> Entry:
    return Entry(index, found.path, _last(found.path), _state(result, found), found, _about(result, found.path))


def _state(result: Result[Any], found: Field) -> State:
    if any(issue.severity == "error" for issue in _about(result, found.path)):
        return "wrong"
    return "sure" if found.confirmed_by else "check"


def _about(result: Result[Any], path: str) -> tuple[Issue, ...]:
    return tuple(issue for issue in result.issues if issue.path == path)


def _block(path: str) -> str:
    return path.rpartition(".")[0]


def _last(path: str) -> str:
    return path.rpartition(".")[2].replace("_", " ")


def _nulls(data: Any, prefix: str = "") -> Iterator[str]:
    """The paths of what nobody could read."""
    if isinstance(data, BaseModel):
        data = data.model_dump()
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _nulls(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(data, list | tuple):
        for index, value in enumerate(data):
            yield from _nulls(value, f"{prefix}[{index}]")
    elif data is None:
        yield prefix
