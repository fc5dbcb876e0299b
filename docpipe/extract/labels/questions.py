"""The question or heading that a label stands under, and whether its words speak for a field or for another. Knows any schema's words.

A form prints "Name" twice; that the second stands below "8. What is the name of the registrant?" tells whose name it is.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

from docpipe.extract.labels.layout import PageLayout, Segment
from docpipe.extract.labels.phrases import Phrase, Target, content_words
from docpipe.extract.labels.weights import WEIGHTS

_NUMBERED = re.compile(r"^\W*(?:\d{1,2}|[IVX]{1,4})\s?[.):]\s*\S|^\W*(?:part|section|schedule|teil|abschnitt)\s+\w+", re.IGNORECASE)
_REACH = 14.0  # median heights down from a question


class Questions:
    """Numbered questions and section headings of all pages, and each field's own words."""

    def __init__(self, layouts: Sequence[PageLayout], targets: Sequence[Target]) -> None:
        self._asked: dict[int, list[Segment]] = {}
        self._starts: dict[int, list[float]] = {}
        self._units = {page.number: page.median_height for page in layouts}
        for page in layouts:
            found = sorted((segment for segment in page.segments if _asks(segment)), key=lambda segment: segment.y0)
            self._asked[page.number] = found
            self._starts[page.number] = [segment.y0 for segment in found]
        self._own, self._foreign = _words(targets)

    def factor(self, path: str, phrase: Phrase, segment: Segment) -> float:
        """How much likelier, or less likely, a label is the field's for the question it stands under; 1 where that says nothing."""
        if not self._own.get(path) and not self._foreign.get(path):
            return 1.0
        asked = self._above(segment)
        if asked is None:
            return 1.0
        words = content_words(asked.text) - content_words(phrase.text)
        if words & self._own[path]:
            return WEIGHTS.question_own
        return WEIGHTS.question_foreign if words & self._foreign[path] else 1.0

    def _above(self, segment: Segment) -> Segment | None:
        """The nearest question at or above the segment, not right of it."""
        unit, asked = self._units[segment.page], self._asked[segment.page]
        if segment in asked:
            return segment
        last = bisect_right(self._starts[segment.page], segment.y0 + 0.3 * unit)
        for question in reversed(asked[max(0, last - 6) : last]):
            if segment.y0 - question.y0 > _REACH * unit:
                return None
            if question.x0 <= segment.x0 + unit:
                return question
        return None


def _asks(segment: Segment) -> bool:
    return bool(_NUMBERED.match(segment.text)) and any(len(word.text) > 2 and word.text[0].isalpha() for word in segment.words)


def _words(targets: Sequence[Target]) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """For each field without labels of its own: the words that no other field of its kind has, and those that only others have."""
    by_kind: defaultdict[str, list[Target]] = defaultdict(list)
    for target in targets:
        by_kind[target.kind].append(target)
    own, foreign = {}, {}
    for group in by_kind.values():
        for target in group:
            if target.spec.labels or target.group:
                continue
            others = frozenset(word for other in group if other is not target for word in other.words)
            own[target.spec.path], foreign[target.spec.path] = target.words - others, others - target.words
    return own, foreign
