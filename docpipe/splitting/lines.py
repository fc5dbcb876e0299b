"""The printed lines of a page, and the keys by which its words are compared. Knows words and boxes, no meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from docpipe.records import Box, Word, Words

LONGEST_WORD = 40  # characters of a word that are looked at
_BARE = re.compile(r"[\W_]+")
# What OCR takes for one another: the same number, read twice, is the same key.
_ALIKE = str.maketrans("oilsbzg", "0115829")


class Shown(NamedTuple):
    """A printed text and where it stands."""

    text: str
    box: Box


class Line(NamedTuple):
    """One printed line: its words from left to right."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def box(self) -> Box:
        return box_of(self.words)


def lines_of(page: Words) -> Iterator[Line]:
    """The lines in reading order."""
    for _, words in groupby(page.words, key=lambda word: word.line):
        yield Line(tuple(sorted(words, key=lambda word: word.x0)))


def box_of(words: Sequence[Word]) -> Box:
    """The box round the words."""
    return min(word.x0 for word in words), min(word.y0 for word in words), max(word.x1 for word in words), max(word.y1 for word in words)


def word_key(text: str) -> str:
    """The letters and digits of a word, in small letters."""
    return _BARE.sub("", text[:LONGEST_WORD].casefold())


def number_key(text: str) -> str:
    """The key of a word with digits."""
    return word_key(text).translate(_ALIKE)


def digit_count(text: str) -> int:
    """How many digits the word has."""
    return sum(char.isdigit() for char in text[:LONGEST_WORD])
