"""A form's entries wherever they stand on the pages: labels with what was filled in, and check boxes with their text.

Knows colons, cells, underlines and boxes; no field's meaning. Empty entries are entries too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from docpipe.extract.labels.index import PageIndex
from docpipe.extract.labels.layout import PageLayout, Segment, box_of
from docpipe.fields import FieldSpec
from docpipe.records import Box, Candidate, Evidence, Word
from docpipe.values.text import tidy
from docpipe.words.ticks import Tick, is_tick

_COLON = re.compile(r"[:：]$")
_NO_LABEL = re.compile(r"^(?:https?|\d{1,2}|.{61,})[:：]$", re.IGNORECASE)
LONGEST_LABEL = 8  # words
_GAP = 2.5  # median heights: text further away does not belong to a box
_VALUE_GAP = 30.0
_NEXT_LINE = 2.2


@dataclass(frozen=True)
class Entry:
    """One label with its value, or with its tick; boxes None where there is nothing printed."""

    label: str
    label_box: Box
    page: int
    relation: str
    value: str | None = None
    value_box: Box | None = None
    checked: bool | None = None
    ink: float | None = None


def read_pairs(layouts: Sequence[PageLayout], specs: Sequence[FieldSpec], engine: str) -> Iterator[Candidate]:
    """Candidates for the schema's lists of pairs: fields named `label`, of kind bool (the tick), and else (the value)."""
    wanted = [spec for spec in specs if spec.rows == "pairs"]
    if not wanted:
        return
    entries = [entry for page in layouts for entry in entries_of(page)]
    for row, entry in enumerate(entries):
        for spec in wanted:
            candidate = _candidate(spec, row, entry, engine)
            if candidate is not None:
                yield candidate


def _candidate(spec: FieldSpec, row: int, entry: Entry, engine: str) -> Candidate | None:
    path = spec.path.replace("[*]", f"[{row}]")
    evidence = Evidence(relation=entry.relation, label=entry.label, label_box=entry.label_box, label_score=1.0, fit=1.0)
    if spec.kind == "bool":
        if entry.checked is None:
            return None
        evidence = evidence.model_copy(update={"features": {"ink": entry.ink or 0.0}})
        return Candidate(path=path, value=entry.checked, page=entry.page, box=entry.value_box, engine=engine, score=1.0, evidence=evidence)
    text, box = (entry.label, entry.label_box) if spec.name == "label" else (entry.value, entry.value_box)
    if text is None:
        return None
    return Candidate(path=path, value=text, raw=text, page=entry.page, box=box, engine=engine, score=1.0, evidence=evidence)


def entries_of(page: PageLayout) -> list[Entry]:
    """The entries of one page in reading order."""
    reader = _Reader(page)
    found = [*reader.boxes(), *reader.colons(), *reader.underlined(), *reader.cells()]
    return sorted(found, key=lambda entry: (round(entry.label_box[1] / (0.8 * reader.index.unit)), entry.label_box[0]))


@dataclass(eq=False)
class _Reader:
    """One page while its entries are found; `used` holds the words that belong to an entry already."""

    page: PageLayout
    used: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.index = PageIndex(self.page, ())

    # ---- check boxes

    def boxes(self) -> Iterator[Entry]:
        """Each box with the text on its right, else on its left, else above it in its cell."""
        for tick in sorted(self.page.ticks, key=lambda tick: (tick.box[1], tick.box[0])):
            words = self._words_beside(tick, after=True) or self._words_beside(tick, after=False) or self._words_in_cell(tick)
            if words:
                self._use(words)
                text = tidy(" ".join(word.text for word in words))
                yield Entry(text, box_of(words), self.page.number, "tick", None, tick.box, tick.ticked, tick.ink)

    def _words_beside(self, tick: Tick, *, after: bool) -> list[Word]:
        """The run of free words next to the box on its row, up to the next box or a wide gap."""
        middle = (tick.box[1] + tick.box[3]) / 2
        row = [word for word in self._free() if word.y0 - 2 <= middle <= word.y1 + 2]
        others = [
            other for other in self.page.ticks if other is not tick and abs((other.box[1] + other.box[3]) / 2 - middle) < self.index.unit
        ]
        run: list[Word] = []
        edge = tick.box[2] if after else tick.box[0]
        for word in sorted(row, key=lambda word: word.x0, reverse=not after):
            gap = word.x0 - edge if after else edge - word.x1
            if gap < -2:
                continue
            low, high = (edge, word.x0) if after else (word.x1, edge)
            if gap > (_GAP if not run else 1.2) * self.index.unit or any(low - 1 <= other.box[0] <= high + 1 for other in others):
                break
            run.append(word)
            edge = word.x1 if after else word.x0
        return run if after else run[::-1]

    def _words_in_cell(self, tick: Tick) -> list[Word]:
        cell = self.index.grid.cell(tick.box)
        if cell is None or cell.box[3] - cell.box[1] > 0.25 * self.page.height:
            return []
        return [word for segment in cell.segments for word in segment.words if not is_tick(word.text) and id(word) not in self.used]

    # ---- labels that end in a colon

    def colons(self) -> Iterator[Entry]:
        """`Label: value` on one line, right of it or below it."""
        for line in self.page.lines:
            for place, segment in enumerate(line):
                for words, rest in _keyed(segment, self.used):
                    yield self._colon_entry(segment, words, rest, line[place + 1 :])

    def _colon_entry(self, segment: Segment, words: list[Word], rest: list[Word], right: Sequence[Segment]) -> Entry:
        relation = "same"
        if not rest and words[-1] is segment.words[-1]:
            rest, relation = self._value_right(words, right), "right"
            if not rest:
                rest, relation = self._value_below(words, segment), "below"
        self._use([*words, *rest])
        return self._entry(words, rest, relation)

    def _value_right(self, words: Sequence[Word], right: Sequence[Segment]) -> list[Word]:
        found: list[Word] = []
        edge = words[-1].x1
        for other in right:
            if other.words[0].x0 - edge > (_VALUE_GAP if not found else _GAP) * self.index.unit or not self._is_value(other):
                break
            found += other.words
            edge = other.x1
        return found

    def _value_below(self, words: Sequence[Word], segment: Segment) -> list[Word]:
        box = box_of(words)
        below = [
            other
            for other in self.index.in_column(box[0] - 1, box[2])
            if 0.4 * segment.height < other.y0 - box[1] < _NEXT_LINE * self.index.unit and abs(other.x0 - box[0]) < 2 * self.index.unit
        ]
        nearest = min(below, key=lambda other: other.y0, default=None)
        if nearest is None or not self._is_value(nearest) or self._rule_right_of(segment) is not None:
            return []
        return list(nearest.words)

    def _is_value(self, segment: Segment) -> bool:
        """Free text that is no label itself: no key with a colon, no box before it, no line to fill in after it."""
        if any(id(word) in self.used for word in segment.words) or next(_keyed(segment, set()), None) is not None:
            return False
        return self._rule_right_of(segment) is None

    # ---- labels with a line to write on

    def underlined(self) -> Iterator[Entry]:
        """A label without a colon and the line that begins where it ends."""
        for segment in self.page.segments:
            if any(id(word) in self.used for word in segment.words) or len(segment.words) > LONGEST_LABEL:
                continue
            rule = self._rule_right_of(segment)
            if rule is None or not any(map(str.isalpha, segment.text)):
                continue
            above = [
                word
                for word in self._free()
                if word.x0 >= rule[0] - 2 and word.x1 <= rule[2] + 4 and -2 <= rule[1] - word.y1 < 0.8 * self.index.unit
            ]
            words = [word for word in segment.words if word not in above]
            if words:
                self._use([*words, *above])
                yield self._entry(words, above, "right")

    def _rule_right_of(self, segment: Segment) -> Box | None:
        """The horizontal line on the segment's base line that starts at its end."""
        for line in self.index.grid.horizontals:
            near = -0.4 * segment.height <= line.at - segment.y1 <= 0.6 * segment.height
            if near and -0.5 * segment.height < line.start - segment.x1 < 2 * segment.height and line.end - line.start > 2 * segment.height:
                return line.start, line.at, line.end, line.at
        return None

    # ---- cells

    def cells(self) -> Iterator[Entry]:
        """A cell whose first line is the label and whose other lines are the value; or a label's cell and the cell right of it."""
        seen: set[Box] = set()
        for segment in self.page.segments:
            cell = self.index.grid.cell(segment.box)
            if cell is None or cell.box in seen or cell.box[3] - cell.box[1] > 0.25 * self.page.height or cell.box[0] <= 0:
                continue
            seen.add(cell.box)
            free = [part for part in cell.segments if not any(id(word) in self.used for word in part.words)]
            if free and free[0] is cell.segments[0]:
                yield from self._cell_entry(cell.box, free)

    def _cell_entry(self, box: Box, parts: Sequence[Segment]) -> Iterator[Entry]:
        label = [part for part in parts if part.line == parts[0].line]
        value = [part for part in parts if part.line != parts[0].line]
        room = box[3] - label[0].y1 > 1.2 * label[0].height
        words = [word for part in label for word in part.words]
        if len(words) > 2 * LONGEST_LABEL or not (value or room) or not any(map(str.isalpha, label[0].text)):
            return
        filled = [word for part in value for word in part.words]
        self._use([*words, *filled])
        yield self._entry(words, filled, "cell")

    # ---- common

    def _entry(self, words: Sequence[Word], rest: Sequence[Word], relation: str) -> Entry:
        label = tidy(_COLON.sub("", " ".join(word.text for word in words)))
        value = tidy(" ".join(word.text for word in rest)).strip("_. ") if rest else ""
        return Entry(label, box_of(words), self.page.number, relation, value or None, box_of(rest) if value else None)

    def _free(self) -> list[Word]:
        return [word for segment in self.page.segments for word in segment.words if id(word) not in self.used and not is_tick(word.text)]

    def _use(self, words: Sequence[Word]) -> None:
        self.used.update(map(id, words))


def _keyed(segment: Segment, used: set[int]) -> Iterator[tuple[list[Word], list[Word]]]:
    """The keys with a colon inside one segment, each with the words up to the next key."""
    words = [word for word in segment.words if id(word) not in used]
    ends = [place for place, word in enumerate(words) if _COLON.search(word.text) and not _NO_LABEL.match(word.text)]
    starts = [_key_start(words, end, ends[i - 1] + 1 if i else 0, first=i == 0) for i, end in enumerate(ends)]
    for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
        stop = starts[place + 1] if place + 1 < len(starts) else len(words)
        key = words[start : end + 1]
        if len(key) <= LONGEST_LABEL and any(map(str.isalpha, key[-1].text)):
            yield key, words[end + 1 : stop]


def _key_start(words: Sequence[Word], end: int, least: int, *, first: bool) -> int:
    """Where a key begins: the segment's start for the first one, else its capitalised words before the colon, one left as a value."""
    if first:
        return least
    start = end
    while start - 1 > least and words[start - 1].text[:1].isupper() and end - start < 3:
        start -= 1
    return start
