"""Which printed words somebody crossed out. Knows words and drawn lines, no field.

A line counts where it runs through a word's middle: one under it is an underline, one above or below a table's.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from docpipe.extract.labels.layout import PageLayout
from docpipe.records import Box, Candidate, Ruling, Word

MIDDLE = (0.28, 0.74)  # of a word's height, from the top: where a line through small letters and digits runs
ACROSS = 0.6  # of its width that lines through its middle cover
STEEP = 1.0  # a line that rises more than this crosses no word out


def with_struck(candidates: Iterable[Candidate], layouts: Sequence[PageLayout]) -> Iterator[Candidate]:
    """The candidates; those with a crossed-out word get the feature `struck`."""
    struck = {page.number: found for page in layouts if (found := struck_words(page))}
    for candidate in candidates:
        words = struck.get(candidate.page or 0, [])
        if candidate.box is None or not any(_inside(word, candidate.box) for word in words):
            yield candidate
            continue
        features = {**candidate.evidence.features, "struck": 1.0}
        yield candidate.model_copy(update={"evidence": candidate.evidence.model_copy(update={"features": features})})


def struck_words(page: PageLayout) -> list[Word]:
    """The page's crossed-out words."""
    lines = [line for line in (*page.rulings, *page.strokes) if abs(line.y1 - line.y0) <= STEEP * abs(line.x1 - line.x0)]
    if not lines:
        return []
    words = sorted((word for segment in page.segments for word in segment.words), key=lambda word: word.y0)
    tops, highest = [word.y0 for word in words], max(word.y1 - word.y0 for word in words) if words else 0.0
    covered: dict[Word, float] = {}
    for line in lines:
        low, high = sorted((line.y0, line.y1))
        for word in words[bisect_left(tops, low - highest) : bisect_right(tops, high)]:
            covered[word] = covered.get(word, 0.0) + _through(line, word)
    return [word for word, length in covered.items() if length >= ACROSS * (word.x1 - word.x0)]


def _through(line: Ruling, word: Word) -> float:
    """How much of the word's width the line runs through its middle."""
    left, right = max(min(line.x0, line.x1), word.x0), min(max(line.x0, line.x1), word.x1)
    if right <= left:
        return 0.0
    at = line.y0 + (line.y1 - line.y0) * ((left + right) / 2 - line.x0) / (line.x1 - line.x0)
    height = word.y1 - word.y0
    return right - left if MIDDLE[0] * height <= at - word.y0 <= MIDDLE[1] * height else 0.0


def _inside(word: Word, box: Box) -> bool:
    x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]
