"""Options for yes-or-no fields: the check box at a label and whether it is ticked, by its ink or by a printed tick."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from docpipe.extract.labels.index import PageIndex, place_of
from docpipe.extract.labels.label import Label
from docpipe.extract.labels.phrases import Target
from docpipe.extract.labels.scene import Option, Scene
from docpipe.records import Box
from docpipe.words.ticks import Tick

_REACH = 9.0  # median heights between label and box
_YES = re.compile(r"^\W*(yes|ja|oui|s[ií]|true|wahr|예|x)\b", re.IGNORECASE)
_NO = re.compile(r"^\W*(no|nein|non|false|falsch|아니오)\b", re.IGNORECASE)


def ticks(scene: Scene, target: Target) -> Iterator[Option]:
    """The state of the box that stands best to each label; a printed yes or no after the label counts as one."""
    labels = [label for label in scene.labels.fields.get(target.spec.path, ()) if label.similarity * label.phrase.weight > 0.55]
    for label in sorted(labels, key=lambda label: -label.strength)[:4]:
        index = scene.pairing.pages[label.segment.page]
        place = place_of(label.segment, label.starts_at, label.ends_at)
        spoken = _spoken(label)
        nearest = _nearest(index, label.box)
        strength = {"own": label.strength}
        if spoken is not None:
            yield Option(place, spoken, label.segment.text, 0.9, place.box, paired=False, features=strength)
        elif nearest is not None:
            tick, distance = nearest
            features = {**strength, "ink": tick.ink, "distance": distance}
            yield Option(place, tick.ticked, "", 0.9 - 0.04 * distance, tick.box, paired=False, features=features)
        else:
            yield Option(place, False, "", 0.2, place.box, paired=False, features={**strength, "no_box": 1.0})


def _nearest(index: PageIndex, box: Box) -> tuple[Tick, float] | None:
    """The tick nearest to a label, boxes left of it on its row first, and its distance in median heights."""
    found = [(tick, _distance(tick.box, box, index)) for tick in index.layout.ticks]
    near = [(tick, distance) for tick, distance in found if distance < _REACH]
    return min(near, key=lambda item: item[1], default=None)


def _distance(tick: Box, label: Box, index: PageIndex) -> float:
    """Left of the label on its first line is nearest; a ruling line between the two keeps them apart."""
    dx = max(label[0] - tick[2], tick[0] - label[2], 0.0)
    dy = max(label[1] - tick[3], tick[1] - label[3], 0.0)
    distance = math.hypot(dx, dy * 1.6) / index.unit
    if tick[2] > label[0] + index.unit:  # right of the label, or below it
        distance += 1.0
    left, right = (tick, label) if tick[0] < label[0] else (label, tick)
    upper, lower = (tick, label) if tick[1] < label[1] else (label, tick)
    if index.grid.parted_sideways(left, right) or (dy > 0 and index.grid.parted_down(upper, lower)):
        distance += 6.0
    return distance


def _spoken(label: Label) -> bool | None:
    rest = label.segment.text[label.ends_at :].lstrip(" :=?.")
    if not label.colon or not rest:
        return None
    return True if _YES.match(rest) else False if _NO.match(rest) else None
