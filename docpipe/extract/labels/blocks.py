"""Blocks of lines that name a party: found by a postal line, by a heading, or as a sender's one line. Knows what an address looks like,
not whose it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from docpipe.extract.labels.index import PageIndex
from docpipe.extract.labels.label import Label
from docpipe.extract.labels.layout import Segment
from docpipe.extract.labels.lexicon import CONTACT_LINE, COUNTRY, NOT_ADDRESS, SALUTATION, STREET, has_postal
from docpipe.records import Box
from docpipe.values.amounts import find_amounts
from docpipe.values.dates import find_dates
from docpipe.values.text import fold

if TYPE_CHECKING:
    from docpipe.extract.labels.scene import Scene

PAGES = 2  # parties stand on the first pages
LINES_ABOVE, LINES_BELOW = 5, 6
_STEP = 4.3  # of a line's height: the widest step between two lines of a block
_STEP_GROWTH = 1.45  # of the step before
_LONGEST_LINE = 16  # words
_ONE_LINE = re.compile(r"\s+[●•·|–*∙-]\s+|\s[-–]\s|[●•·|∙]|,(?=\s)")
_KEY = re.compile(r"^(?:name|firma|company|nom|adresse|address|anschrift|naam|nombre|nome|상호|주소)\s*[:：]\s*", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Block:
    """Lines of one party, top to bottom; `lines[i]` stands in `segments[i]`, except for a sender's `one_line`, all in one segment.
    `postal` is the index of the line with the postal code, or the last line's; `contacts` counts the lines with a phone, an account or a
    register number close below, `web` says that one of them names a web site: who sends a paper prints its own."""

    number: int
    lines: tuple[str, ...]
    segments: tuple[Segment, ...]
    postal: int
    has_postal: bool
    one_line: bool = False
    heading: Label | None = field(default=None)
    contacts: int = 0
    web: bool = False

    @property
    def page(self) -> int:
        return self.segments[0].page

    def segment(self, line: int) -> Segment:
        return self.segments[min(line, len(self.segments) - 1)]

    def box(self, first: int, last: int) -> Box:
        """The box of lines `first:last`."""
        parts = [self.segment(line) for line in range(first, max(last, first + 1))]
        return (min(p.x0 for p in parts), min(p.y0 for p in parts), max(p.x1 for p in parts), max(p.y1 for p in parts))

    @cached_property
    def has_street(self) -> bool:
        return any(is_street(line) for line in self.lines)


def find_blocks(scene: Scene) -> tuple[Block, ...]:
    """Every block of the first pages, those with a postal line first; a block found twice is kept once."""
    raw = [*_postal_blocks(scene), *_heading_blocks(scene)]
    blocks: list[Block] = []
    known: set[tuple[str, ...]] = set()
    for lines, segments, one_line, heading in raw:
        cleaned = _cleaned(lines, segments, one_line)
        if not cleaned or (key := tuple(text for text, _ in cleaned)) in known:
            continue
        known.add(key)
        texts = tuple(text for text, _ in cleaned)
        postal = next((i for i, text in enumerate(texts) if has_postal(text)), None)
        if postal is not None and postal + 1 < len(texts) and fold(texts[postal + 1]) not in COUNTRY:
            cleaned = cleaned[: postal + 1]
            texts = texts[: postal + 1]
        parts = tuple(dict.fromkeys(segment for _, segment in cleaned)) if one_line else tuple(segment for _, segment in cleaned)
        below = [] if one_line else _below_block(scene, parts[-1])
        blocks.append(
            Block(
                number=len(blocks),
                lines=texts,
                segments=parts,
                postal=len(texts) - 1 if postal is None else postal,
                has_postal=postal is not None,
                one_line=one_line,
                heading=heading,
                contacts=sum(1 for text in below if NOT_ADDRESS.search(text)),
                web=any(_WEB.search(text) for text in below),
            )
        )
    return tuple(block for block in blocks if not any(_begins_inside(block, other) for other in blocks))


def _begins_inside(block: Block, other: Block) -> bool:
    """The block is the lower part of one that a heading begins."""
    mine, whole = set(block.segments), set(other.segments)
    return (
        block is not other
        and other.heading is not None
        and block.heading is None
        and mine < whole
        and block.segments[0] is not other.segments[0]
    )


def _below_block(scene: Scene, last: Segment) -> list[str]:
    """The lines close under a block, in its column."""
    index = scene.pairing.pages[last.page]
    reach = (last.x0 - index.unit, last.x1)
    near = sorted((other for other in index.in_column(*reach) if other.y0 > last.y0), key=lambda other: other.y0)
    texts, bottom = [], last.y1
    for other in near[:_LINES_UNDER]:
        if other.y0 - bottom > _GAP_UNDER * index.unit or abs(other.x0 - last.x0) > 1.5 * index.unit or scene.labels.share(other) > 0.9:
            break
        texts.append(other.text)
        bottom = other.y1
    return texts


def is_street(line: str) -> bool:
    """A street with its number, or a post box."""
    return (bool(re.search(r"\d", line)) and not find_dates(line, None)) or bool(STREET.search(line))


def _cleaned(lines: Sequence[str], segments: Sequence[Segment], one_line: bool) -> list[tuple[str, Segment]]:
    """The lines without keys, salutations by themselves and contact persons."""
    pairs = [(_KEY.sub("", line).strip(" ,;"), segments[0 if one_line else place]) for place, line in enumerate(lines)]
    kept = [
        (text, segment) for text, segment in pairs if text and not SALUTATION.fullmatch(text) and not (len(pairs) > 2 and _foreign(text))
    ]
    return kept or [pair for pair in pairs if pair[0]]


def _foreign(text: str) -> bool:
    """A contact person, a phone, a register number: no part of a name or an address."""
    return bool(CONTACT_LINE.match(text)) or (bool(NOT_ADDRESS.search(text)) and not has_postal(text))


_LINES_UNDER, _GAP_UNDER = 7, 1.6
_WEB = re.compile(r"www\.|https?://|@", re.IGNORECASE)
_Raw = tuple[Sequence[str], Sequence[Segment], bool, Label | None]


def _postal_blocks(scene: Scene) -> Iterator[_Raw]:
    for page in scene.layouts[:PAGES]:
        index = scene.pairing.pages[page.number]
        for segment in page.segments:
            if not has_postal(segment.text) or len(segment.words) > _LONGEST_LINE or NOT_ADDRESS.match(segment.text):
                continue
            run = _run(index, segment)
            parts = _sender_parts(run)
            if parts:
                yield parts, run[:1], True, None
                continue
            column = _upwards(scene, index, segment)
            column += _country_below(index, segment)
            yield [part.text for part in column], column, False, None


def _run(index: PageIndex, segment: Segment) -> list[Segment]:
    """The segments of one line that follow each other closely up to this one."""
    row = index.layout.lines[segment.line]
    start = row.index(segment)
    while start and row[start].x0 - row[start - 1].x1 < 2.5 * index.unit:
        start -= 1
    return list(row[start : row.index(segment) + 1])


def _sender_parts(run: Sequence[Segment]) -> list[str]:
    """Name, street and place of a sender's single line; none where the line is not one."""
    parts = [part.strip() for part in _ONE_LINE.split(" ".join(segment.text for segment in run)) if part.strip()]
    named = len(parts) >= 3 and not any(map(str.isdigit, parts[0]))
    return parts if named and any(has_postal(part) for part in parts[1:]) else []


def _in_sender_line(index: PageIndex, segment: Segment) -> bool:
    row = index.layout.lines[segment.line]
    return any(has_postal(other.text) and segment in (run := _run(index, other)) and bool(_sender_parts(run)) for other in row)


def _upwards(scene: Scene, index: PageIndex, postal: Segment) -> list[Segment]:
    """The lines above the postal line that belong to it: same column, even steps, no labels, amounts or dates."""
    column, current, step = [postal], postal, None
    for _ in range(LINES_ABOVE):
        widest = _STEP * max(current.height, 0.8 * index.unit)
        if step is not None:
            widest = min(widest, max(_STEP_GROWTH * step, 1.6 * current.height))
        above = [
            other
            for other in index.in_column(current.x0 - 1.2 * index.unit, current.x1 + 1.2 * index.unit)
            if 0 < current.y0 - other.y0 < widest and other.y1 < current.y1 and _aligned(other, current, index.unit)
        ]
        if not above:
            break
        nearest = max(above, key=lambda other: (other.y0, -abs(other.x0 - postal.x0)))
        if (
            _in_sender_line(index, nearest)
            or _ends_block(scene, nearest)
            or NOT_ADDRESS.search(nearest.text)
            or index.grid.parted_down(nearest.box, current.box)
        ):
            break
        step, current = current.y0 - nearest.y0, nearest
        column.insert(0, nearest)
    return column


def _aligned(one: Segment, other: Segment, unit: float) -> bool:
    if abs(one.x0 - other.x0) < 1.2 * unit:
        return True
    overlap = min(one.x1, other.x1) - max(one.x0, other.x0)
    centred = abs((one.x0 + one.x1) - (other.x0 + other.x1)) < 3 * unit
    return centred and overlap > 0.7 * min(one.x1 - one.x0, other.x1 - other.x0)


def _country_below(index: PageIndex, postal: Segment) -> list[Segment]:
    below = [
        other
        for other in index.in_column(postal.x0, postal.x1)
        if 0 < other.y0 - postal.y0 < 2.2 * max(postal.height, index.unit)
        and abs(other.x0 - postal.x0) < index.unit
        and other.folded in COUNTRY
    ]
    return below[:1]


def _ends_block(scene: Scene, segment: Segment) -> bool:
    """The segment is something else than a line of a name or an address."""
    labels = scene.labels
    if labels.share(segment) > 0.88 or segment.text.rstrip().endswith((":", "：")):
        return True
    if any(found.decimals == 2 for found in find_amounts(segment.text, scene.decimal)) or find_dates(segment.text, None):
        return True
    return any(
        label.start == 0 and label.colon and label.similarity > 0.9 and not label.heading and not _KEY.match(segment.text)
        for label in labels.by_segment.get(segment, ())
    )


def _heading_blocks(scene: Scene) -> Iterator[_Raw]:
    """The lines under a heading, or after it on its own line."""
    for labels in scene.labels.headings.values():
        for label in labels:
            if label.before or label.covered or label.segment.page > scene.layouts[min(PAGES, len(scene.layouts)) - 1].number:
                continue
            lines, segments = _under(scene, label)
            if lines:
                yield lines, segments, False, label


def _under(scene: Scene, label: Label) -> tuple[list[str], list[Segment]]:
    index, segment = scene.pairing.pages[label.segment.page], label.segment
    rest = segment.text[label.ends_at :].lstrip(" :：#-")
    lines, segments = ([rest], [segment]) if label.colon and sum(map(str.isalpha, rest)) > 2 else ([], [])
    if not lines and not label.whole and not (label.colon and not rest):
        return [], []
    right = [other for other in index.on_row(label.box, segment.line) if other.x0 > label.box[2] and other is not segment]
    below = _first_below(index, label)
    if not lines and below is None and right and label.colon:
        below = right[0] if not _ends_block(scene, right[0]) else None
    current, step = below, None
    while current is not None and len(lines) < LINES_BELOW and not _ends_block(scene, current):
        foreign = bool(NOT_ADDRESS.search(current.text))
        if foreign and lines:
            break
        if not foreign:
            lines.append(current.text)
            segments.append(current)
        following = _next_line(index, current, step)
        step = following.y0 - current.y0 if following else None
        current = following
    return lines, segments


def _first_below(index: PageIndex, label: Label) -> Segment | None:
    box, unit = label.box, index.unit
    near = [
        other
        for other in index.in_column(box[0] - unit, box[2] + unit)
        if 0.4 * unit < other.y0 - box[1] < 4.5 * unit and (abs(other.x0 - box[0]) < 2 * unit or (other.x0 > box[0] and other.x0 < box[2]))
    ]
    return min(near, key=lambda other: (other.y0, abs(other.x0 - box[0])), default=None)


def _next_line(index: PageIndex, current: Segment, step: float | None) -> Segment | None:
    widest = 2.6 * max(current.height, 0.8 * index.unit) if step is None else max(_STEP_GROWTH * step, 1.6 * current.height)
    near = [
        other
        for other in index.in_column(current.x0 - index.unit, current.x1 + index.unit)
        if 0.4 * current.height < other.y0 - current.y0 < widest and abs(other.x0 - current.x0) < 1.2 * index.unit
    ]
    return min(near, key=lambda other: other.y0, default=None)
