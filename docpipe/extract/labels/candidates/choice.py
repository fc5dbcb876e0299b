"""Options for a field with a fixed set of values: where one of them is printed, as a title or beside a label."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rapidfuzz import fuzz

from docpipe.extract.labels.index import place_of
from docpipe.extract.labels.layout import PageLayout, Segment
from docpipe.extract.labels.phrases import Target
from docpipe.extract.labels.scene import Option, Scene
from docpipe.values.text import squash

_PAGES = 2  # what kind of document it is stands at the front
_SIMILAR = 0.85
_KEY = re.compile(r"^[^:=]{2,40}[:=]")


def choices(scene: Scene, target: Target) -> Iterator[Option]:
    """Every printed occurrence of one of the values; `features["prior"]` is how prominent it is."""
    for choice in target.spec.choices:
        wanted = squash(choice)
        longer = [squash(part) for part in re.split(r",|\bor\b|:", target.spec.description) if wanted in squash(part)]
        for page in scene.layouts[:_PAGES]:
            for segment in page.segments:
                yield from _in_segment(choice, wanted, longer, segment, page)


def _in_segment(choice: str, wanted: str, longer: list[str], segment: Segment, page: PageLayout) -> Iterator[Option]:
    text = squash(segment.text)
    if len(text) < len(wanted) * 0.7:
        return
    similarity = (fuzz.partial_ratio(wanted, text) if len(text) >= len(wanted) else fuzz.ratio(wanted, text)) / 100
    if similarity < _SIMILAR:
        return
    beginning = re.split(r"[\s\-]", choice)[0][:6]
    found = re.search(re.escape(beginning), segment.text, re.IGNORECASE)
    start = found.start() if found else 0
    key = _KEY.match(segment.text)
    in_key = key is not None and start < key.end()
    full = max((fuzz.ratio(part, text) / 100 for part in longer), default=0.0)
    share = len(wanted) / max(len(wanted), len(text))
    prior = (similarity - 0.6 * in_key) * 0.5 + 0.5 * max(full, share)
    prior += -0.15 * segment.y0 / page.height - 0.15 * (page.number - 1) + 0.1 * (segment.height / page.median_height - 1)
    place = place_of(segment, start, len(segment.text))
    yield Option(place, choice, segment.text, similarity, place.box, paired=not in_key, features={"prior": prior})
