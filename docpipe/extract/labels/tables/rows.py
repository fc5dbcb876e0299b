"""The rows of a table: one for each amount, with the cells beside it and the lines of its description. Knows geometry, no arithmetic."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from docpipe.extract.labels.layout import box_of
from docpipe.extract.labels.tables.assign import Assignment
from docpipe.extract.labels.tables.columns import Column, attach, place_of
from docpipe.extract.labels.tables.header import HeaderCell
from docpipe.extract.labels.tables.lines import Line, Phrase
from docpipe.extract.labels.tables.numbers import Number, has_letters
from docpipe.extract.labels.tables.roles import is_included
from docpipe.records import Box

# In text heights: lines of one cell, and how far a row's cells stand from its amount.
PITCH = 1.6
OWN = 0.75
LEFT_SLACK, RIGHT_SLACK = 12.0, 3.0
START = 4.0  # points: phrases of one text column start this close
NAMED = 0.5  # of a header cell's text names the description
SAMPLE = 40  # rows and lines that decide where descriptions stand
_ATTRIBUTE = re.compile(r"[^\W\d_][\w./ -]{1,25}\s?:(\s|$)")
FAR = 1e9


@dataclass(frozen=True, eq=False)
class Row:
    """One row: its numbers by role (`amount` always), its description, further texts by role; `included`: part of the row above."""

    cells: dict[str, Number]
    description: tuple[Phrase, ...]
    texts: dict[str, Phrase] = field(default_factory=dict)

    @property
    def amount(self) -> Number:
        return self.cells["amount"]

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(phrase.text for phrase in self.description)).strip(" :")

    @property
    def text_box(self) -> Box | None:
        """Round the words of the description that stand on the page of its first; None without a description."""
        return box_of([word for phrase in self.description for word in phrase.words]) if self.description else None

    @property
    def included(self) -> bool:
        return is_included(self.text)

    @property
    def bare(self) -> bool:
        """Nothing but an amount, or an amount and a text without letters."""
        return len(self.cells) == 1 and not has_letters(self.text)

    @property
    def shape(self) -> frozenset[str]:
        """What the row has."""
        return frozenset(self.cells) | ({"description"} if self.description else set())


@dataclass(frozen=True)
class _Span:
    """Where a row's cells stand: top and bottom centre as places of the document."""

    top: float
    bottom: float
    height: float


def _beside(body: Sequence[Line], spans: Sequence[_Span]) -> list[Line]:
    """The lines that rows stand on, those of the first rows."""
    places = [line.place for line in body]
    lines: list[Line] = []
    for span in spans[:SAMPLE]:
        lines += body[bisect_left(places, span.top - OWN * span.height) : bisect_right(places, span.bottom + OWN * span.height)]
    return lines


TextLine = tuple[Line, list[Phrase]]


def rows_of(body: Sequence[Line], assignment: Assignment, columns: Sequence[Column], cells: Sequence[HeaderCell]) -> list[Row]:
    """One row for each amount, top to bottom."""
    anchors = assignment.anchors
    found = {role: attach(anchors, column) for role, column in assignment.columns.items() if role != "amount"}
    numbers = [
        {"amount": anchor, **{role: cell for role, side in found.items() if (cell := side[row]) is not None}}
        for row, anchor in enumerate(anchors)
    ]
    spans = [_span(row) for row in numbers]
    zone = _Zone.of(columns, cells, _beside(body, spans))
    texts = [(line, phrases) for line in body if (phrases := zone.phrases(line))]
    described = _descriptions(texts, spans, zone)
    sides = _side_texts(body, spans, cells)
    return [Row(row, description, side) for row, description, side in zip(numbers, described, sides, strict=True)]


def _span(cells: Mapping[str, Number]) -> _Span:
    places = [place_of(number) for number in cells.values()]
    return _Span(min(places), max(places), cells["amount"].height)


@dataclass(frozen=True)
class _Zone:
    """Where descriptions stand: from `left` to before `right`. `head`: their header cell, None in a table without a header; `others`: where
    the other header cells stand."""

    head: HeaderCell | None
    left: float
    right: float
    columns: tuple[tuple[float, float], ...]
    others: tuple[tuple[float, float], ...] = ()

    @classmethod
    def of(cls, columns: Sequence[Column], cells: Sequence[HeaderCell], own: Sequence[Line]) -> _Zone:
        """Between the header cells around the description's; without a header round the start that most letters of the rows' `own` lines
        share."""
        spans = tuple((column.x0, column.x1) for column in columns)
        zones = [cls._under(cell, spans, cells) for cell in cells if cell.score("description") >= NAMED]
        if zones:
            return max(zones, key=lambda zone: (zone._letters(own), zone.head.score("description") if zone.head else 0.0))
        return cls._free(spans, own) if not cells else cls(None, 0.0, FAR, spans)

    @classmethod
    def _under(cls, head: HeaderCell, spans: tuple[tuple[float, float], ...], cells: Sequence[HeaderCell]) -> _Zone:
        left = max((min(cell.x1, head.x0 - 1) for cell in cells if cell.x0 < head.x0 - 2 and cell.roles), default=0.0)
        starts = [x0 for x0, _ in spans if x0 > head.x0 + 5] + [cell.x0 for cell in cells if cell.x0 > head.x1 and cell.roles]
        others = tuple((cell.x0, cell.x1) for cell in cells if cell is not head and cell.roles)
        return cls(head, left, min(starts, default=FAR), spans, others)

    @classmethod
    def _free(cls, spans: tuple[tuple[float, float], ...], own: Sequence[Line]) -> _Zone:
        whole = cls(None, 0.0, FAR, spans)
        letters: Counter[int] = Counter()
        for line in own:
            for phrase in whole.phrases(line):
                letters[round(phrase.x0 / START)] += sum(map(str.isalpha, phrase.text))
        if not letters:
            return whole
        start = max(letters, key=lambda place: letters[place])
        after = [place for place in letters if place > start + 1]
        return cls(None, start * START - LEFT_SLACK, min(after, default=FAR / START) * START - START / 2, spans)

    def _letters(self, own: Sequence[Line]) -> int:
        return sum(char.isalpha() for line in own[:SAMPLE] for phrase in self.phrases(line) for char in phrase.text)

    def phrases(self, line: Line) -> list[Phrase]:
        """The line's phrases that belong to a description."""
        return [part for phrase in line.phrases if (part := self._part(line, phrase)) is not None]

    def _part(self, line: Line, phrase: Phrase) -> Phrase | None:
        if phrase.cell and any(x0 - 1 <= phrase.x0 and phrase.x0 <= x1 and phrase.x1 >= x0 for x0, x1 in self.columns):
            return None
        if self.head is None:
            free = self.left <= phrase.x0 < self.right and not any(x0 <= phrase.centre <= x1 for x0, x1 in self.columns)
            return phrase if free and has_letters(phrase.text) else None
        phrase = self._from_head(phrase, self.head.x0)
        if phrase.x0 > self.head.x1 and any(x0 < phrase.x1 and phrase.x0 < x1 for x0, x1 in self.others):
            return None  # the text of a column of its own, under a header that is set in its middle
        return phrase if self.left - RIGHT_SLACK <= phrase.x0 < self.right - 1 else None

    @staticmethod
    def _from_head(phrase: Phrase, x0: float) -> Phrase:
        """A phrase that runs in from the column on the left starts where the description does."""
        if phrase.x0 < x0 - 4 and phrase.x1 > x0 + 4 and any(abs(word.x0 - x0) < LEFT_SLACK for word in phrase.words):
            return Phrase(tuple(word for word in phrase.words if word.x0 > x0 - LEFT_SLACK), phrase.cell)
        return phrase


def _descriptions(texts: Sequence[TextLine], spans: Sequence[_Span], zone: _Zone) -> list[tuple[Phrase, ...]]:
    places = [line.place for line, _ in texts]
    own = [
        range(bisect_left(places, span.top - OWN * span.height), bisect_right(places, span.bottom + OWN * span.height)) for span in spans
    ]
    upwards = _upwards(texts, places, spans, own)
    out = []
    for row, span in enumerate(spans):
        before = own[row - 1].stop if row else 0
        after = own[row + 1].start if row + 1 < len(spans) else len(texts)
        if own[row] and not upwards:
            lines = [*own[row], *_down(texts, own[row].stop, after, texts[own[row][-1]][0])]
        elif own[row]:
            lines = [*_up(texts, own[row].start, before, places[own[row][0]], span), *own[row]]
        else:
            lines = _up(texts, bisect_left(places, span.top), before, span.top, span)
        out.append(_phrases(texts, lines, zone))
    return out


def _upwards(texts: Sequence[TextLine], places: Sequence[float], spans: Sequence[_Span], own: Sequence[range]) -> bool:
    """Whether descriptions end beside their amounts: the lines between two rows hang closer to the row below. Voted once per table."""
    if not spans or not own[0]:
        return False
    first = places[own[0][0]]
    votes = 3 * any(0 < first - place <= PITCH * spans[0].height for place in places[: own[0].start])
    for row in range(len(spans) - 1):
        between = places[own[row].stop : own[row + 1].start]
        if between and between[0] - spans[row].bottom < 1000 and spans[row + 1].top - between[-1] < 1000:
            above, below = between[0] - spans[row].bottom, spans[row + 1].top - between[-1]
            votes += (above > below + 1) - (below > above + 1)
    return votes > 0


def _up(texts: Sequence[TextLine], start: int, stop: int, place: float, span: _Span) -> list[int]:
    """The lines above, as long as each hangs close to the next."""
    out: list[int] = []
    for number in range(start - 1, stop - 1, -1):
        line = texts[number][0]
        if not 0 < place - line.place <= PITCH * max(span.height, line.height):
            break
        out.insert(0, number)
        place = line.place
    return out


def _down(texts: Sequence[TextLine], start: int, stop: int, last: Line) -> list[int]:
    """The lines below, as long as each hangs close to the one before and holds no numbers of its own."""
    out: list[int] = []
    for number in range(start, stop):
        line, phrases = texts[number]
        apart = line.place - last.place > PITCH * max(last.height, line.height)
        if apart or line.has_money or any(phrase.cell for phrase in line.phrases if phrase not in phrases):
            break
        out.append(number)
        last = line
    return out


def _phrases(texts: Sequence[TextLine], lines: Sequence[int], zone: _Zone) -> tuple[Phrase, ...]:
    """The lines' phrases up to the first attribute ("Origin: ..."); without the article number where that is stacked on top."""
    if zone.head is not None and zone.head.skip_first and len(lines) > 1:
        lines = lines[1:]
    out: list[Phrase] = []
    for place, number in enumerate(lines):
        phrases = texts[number][1]
        if place and _ATTRIBUTE.match(phrases[0].text):
            break
        out += phrases
    return tuple(out)


def _side_texts(body: Sequence[Line], spans: Sequence[_Span], cells: Sequence[HeaderCell]) -> list[dict[str, Phrase]]:
    """What stands under header cells of text columns, by role, on each row's own lines."""
    wanted = {cell.role: cell for cell in cells if cell.role and cell.role not in ("description", "amount", "unit_price", "tax_rate")}
    places = [line.place for line in body]
    out: list[dict[str, Phrase]] = []
    for span in spans:
        start = bisect_left(places, span.top - OWN * span.height)
        stop = bisect_right(places, span.bottom + OWN * span.height)
        side: dict[str, Phrase] = {}
        for line in body[start:stop]:
            for phrase in line.phrases:
                cell = _under(phrase, cells)
                if cell is not None and cell.role in wanted and cell is wanted[cell.role]:
                    side.setdefault(cell.role, phrase)
        out.append(side)
    return out


def _under(phrase: Phrase, cells: Sequence[HeaderCell]) -> HeaderCell | None:
    """The header cell the phrase overlaps most."""
    shared = [(min(phrase.x1, cell.x1) - max(phrase.x0, cell.x0), -place) for place, cell in enumerate(cells)]
    best = max(shared, default=(0.0, 0))
    return cells[-best[1]] if best[0] > 0 else None
