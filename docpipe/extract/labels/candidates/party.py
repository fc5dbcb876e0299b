"""Options for the name and the address of a party to a deal, from blocks of lines, labelled lines, letterheads and repeated names.

Each option says by its features whose it looks like: the heading above, the place on the page, the sender's line, the mail domain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from docpipe.extract.labels.blocks import Block, is_street
from docpipe.extract.labels.candidates.text import text_round
from docpipe.extract.labels.index import PageIndex, place_of
from docpipe.extract.labels.label import OTHER, Label
from docpipe.extract.labels.layout import Segment
from docpipe.extract.labels.lexicon import COUNTRY, LEGAL_FORM, NOT_ADDRESS, SALUTATION, STREET
from docpipe.extract.labels.phrases import Target
from docpipe.extract.labels.scene import Option, Scene
from docpipe.extract.labels.sections import section_score
from docpipe.values.text import fold, squash, tidy

_GLUED_NUMBER = re.compile(r"(?<=[^\W\d]{4})(?=\d{1,4}[a-z]?(?!\w))")
_NAME_LINES = 2


def party_names(scene: Scene, target: Target) -> Iterator[Option]:
    """Lines that could be the party's name."""
    for block in scene.blocks:
        yield from _names(scene, target, block)
    yield from _labelled(scene, target)
    yield from _at_heading(scene, target)
    if target.side == "issuer":
        yield from _letterhead(scene, target)


def party_addresses(scene: Scene, target: Target) -> Iterator[Option]:
    """Lines that could be the party's address."""
    for block in scene.blocks:
        yield from _addresses(scene, target, block)
    yield from _labelled(scene, target)


def _names(scene: Scene, target: Target, block: Block) -> Iterator[Option]:
    limit = max(1, block.postal) if block.has_postal else len(block.lines)
    for first in range(min(3, limit)):
        for count in range(1, (1 if block.one_line else _NAME_LINES) + 1):
            last = first + count
            value = tidy(" ".join(block.lines[first:last]))
            if last > limit or sum(map(str.isalpha, value)) < 3 or fold(block.lines[first]) in COUNTRY:
                continue
            features = {
                **_block_features(scene, target, block),
                "first_line": float(first),
                "lines": float(count),
                "legal": float(bool(LEGAL_FORM.search(value))),
                "legal_second": float(
                    count == 2 and not LEGAL_FORM.search(block.lines[first]) and bool(LEGAL_FORM.search(block.lines[last - 1]))
                ),
                "digits": float(bool(re.search(r"\d", value))),
                "street_name": float(bool(STREET.search(value)) and bool(re.search(r"\d", value))),
                "person": float(bool(SALUTATION.match(value))),
                **_name_features(scene, block.lines[first]),
            }
            yield _from_lines(block, first, last, value, features)


def _addresses(scene: Scene, target: Target, block: Block) -> Iterator[Option]:
    """The lines up to the postal code, from each line that could be the first; and the same with a country after it."""
    ends, scanned = [block.postal + 1], scene.by_number[block.page].source != "text_layer"
    if block.postal + 1 < len(block.lines):
        ends.append(block.postal + 2)
    streets = [place for place, line in enumerate(block.lines[: block.postal + 1]) if is_street(line)]
    for end in ends:
        for first in range(0 if block.postal == 0 else 1, min(block.postal + 1, 5)):
            value = tidy(", ".join(_parted(line) if scanned else line for line in block.lines[first:end]))
            if len(value) < 3 or not (block.has_postal or any(place >= first for place in streets)):
                continue
            features = {
                **_block_features(scene, target, block),
                "first_line": float(first),
                "lines": float(end - first),
                "postal": float(block.has_postal),
                "street": float(any(place >= first for place in streets)),
                "at_street": float(bool(streets) and first == streets[0]),
                "past_street": float(bool(streets) and first > streets[0]),
                "country": float(end > block.postal + 1 or fold(block.lines[end - 1]) in COUNTRY),
                "name_inside": float(bool(LEGAL_FORM.search(block.lines[first])) and not is_street(block.lines[first])),
            }
            yield _from_lines(block, first, end, value, features)


def _parted(line: str) -> str:
    """A street and its number that were read as one word."""
    return _GLUED_NUMBER.sub(" ", line)


def _from_lines(block: Block, first: int, last: int, value: str, features: dict[str, float]) -> Option:
    segment = block.segment(first)
    place = place_of(segment, 0, len(segment.text))
    return Option(place, value, "\n".join(block.lines[first:last]), 0.7, block.box(first, last), paired=False, features=features)


def _block_features(scene: Scene, target: Target, block: Block) -> dict[str, float]:
    own, other = _sides(scene, target, block.segments[:2], block.heading)
    return {
        "section": own,
        "other_section": other,
        "one_line": float(block.one_line),
        "block": float(block.number + 1),
        "from_block": 1.0,
        "contacts": float(min(block.contacts, 3)),
        "web": float(block.web),
        "block_lines": float(len(block.lines)),
        "block_postal": float(block.has_postal),
        "block_street": float(block.has_street),
    }


def _sides(scene: Scene, target: Target, segments: tuple[Segment, ...], heading: Label | None) -> tuple[float, float]:
    """How surely a heading gives these lines to the target's party, and how surely to another."""
    own = max(section_score(scene, target.group, segment) for segment in segments)
    groups = {group for group in scene.labels.headings if group != target.group}
    other = max((section_score(scene, group, segment) for group in groups for segment in segments), default=0.0)
    if heading is not None and heading.owner == target.group:
        own = max(own, heading.similarity * 0.95)
    elif heading is not None:
        other = max(other, heading.similarity * (0.95 if heading.owner != OTHER else 1.0))
    return own, other


def _name_features(scene: Scene, name: str) -> dict[str, float]:
    key = squash(name)
    return {
        "repeats": float(min(4, sum(1 for text in scene.squashed if key and key in text))),
        "domain": max((share for core, share in scene.domains.items() if _same_name(core, key)), default=0.0),
        "lower": float(name[:1].islower()),
        "foreign": float(bool(NOT_ADDRESS.search(name))),
    }


def _same_name(core: str, key: str) -> bool:
    return core in key or (len(key) > 5 and key[: max(6, len(core))] in core)


def _labelled(scene: Scene, target: Target) -> Iterator[Option]:
    """`Name: X` inside a party's section."""
    for label in scene.labels.fields.get(target.spec.path, ()):
        if label.covered or label.similarity < 0.9:
            continue
        for option in _texts(scene, target, label):
            own, other = _sides(scene, target, (option.place.segment, label.segment), None)
            features = {"section": own, "other_section": other, "labelled": 1.0, "lines": 1.0, **_name_features(scene, str(option.value))}
            features["digits"] = float(bool(re.search(r"\d", str(option.value))))
            yield replace(option, features={**option.features, **features})
            for longer in _whole_value(scene, target, label, option):
                pair = scene.pairing.pair(label, option.place)
                own = pair.score if pair else 0.0
                yield replace(longer, features={**option.features, **features, **longer.features, "own": own})


def _texts(scene: Scene, target: Target, label: Label) -> Iterator[Option]:
    found = text_round(scene, target, label)
    return (option for option in found if _is_name(str(option.value)))


def _is_name(text: str) -> bool:
    return (
        not SALUTATION.fullmatch(text) and not text.endswith((":", "：")) and sum(map(str.isalpha, text)) > 2 and fold(text) not in COUNTRY
    )


def _whole_value(scene: Scene, target: Target, label: Label, option: Option) -> Iterator[Option]:
    """A value of several lines right of its label: close lines above, and lines below with nothing left of them."""
    first, index = option.place.segment, scene.pairing.pages[option.place.page]
    if first is label.segment or first.x0 < label.box[2]:
        return
    column = sorted(
        (other for other in index.in_column(first.x0 - index.unit, first.x1) if abs(other.x0 - first.x0) < index.unit),
        key=lambda other: other.y0,
    )
    place = column.index(first)
    start, end = place, place + 1
    while start > 0 and column[start].y0 - column[start - 1].y0 < 1.4 * first.height and _alone(index, column[start - 1]):
        start -= 1
    while end < len(column) and column[end].y0 - column[end - 1].y0 < 3.2 * first.height and _alone(index, column[end]):
        end += 1
    lines = [other for other in column[start:end] if not SALUTATION.fullmatch(other.text.strip())]
    if len(lines) < 2 and (not lines or lines[0] is first):
        return
    value = tidy((", " if target.kind == "address" else " ").join(other.text for other in lines))
    box = (min(o.x0 for o in lines), lines[0].y0, max(o.x1 for o in lines), lines[-1].y1)
    yield replace(
        option, value=value, raw="\n".join(o.text for o in lines), box=box, fit=option.fit + 0.1, paired=False, features={"stacked": 1.0}
    )


def _alone(index: PageIndex, segment: Segment) -> bool:
    """Nothing stands left of the segment on its row."""
    return index.layout.lines[segment.line][0] is segment


def _at_heading(scene: Scene, target: Target) -> Iterator[Option]:
    """The heading itself as a label: `Bill to: X`."""
    for label in scene.labels.headings.get(target.group, ()):
        if label.before or label.covered:
            continue
        as_label = replace(label, heading=False, owner=target.spec.path, phrase=replace(label.phrase, weight=0.9))
        filled = label.colon and sum(map(str.isalpha, label.segment.text[label.ends_at :])) > 2
        for option in _texts(scene, target, as_label):
            if filled and option.place.segment is not label.segment:
                continue
            pair = scene.pairing.pair(as_label, option.place)
            own = pair.score if pair else 0.0
            features = {
                "section": label.similarity,
                "own": own,
                "at_heading": 1.0,
                "lines": 1.0,
                **_name_features(scene, str(option.value)),
            }
            features["digits"] = float(bool(re.search(r"\d", str(option.value))))
            yield replace(option, paired=False, features={**option.features, **features})


def _letterhead(scene: Scene, target: Target) -> Iterator[Option]:
    """Company names by their legal form, and large print at the top of the first page."""
    page = scene.layouts[0] if scene.layouts else None
    for segment in page.segments if page else ():
        large = segment.y0 < 0.2 * page.height and segment.height > 1.25 * page.median_height and len(segment.words) <= 6  # type: ignore[union-attr]
        named = bool(LEGAL_FORM.search(segment.text)) and len(segment.words) <= 7
        if not named and not (large and re.search(r"[^\W\d]{3}", segment.text)):
            continue
        text = re.split(r"\s[-–|●•]\s|,\s", segment.text)[0] if len(segment.words) > 4 else segment.text
        own, other = _sides(scene, target, (segment,), None)
        place = place_of(segment, 0, len(text))
        features = {
            "section": own,
            "other_section": other,
            "letterhead": 1.0,
            "large": float(large),
            "legal": float(bool(LEGAL_FORM.search(text))),
            "digits": float(bool(re.search(r"\d", text))),
            "lines": 1.0,
            **_name_features(scene, text),
        }
        yield Option(place, tidy(text), text, 0.6, place.box, paired=False, features=features)
