"""How surely the words of each candidate were read. Knows words and boxes, no field.

A label speaks for which value it is, never for how it is spelt, so what OCR made of a page is told apart from what a file says itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from docpipe.extract.labels.layout import PageLayout
from docpipe.records import Box, Candidate, Word

CERTAIN = 1.0  # of a word out of a born-digital text layer


def with_word_confidence(candidates: Iterable[Candidate], layouts: Sequence[PageLayout]) -> Iterator[Candidate]:
    """The candidates; those whose words were recognised, by us or by whoever made the file, get the features `ocr` and
    `word_confidence`, the least of their words'."""
    doubtful = {page.number: _words(page) for page in layouts if any(word.confidence < CERTAIN for word in _words(page))}
    for candidate in candidates:
        sure = _least(candidate, doubtful)
        if sure is None:
            yield candidate
            continue
        features = {**candidate.evidence.features, "ocr": 1.0, "word_confidence": sure}
        yield candidate.model_copy(update={"evidence": candidate.evidence.model_copy(update={"features": features})})


def _words(page: PageLayout) -> list[Word]:
    return [word for segment in page.segments for word in segment.words]


def _least(candidate: Candidate, doubtful: Mapping[int, Sequence[Word]]) -> float | None:
    """The confidence of the candidate's least sure word; None where all are certain."""
    words = doubtful.get(candidate.page or 0)
    if words is None or candidate.box is None:
        return None
    least = min((word.confidence for word in words if _inside(word, candidate.box)), default=0.0)
    return least if least < CERTAIN else None


def _inside(word: Word, box: Box) -> bool:
    x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]
