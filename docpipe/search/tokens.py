"""A page's words -> what it is found by. The same for pages and for queries, and for every database. Knows letters, no index.

Words are folded (`docpipe.values.text.fold`): case, accents and punctuation do not matter. Scripts that leave no blanks between words, and
Hangul, where blanks come and go, are cut into overlapping pairs of characters within a line: 세금계산서 is 세금 금계 계산 산서 서. So two
syllables find the compound they stand in, which SQLite's own trigrams cannot. The last character stands alone, so that each character of a
line begins a token, and one that is asked for alone is a prefix.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from docpipe.values.text import fold

VERSION = "1"  # of what becomes of a page's words; an index that was made by another is made anew
LONGEST = 64  # characters of a token
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+)"
)
_NO_LETTERS = str.maketrans("#%", "  ")  # what `fold` keeps beside letters and digits


class Token(NamedTuple):
    """One thing that a page is found by, and the first and the last of the words it is printed in, as places in the page's words."""

    text: str
    first: int
    last: int


class Line(NamedTuple):
    """Words that stand in one line; `start` is the first one's place in the page's words."""

    start: int
    texts: tuple[str, ...]


def lines_of(texts: Iterable[Sequence[str]]) -> Iterator[Line]:
    """Lines of words, with their places."""
    start = 0
    for line in texts:
        yield Line(start, tuple(line))
        start += len(line)


def tokens_of(line: Line) -> Iterator[Token]:
    """The line as printed, token by token, in order: what a phrase is looked for in."""
    run: list[tuple[str, int]] = []
    for place, text in enumerate(line.texts, line.start):
        for piece, unspaced in _pieces(text):
            if unspaced:
                run += [(char, place) for char in piece]
                continue
            if run:
                yield from _pairs(run)
                run = []
            yield Token(piece, place, place)
    yield from _pairs(run)


@lru_cache(maxsize=65536)
def _pieces(text: str) -> tuple[tuple[str, bool], ...]:
    """The folded text, cut where it changes between scripts with and without blanks, and whether each part is of one without."""
    folded = fold(text).translate(_NO_LETTERS).split()
    if text.isascii():
        return tuple((piece[:LONGEST], False) for piece in folded)
    parts = [part for piece in folded for part in _UNSPACED.split(piece) if part]
    return tuple((part, True) if is_unspaced(part) else (part[:LONGEST], False) for part in parts)


def is_unspaced(text: str) -> bool:
    """Whether it is of a script that is cut into pairs."""
    return _UNSPACED.fullmatch(text) is not None


def _pairs(run: Sequence[tuple[str, int]]) -> Iterator[Token]:
    for (char, place), (after, next_place) in pairwise(run):
        yield Token(char + after, place, next_place)
    if run:
        yield Token(run[-1][0], run[-1][1], run[-1][1])
