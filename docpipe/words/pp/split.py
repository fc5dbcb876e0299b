"""A line as read -> its words with boxes and confidences. Knows where the recognizer saw each character, no image."""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from docpipe.records import Word
from docpipe.words.pp.quads import part
from docpipe.words.pp.recognize import Reading

_WORD = re.compile(r"\S+")


def words_of(reading: Reading) -> tuple[Word, ...]:
    """The line's words in reading order, boxes in the pixels of the quad. A word's confidence is that of its least sure character:
    below 0.9 that is about its chance of being right, where the mean stays near 1 for wrong words."""
    half = _step(reading) / 2
    return tuple(_word(reading, match.start(), match.end(), half) for match in _WORD.finditer(reading.text))


def _word(reading: Reading, start: int, end: int, half: float) -> Word:
    x0, y0, x1, y1 = part(reading.quad, max(0.0, reading.places[start] - half), min(1.0, reading.places[end - 1] + half))
    text = unicodedata.normalize("NFC", reading.text[start:end])
    return Word(text, x0, y0, x1, y1, min(reading.chances[start:end]))


def _step(reading: Reading) -> float:
    """The median distance between neighbouring characters of a word, as a share of the line."""
    pairs = zip(reading.places, reading.places[1:], reading.text, reading.text[1:], strict=False)
    steps = [after - before for before, after, left, right in pairs if not (left.isspace() or right.isspace())]
    return float(np.median(steps)) if steps else 1 / max(1, len(reading.text))
