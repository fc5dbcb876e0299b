"""Options for yes-or-no fields: the check box at a label and whether it is ticked, by its ink or by a printed tick."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from docpipe.extract.labels.index import PageIndex, place_of
from docpipe.extract.labels.label import Label
from docpipe.extract.labels.lexicon import EMPTY_TICK_GLYPHS, TICK_GLYPHS
from docpipe.extract.labels.phrases import Target
from docpipe.extract.labels.scene import Option, Scene
from docpipe.records import Box

TICKED_INK = 0.12  # share of a box's inside that is inked from which it counts as ticked; empty boxes show under 0.05
_REACH = 9.0  # median heights between label and box
_YES = re.compile(r"^\W*(yes|ja|oui|s[ií]|true|wahr|예|x)\b", re.IGNORECASE)
_NO = re.compile(r"^\W*(no|nein|non|false|falsch|아니오)\b", re.IGNORECASE)


class Mark(NamedTuple):
    """A check box or a printed tick: `ink` 0..1, `box` its place."""

    box: Box
    ink: float


def ticks(scene: Scene, target: Target) -> Iterator[Option]:
    """The state of the box that stands best to each label; a printed yes or no after the label counts as one."""
    labels = [label for label in scene.labels.fields.get(target.spec.path, ()) if label.similarity * label.phrase.weight > 0.55]
    for label in sorted(labels, key=lambda label: -label.strength)[:4]:
        index = scene.pairing.pages[label.segment.page]
        place = place_of(label.segment, label.starts_at, label.ends_at)
        spoken = _spoken(label)
        mark = nearest_mark(index, label.box)
        strength = {"own": label.strength}
        if spoken is not None:
            yield Option(place, spoken, label.segment.text, 0.9, place.box, paired=False, features=strength)
        elif mark is not None:
            ticked = mark[0].ink >= TICKED_INK
            features = {**strength, "ink": mark[0].ink, "distance": mark[1]}
            yield Option(place, ticked, "", 0.9 - 0.04 * mark[1], mark[0].box, paired=False, features=features)
        else:
            yield Option(place, False, "", 0.2, place.box, paired=False, features={**strength, "no_box": 1.0})


def nearest_mark(index: PageIndex, box: Box) -> tuple[Mark, float] | None:
    """The mark nearest to a label, boxes left of it on its row first, and its distance in median heights."""
    found = [(mark, _distance(mark.box, box, index)) for mark in page_marks(index)]
    near = [(mark, distance) for mark, distance in found if distance < _REACH]
    return min(near, key=lambda item: item[1], default=None)


def page_marks(index: PageIndex) -> list[Mark]:
    """Check boxes of the page and ticks printed as letters; a tick inside a box belongs to the box."""
    boxes = [Mark((box.x0, box.y0, box.x1, box.y1), box.ink) for box in index.layout.checkboxes]
    for segment in index.layout.segments:
        for word in segment.words:
            text = word.text.lower()
            if text in TICK_GLYPHS or text in EMPTY_TICK_GLYPHS:
                mark = Mark((word.x0, word.y0, word.x1, word.y1), 0.0 if text in EMPTY_TICK_GLYPHS else 1.0)
                inside = [place for place, known in enumerate(boxes) if _overlap(known.box, mark.box)]
                if inside:
                    boxes[inside[0]] = Mark(boxes[inside[0]].box, max(mark.ink, boxes[inside[0]].ink))
                elif text not in ("3", "4"):  # the tick of a symbol font; by itself a number
                    boxes.append(mark)
    return boxes


def _distance(mark: Box, label: Box, index: PageIndex) -> float:
    """Left of the label on its first line is nearest; a ruling line between the two keeps them apart."""
    dx = max(label[0] - mark[2], mark[0] - label[2], 0.0)
    dy = max(label[1] - mark[3], mark[1] - label[3], 0.0)
    distance = math.hypot(dx, dy * 1.6) / index.unit
    if mark[2] > label[0] + index.unit:  # right of the label, or below it
        distance += 1.0
    left, right = (mark, label) if mark[0] < label[0] else (label, mark)
    upper, lower = (mark, label) if mark[1] < label[1] else (label, mark)
    if index.grid.parted_sideways(left, right) or (dy > 0 and index.grid.parted_down(upper, lower)):
        distance += 6.0
    return distance


def _overlap(one: Box, other: Box) -> bool:
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return one[0] - 2 <= x <= one[2] + 2 and one[1] - 2 <= y <= one[3] + 2


def _spoken(label: Label) -> bool | None:
    rest = label.segment.text[label.ends_at :].lstrip(" :=?.")
    if not label.colon or not rest:
        return None
    return True if _YES.match(rest) else False if _NO.match(rest) else None
