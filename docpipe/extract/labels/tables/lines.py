"""Pages as lines of phrases and numbers. Knows geometry and what repeats from page to page, no label."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from docpipe.extract.labels.layout import PageLayout, box_of
from docpipe.extract.labels.tables.numbers import Number, form_of, has_letters, numbers_of
from docpipe.records import Box, Word
from docpipe.values.text import fold

# Measured on vendor invoices: a phrase ends at a gap of 0.55 text heights; at a column's edge a third of that is enough.
PHRASE_GAP = 0.55
EDGE_GAP = 0.2
EDGE_NEAR = 2.1
OCR_GAP = 0.9
MARGIN = 0.12
PAGE = 1e5  # points between the tops of two pages in a line's `place`
_PAGE_NUMBER = re.compile(r".{0,40}\b(page|seite|pagina|pag|strana|strona|sida|side|sivu|blatt|hoja)\b[\s\w]*")


@dataclass(frozen=True, eq=False, slots=True)
class Phrase:
    """Words that belong together; `cell` says that it holds numbers and units only."""

    words: tuple[Word, ...]
    cell: bool

    @property
    def x0(self) -> float:
        return self.words[0].x0

    @property
    def x1(self) -> float:
        return self.words[-1].x1

    @property
    def centre(self) -> float:
        return (self.x0 + self.x1) / 2

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def box(self) -> Box:
        return box_of(self.words)


@dataclass(frozen=True, eq=False)
class Line:
    """One printed line. `index` counts the document's lines, `place` orders and spaces them over all pages, `y` is its centre."""

    page: int
    index: int
    y: float
    height: float
    words: tuple[Word, ...]
    gap: float
    phrases: tuple[Phrase, ...]
    numbers: tuple[Number, ...]

    @property
    def place(self) -> float:
        return self.page * PAGE + self.y

    @cached_property
    def wording(self) -> str:
        """The line without its numbers."""
        return " ".join(word.text for word in self.words if form_of(word.text) is None)

    @cached_property
    def lead(self) -> str:
        """The text before the line's first number; empty where a number comes first."""
        texts = []
        for phrase in self.phrases:
            if phrase.cell or form_of(phrase.words[0].text) is not None:
                break
            texts.append(phrase.text)
        return " ".join(texts)

    @cached_property
    def cells(self) -> tuple[Number, ...]:
        return tuple(number for number in self.numbers if number.alone)

    @property
    def has_money(self) -> bool:
        return any(number.money for number in self.cells)

    @cached_property
    def texts(self) -> tuple[Phrase, ...]:
        """The phrases that hold a word."""
        return tuple(phrase for phrase in self.phrases if has_letters(phrase.text))


def lines_of(layouts: Sequence[PageLayout]) -> list[Line]:
    """The lines of all pages, without what recurs at the same height on most of them and without lone page numbers."""
    rows: list[tuple[PageLayout, tuple[Word, ...]]] = []
    for layout in layouts:
        tall = 3 * layout.median_height
        for segments in layout.lines:
            words = tuple(w for segment in segments for w in segment.words if 2 < w.y1 - w.y0 <= max(tall, w.x1 - w.x0) and w.text.strip())
            if words:
                rows.append((layout, words))
    dropped = _furniture(rows, len(layouts))
    kept = [row for number, row in enumerate(rows) if number not in dropped]
    return [_line(layout, words, index) for index, (layout, words) in enumerate(kept)]


def split(line: Line, lefts: Sequence[float], rights: Sequence[float]) -> Line:
    """The line cut again where a word starts at one of `lefts` or ends at one of `rights`: columns set closer than words usually are."""
    return _made(line.page, line.index, line.y, line.height, line.words, line.gap, lefts, rights)


def _line(layout: PageLayout, words: tuple[Word, ...], index: int) -> Line:
    height = median(word.y1 - word.y0 for word in words)
    y = sum((word.y0 + word.y1) / 2 for word in words) / len(words)
    gap = PHRASE_GAP if layout.source == "text_layer" else OCR_GAP
    return _made(layout.number, index, y, height, words, gap, (), ())


def _made(
    page: int, index: int, y: float, height: float, words: tuple[Word, ...], gap: float, lefts: Sequence[float], rights: Sequence[float]
) -> Line:
    phrases: list[Phrase] = []
    numbers: list[Number] = []
    for part in _parts(words, height, gap, lefts, rights):
        found = numbers_of(part, page, y, height)
        phrases.append(Phrase(part, any(number.alone for number in found)))
        numbers += found
    return Line(page, index, y, height, words, gap, tuple(phrases), tuple(numbers))


def _parts(words: Sequence[Word], height: float, gap: float, lefts: Sequence[float], rights: Sequence[float]) -> Iterable[tuple[Word, ...]]:
    part = [words[0]]
    for word in words[1:]:
        space = word.x0 - part[-1].x1
        if space > gap * height or (space > EDGE_GAP * height and _at_edge(part[-1], word, lefts, rights)):
            yield tuple(part)
            part = []
        part.append(word)
    yield tuple(part)


def _at_edge(last: Word, word: Word, lefts: Sequence[float], rights: Sequence[float]) -> bool:
    return any(abs(word.x0 - x) < EDGE_NEAR for x in lefts) or any(abs(last.x1 - x) < EDGE_NEAR / 2 for x in rights)


def _furniture(rows: Sequence[tuple[PageLayout, tuple[Word, ...]]], pages: int) -> set[int]:
    """Which rows stand in the margin and either say `page n` or come again, digits aside, on more than half of the pages. At the top the
    first of those stays: it may be a table's header."""
    seen: dict[tuple[bool, int, str], list[int]] = defaultdict(list)
    dropped: set[int] = set()
    for number, (layout, words) in enumerate(rows):
        y = sum((word.y0 + word.y1) / 2 for word in words) / len(words)
        top, bottom = y <= MARGIN * layout.height, y >= (1 - MARGIN) * layout.height
        if not top and not bottom:
            continue
        text = fold(" ".join(word.text for word in words))
        if len(words) < 8 and _PAGE_NUMBER.fullmatch(text):
            dropped.add(number)
        elif pages > 1:
            seen[top, round(y / 4), re.sub(r"\d+", "9", text)].append(number)
    for (top, _, _), same in seen.items():
        if len({rows[number][0].number for number in same}) > pages / 2:
            dropped.update(same[1:] if top else same)
    return dropped
