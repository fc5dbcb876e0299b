"""What a found label is, and all labels of a document together. Knows places and strengths, not how labels are found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from docpipe.extract.labels.layout import Segment
from docpipe.extract.labels.phrases import Phrase
from docpipe.extract.labels.weights import WEIGHTS
from docpipe.records import Box

NOBODY = "-"  # owner of the labels that no field asked for
OTHER = "other party"  # owner of the headings of parties that no field asked for
_LIST_NUMBER = re.compile(r"\W*(?:\d{1,2}|[a-zA-Z])[a-z]?\W+|\d{1,2}[a-z]?")


@dataclass(frozen=True, eq=False)
class Label:
    """One occurrence. `owner` is a field's path, a group's path (a heading), NOBODY or OTHER; words `start:end` of `segment` are the
    label's last line. `before` and `after` count unexplained words round it; `context` is what they leave of the match, 0..1;
    the box of a `vertical` heading, written downwards, is its cell's."""

    owner: str
    phrase: Phrase
    similarity: float
    segment: Segment
    start: int
    end: int
    box: Box
    heading: bool = False
    colon: bool = False
    before: int = 0
    after: int = 0
    context: float = 1.0
    covered: bool = False
    boost: float = 1.0
    lines: int = 1
    soft: bool = False
    vertical: bool = False

    @property
    def ends_at(self) -> int:
        """Where the label ends in its segment's text."""
        return self.segment.offsets[self.end - 1] + len(self.segment.words[self.end - 1].text)

    @property
    def starts_at(self) -> int:
        return self.segment.offsets[self.start]

    @property
    def whole(self) -> bool:
        """The segment is the label and nothing else, but for the number of a question before it."""
        if self.end != len(self.segment.words):
            return False
        return self.start == 0 or (self.start == 1 and bool(_LIST_NUMBER.fullmatch(self.segment.words[0].text)))

    @property
    def strength(self) -> float:
        """0..1.2: how surely this text is the label of its owner."""
        factor = WEIGHTS.covered if self.covered else 1.0
        return self.phrase.weight * max(0.0, (self.similarity - 0.6) / 0.4) * self.context * factor * self.boost


@dataclass(frozen=True, eq=False)
class Labels:
    """All labels of a document. `by_segment` also lists a stacked label under each of its lines' segments."""

    fields: Mapping[str, tuple[Label, ...]]
    headings: Mapping[str, tuple[Label, ...]]
    by_segment: Mapping[Segment, tuple[Label, ...]] = field(default_factory=dict)

    def share(self, segment: Segment) -> float:
        """How surely the whole segment is a label: the best similarity of one that fills it."""
        sure = (label for label in self.by_segment.get(segment, ()) if label.whole)
        return max((label.similarity for label in sure if not label.soft or label.phrase.weight >= WEIGHTS.soft_is_label), default=0.0)
