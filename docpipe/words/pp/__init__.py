"""PP-OCR's two networks without its framework: find text lines, read them, say where each word stands.

Knows images, boxes and probabilities; knows no page, no engine seam and no language but alphabets.
"""

from __future__ import annotations

from docpipe.words.pp.detect import Detector
from docpipe.words.pp.quads import Pixels, Quad, part, size, strip, ways
from docpipe.words.pp.recognize import Reading, Recognizer
from docpipe.words.pp.split import words_of
from docpipe.words.pp.strays import find_colons, find_strays, is_character
from docpipe.words.pp.weights import Alphabet

__all__ = [
    "Alphabet",
    "Detector",
    "Pixels",
    "Quad",
    "Reading",
    "Recognizer",
    "find_colons",
    "find_strays",
    "is_character",
    "part",
    "size",
    "strip",
    "ways",
    "words_of",
]
