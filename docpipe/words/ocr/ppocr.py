"""The default engine: PP-OCR on the CPU, offline; Latin by itself, CJK and Korean where asked for or where a page shows it.

Knows which alphabet a page needs; the networks are in `docpipe.words.pp`, Korean in `docpipe.words.hangul`.
"""

from __future__ import annotations

import logging
import statistics
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

from docpipe.words.engine import Image, OcrEngine, OcrLine
from docpipe.words.hangul import HangulReader, available, hangul_share
from docpipe.words.pp import Detector, Quad, Reading, Recognizer, words_of
from docpipe.words.pp.quads import size

log = logging.getLogger(__name__)

Script = Literal["latin", "cjk", "korean"]

# A line read with a lower mean is rubbish: a logo, a stamp, a script that the alphabet lacks.
KEPT = 0.5
# Where the language is unknown, this many lines spread over the page are read first. Measured: among a Latin page's lines at most 12 %
# are unsure, even on bad scans; among a Korean page's at least 31 %.
PROBES = 16
UNSURE = 0.75
FOREIGN = 0.22
FEWEST = 3
# Another script is believed when the lines that Latin could not read are read this surely with it.
CONVINCING = {"cjk": 0.85, "korean": 0.5}


class Ppocr(OcrEngine):
    """PP-OCR with the alphabet that the page needs."""

    name = "ppocr"

    def __init__(self, *, cache: Path | None = None) -> None:
        super().__init__(cache=cache)
        self._detector = Detector()
        self._latin = Recognizer(alphabet="latin", cache=self.cache)
        self._full = Recognizer(alphabet="full", cache=self.cache)
        self._told = False

    def read(self, image: Image, *, languages: Sequence[str] = (), text_height: float | None = None) -> list[OcrLine]:
        quads = self._detector.find(image, text_height=text_height)
        script = _asked(languages) or self._seen(image, quads)
        if script == "korean" and self._korean_missing():
            script = "latin"
        lines = (self._line(image, quad, script) for quad in quads)
        return [line for line in lines if line.words]

    @cached_property
    def _hangul(self) -> HangulReader:
        return HangulReader(folders=(self.cache / "tessdata",))

    def _line(self, image: Image, quad: Quad, script: Script) -> OcrLine:
        if script == "korean":
            words = self._hangul.read(image, quad)
            return OcrLine(words, statistics.fmean(word.confidence for word in words) if words else 0.0)
        reading = (self._full if script == "cjk" else self._latin).read(image, quad)
        return OcrLine(words_of(reading) if reading.confidence >= KEPT else (), reading.confidence)

    def _seen(self, image: Image, quads: Sequence[Quad]) -> Script:
        """The script that the page itself shows: Latin, unless too many lines cannot be read as such and another script can."""
        unsure = self._unsure(image, quads)
        if not unsure:
            return "latin"
        full = [self._full.read(image, quad) for quad in unsure]
        if statistics.median(reading.confidence for reading in full) >= CONVINCING["cjk"]:
            return "cjk"
        if not available((self.cache / "tessdata",)):
            self._tell("a page is in a script that the OCR models lack; if it is Korean, install docpipe[tesseract] and tesseract-ocr-kor")
            return "latin"
        words = [word for quad in unsure for word in self._hangul.read(image, quad)]
        korean = [word.confidence for word in words if hangul_share(word.text) >= 0.5]
        believed = len(korean) * 2 >= len(words) and korean and statistics.median(korean) >= CONVINCING["korean"]
        return "korean" if believed else "latin"
