"""Options for free text: what stands after, right of or below one of the field's labels. Knows no party blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from docpipe.extract.labels.index import PageIndex, is_mark, place_of
from docpipe.extract.labels.label import NOBODY, Label
from docpipe.extract.labels.layout import Segment
from docpipe.extract.labels.lexicon import LABEL_NOUNS, RECEIPT_STOP, STOP_WORDS, has_postal
from docpipe.extract.labels.phrases import Target
from docpipe.extract.labels.scene import Option, Scene
from docpipe.values.dates import find_dates
from docpipe.values.text import fold, tidy

_LEAD = re.compile(r"^[\s:=#.\-–_►▶>：]*")
_EDGES = re.compile(r"^[\s:=_.►▶>]+|[_\s►▶>]+$")
_KEY_VALUE = re.compile(r"^[^\W\d][\w .#/\-]{1,40}\s?[:=]")
_QUESTION = re.compile(r"^\W*\d{1,2}\s?[.)]\s*[A-Za-z]")
_BULLET = re.compile(r"^[□☐☒•●\[]")
_REMARK = re.compile(r"\([^()]*\)\W*")  # `(optional)`, `(see instructions)`
_LONGEST = 120
_WEAKEST_LABEL = 0.55  # similarity x weight below which a label finds no free text
_RIGHT, _BELOW, _DEEP = 2, 4, 7.0  # how many neighbours are tried, and how far down in median heights


def texts(scene: Scene, target: Target) -> Iterator[Option]:
    """Text round every label of the field."""
    for label in scene.labels.fields.get(target.spec.path, ()):
        if not label.covered and label.similarity * label.phrase.weight >= _WEAKEST_LABEL:
            yield from text_round(scene, target, label)


def text_round(scene: Scene, target: Target, label: Label) -> Iterator[Option]:
    """Text that could be the value of one label: the rest of its segment, neighbours right and below."""
    index = scene.pairing.pages[label.segment.page]
    yield from _rest_of_segment(scene, target, label)
    for segment in _neighbours(target, label, index):
        yield from _neighbour(scene, target, label, segment, index)


def _rest_of_segment(scene: Scene, target: Target, label: Label) -> Iterator[Option]:
    segment = label.segment
    rest = segment.text[label.ends_at :]
    start = label.ends_at + _LEAD.match(rest).end()  # type: ignore[union-attr]
    end = _next_key(scene, label.owner, segment, start)
    raw = segment.text[start:end].strip()
    if start < len(segment.text) and _readable(raw, target):
        place = place_of(segment, start, end)
        marked = label.colon or bool(re.match(r"\s*[:=]", rest))
        asked = label.boost > 1 and label.start == 0  # the question above says that this is where the value stands
        fit = 0.2 if fold(raw) in LABEL_NOUNS else 0.8 if marked else 0.7 if asked else 0.45
        yield Option(place, tidy(raw), raw, fit * _name_factor(target, raw), place.box)


def _neighbours(target: Target, label: Label, index: PageIndex) -> list[Segment]:
    """The nearest segments right of the label on its row, and below it."""
    segment, unit, box = label.segment, index.unit, label.box
    above = [
        other
        for other in index.in_column(box[0], segment.x1)
        if 0 < box[1] - other.y0 < 3 * unit and index.grid.parted_down(other.box, box)
    ]
    right = [other for other in index.on_row(box, segment.line) if other.x0 >= box[2] - 1 and other is not segment]
    below = []
    for other in index.in_column(box[0] - unit, max(box[2], segment.x1) + 2 * unit):
        height = max(other.height, segment.height)
        if other is not segment and other.y0 - box[1] >= 0.4 * height and (other.y0 - box[3]) / unit < _DEEP:
            below.append(other)
    below.sort(key=lambda other: other.y0 - box[3] + 0.4 * abs(other.x0 - box[0]))
    readable = [[other for other in group if _readable(other.text, target)] for group in (right, below, above[-1:])]
    return list(dict.fromkeys([*readable[0][:_RIGHT], *readable[1][:_BELOW], *readable[2]]))


def _neighbour(scene: Scene, target: Target, label: Label, segment: Segment, index: PageIndex) -> Iterator[Option]:
    fit = _fit(scene, target, segment)
    end = _next_key(scene, label.owner, segment, 0)
    text = tidy(_EDGES.sub("", segment.text[:end]))
    if not text:
        return
    place = place_of(segment, 0, end)
    first = Option(place, text, segment.text[:end], fit, place.box)
    yield first
    if target.kind == "address" or (target.kind == "text" and _in_cell_with(label, segment, index)):
        yield from _more_lines(scene, first, index, target.spec.path, address=target.kind == "address")


def _in_cell_with(label: Label, segment: Segment, index: PageIndex) -> bool:
    cell = index.grid.cell(label.box)
    return cell is not None and cell.holds(segment.box)


def _more_lines(scene: Scene, option: Option, index: PageIndex, path: str, *, address: bool) -> Iterator[Option]:
    """The same with one, two and three more lines of its column."""
    unit, current, lines = index.unit, option.place.segment, [str(option.value)]
    box = option.box
    cell = index.grid.cell(current.box)
    for _ in range(3):
        below = [
            other
            for other in index.in_column(current.x0 - 2 * unit, current.x1 + 2 * unit)
            if 0 < other.y0 - current.y0 < (4.2 if cell and cell.holds(other.box) else 2.4) * unit and abs(other.x0 - current.x0) < 2 * unit
        ]
        if not below:
            return
        current = min(below, key=lambda other: other.y0)
        if address and any(label.owner == path for label in scene.labels.by_segment.get(current, ())):
            continue  # `City, state, ZIP code` between the street and the city of one address
        if scene.labels.share(current) > 0.85 or RECEIPT_STOP.search(current.text) or (cell and not cell.holds(current.box)):
            return
        lines.append(current.text)
        box = (min(box[0], current.x0), box[1], max(box[2], current.x1), current.y1)
        gain = 0.05 * len(lines) + (0.2 if address and has_postal(current.text) else 0)
        yield replace(option, value=tidy(" ".join(lines)), raw="\n".join(lines), fit=option.fit + gain, box=box)


@dataclass(frozen=True)
class _Signs:
    """What makes a segment look like something other than a value."""

    label: float
    key_value: bool
    ends_in_colon: bool
    starts_with_key: bool
    question: bool
    bullet: bool
    foreign_key: bool


def _fit(scene: Scene, target: Target, segment: Segment) -> float:
    """How much a segment looks like free text that somebody filled in."""
    text, words = segment.text, len(segment.words)
    labels = scene.labels.by_segment.get(segment, ())
    fit = 0.8
    if scene.labels.share(segment) >= 0.9 or segment.folded in LABEL_NOUNS:
        fit = 0.2
    elif _KEY_VALUE.match(text):
        fit = 0.15
    elif re.search(r":\s*$", text):
        fit = 0.25
    elif any(label.start == 0 and label.colon and label.similarity > 0.9 and not label.heading for label in labels):
        fit = 0.3
    fit = min(fit, _shape_limit(text, words))
    if any(label.start == 0 and label.owner == NOBODY and label.similarity > 0.95 and not label.whole for label in labels):
        fit *= 0.6
    return fit * _length_factor(words) * _name_factor(target, text)


def _shape_limit(text: str, words: int) -> float:
    if _QUESTION.match(text) and words > 2:
        return 0.3
    return 0.35 if _BULLET.match(text) else 1.0


def _length_factor(words: int) -> float:
    return 0.6 if words > 10 else 1.0


def _name_factor(target: Target, text: str) -> float:
    """Digits and dates are rare in names."""
    if target.kind != "name":
        return 1.0
    lower = 0.6 if next((char for char in text if char.isalpha()), "A").islower() else 1.0
    digits = 0.4 if sum(map(str.isdigit, text)) > 0.4 * len(text) else 1.0
    return lower * digits * (0.5 if find_dates(text, None) else 1.0)


def _next_key(scene: Scene, owner: str, segment: Segment, start: int) -> int:
    """Where another field's label with a colon begins inside the segment; its end where none does."""
    ends: Iterable[int] = (
        label.starts_at
        for label in scene.labels.by_segment.get(segment, ())
        if label.owner != owner and not label.heading and label.similarity >= 0.95 and label.start > 0 and label.colon
    )
    return min((end for end in ends if end > start), default=len(segment.text))


def _readable(text: str, target: Target) -> bool:
    if len(text) >= _LONGEST or is_mark(text) or STOP_WORDS.issuperset(fold(text).split()) or _REMARK.fullmatch(text.strip()):
        return False
    return bool(re.search(r"\w" if target.kind == "text" else r"[^\W\d]{2}", text))
