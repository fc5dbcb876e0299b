"""Words -> lines in the order a person reads them: rows top to bottom, columns of running text one after the other.

Knows boxes and gaps, no text beyond the share of letters. A table's row stays one line: only running text makes a column.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

from docpipe.records import Ruling, Word
from docpipe.words.cells import parts_of

Row = list[Word]
Gap = tuple[float, float]

# A word belongs to a row when it shares this much of the lower one's height with the row.
SAME_ROW = 0.5
# A word of a run is level with the one before when its edges are this close, in heights.
LEVEL = 0.1
# A line is tall beside another from this factor on.
TALLER = 1.3
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
    white: float = 2.0


RULES = Columns()


def in_order(pieces: Iterable[Sequence[Word]], rulings: Sequence[Ruling] = ()) -> tuple[Word, ...]:
    """All words of the pieces in reading order, `line` counted from 0. A piece is a run of words that stays together: a line as an OCR
    engine found it, or a single word. With the page's rulings, the cells of ruled tables are told from columns and from rows."""
    standing = [ruling for ruling in rulings if abs(ruling.x1 - ruling.x0) < abs(ruling.y1 - ruling.y0)]
    parts = parts_of(list(filter(None, pieces)), rulings)
    lines = (line for part in parts for line in _lines(rows_of(part), standing))
    return tuple(word if word.line == number else Word._make((*word[:-1], number)) for number, line in enumerate(lines) for word in line)


def runs_of(words: Iterable[Word]) -> Iterator[Row]:
    """Words of a text layer, in its own order -> pieces for `in_order`: neighbours of one of its lines that stand level, left to right and
    close by. A tenth of the pieces of single words, and the same order."""
    run: Row = []
    for word in words:
        if run and not _continues(run[-1], word):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _continues(last: Word, word: Word) -> bool:
    """Whether a word follows the last one in its line as in a sentence, and is as high."""
    _, _, y0, x1, y1, _, line = last
    _, x0, top, _, bottom, _, number = word
    height = y1 - y0
    return (
        line == number
        and -0.2 * height <= x0 - x1 <= RULES.gutter * height
        and abs(top - y0) <= LEVEL * height
        and abs(bottom - y1) <= LEVEL * height
    )


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
    overlap = -_distance(near, word) > 0.5 * min(near.x1 - near.x0, word.x1 - word.x0) or (
        max(near.y1 - near.y0, word.y1 - word.y0) > TALLER * min(near.y1 - near.y0, word.y1 - word.y0) and _over(piece, row)
    )
    return not overlap or shared > 0.8 * (max(near.y1, word.y1) - min(near.y0, word.y0))


def _over(piece: Sequence[Word], row: Row) -> bool:
    """Whether most of the piece, or of the row, stands over or under words of the other: a lower line finds gaps beside a tall one."""
    shared = sum(max(0.0, min(word[3], other[3]) - max(word[1], other[1])) for word in piece for other in row)
    return shared > 0.5 * min(sum(word[3] - word[1] for word in words) for words in (piece, row))


def _distance(one: Word, other: Word) -> float:
    """Between two words along the line; negative where they overlap."""
    return max(one.x0 - other.x1, other.x0 - one.x1)


def _lines(rows: Sequence[Row], standing: Sequence[Ruling]) -> Iterator[Row]:
    """Rows as lines; a run of rows with a gutter between running text gives its left lines, then its right ones. Where upright rulings
    make a table of it, that holds for each of the table's rows."""
    start = 0
    shapes = [_shape(row) for row in rows]
    while start < len(rows):
        end, gutter = (start + 1, None) if _unparted(shapes[start : start + 2]) else _run(rows, shapes, start)
        if gutter is None:
            yield rows[start]
            start += 1
            continue
        middle = (gutter[0] + gutter[1]) / 2
        parted = [([word for word in row if word.x1 <= middle], [word for word in row if word.x1 > middle]) for row in rows[start:end]]
        for band in _bands(parted) if _ruled(rows[start:end], gutter, standing) else [parted]:
            for side in zip(*band, strict=True):
                yield from _lines([row for row in side if row], standing)
        start = end


def _ruled(rows: Sequence[Row], gutter: Gap, standing: Sequence[Ruling]) -> bool:
    """Whether an upright ruling stands in the gutter, and one on either side of the rows: a table's, for newspapers have no outer ones."""
    x0, x1 = min(row[0].x0 for row in rows), max(word.x1 for row in rows for word in row)
    top, bottom = min(word.y0 for word in rows[0]), max(word.y1 for word in rows[-1])
    along = [
        ruling.x0
        for ruling in standing
        if min(bottom, max(ruling.y0, ruling.y1)) - max(top, min(ruling.y0, ruling.y1)) > RULES.reach * (bottom - top)
    ]
    inside = any(gutter[0] - 1 <= x <= gutter[1] + 1 for x in along)
    return inside and any(x <= x0 + 1 for x in along) and any(x >= x1 - 1 for x in along)


def _bands(rows: Sequence[tuple[Row, Row]]) -> list[list[tuple[Row, Row]]]:
    """The rows of a table of two columns without lines between its rows: one begins where, after lines of one cell only, both go on."""
    bands = [[rows[0]]]
    for above, row in pairwise(rows):
        if all(row) and not all(above):
            bands.append([])
        bands[-1].append(row)
    return bands


class Shape(NamedTuple):
    """A row's ends, its top and bottom, the widest gap between its words and its lowest word's height."""

    x0: float
    x1: float
    y0: float
    y1: float
    gap: float
    height: float


def _shape(row: Row) -> Shape:
    end, gap, height = row[0].x0, 0.0, math.inf
    top, bottom = row[0].y0, row[0].y1
    for _, x0, y0, x1, y1, *_ in row:
        gap = max(gap, x0 - end)
        end = max(end, x1)
        height = min(height, y1 - y0)
        top = min(top, y0)
        bottom = max(bottom, y1)
    return Shape(row[0].x0, end, top, bottom, gap, height)


def _unparted(shapes: Sequence[Shape]) -> bool:
    """Whether these rows surely leave no gap that could be a gutter: a quick answer for most rows of most pages."""
    least = RULES.gutter * min(shape.height for shape in shapes)
    apart = max(shape.x0 for shape in shapes) - min(shape.x1 for shape in shapes)
    return apart < least and all(shape.gap < least for shape in shapes)


def _run(rows: Sequence[Row], shapes: Sequence[Shape], start: int) -> tuple[int, Gap | None]:
    """The longest run of rows from `start` that one gutter parts into columns: its end and the gutter, or no gutter."""
    for gap in _gaps(rows[start : start + 2]):
        end, gutter = _follow(rows, shapes, start, gap)
        if gutter is not None and end - start >= RULES.rows and _columns(rows[start:end], gutter):
            return end, gutter
    return start + 1, None


def _follow(rows: Sequence[Row], shapes: Sequence[Shape], start: int, gap: Gap) -> tuple[int, Gap | None]:
    """As far down as a gap goes on, narrowed to what all rows leave free, and no further than to a band of white right across."""
    height = _height(rows[start])
    least, white = RULES.gutter * height, RULES.white * height
    last: Gap | None = None
    end, bottom = start, math.inf
    while end < len(rows):
        free = _free(rows[end], gap)
        if free[1] - free[0] < least or (end - start >= RULES.rows and shapes[end].y0 - bottom > white):
            break
        gap = last = free
        bottom = shapes[end].y1 if end == start else max(bottom, shapes[end].y1)
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
    best, longest = start, 0.0
    for _, x0, _, x1, *_ in row:
        if x1 <= start or x0 >= end:
            continue
        if x0 - start > longest:
            best, longest = start, x0 - start
        start = max(start, x1)
    return (start, end) if end - start > longest else (best, best + longest)


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
    height = statistics.median([_height(row) for row in rows])
    if filled < RULES.filled * len(rows) or right - left < RULES.width * height or _parted(rows, height):
        return False
    text = "".join(word.text for row in rows for word in row)
    return sum(char.isalpha() for char in text) >= RULES.letters * len(text)


def _parted(rows: Sequence[Row], height: float) -> bool:
    """Whether most rows have a gap too wide for a blank: cells, not sentences."""
    wide = sum(any(right.x0 - left.x1 > 1.5 * height for left, right in pairwise(row)) for row in rows)
    return 2 * wide > len(rows)


def _height(row: Sequence[Word]) -> float:
    """The median; by hand, as `statistics` takes three times as long and this is asked of every row."""
    heights = sorted([word[4] - word[2] for word in row])
    middle = len(heights) // 2
    return heights[middle] if len(heights) % 2 else (heights[middle - 1] + heights[middle]) / 2
