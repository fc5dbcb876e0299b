"""Whether the cells of a table's rows are printed in their own rows: a value of the row below is on the page, and wrong all the same.
Knows places only; no words and no model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from docpipe.extract.vlm.ground import Place
from docpipe.records import Box


@dataclass(frozen=True)
class Row:
    """A row as the model gave it: the cell that says where it is, and every cell's place by its column."""

    anchor: str
    cells: Mapping[str, Place]

    @property
    def box(self) -> Box:
        """Where the row is."""
        return self.cells[self.anchor].box


def strays(rows: Sequence[Row]) -> set[tuple[int, str]]:
    """The cells, as number of the row and column, that are printed elsewhere than their row: on the line of another row; before a cell of
    their column that should follow; or at a place which two rows name as their own."""
    return {*_on_other_lines(rows), *_out_of_order(rows), *_shared(rows)}


def _on_other_lines(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    for number, row in enumerate(rows):
        for column, place in row.cells.items():
            if not on_line(place.box, row.box) and any(on_line(place.box, other.box) for other in rows if other is not row):
                yield number, column


def _out_of_order(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    for (one, first), (other, second) in combinations(enumerate(rows), 2):
        way = _above(first.box, second.box) - _above(second.box, first.box)
        for column in first.cells.keys() & second.cells.keys():
            box, next_box = first.cells[column].box, second.cells[column].box
            if way and way == _above(next_box, box) - _above(box, next_box):
                yield from ((one, column), (other, column))


def _shared(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    for (one, first), (other, second) in combinations(enumerate(rows), 2):
        if first.anchor == second.anchor and first.box == second.box:
            yield from ((one, first.anchor), (other, second.anchor))


def on_line(one: Box, other: Box) -> bool:
    """Whether the middle of one of the boxes is between the upper and lower edge of the other."""
    return other[1] <= _middle(one) <= other[3] or one[1] <= _middle(other) <= one[3]


def _above(one: Box, other: Box) -> bool:
    return not on_line(one, other) and _middle(one) < _middle(other)


def _middle(box: Box) -> float:
    return (box[1] + box[3]) / 2
