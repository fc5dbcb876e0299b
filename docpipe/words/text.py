"""A page's words -> plain text. Knows lines and gaps; the order is that of the words."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import groupby, pairwise

from docpipe.records import Word, Words

# Between lines: more white than this share of the line height starts a paragraph.
PARAGRAPH = 0.9


def page_text(words: Words) -> str:
    """The page as plain text: one printed line per line, words joined by blanks, an empty line between paragraphs."""
    lines = lines_of(words)
    if not lines:
        return ""
    height = statistics.median(word.y1 - word.y0 for word in words.words)
    parts = [_joined(lines[0])]
    for above, line in pairwise(lines):
        parts.append("\n\n" if _apart(above, line, height) else "\n")
        parts.append(_joined(line))
    return "".join(parts)


def lines_of(words: Words) -> list[tuple[Word, ...]]:
    """The words by line, in order."""
    return [tuple(line) for _, line in groupby(words.words, key=lambda word: word.line)]


def _joined(line: Sequence[Word]) -> str:
    return " ".join(word.text for word in line)


def _apart(above: Sequence[Word], line: Sequence[Word], height: float) -> bool:
    """Whether a line starts a paragraph: far below the one above, or higher, at the top of another column."""
    white = min(word.y0 for word in line) - max(word.y1 for word in above)
    return white > PARAGRAPH * height or white < -2 * height
