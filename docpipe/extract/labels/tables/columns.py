"""Numeric columns of a table: cells grouped under header cells or by position, and rows of cells that stand side by side."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from docpipe.extract.labels.tables.header import HeaderCell
from docpipe.extract.labels.tables.lines import PAGE
from docpipe.extract.labels.tables.numbers import Number

OVERLAP = 0.3  # of the narrower: cells of one column
REACH = 1.7  # text heights between an amount and the other cells of its row
HEAD_REACH = 30.0  # points between a column and its header
ALIGNED = 6.0  # points: edges or centres of one column agree
MOST_COLUMNS = 9


@dataclass(frozen=True, eq=False)
class Column:
    """Numbers that stand under one another, top to bottom, and the header cell above them."""

    numbers: tuple[Number, ...]
    head: HeaderCell | None = None

    @cached_property
    def x0(self) -> float:
        return min(number.x0 for number in self.numbers)

    @cached_property
    def x1(self) -> float:
        return max(number.x1 for number in self.numbers)

    def score(self, role: str) -> float:
        """How surely the header says this role."""
        return self.head.score(role) if self.head else 0.0

    @property
    def named(self) -> bool:
        return self.head is not None and bool(self.head.roles)


def place_of(number: Number) -> float:
    """The number's place from the document's top."""
    return number.page * PAGE + number.y


def cluster(numbers: Sequence[Number]) -> list[Column]:
    """Columns by overlap in x alone, left to right."""
    groups: list[tuple[float, float, list[Number]]] = []
    for number in sorted(numbers, key=lambda n: n.x1 - n.x0, reverse=True):
        best, most = None, OVERLAP
        for place, (x0, x1, _) in enumerate(groups):
            shared = (min(number.x1, x1) - max(number.x0, x0)) / max(1.0, min(number.x1 - number.x0, x1 - x0))
            if shared > most:
                best, most = place, shared
        if best is None:
            groups.append((number.x0, number.x1, [number]))
        else:
            x0, x1, members = groups[best]
            members.append(number)
            groups[best] = (min(x0, number.x0), max(x1, number.x1), members)
    return [_column(members) for _, _, members in sorted(groups, key=lambda group: group[0])]


def under_headers(numbers: Sequence[Number], cells: Sequence[HeaderCell]) -> list[Column]:
    """Numbers under the header cell they overlap most, else the nearest by edge or centre; a group with two numbers side by side falls
    apart again. What stands under a description is text."""
    groups: dict[int, list[Number]] = defaultdict(list)
    for number in numbers:
        groups[min(range(len(cells)), key=lambda place: _distance(number, cells[place]))].append(number)
    columns: list[Column] = []
    for place, members in groups.items():
        cell = cells[place]
        if cell.role == "description" and not {"amount", "unit_price", "quantity"} & cell.roles.keys():
            continue
        columns += cluster(members) if _side_by_side(members) else [_column(members)]
    return _headed(sorted(columns, key=lambda column: column.x0), cells)


def aligned(numbers: Sequence[Number], head: HeaderCell | None) -> list[Number]:
    """The numbers that share the column's right edge, left edge or centre with most of the others, or stand under its header."""
    if len(numbers) < 3:
        return list(numbers)
    best = max(([_edges(n)[way] for n in numbers] for way in range(3)), key=_agreeing)
    common = sorted(best)[len(best) // 2]
    way = max(range(3), key=lambda way: _agreeing([_edges(n)[way] for n in numbers]))
    return [
        n for n in numbers if abs(_edges(n)[way] - common) <= ALIGNED or (head is not None and min(n.x1, head.x1) - max(n.x0, head.x0) > 0)
    ]


def attach(anchors: Sequence[Number], column: Column) -> list[Number | None]:
    """For every anchor the column's number on its row: the nearest within reach, each used once. Linear in the table's length."""
    places = [place_of(number) for number in column.numbers]
    pairs = []
    for row, anchor in enumerate(anchors):
        middle, reach = place_of(anchor), REACH * anchor.height
        start = bisect_left(places, middle - reach)
        for other in range(start, len(places)):
            if places[other] >= middle + reach:
                break
            pairs.append((abs(places[other] - middle), row, other))
    out: list[Number | None] = [None] * len(anchors)
    used: set[int] = set()
    for _, row, other in sorted(pairs):
        if out[row] is None and other not in used:
            out[row] = column.numbers[other]
            used.add(other)
    return out


def _column(members: Sequence[Number], head: HeaderCell | None = None) -> Column:
    return Column(tuple(sorted(members, key=place_of)), head)


def _edges(number: Number) -> tuple[float, float, float]:
    return (number.x1, number.x0, number.centre)


def _agreeing(places: Sequence[float]) -> int:
    common = sorted(places)[len(places) // 2]
    return sum(abs(place - common) <= ALIGNED for place in places)


def _distance(number: Number, cell: HeaderCell) -> tuple[int, float]:
    shared = min(number.x1, cell.x1) - max(number.x0, cell.x0)
    if shared > 0:
        return (0, -shared)
    return (1, min(abs(number.x1 - cell.x1), abs(number.x0 - cell.x0), abs(number.centre - (cell.x0 + cell.x1) / 2)))


def _side_by_side(members: Sequence[Number]) -> bool:
    ordered = sorted(members, key=place_of)
    return any(place_of(b) - place_of(a) < 0.5 * a.height for a, b in pairwise(ordered))


def _headed(columns: Sequence[Column], cells: Sequence[HeaderCell]) -> list[Column]:
    """Each column with its header cell: the one it overlaps most, or the nearest; one header for one column."""
    pairs = []
    for place, column in enumerate(columns):
        for which, cell in enumerate(cells):
            shared = min(column.x1, cell.x1) - max(column.x0, cell.x0)
            if -shared < HEAD_REACH:
                pairs.append((-min(shared, 20.0) / 10 if shared > 0 else -shared, -len(column.numbers), place, which))
    heads: dict[int, HeaderCell] = {}
    used: set[int] = set()
    for _, _, place, which in sorted(pairs):
        if place not in heads and which not in used:
            heads[place] = cells[which]
            used.add(which)
    return [Column(column.numbers, heads.get(place)) for place, column in enumerate(columns)]
