"""One page's segments and labels by row and by column, and places in it. Knows geometry and ruling lines, no field."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from docpipe.extract.labels.cells import Cell, Grid
from docpipe.extract.labels.label import Label
from docpipe.extract.labels.layout import PageLayout, Segment
from docpipe.extract.labels.lexicon import ITEM_HEADERS, WEAK_ITEM_HEADERS
from docpipe.records import Box
from docpipe.values.amounts import CURRENCY_MARKS

_COLUMN = 24.0  # points: width of the stripes that the column index is kept in


@dataclass(frozen=True, eq=False)
class Place:
    """Characters `start:end` of a segment. `anchor` is the left edge that counts for alignment, where that is not the box's own."""

    segment: Segment
    start: int
    end: int
    box: Box
    anchor: float | None = None

    @property
    def page(self) -> int:
        return self.segment.page


def place_of(segment: Segment, start: int, end: int, anchor: float | None = None) -> Place:
    """The place of some characters of a segment, with the box of their words."""
    return Place(segment, start, end, segment.box_at(start, end), anchor)


class PageIndex:
    """One page's segments and labels by row and column."""

    def __init__(self, layout: PageLayout, labels: Iterable[Label]) -> None:
        self.layout = layout
        self.grid = Grid(layout)
        self.unit = layout.median_height
        self._segments: defaultdict[int, list[Segment]] = defaultdict(list)
        for segment in layout.segments:
            if not any(map(str.isalnum, segment.text)):
                continue
            for stripe in _stripes(segment.x0, segment.x1):
                self._segments[stripe].append(segment)
        self.item_headers = frozenset(number for number, line in enumerate(layout.lines) if heads_items(line))
        for column in self._segments.values():
            column.sort(key=lambda segment: segment.y0)
        self._tops = {stripe: [segment.y0 for segment in column] for stripe, column in self._segments.items()}
        self._rows: defaultdict[int, list[Label]] = defaultdict(list)
        self._columns: defaultdict[int, list[Label]] = defaultdict(list)
        for label in labels:
            self._rows[label.segment.line].append(label)
            left, right = label.box[0] - 0.5 * self.unit, label_reach(label) + 1.5 * self.unit
            if (cell := self.small_cell(label.box)) is not None:
                left, right = min(left, cell.box[0]), max(right, cell.box[2])
            for stripe in _stripes(left, right):
                self._columns[stripe].append(label)

    def small_cell(self, box: Box) -> Cell | None:
        """The cell that the box lies in, unless it is so large that it says nothing."""
        cell = self.grid.cell(box)
        return cell if cell is not None and cell.box[3] - cell.box[1] < 0.25 * self.layout.height else None

    def in_column(self, x0: float, x1: float, low: float = 0.0, high: float = math.inf) -> Iterator[Segment]:
        """The segments that share some of the width and begin between two heights, each once, by columns from the left."""
        seen = set()
        for stripe in _stripes(x0, x1):
            column = self._segments.get(stripe)
            if column is None:
                continue
            tops = self._tops[stripe]
            for segment in column[bisect_left(tops, low) : bisect_right(tops, high)]:
                box = segment.box
                if segment not in seen and min(box[2], x1) > max(box[0], x0):
                    seen.add(segment)
                    yield segment

    def on_row(self, box: Box, line: int) -> list[Segment]:
        """The segments on the height of the box, left to right."""
        middle, height = (box[1] + box[3]) / 2, box[3] - box[1]
        near = [segment for row in self.layout.lines[max(0, line - 2) : line + 3] for segment in row]
        return sorted(
            (segment for segment in near if abs(segment.centre_y - middle) < 0.55 * max(height, segment.height)),
            key=lambda segment: segment.x0,
        )

    def labels_near(self, place: Place) -> Iterator[Label]:
        """The labels on the place's rows and above it in its column, each once."""
        seen = set()
        line = place.segment.line
        for row in range(line - 2, line + 4):
            for label in self._rows.get(row, ()):
                seen.add(label)
                yield label
        left = place.box[0] if place.anchor is None else min(place.anchor, place.box[0])
        for stripe in _stripes(left, place.box[2]):
            for label in self._columns.get(stripe, ()):
                if label not in seen and label.box[1] < place.box[1]:
                    seen.add(label)
                    yield label


def label_reach(label: Label) -> float:
    """How far right a label reaches for what stands below it: a label that begins its segment, to the segment's end."""
    return label.segment.x1 if label.start <= 1 and not label.colon else label.box[2]


def heads_items(line: Sequence[Segment]) -> bool:
    """The line is the header of a table of billed positions: it names a description or a quantity, and other columns, and has no amount."""
    named = {segment.folded for segment in line if segment.folded in ITEM_HEADERS}
    found = sum(1 for name in named if name not in WEAK_ITEM_HEADERS)
    return found >= 2 or (found == 1 and len(named) >= 3)


def is_mark(text: str) -> bool:
    """Only a currency mark or punctuation."""
    return text.strip(" :.-_").lower() in CURRENCY_MARKS or not any(char.isalnum() for char in text)


def _stripes(x0: float, x1: float) -> range:
    return range(int(max(x0, 0.0) // _COLUMN), int(max(x1, 0.0) // _COLUMN) + 1)
