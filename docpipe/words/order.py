"""Words -> lines in the order a person reads them: rows top to bottom, columns of running text one after the other.

Knows boxes and gaps, no text beyond the share of letters. A table's row stays one line: only running text makes a column.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from docpipe.records import Word

Row = list[Word]
Gap = tuple[float, float]

# A word belongs to a row when it shares this much of the lower one's height with the row.
SAME_ROW = 0.5
# How many rows above may still be continued, and how many gaps of a row are tried as a gutter.
RECENT = 6
SEEDS = 3


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What makes a column: lengths in line heights. Newspaper and two-column letters pass, tables and address blocks do not."""

    gutter: float = 0.7
    rows: int = 4
    width: float = 9.0
    letters: float = 0.6
    filled: float = 0.6
    reach: float = 0.75


RULES = Columns()


def in_order(pieces: Iterable[Sequence[Word]]) -> tuple[Word, ...]:
    """All words of the pieces in reading order, `line` counted from 0. A piece is a run of words that stays together: a line as an OCR
    engine found it, or a single word."""
    lines = _lines(rows_of(pieces))
    return tuple(word._replace(line=number) for number, line in enumerate(lines) for word in line)


def rows_of(pieces: Iterable[Sequence[Word]]) -> list[Row]:
    """The words that stand side by side, top to bottom; within a row left to right."""
    rows: list[Row] = []
    bottoms: list[float] = []
    for piece in sorted(filter(None, pieces), key=_middle):
        top, bottom = min(word.y0 for word in piece), max(word.y1 for word in piece)
        recent = range(len(rows) - 1, max(-1, len(rows) - 1 - RECENT), -1)
        place = next((place for place in recent if bottoms[place] > top and _beside(piece, rows[place])), None)
        if place is None:
            rows.append(list(piece))
            bottoms.append(bottom)
        else:
            rows[place].extend(piece)
            bottoms[place] = max(bottoms[place], bottom)
    return [sorted(row, key=lambda word: word.x0) for row in rows]


def _middle(piece: Sequence[Word]) -> tuple[float, float]:
    return sum(word.y0 + word.y1 for word in piece) / len(piece), piece[0].x0


def _beside(piece: Sequence[Word], row: Row) -> bool:
    """Whether a piece continues a row: judged where they are nearest, so that a slanted row holds together."""
    first, last = piece[0], piece[-1]
    start, end = first.x0, last.x1
    near = min(row, key=lambda other: max(other[1] - end, start - other[3]))
    word = min(first, last, key=lambda candidate: _distance(near, candidate))
    shared = min(near.y1, word.y1) - max(near.y0, word.y0)
    if shared <= SAME_ROW * min(near.y1 - near.y0, word.y1 - word.y0):
        return False
    # Words over one another are two rows, however much their boxes touch, unless one is printed on the other.
    overlap = -_distance(near, word) > 0.5 * min(near.x1 - near.x0, word.x1 - word.x0)
    return not overlap or shared > 0.8 * (max(near.y1, word.y1) - min(near.y0, word.y0))


def _distance(one: Word, other: Word) -> float:
    """Between two words along the line; negative where they overlap."""
    return max(one.x0 - other.x1, other.x0 - one.x1)


def _lines(rows: Sequence[Row]) -> Iterator[Row]:
    """Rows as lines; a run of rows with a gutter between running text gives its left lines, then its right ones."""
    start = 0
    while start < len(rows):
        end, gutter = _run(rows, start)
        if gutter is None:
            yield rows[start]
            start += 1
            continue
        middle = (gutter[0] + gutter[1]) / 2
        left = [[word for word in row if word.x1 <= middle] for row in rows[start:end]]
        right = [[word for word in row if word.x1 > middle] for row in rows[start:end]]
        for side in (left, right):
            yield from _lines([row for row in side if row])
        start = end


def _run(rows: Sequence[Row], start: int) -> tuple[int, Gap | None]:
    """The longest run of rows from `start` that one gutter parts into columns: its end and the gutter, or no gutter."""
    for gap in _gaps(rows[start : start + 2]):
        end, gutter = _follow(rows, start, gap)
        if gutter is not None and _columns(rows[start:end], gutter):
            return end, gutter
    return start + 1, None


def _follow(rows: Sequence[Row], start: int, gap: Gap) -> tuple[int, Gap | None]:
    """As far down as a gap goes on, narrowed to what all rows leave free."""
    least = RULES.gutter * _height(rows[start])
    last: Gap | None = None
    end = start
    for row in rows[start:]:
        free = _free(row, gap)
        if free[1] - free[0] < least:
            break
        gap = last = free
        end += 1
    return end, last


def _gaps(rows: Sequence[Row]) -> list[Gap]:
    """The few widest gaps that these rows have in common; of two rows, since the lines of two columns need not be level."""
    words = sorted((word for row in rows for word in row), key=lambda word: word.x0)
    least = RULES.gutter * _height(words)
    ends = accumulate((word.x1 for word in words), max)
    gaps = [(end, word.x0) for end, word in zip(ends, words[1:], strict=False) if word.x0 - end >= least]
    return sorted(gaps, key=lambda gap: gap[0] - gap[1])[:SEEDS]


def _free(row: Row, gap: Gap) -> Gap:
    """What the row leaves free of the gap: its longest stretch without a word; empty when there is none."""
    start, end = gap
    best = (start, start)
    for word in row:
        if word.x1 <= start or word.x0 >= end:
            continue
        best = max(best, (start, word.x0), key=lambda stretch: stretch[1] - stretch[0])
        start = max(start, word.x1)
    return max(best, (start, end), key=lambda stretch: stretch[1] - stretch[0])


def _columns(rows: Sequence[Row], gutter: Gap) -> bool:
    """Whether both sides of the gutter are running text."""
    middle = (gutter[0] + gutter[1]) / 2
    sides = ([[word for word in row if (word.x1 > middle) is right] for row in rows] for right in (False, True))
    return all(_running([row for row in side if row]) for side in sides)


def _running(rows: Sequence[Row]) -> bool:
    """Whether these rows are one column of running text: enough lines, wide, filled to the margin, made of words, without inner gaps."""
    if len(rows) < RULES.rows:
        return False
    left, right = min(row[0].x0 for row in rows), max(row[-1].x1 for row in rows)
    filled = sum(row[-1].x1 - row[0].x0 >= RULES.reach * (right - left) for row in rows)
    height = statistics.median(_height(row) for row in rows)
    if filled < RULES.filled * len(rows) or right - left < RULES.width * height or _parted(rows, height):
        return False
    text = "".join(word.text for row in rows for word in row)
    return sum(char.isalpha() for char in text) >= RULES.letters * len(text)


def _parted(rows: Sequence[Row], height: float) -> bool:
    """Whether most rows have a gap too wide for a blank: cells, not sentences."""
    wide = sum(any(right.x0 - left.x1 > 1.5 * height for left, right in pairwise(row)) for row in rows)
    return 2 * wide > len(rows)


def _height(row: Sequence[Word]) -> float:
    return statistics.median(word.y1 - word.y0 for word in row)
