"""Labels of fields whose schema gives none: short printed texts that share their words with a field's name and description.

A form prints "3 Permanent residence address (street, ...)" where a description says "Line 3, permanent residence, street".
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from rapidfuzz.distance import Indel

from docpipe.extract.labels.layout import PageLayout, Segment
from docpipe.extract.labels.phrases import Phrase, Target, content_words
from docpipe.extract.labels.weights import WEIGHTS

LONGEST = 24  # words of a printed label
_REACH = 8.0  # median heights that a number reaches down
_READ = 20  # words of it that count
_WORDS = re.compile(r"[^\W\d_]{3}")
_BULLET = re.compile(r"^[•●*▶►]")
_ITEM = re.compile(r"^\W*(\d{1,2}[a-z]?)(?:[.)]?\s|[.)])", re.IGNORECASE)
_BARE_ITEM = re.compile(r"\W*(\d{1,2}[a-z]?)\W*", re.IGNORECASE)

Chain = tuple[Segment, ...]


class SoftLabels:
    """The fields that want soft labels, and how their words count: the fewer fields share a word, the more it says."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = [target for target in targets if not target.spec.labels and not target.group and target.words]
        shared = Counter(word for target in self._targets for word in target.words)
        self._values = {word: 1 / count for word, count in shared.items()}
        self._known: dict[str, str | None] = {}

    def find(self, layouts: Sequence[PageLayout], chains: Sequence[Chain]) -> Iterator[tuple[Target, Chain, Phrase]]:
        """For every field its best few texts; the phrase's weight says how well it fits."""
        if not self._targets:
            return
        best: defaultdict[str, list[tuple[float, Target, Chain]]] = defaultdict(list)
        items = {segment: item for page in layouts for segment, item in _items(page).items()}
        for chain in [*((segment,) for page in layouts for segment in page.segments), *chains]:
            text = " ".join(segment.text for segment in chain)
            if len(text.split()) > LONGEST or _BULLET.match(text) or not _WORDS.search(text):
                continue
            later = WEIGHTS.soft_later_page ** (chain[0].page - layouts[0].number)
            for target, weight in self._fits(text, items.get(chain[0], "")):
                if len(chain) == 1 or all(self._meant(segment.text) & target.words for segment in chain):
                    best[target.spec.path].append(
                        (weight * later * (1.0 if text[:1].isupper() or text[:1].isdigit() else 0.8), target, chain)
                    )
        for found in best.values():
            for weight, target, chain in sorted(found, key=lambda item: -item[0])[: WEIGHTS.soft_kept]:
                text = " ".join(segment.text for segment in chain)
                yield target, chain, Phrase(text, "", min(weight, 0.95))

    def _fits(self, text: str, item: str) -> Iterator[tuple[Target, float]]:
        words, meant = content_words(" ".join(text.split()[:_READ])), self._meant(text)
        if not meant:
            return
        for target in self._targets:
            common = meant & target.words
            if not common:
                continue
            recall = sum(self._values[word] for word in common) / sum(self._values[word] for word in target.words)
            weight = recall * (0.55 + 0.45 * len(common) / max(1, len(words)))
            if target.item and item:
                weight = weight + WEIGHTS.soft_item if target.item == item else weight * WEIGHTS.soft_other_item
            if weight >= WEIGHTS.soft_least:
                yield target, weight

    def _meant(self, text: str) -> frozenset[str]:
        """The schema's words in a printed text."""
        words = content_words(" ".join(text.split()[:_READ]))
        return frozenset(known for word in words if (known := self._schema_word(word)) is not None)

    def _schema_word(self, word: str) -> str | None:
        """The schema's word that a printed word is, misread or otherwise inflected."""
        if word not in self._known:
            self._known[word] = self._nearest(word)
        return self._known[word]

    def _nearest(self, word: str) -> str | None:
        if word in self._values:
            return word
        if len(word) < WEIGHTS.shortest_fuzzy:
            return None
        scored = [(Indel.normalized_similarity(word, known), known) for known in self._values if len(known) >= WEIGHTS.shortest_fuzzy]
        similarity, known = max(scored, default=(0.0, ""))
        return known if similarity >= WEIGHTS.fuzzy_ocr else None


def item_factor(target: Target, item: str) -> float:
    """What the number of the question that a label belongs to says: the field's own number, or another's."""
    if not target.item or not item:
        return 1.0
    return WEIGHTS.own_item if target.item == item else WEIGHTS.other_item


def _items(page: PageLayout) -> dict[Segment, str]:
    return {segment: item for segment in page.segments if (item := item_of(segment, page))}


class Items:
    """The numbered boxes and lines of one page, and which of them a segment belongs to."""

    def __init__(self, page: PageLayout) -> None:
        self._unit = page.median_height
        self._own = _items(page)
        self._places = sorted(self._own, key=lambda segment: (segment.y0, segment.x0))

    def of(self, segment: Segment) -> str:
        """The segment's own number, else that of the nearest numbered text above it that is not right of it."""
        if segment in self._own:
            return self._own[segment]
        before = [
            other
            for other in self._places
            if other.y0 <= segment.y0 + 0.3 * self._unit
            and other.x0 <= segment.x0 + self._unit
            and segment.y0 - other.y0 < _REACH * self._unit
        ]
        nearest = max(before, key=lambda other: (round(other.y0 / self._unit), other.x0), default=None)
        return self._own[nearest] if nearest is not None else ""


def item_of(segment: Segment, page: PageLayout) -> str:
    """The number of the box or line that starts with the segment: in it, or by itself left of it."""
    inside = _ITEM.match(segment.text)
    if inside and not _BARE_ITEM.fullmatch(segment.text):
        return inside[1].lower()
    row = page.lines[segment.line]
    place = row.index(segment)
    if place and segment.x0 - row[place - 1].x1 < 3 * page.median_height:
        bare = _BARE_ITEM.fullmatch(row[place - 1].text)
        return bare[1].lower() if bare else ""
    return ""
