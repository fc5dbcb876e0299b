"""The lines of a page read in its script: Latin by itself, CJK and Korean where asked for or where the page shows it.

Knows which script a page is in; the networks are in `docpipe.words.pp`, Korean in `docpipe.words.hangul`.
"""

from __future__ import annotations

import logging
import re
import statistics
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

from docpipe.records import Word
from docpipe.words.engine import OcrLine
from docpipe.words.hangul import HangulReader, available, hangul_share
from docpipe.words.image import Image
from docpipe.words.pp import Detector, Quad, Reading, Recognizer, find_colons, find_strays, is_character, part, size, words_of

log = logging.getLogger(__name__)

Script = Literal["latin", "cjk", "korean"]
CJK = frozenset({"zh", "ja"})

# A line read with a lower mean is rubbish: a logo, a stamp, a script that the alphabet lacks.
KEPT = 0.5
# Of a colon known by its shape: nothing is read off it.
COLON_CHANCE = 0.9
# Where the page itself must show its script, this many lines spread over it are read as Latin first. Measured: among a Latin page's
# lines at most 12 % are unsure, even on bad scans; among a Korean page's at least 31 %. Where Korean is one of the languages that
# were named, a single unsure line is enough.
PROBES = 16
UNSURE = 0.75
FOREIGN = 0.22
FOREIGN_NAMED = 0.05
FEWEST = 3
# Another script is believed when the lines that Latin could not read are read this surely with it. Measured: Chinese and Japanese
# lines 1.0 with the full alphabet, Korean ones 0.65 at most; Korean ones 0.92 with Tesseract, anything else 0.25 at most.
SURELY_CJK = 0.85
SURELY_KOREAN = 0.5
CJK_DENSITY = 0.4
_CJK = re.compile(r"[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
MISSING = "a page is in a script that the OCR models lack; where that is Korean, install docpipe[tesseract] and tesseract-ocr-kor"


class ScriptReader:
    """PP-OCR with the alphabet that the page needs, Tesseract where that is Korean. Nothing is loaded before it is needed."""

    def __init__(self, *, cache: Path) -> None:
        self._detector = Detector(cache=cache)
        self._latin = Recognizer(alphabet="latin", cache=cache)
        self._full = Recognizer(alphabet="full", cache=cache)
        self._data = (cache / "tessdata",)
        self._told = False

    def read(self, image: Image, *, languages: Sequence[str], text_height: float | None) -> list[OcrLine]:
        """As `OcrEngine.read`."""
        quads = self._detector.find(image, text_height=text_height)
        script, readings = self._script(image, quads, languages)
        lines = [self._line(image, quad, script, readings.get(place)) for place, quad in enumerate(quads)]
        return [line for line in (*lines, *self._strays(image, quads)) if line.words]

    @cached_property
    def _hangul(self) -> HangulReader:
        return HangulReader(latin=self._latin, folders=self._data)

    def _line(self, image: Image, quad: Quad, script: Script, known: Reading | None) -> OcrLine:
        if script == "korean":
            words = self._hangul.read(image, quad)
            return OcrLine(words, statistics.fmean(word.confidence for word in words) if words else 0.0)
        reading = self._full.read(image, quad) if script == "cjk" else known or self._latin.read(image, quad)
        return OcrLine(words_of(reading) if reading.confidence >= KEPT else (), reading.confidence)

    def _strays(self, image: Image, quads: Sequence[Quad]) -> Iterator[OcrLine]:
        """The characters that stand alone; digits, Latin letters and colons whatever the page's script."""
        for quad in find_strays(image, quads):
            reading = self._latin.read_upright(image, quad)
            if is_character(reading):
                yield OcrLine(words_of(reading), reading.confidence)
        for quad in find_colons(image, quads):
            yield OcrLine((Word(":", *part(quad, 0, 1), COLON_CHANCE),), COLON_CHANCE)

    def _script(self, image: Image, quads: Sequence[Quad], languages: Sequence[str]) -> tuple[Script, dict[int, Reading]]:
        """The page's script, and the Latin readings of lines, by place, that finding it out has cost."""
        named = frozenset(languages)
        if named & CJK:
            return "cjk", {}
        if named == {"ko"} and available(self._data):
            return "korean", {}
        if named and "ko" not in named:
            return "latin", {}
        places = _spread([place for place, quad in enumerate(quads) if size(quad)[0] > 2 * size(quad)[1]])
        readings = {place: self._latin.read(image, quads[place]) for place in places}
        unsure = [reading.quad for reading in readings.values() if reading.confidence < UNSURE]
        if len(places) < FEWEST or len(unsure) < len(places) * (FOREIGN_NAMED if named else FOREIGN):
            return "latin", readings
        return self._foreign(image, unsure), readings

    def _foreign(self, image: Image, quads: Sequence[Quad]) -> Script:
        """The script of lines that cannot be read as Latin; Latin where no other reads them either."""
        readable = available(self._data)
        if readable and _is_korean([word for quad in quads for word in self._hangul.read(image, quad)]):
            return "korean"
        if _is_cjk([self._full.read(image, quad) for quad in quads]):
            return "cjk"
        if not readable:
            self._tell_missing()
        return "latin"

    def _tell_missing(self) -> None:
        if not self._told:
            log.warning(MISSING)
            self._told = True


def _is_korean(words: Sequence[Word]) -> bool:
    """Whether most of what Tesseract read with its Korean data is Hangul, and sure."""
    sure = [word.confidence for word in words if hangul_share(word.text) >= 0.5]
    return 2 * len(sure) > len(words) and statistics.median(sure) >= SURELY_KOREAN


def _is_cjk(readings: Sequence[Reading]) -> bool:
    """Whether the full alphabet reads these lines surely, and as many ideographs or kana as fit into them: rubbish comes out short."""
    fitting = sum(along / across for along, across in (size(reading.quad) for reading in readings))
    found = sum(len(_CJK.findall(reading.text)) for reading in readings)
    sure = statistics.median(reading.confidence for reading in readings)
    return sure >= SURELY_CJK and found >= CJK_DENSITY * fitting


def _spread(places: Sequence[int]) -> list[int]:
    """At most PROBES of the places, evenly over them all."""
    return list(places[:: -(-len(places) // PROBES)]) if places else []
