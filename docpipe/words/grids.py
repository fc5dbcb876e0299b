"""Ruled grids: rulings that cross -> rows and columns of cells. Knows lines on paper, no words."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from docpipe.records import Ruling

# Points: rulings nearer than this are one line, and ends this close still touch.
SAME, TOUCH = 3.0, 4.0
LEAST_CELL = 6.0  # points; a narrower cell is a double line
MOST_RULINGS = 1500  # a page with more is a drawing


@dataclass(frozen=True)
class Grid:
    """The edges of columns and rows, ascending; there are at least two of each and one cell."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]

    @property
    def columns(self) -> int:
        return len(self.xs) - 1

    @property
    def rows(self) -> int:
        return len(self.ys) - 1

    def cell_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Row and column of the cell that holds the point; None outside."""
        column, row = bisect_right(self.xs, x) - 1, bisect_right(self.ys, y) - 1
        return (row, column) if 0 <= column < self.columns and 0 <= row < self.rows else None


def grids_of(rulings: Sequence[Ruling]) -> list[Grid]:
    """The grids of two columns and two rows or more that crossing rulings form, top to bottom."""
    if len(rulings) > MOST_RULINGS:
        return []
    across = [r for r in map(_ordered, rulings) if r.x1 - r.x0 >= r.y1 - r.y0]
    down = [r for r in map(_ordered, rulings) if r.x1 - r.x0 < r.y1 - r.y0]
    grids = []
    for flat, upright in _crossing(across, down):
        xs, ys = _edges([r.x0 for r in upright]), _edges([r.y0 for r in flat])
        if len(xs) > 2 and len(ys) > 2:
            grids.append(Grid(tuple(xs), tuple(ys)))
    return sorted(grids, key=lambda grid: grid.ys[0])


def _ordered(ruling: Ruling) -> Ruling:
    return Ruling(min(ruling.x0, ruling.x1), min(ruling.y0, ruling.y1), max(ruling.x0, ruling.x1), max(ruling.y0, ruling.y1))


def _crossing(across: Sequence[Ruling], down: Sequence[Ruling]) -> list[tuple[list[Ruling], list[Ruling]]]:
    """Rulings joined where a horizontal and a vertical one meet: those across and those down of every group."""
    leader = list(range(len(across) + len(down)))

    def root(place: int) -> int:
        while leader[place] != place:
            leader[place] = leader[leader[place]]
            place = leader[place]
        return place

    upright = sorted((ruling.x0, place, ruling.y0 - TOUCH, ruling.y1 + TOUCH) for place, ruling in enumerate(down, start=len(across)))
    places = [x for x, *_ in upright]
    for flat, one in enumerate(across):
        near = upright[bisect_left(places, one.x0 - TOUCH) : bisect_right(places, one.x1 + TOUCH)]
        for place in [place for _, place, top, bottom in near if top <= one.y0 <= bottom]:
            leader[root(flat)] = root(place)
    groups: dict[int, tuple[list[Ruling], list[Ruling]]] = {}
    for place, ruling in enumerate([*across, *down]):
        groups.setdefault(root(place), ([], []))[place >= len(across)].append(ruling)
    return [group for group in groups.values() if all(group)]


def _edges(places: Sequence[float]) -> list[float]:
    edges: list[float] = []
    for place in sorted(places):
        if not edges or place - edges[-1] > max(SAME, LEAST_CELL):
            edges.append(place)
    return edges
