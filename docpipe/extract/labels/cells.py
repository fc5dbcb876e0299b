"""Cells between ruling lines: which cell a box lies in, and whether a line parts two boxes. Knows geometry, no text's meaning."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from docpipe.extract.labels.layout import PageLayout, Segment
from docpipe.records import Box

_SAME_LINE = 2.0  # points: pieces of one drawn line lie this close
_GAP = 4.0  # points: dashes and joints of one line
_SHORTEST = 6.0
_COVERED = 0.7  # share of a cell's side that its line must run along


@dataclass(frozen=True)
class Line:
    """A merged ruling line: at `at`, reaching from `start` to `end` along the other axis."""

    at: float
    start: float
    end: float

    def spans(self, place: float) -> bool:
        """The line passes `place` of the other axis."""
        return self.start - 1 <= place <= self.end + 1

    def covers(self, low: float, high: float) -> bool:
        """The line runs along most of that stretch."""
        return min(self.end, high) - max(self.start, low) >= _COVERED * (high - low)


@dataclass(frozen=True, eq=False)
class Cell:
    """The space round a text that ruling lines bound; where a side has no line it ends with the lines above and below."""

    box: Box
    segments: tuple[Segment, ...]

    def holds(self, box: Box) -> bool:
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return self.box[0] <= x <= self.box[2] and self.box[1] <= y <= self.box[3]


class Grid:
    """The ruling lines of one page."""

    def __init__(self, page: PageLayout) -> None:
        self._page = page
        self._cells: dict[Box, Cell | None] = {}

    @cached_property
    def horizontals(self) -> list[Line]:
        rules = [rule for rule in self._page.rulings if abs(rule.y1 - rule.y0) <= abs(rule.x1 - rule.x0)]
        return _merged(_lines(((rule.y0 + rule.y1) / 2, rule.x0, rule.x1) for rule in rules))

    @cached_property
    def verticals(self) -> list[Line]:
        rules = [rule for rule in self._page.rulings if abs(rule.y1 - rule.y0) > abs(rule.x1 - rule.x0)]
        return _merged(_lines(((rule.x0 + rule.x1) / 2, rule.y0, rule.y1) for rule in rules))

    def parted_sideways(self, left: Box, right: Box) -> bool:
        """A vertical line stands between the two, on the height of the left one."""
        return _between(self.verticals, left[2] - 1, right[0] + 1, (left[1] + left[3]) / 2)

    def parted_down(self, upper: Box, lower: Box) -> bool:
        """A horizontal line lies between the two, under the upper one."""
        return _between(self.horizontals, upper[3] - 1, lower[1] + 1, (max(upper[0], lower[0]) + min(upper[2], lower[2])) / 2)

    def cell(self, box: Box) -> Cell | None:
        """The cell that the box lies in; None where no line bounds it below, or nothing bounds it on another side."""
        if box not in self._cells:
            self._cells[box] = self._find(box)
        return self._cells[box]

    def _find(self, box: Box) -> Cell | None:
        if not self.horizontals:
            return None
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        top, bottom = _nearest(self.horizontals, y, x)
        left, right = _nearest(self.verticals, x, y)
        if bottom is None or (top is None and left is None and right is None):
            return None
        level = [line for line in (top, bottom) if line is not None]
        bounds = (
            max(line.start for line in level) if left is None else left.at,
            0.0 if top is None else top.at,
            min(line.end for line in level) if right is None else right.at,
            bottom.at,
        )
        upright = [line for line in (left, right) if line is not None]
        closed = all(line.covers(bounds[0], bounds[2]) for line in level) and all(line.covers(bounds[1], bounds[3]) for line in upright)
        if not closed or not bounds[0] <= x <= bounds[2]:
            return None
        first = bisect_left(self._by_height, bounds[1], key=lambda segment: segment.centre_y)
        last = bisect_right(self._by_height, bounds[3], key=lambda segment: segment.centre_y)
        inside = [other for other in self._by_height[first:last] if bounds[0] <= (other.x0 + other.x1) / 2 <= bounds[2]]
        return Cell(bounds, tuple(sorted(inside, key=lambda segment: segment.index)))

    @cached_property
    def _by_height(self) -> list[Segment]:
        return sorted(self._page.segments, key=lambda segment: segment.centre_y)


def _lines(raw: Iterable[tuple[float, float, float]]) -> list[Line]:
    return sorted((Line(at, min(a, b), max(a, b)) for at, a, b in raw), key=lambda line: (line.at, line.start))


def _merged(lines: Sequence[Line]) -> list[Line]:
    """Pieces of one line joined; what is then too short to bound anything is dropped."""
    done: list[Line] = []
    for line in lines:
        for place in range(len(done) - 1, max(-1, len(done) - 40), -1):
            other = done[place]
            if line.at - other.at > _SAME_LINE:
                continue
            if line.start <= other.end + _GAP and other.start <= line.end + _GAP:
                done[place] = Line(other.at, min(other.start, line.start), max(other.end, line.end))
                break
        else:
            done.append(line)
    return sorted((line for line in done if line.end - line.start >= _SHORTEST), key=lambda line: line.at)


def _between(lines: Sequence[Line], low: float, high: float, place: float) -> bool:
    first = bisect_left(lines, low, key=lambda line: line.at)
    last = bisect_right(lines, high, key=lambda line: line.at)
    return any(line.spans(place) for line in lines[first:last])


def _nearest(lines: Sequence[Line], value: float, place: float) -> tuple[Line | None, Line | None]:
    """The nearest lines before and after `value` that span `place` on the other axis."""
    middle = bisect_left(lines, value, key=lambda line: line.at)
    before = next((line for line in reversed(lines[:middle]) if line.spans(place)), None)
    after = next((line for line in lines[middle:] if line.spans(place)), None)
    return before, after
