"""Phrases and the printed texts that are one of them, misread or misspelt. Knows strings only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rapidfuzz.distance import Indel

from docpipe.extract.labels.weights import WEIGHTS

_REMEMBERED = 100_000  # texts; so many are a few hundred pages'


class FuzzyKeys:
    """The phrases, and the printed texts that are close to one of them. Two texts are compared only where their first or their last two
    letters agree: a misread label rarely differs at both ends."""

    def __init__(self, keys: Sequence[str], *, ocr: bool) -> None:
        self._exact = frozenset(keys)
        self._cutoff = WEIGHTS.fuzzy_ocr if ocr else WEIGHTS.fuzzy_text
        self.longest = max(map(len, keys), default=0) + 4
        self._known: dict[str, tuple[tuple[str, float], ...]] = {}
        self._ends: defaultdict[str, list[str]] = defaultdict(list)
        for key in keys:
            if len(key) >= WEIGHTS.shortest_fuzzy:
                self._ends["<" + key[:2]].append(key)
                self._ends[">" + key[-2:]].append(key)

    def matches(self, text: str) -> tuple[tuple[str, float], ...]:
        """The phrases that the squashed text is or nearly is, with the similarity."""
        if text not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[text] = self._find(text)
        return self._known[text]

    def _find(self, text: str) -> tuple[tuple[str, float], ...]:
        if text in self._exact:
            return ((text, 1.0),)
        if len(text) < WEIGHTS.shortest_fuzzy:
            return ()
        near = {*self._ends.get("<" + text[:2], ()), *self._ends.get(">" + text[-2:], ())}
        reach = len(text) * (1 - self._cutoff) * 1.3 + 1
        found = []
        for key in near:
            if abs(len(key) - len(text)) <= reach and key[0].isdigit() == text[0].isdigit():
                similarity = Indel.normalized_similarity(text, key, score_cutoff=self._cutoff)
                if similarity:
                    found.append((key, similarity))
        return tuple(found)
