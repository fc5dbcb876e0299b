"""Tesseract on the lines that PP-OCR's detector finds: an independent second reading, and one for scripts that PP-OCR lacks.

Knows which language data to ask for; the reading is in `docpipe.words.tess` and `docpipe.words.hangul`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from docpipe.records import Word
from docpipe.words.engine import OcrEngine, OcrLine
from docpipe.words.hangul import HangulReader, confidence
from docpipe.words.image import Image
from docpipe.words.pp import Detector, Quad, part, strip, ways
from docpipe.words.tess import CODES, HEIGHT, LineReader, Piece

DEFAULT = ("en",)
KEPT = 0.3


class Tesseract(OcrEngine):
    """Tesseract, line by line. Language data is looked for in `<cache>/tessdata` and in the usual places."""

    name = "tesseract"

    def __init__(self, *, cache: Path | None = None) -> None:
        super().__init__(cache=cache)
        self._detector = Detector(cache=self.cache)
        self._folders = (self.cache / "tessdata",)
        self._readers: dict[tuple[str, ...], LineReader] = {}

    def read(self, image: Image, *, languages: Sequence[str] = (), text_height: float | None = None) -> list[OcrLine]:
        """As every engine; raises MissingError where tesserocr or the data of a language is not installed."""
        if "ko" in languages:
            lines = [self._hangul.read(image, quad) for quad in self._detector.find(image, text_height=text_height)]
            return [OcrLine(words, min(word.confidence for word in words)) for words in lines if words]
        reader = self._reader(tuple(CODES.get(language, language) for language in languages or DEFAULT))
        quads = self._detector.find(image, text_height=text_height)
        return [line for quad in quads if (line := _line(reader, image, quad)).words]

    @cached_property
    def _hangul(self) -> HangulReader:
        return HangulReader(folders=self._folders)

    def _reader(self, codes: tuple[str, ...]) -> LineReader:
        if codes not in self._readers:
            self._readers[codes] = LineReader(codes, folders=self._folders)
        return self._readers[codes]


def _line(reader: LineReader, image: Image, quad: Quad) -> OcrLine:
    """The line in the direction that reads best; without words where that is rubbish."""
    read = ((reader.read(strip(image, way, HEIGHT)), way) for way in ways(quad))
    pieces, way = max(read, key=lambda reading: confidence(reading[0]))
    sure = confidence(pieces)
    return OcrLine(tuple(_word(piece, way) for piece in pieces) if sure >= KEPT else (), sure)


def _word(piece: Piece, quad: Quad) -> Word:
    return Word(piece.text, *part(quad, piece.start, piece.end), piece.confidence)
