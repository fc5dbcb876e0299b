"""A page's words as lines and segments (cells), by geometry alone. Knows no label and no field.

A line here is a visual row across the whole page; a segment is a part of it without a wide gap or a ruling line inside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median

from docpipe.records import Box, Checkbox, Ruling, Word, Words, WordSource
from docpipe.values.text import fold
from docpipe.words.ticks import Tick, ticks

# In heights of the smaller word: wider gaps part two segments. OCR boxes are padded and their words set wider (both measured).
GAP_TEXT, GAP_OCR = 0.9, 1.2
SAME_LINE = 0.45
_GLUED = re.compile(r"([^\W\d][^:=]{1,30}[:=])(?=[^\s/:=\\])(.+)", re.DOTALL)


@dataclass(frozen=True, eq=False)
class Segment:
    """Words of one line that belong together, left to right. `line` is its line's index on the page, `index` its own."""

    page: int
    words: tuple[Word, ...]
    line: int
    index: int

    @cached_property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @cached_property
    def folded(self) -> str:
        return fold(self.text)

    @cached_property
    def height(self) -> float:
        return median(word.y1 - word.y0 for word in self.words)

    @cached_property
    def box(self) -> Box:
        return box_of(self.words)

    @property
    def x0(self) -> float:
        return self.box[0]

    @property
    def y0(self) -> float:
        return self.box[1]

    @property
    def x1(self) -> float:
        return self.box[2]

    @property
    def y1(self) -> float:
        return self.box[3]

    @property
    def centre_y(self) -> float:
        return (self.y0 + self.y1) / 2

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Where each word starts in `text`."""
        starts, place = [], 0
        for word in self.words:
            starts.append(place)
            place += len(word.text) + 1
        return tuple(starts)

    def words_at(self, start: int, end: int) -> tuple[Word, ...]:
        """The words that the characters `start:end` of `text` touch; all of them when none is."""
        touched = tuple(
            word for word, place in zip(self.words, self.offsets, strict=True) if place < end and place + len(word.text) > start
        )
        return touched or self.words

    def box_at(self, start: int, end: int) -> Box:
        return box_of(self.words_at(start, end))


@dataclass(frozen=True, eq=False)
class PageLayout:
    """One page as segments; `lines[i]` are the segments of visual row i, left to right, rows from top to bottom."""

    number: int
    width: float
    height: float
    source: WordSource
    lines: tuple[tuple[Segment, ...], ...]
    rulings: tuple[Ruling, ...] = ()
    checkboxes: tuple[Checkbox, ...] = ()
    strokes: tuple[Ruling, ...] = ()
    segments: tuple[Segment, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "segments", tuple(segment for line in self.lines for segment in line))

    @cached_property
    def median_height(self) -> float:
        """The unit that distances are measured in, in points."""
        return median(segment.height for segment in self.segments) if self.segments else 10.0

    @cached_property
    def ticks(self) -> list[Tick]:
        """All that can be ticked on the page."""
        return ticks(self.checkboxes, (word for segment in self.segments for word in segment.words))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        return tuple(segment.text for segment in self.segments)


def lay_out(words: Words) -> PageLayout:
    """Rows, then segments: parted at wide gaps, at a lone `|`, and where a vertical ruling stands between two words."""
    gap = GAP_TEXT if words.source == "text_layer" else GAP_OCR
    verticals = [ruling for ruling in words.rulings if abs(ruling.x1 - ruling.x0) < abs(ruling.y1 - ruling.y0)]
    lines: list[tuple[Segment, ...]] = []
    count = 0
    for row in visual_rows([part for word in words.words for part in _unglued(word)]):
        cells = _cells(row, gap, verticals)
        lines.append(tuple(Segment(words.page, tuple(cell), len(lines), count + place) for place, cell in enumerate(cells)))
        count += len(cells)
    return PageLayout(words.page, words.width, words.height, words.source, tuple(lines), words.rulings, words.checkboxes, words.strokes)


def visual_rows(words: Sequence[Word]) -> list[list[Word]]:
    """Words whose centres lie on one height, each row left to right, rows top to bottom."""
    rows: list[tuple[list[Word], float, float]] = []
    for word in sorted(words, key=lambda word: ((word.y0 + word.y1) / 2, word.x0)):
        centre, height = (word.y0 + word.y1) / 2, word.y1 - word.y0
        for row, row_centre, row_height in reversed(rows[-4:]):
            small, large = sorted((height, row_height))
            near = SAME_LINE * small if small >= 0.6 * large else 0.35 * large
            if abs(row_centre - centre) < near:
                row.append(word)
                break
        else:
            rows.append(([word], centre, height))
    return [sorted(row, key=lambda word: word.x0) for row, _, _ in rows]


def box_of(words: Sequence[Word]) -> Box:
    """The box round the words; there must be one."""
    return (
        min(word.x0 for word in words),
        min(word.y0 for word in words),
        max(word.x1 for word in words),
        max(word.y1 for word in words),
    )


def _cells(row: Sequence[Word], gap: float, verticals: Sequence[Ruling]) -> list[list[Word]]:
    cells = [[row[0]]]
    for word in row[1:]:
        last = cells[-1][-1]
        height = min(word.y1 - word.y0, last.y1 - last.y0)
        if word.x0 - last.x1 > gap * height or last.text == "|" or _ruled_apart(last, word, verticals):
            cells.append([word])
        else:
            cells[-1].append(word)
    return cells


def _ruled_apart(left: Word, right: Word, verticals: Sequence[Ruling]) -> bool:
    middle = (left.y0 + left.y1) / 2
    return any(
        left.x1 - 1 <= ruling.x0 <= right.x0 + 1 and min(ruling.y0, ruling.y1) < middle < max(ruling.y0, ruling.y1) for ruling in verticals
    )


def _unglued(word: Word) -> tuple[Word, ...]:
    """`Key:value` printed without a blank -> two words, each with its share of the width; URLs and times stay whole."""
    match = _GLUED.fullmatch(word.text)
    if not match or word.x1 - word.x0 <= word.y1 - word.y0:
        return (word,)
    cut = word.x0 + (word.x1 - word.x0) * len(match[1]) / len(word.text)
    return word._replace(text=match[1], x1=cut), word._replace(text=match[2], x0=cut)
