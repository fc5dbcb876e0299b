"""How a value stands to a label: in its segment, right of it, below it, above its caption; and how well. Knows no field's type.

Labels are indexed by row and by column, so that a value is compared with the few labels it could belong to.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from docpipe.extract.labels.cells import Cell
from docpipe.extract.labels.index import PageIndex, Place, is_mark, label_reach
from docpipe.extract.labels.label import Label, Labels
from docpipe.extract.labels.layout import PageLayout, Segment
from docpipe.extract.labels.lexicon import INLINE
from docpipe.extract.labels.weights import WEIGHTS
from docpipe.records import Box

Relation = Literal["same", "right", "below", "above", "none"]
_FORM_CELL_LINES = 6
_EDGE = 3.0  # points: edges of cells that are the same line
_WORDS = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, eq=False)
class Pair:
    """A label and how a place stands to it: `quality` up to 1.1, `distance` in median heights (words between, for `same`)."""

    label: Label
    relation: Relation
    quality: float
    distance: float = 0.0
    between: float = 0.0
    same_cell: bool = False

    @property
    def score(self) -> float:
        return self.label.strength * max(self.quality, 0.02)


class Pairing:
    """All pairs of a document, found on demand and kept."""

    def __init__(self, layouts: Sequence[PageLayout], labels: Labels) -> None:
        self._labels = labels
        by_page: defaultdict[int, list[Label]] = defaultdict(list)
        for group in (*labels.fields.values(), *labels.headings.values()):
            for label in group:
                if not label.heading:
                    by_page[label.segment.page].append(label)
        self.pages = {page.number: PageIndex(page, by_page[page.number]) for page in layouts}
        self._known: dict[tuple[Segment, int, int, float | None], tuple[Pair, ...]] = {}
        self._filled_cells: dict[Label, bool] = {}

    def pairs(self, place: Place) -> tuple[Pair, ...]:
        """Every label that the place could be the value of."""
        key = (place.segment, place.start, place.end, place.anchor)
        if key not in self._known:
            index = self.pages[place.page]
            found = (self.pair(label, place) for label in index.labels_near(place))
            self._known[key] = tuple(pair for pair in found if pair is not None)
        return self._known[key]

    def pair(self, label: Label, place: Place) -> Pair | None:
        """How the place stands to one label; None where it cannot be its value."""
        if label.segment.page != place.page:
            return None
        if place.segment is label.segment:
            return self._same(label, place)
        if label.phrase.text in INLINE:
            return None
        index = self.pages[place.page]
        height = max(place.box[3] - place.box[1], label.box[3] - label.box[1])
        apart = (place.box[1] + place.box[3] - label.box[1] - label.box[3]) / 2
        if abs(apart) < 0.55 * height and place.box[0] >= label.box[2] - 0.3 * index.unit:
            return self._right(label, place, index)
        left = place.box[0] if place.anchor is None else place.anchor
        under = place.box[2] > label.box[0] - 0.5 * index.unit and left < label_reach(label) + 1.5 * index.unit
        under = under or (self._same_cell(label, place, index) and _owns_cell(label, index)) or _same_column(label, place, index)
        if under and place.box[1] > label.box[1] + 0.4 * height:
            return self._below(label, place, index)
        return self._above(label, place, index) if under else None

    @staticmethod
    def _above(label: Label, place: Place, index: PageIndex) -> Pair | None:
        """A value on a drawn line, its caption under that line."""
        distance = (label.box[1] - place.box[3]) / index.unit
        if not -0.4 < distance < WEIGHTS.farthest_above or label.colon or not index.grid.parted_down(place.box, label.box):
            return None
        cell = index.small_cell(label.box)
        if cell is not None and any(segment.y0 > label.box[3] - 1 for segment in cell.segments):
            return None
        return Pair(label, "above", WEIGHTS.above - WEIGHTS.below_distance * max(distance, 0), distance)

    def _same(self, label: Label, place: Place) -> Pair | None:
        if place.start < label.ends_at:
            return None
        words = len(_WORDS.findall(place.segment.text[label.ends_at : place.start]))
        if words and label.phrase.text in INLINE:
            return None
        quality = 1 - WEIGHTS.word_between * words
        if any(self._stands_between(label, other, place) for other in self._labels.by_segment.get(label.segment, ())):
            quality -= WEIGHTS.label_between
        if label.colon and words == 0:
            quality += WEIGHTS.colon
        return Pair(label, "same", quality, words)

    @staticmethod
    def _stands_between(label: Label, other: Label, place: Place) -> bool:
        return (
            other.owner != label.owner
            and not other.heading
            and other.start >= label.end
            and other.ends_at <= place.start
            and other.similarity > 0.9
        )

    def _right(self, label: Label, place: Place, index: PageIndex) -> Pair:
        distance = (place.box[0] - label.box[2]) / index.unit
        between = float(sum(1 for segment in index.on_row(label.box, label.segment.line) if _lies_between(segment, label, place)))
        tail = [word.text for word in label.segment.words[label.end :] if any(char.isalnum() for char in word.text)]
        if tail and not label.colon and not all(_WORDS.search(word) for word in tail):
            between += 0.6 * min(2, len(tail))
        quality = 1 - WEIGHTS.right_distance * min(distance, 40) - WEIGHTS.segment_between * min(between, 4)
        same = self._same_cell(label, place, index)
        if not same and index.grid.parted_sideways(label.box, place.box):
            quality -= WEIGHTS.rule_crossed / 4 if _rows_beside(label, index) else self._crossing(label, place, index)
        return Pair(label, "right", quality, distance, between, same)

    def _below(self, label: Label, place: Place, index: PageIndex) -> Pair | None:
        distance = (place.box[1] - label.box[3]) / index.unit
        if distance > WEIGHTS.farthest_below:
            return None
        between = 0 if distance <= 1 else _stacked_between(index, label.box, place)
        shift = 0.0 if _same_column(label, place, index) else _shift(label.box, place)
        quality = (
            WEIGHTS.below_start
            - WEIGHTS.below_distance * min(max(distance, 0), 12)
            - WEIGHTS.below_between * min(between, 5)
            - WEIGHTS.below_shift * min(shift / index.unit, 4)
        )
        if label.colon:
            quality -= WEIGHTS.below_colon
        same = self._same_cell(label, place, index)
        if same and _owns_cell(label, index):
            quality = max(quality, WEIGHTS.same_cell - WEIGHTS.below_distance * max(distance - 1, 0) - WEIGHTS.below_between * between)
        elif not same and index.grid.parted_down(label.box, place.box):
            quality -= self._crossing(label, place, index)
        if label.segment.line in index.item_headers:
            quality *= WEIGHTS.item_header
        if _has_value_behind(label):
            quality *= WEIGHTS.value_behind
        return Pair(label, "below", quality, distance, between, same)

    @staticmethod
    def _same_cell(label: Label, place: Place, index: PageIndex) -> bool:
        cell = index.small_cell(label.box)
        return cell is not None and cell.holds(place.box)

    def _crossing(self, label: Label, place: Place, index: PageIndex) -> float:
        """What a ruling line between label and value costs: much where the label's own cell holds something else, more where the
        value's cell has a label of its own."""
        own, other = index.small_cell(label.box), index.small_cell(place.box)
        if own is None or other is None:
            return WEIGHTS.rule_crossed / 2
        if any(self._heads(segment, label) for segment in other.segments if segment is not place.segment and segment is not label.segment):
            return WEIGHTS.rule_crossed_labelled
        return WEIGHTS.rule_crossed_filled if self._filled(label, own) else WEIGHTS.rule_crossed / 4

    def _filled(self, label: Label, cell: Cell) -> bool:
        """Something that is no label stands under the label in its cell."""
        if label not in self._filled_cells:
            rest = [segment for segment in cell.segments if segment is not label.segment and segment.y0 >= label.box[1] - 1]
            self._filled_cells[label] = any(self._labels.share(segment) < 0.9 and not is_mark(segment.text) for segment in rest)
        return self._filled_cells[label]

    def _heads(self, segment: Segment, label: Label) -> bool:
        """The segment begins with a label other than this one's owner's."""
        return any(
            other.start == 0
            and other.similarity > 0.9
            and other.owner != label.owner
            and not other.heading
            and (not other.soft or other.whole)
            for other in self._labels.by_segment.get(segment, ())
        )


def _has_value_behind(label: Label) -> bool:
    """The label's own segment goes on with something that has digits: its value."""
    rest = label.segment.text[label.ends_at :]
    return not label.soft and len(label.segment.words) <= 8 and any(map(str.isdigit, rest))


def _same_column(label: Label, place: Place, index: PageIndex) -> bool:
    """The value's cell is below the label's, as wide as that: a ruled column."""
    own, other = index.small_cell(label.box), index.small_cell(place.box)
    if own is None or other is None or other.box[1] < own.box[3] - _EDGE:
        return False
    return abs(own.box[0] - other.box[0]) < _EDGE and abs(own.box[2] - other.box[2]) < _EDGE


def _shift(box: Box, place: Place) -> float:
    """How far the two are from standing on one left edge, right edge or middle, in points."""
    left = place.box[0] if place.anchor is None else place.anchor
    return min(abs(left - box[0]), abs(place.box[2] - box[2]), abs(left + place.box[2] - box[0] - box[2]) / 2)


def _owns_cell(label: Label, index: PageIndex) -> bool:
    """The cell is the label's alone: nothing follows it on its row, and it is no list of labels with their values."""
    cell = index.small_cell(label.box)
    if cell is None or (
        any(any(map(str.isalnum, word.text)) for word in label.segment.words[label.end :] if not label.soft) and label.start > 1
    ):
        return False
    beside = [segment for segment in cell.segments if segment.line == label.segment.line and segment.x0 > label.box[2]]
    return not any(not is_mark(segment.text) for segment in beside) and len({segment.line for segment in cell.segments}) <= _FORM_CELL_LINES


def _rows_beside(label: Label, index: PageIndex) -> bool:
    """The label's cell is a column of labels, each with something in the next cell of its row: a table without lines between its rows."""
    cell = index.small_cell(label.box)
    if cell is None:
        return False
    lines = {segment.line for segment in cell.segments}
    following = [
        line for line in lines if any(other.x0 >= cell.box[2] - 1 and not is_mark(other.text) for other in index.layout.lines[line])
    ]
    return len(following) >= 2 and len(following) > 0.6 * len(lines)


def _lies_between(segment: Segment, label: Label, place: Place) -> bool:
    if segment is place.segment or segment is label.segment:
        return False
    return segment.x0 >= label.box[2] - 1 and segment.x1 <= place.box[0] + 1 and not is_mark(segment.text)


def _stacked_between(index: PageIndex, upper: Box, place: Place) -> int:
    """How many segments of the shared columns lie between the label and the place, up to 7."""
    low, high = upper[3] - 0.3 * index.unit, place.box[1] + 0.3 * index.unit
    count = 0
    for segment in index.in_column(min(upper[0], place.box[0]), max(upper[2], place.box[2]), low, high):
        if segment.box[3] < high and segment is not place.segment:
            count += 1
            if count > 6:
                break
    return count
