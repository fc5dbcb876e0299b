"""Ruled tables in reading order: rows of a table whose cells hold lines of their own are read cell by cell.

Knows rulings and boxes, no text. A row whose cells' lines stand level is left alone: that is how amounts stand beside what they are for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from docpipe.records import Ruling, Word
from docpipe.words.grids import Grid, grids_of

Piece = Sequence[Word]
# In heights of the lower line: how far apart the middles of two lines may be that stand level.
LEVEL = 0.4
# A piece that reaches over a cell's edge by more than this share of its length stands in no one cell.
OVER = 0.25
# The edges of two cells.
LEAST_RULINGS = 5


class _Span(NamedTuple):
    """A piece's box, and its lines' height."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def middle(self) -> float:
        return (self.y0 + self.y1) / 2


class _Row(NamedTuple):
    """A table row that is to be read cell by cell: its top and bottom, and the pieces of each part."""

    top: float
    bottom: float
    parts: list[list[Piece]]


def parts_of(pieces: Sequence[Piece], rulings: Sequence[Ruling]) -> Iterator[list[Piece]]:
    """The pieces in parts that are read one after the other, top to bottom: the cells of such rows one by one, all between them at once."""
    grids = grids_of(rulings) if len(rulings) >= LEAST_RULINGS else []
    rest = [(piece, _span(piece)) for piece in pieces] if grids else []
    for row in sorted((row for grid in grids for row in _rows(rest, grid)), key=lambda row: row.top):
        inside = {id(piece) for part in row.parts for piece in part}
        level = [id(piece) for piece, span in rest if row.top <= span.middle < row.bottom]
        # Text beside the table, or another table in this one's cell: no row of a table by itself.
        if inside != set(level):
            continue
        yield [piece for piece, span in rest if span.middle < row.top]
        yield from row.parts
        rest = [(piece, span) for piece, span in rest if span.middle >= row.bottom]
    yield [piece for piece, _ in rest] if grids else list(pieces)


def _rows(pieces: Sequence[tuple[Piece, _Span]], grid: Grid) -> Iterator[_Row]:
    """The grid's rows that are to be read cell by cell."""
    rows: dict[int, dict[int, list[Piece]]] = {}
    torn = set()
    for piece, span in pieces:
        place = grid.cell_at((span.x0 + span.x1) / 2, span.middle)
        if place is None:
            continue
        row, column = place
        rows.setdefault(row, {}).setdefault(column, []).append(piece)
        if max(grid.xs[column] - span.x0, span.x1 - grid.xs[column + 1]) > OVER * (span.x1 - span.x0):
            torn.add(row)
    for row, cells in rows.items():
        filled = [cells[column] for column in sorted(cells)]
        if row not in torn and len(filled) > 1 and _stacked(filled):
            yield _Row(grid.ys[row], grid.ys[row + 1], _together(filled))


def _stacked(cells: Sequence[Sequence[Piece]]) -> bool:
    """Whether some cell holds lines that are not level with another cell's, and no two cells hold several lines that all are."""
    lines = [_stack(cell) for cell in cells]
    pairs = [(one, other, _level(one, other)) for one, other in combinations(lines, 2)]
    return any(not level for _, _, level in pairs) and not any(level and min(len(one), len(other)) > 1 for one, other, level in pairs)


def _together(cells: Sequence[list[Piece]]) -> list[list[Piece]]:
    """The cells with neighbours of one line each that stand level made one: they are read as a row."""
    parts: list[list[Piece]] = []
    for cell in cells:
        if parts and len(_stack(parts[-1])) == len(_stack(cell)) == 1 and _level(_stack(parts[-1]), _stack(cell)):
            parts[-1] = [*parts[-1], *cell]
        else:
            parts.append(cell)
    return parts


def _stack(cell: Sequence[Piece]) -> list[_Span]:
    """The lines of one cell, pieces side by side made one, top to bottom."""
    lines: list[_Span] = []
    for span in sorted(map(_span, cell), key=lambda span: span.middle):
        if lines and _beside(lines[-1], span):
            last = lines.pop()
            span = _Span(min(last.x0, span.x0), min(last.y0, span.y0), max(last.x1, span.x1), max(last.y1, span.y1))
        lines.append(span)
    return lines


def _level(one: Sequence[_Span], other: Sequence[_Span]) -> bool:
    """Whether every line of the cell with fewer stands beside a line of the other."""
    fewer, more = sorted((one, other), key=len)
    return all(any(_beside(line, there) for there in more) for line in fewer)


def _beside(one: _Span, other: _Span) -> bool:
    return abs(one.middle - other.middle) < LEVEL * min(one.y1 - one.y0, other.y1 - other.y0)


def _span(piece: Piece) -> _Span:
    return _Span(
        min(word.x0 for word in piece), min(word.y0 for word in piece), max(word.x1 for word in piece), max(word.y1 for word in piece)
    )
