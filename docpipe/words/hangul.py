"""Reads Korean lines: PP-OCR's alphabet has no Hangul, Tesseract's has. Knows strips and gaps, finds no lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from docpipe.records import Word
from docpipe.words.pp import Pixels, Quad, part, size, strip
from docpipe.words.tess import HEIGHT, LineReader, Piece, find_data, installed

# Measured on Korean pages: Korean alone reads Hangul best, but not the Latin letters and digits among it.
SURE = 0.8
# Tesseract parts Hangul words at every letter; closer than this share of the line's height they are one word.
JOIN = 0.26
_LATIN = re.compile(r"[A-Za-z0-9]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")


def available(folders: Sequence[Path] = ()) -> bool:
    """Whether Korean can be read here: tesserocr and the Korean data."""
    return installed() and find_data("kor", folders) is not None


def hangul_share(text: str) -> float:
    """The share of `text`'s letters that are Hangul; 0 without letters."""
    letters = sum(char.isalpha() for char in text)
    return len(_HANGUL.findall(text)) / letters if letters else 0.0


class HangulReader:
    """Tesseract with Korean, and with Korean and English for what Korean alone does not read. Made once per process."""

    def __init__(self, *, folders: Sequence[Path] = ()) -> None:
        """Raises MissingError where `available` is false."""
        self._korean = LineReader(("kor",), folders=folders)
        home = find_data("kor", folders)
        english = home is not None and (home / "eng.traineddata").is_file()
        self._mixed = LineReader(("kor", "eng"), folders=folders) if english else self._korean

    def read(self, image: Pixels, quad: Quad) -> tuple[Word, ...]:
        """The words of one line, boxes in pixels of `image`."""
        line = strip(image, quad, HEIGHT)
        along, across = size(quad)
        pieces = join(self._pieces(line), gap=JOIN * across / max(along, 1.0))
        return tuple(Word(piece.text, *part(quad, piece.start, piece.end), piece.confidence) for piece in pieces)

    def _pieces(self, line: Pixels) -> Sequence[Piece]:
        alone = self._korean.read(line)
        if confidence(alone) >= SURE and not any(_LATIN.search(piece.text) for piece in alone):
            return alone
        mixed = self._mixed.read(line)
        return mixed if confidence(mixed) >= confidence(alone) else alone


def confidence(pieces: Sequence[Piece]) -> float:
    """Mean over the characters of a line; 0 for an empty one."""
    return sum(piece.confidence * len(piece.text) for piece in pieces) / max(1, sum(len(piece.text) for piece in pieces))


def join(pieces: Sequence[Piece], *, gap: float) -> list[Piece]:
    """Neighbours made one where Hangul is on either side and less than `gap` (a share of the line) lies between."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and piece.start - joined[-1].end < gap and _touches_hangul(joined[-1].text, piece.text):
            last = joined.pop()
            piece = Piece(last.text + piece.text, last.start, piece.end, min(last.confidence, piece.confidence))
        joined.append(piece)
    return joined


def _touches_hangul(left: str, right: str) -> bool:
    return bool(_HANGUL.match(left[-1]) or _HANGUL.match(right[0]))
