"""What else stands beside a value and its label, between the two, and right below the value. Knows segments and spans, no field.

`Old monthly fee 39.00`, `Due: 30 days from 17 March`, `Invoice No. of deposit: D-1`: words that neither the label nor the value explains
may turn the meaning round, so whoever would believe the label has to know of them.
"""

from __future__ import annotations

import re

from docpipe.extract.labels.continued import goes_on
from docpipe.extract.labels.label import NOBODY, OTHER, Label
from docpipe.extract.labels.layout import Segment
from docpipe.extract.labels.meanings import TURNING, TURNING_FOR
from docpipe.extract.labels.pairing import Pair
from docpipe.extract.labels.scene import Option, Scene
from docpipe.values.dates import find_dates
from docpipe.values.identifiers import find_currencies
from docpipe.values.text import fold

_WORD = re.compile(r"[^\W\d_]{2,}")
_SIGN = re.compile(r"\W{0,3}(?:[cd]r|[hs])(?!\w)", re.IGNORECASE)  # behind an amount: credit or debit
_LINKING = re.compile(r"(?:\b[^\W\d_]{1,6}\W+){1,2}$")  # between a value and the date behind it: vom, dated, issued at


def surroundings(scene: Scene, option: Option, pair: Pair, kind: str) -> dict[str, float]:
    """`beside`: how many words of the value's cell, of the label's and of those between are part of neither, nor of another field's
    label; currency marks do not count. `turned`: how many of them turn a label's meaning for this kind of value. `goes_on`: an
    identifier that ends its line open or seems to continue below."""
    place, label = option.place, pair.label
    value, name = (place.start, place.end), (label.starts_at, label.ends_at)
    if place.segment is label.segment:
        words = _others(scene, place.segment, [value, name])
    else:
        words = [*_others(scene, place.segment, [value]), *_others(scene, label.segment, [name])]
        if pair.relation == "below" and pair.between:
            words += [word for segment in _above(scene, option, label) for word in _others(scene, segment, [])]
    turning = TURNING | TURNING_FOR.get(kind, frozenset())
    signed = kind == "money" and _SIGN.match(place.segment.text[place.end :]) is not None
    turned = sum(word in turning for word in words) + signed
    features = {"beside": float(len(words) + signed), "turned": float(turned)}
    return {**features, "goes_on": 1.0} if kind == "id" and goes_on(scene, option, label) else features


def _above(scene: Scene, option: Option, label: Label) -> list[Segment]:
    """What stands over the value, under the label."""
    place = option.place
    x0, _, x1, _ = place.box
    found = scene.pairing.pages[place.page].in_column(x0, x1, label.box[3] - 1, place.box[1] + 1)
    return [segment for segment in found if segment is not place.segment and segment.y1 <= place.box[1] + 0.5 * segment.height]


def _others(scene: Scene, segment: Segment, spans: list[tuple[int, int]]) -> list[str]:
    """The folded words of the segment outside the spans."""
    spans = spans + [(label.starts_at, label.ends_at) for label in scene.labels.by_segment.get(segment, ()) if _explains(label)]
    spans += _other_dates(segment.text, spans)
    words = [word for word in _WORD.finditer(segment.text) if not any(start < word.end() and word.start() < end for start, end in spans)]
    return [fold(word[0]) for word in words if not find_currencies(word[0])]


def _other_dates(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Where dates stand that are not in the spans, each with the short words that tie it on: `No. 17 of 3 May`."""
    dates = [date for date in find_dates(text, None) if not any(start < date.end and date.start < end for start, end in spans)]
    ties = [_LINKING.search(text[: date.start]) for date in dates]
    return [(tie.start() if tie else date.start, date.end) for date, tie in zip(dates, ties, strict=True)]


def _explains(label: Label) -> bool:
    """Some field's own label, as the schema has it; a heading or a label of nobody's explains nothing."""
    return label.lines == 1 and not label.heading and not label.soft and label.owner not in (NOBODY, OTHER) and label.similarity >= 0.95
