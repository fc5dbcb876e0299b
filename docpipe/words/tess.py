"""Reads single text lines with Tesseract, where tesserocr and its language data are installed. Knows strips of pixels, finds no lines.

Tesseract's own page layout is never asked: it loses lines on receipts and falls apart on letter-spaced Korean pages.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from docpipe.errors import EngineError, MissingError
from docpipe.words.pp.quads import Pixels

USUAL = ("/usr/share/tesseract-ocr/*/tessdata", "/usr/share/tessdata", "/usr/local/share/tessdata", "/opt/homebrew/share/tessdata")
# Measured on Korean pages: letters of 48 px, and a margin, without which the first and last letter suffer.
HEIGHT = 48
BORDER = 10
DPI = 200
# A neighbouring line reaches into a strip by at most this share of its height; ink has this share of the strip's greatest contrast.
EDGE = 0.3
INK = 0.35

CODES = {
    "ar": "ara", "bg": "bul", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "es": "spa", "et": "est", "fi": "fin",
    "fr": "fra", "hi": "hin", "hr": "hrv", "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn", "ko": "kor", "lt": "lit", "lv": "lav",
    "ms": "msa", "nl": "nld", "no": "nor", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus", "sk": "slk", "sl": "slv", "sv": "swe",
    "th": "tha", "tr": "tur", "uk": "ukr", "vi": "vie", "zh": "chi_sim",
}  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """A word of a strip: its text, where it starts and ends (0..1 along the strip), and a confidence 0..1."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Letter(Piece):
    """A letter of a strip; `first` where a word begins with it. The confidence is its word's: for rubbish, the letters' own is near 1."""

    first: bool


def find_data(code: str, folders: Sequence[Path] = ()) -> Path | None:
    """The folder that holds `<code>.traineddata`: one of `folders`, else a usual place; None where there is none."""
    usual = [folder for pattern in USUAL for folder in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)]
    return next((folder for folder in (*folders, *usual) if (folder / f"{code}.traineddata").is_file()), None)


def installed() -> bool:
    """Whether tesserocr can be imported."""
    return importlib.util.find_spec("tesserocr") is not None


class LineReader:
    """Tesseract for one choice of languages. Made once per process."""

    def __init__(self, codes: Sequence[str], *, folders: Sequence[Path] = ()) -> None:
        """`codes` are Tesseract's own (`kor`, `eng`), the most likely first. Raises MissingError where a part is not installed."""
        if not installed():
            raise MissingError("tesserocr is not installed", hint="pip install 'docpipe[tesseract]'")
        homes = [_data_folder(code, folders) for code in codes]
        if len(set(homes)) > 1:
            raise MissingError(f"the data of {'+'.join(codes)} must lie in one folder", hint="put the traineddata files side by side")
        import tesserocr

        try:
            self._api: Any = tesserocr.PyTessBaseAPI(path=str(homes[0]), lang="+".join(codes), psm=tesserocr.PSM.SINGLE_LINE)
        except RuntimeError as problem:
            raise EngineError(f"Tesseract cannot start with {'+'.join(codes)}: {problem}") from problem
        # It would print about lines too small to read.
        self._api.SetVariable("debug_file", os.devnull)
        self._word: Any = tesserocr.RIL.WORD
        self._symbol: Any = tesserocr.RIL.SYMBOL
        self._iterate: Any = tesserocr.iterate_level

    def read(self, strip: Pixels) -> tuple[Piece, ...]:
        """The words of one gray or BGR line image, left to right; () when it holds no text."""
        return tuple(Piece(text, *place) for text, *place, _ in self._parts(strip, self._word))

    def letters(self, strip: Pixels) -> tuple[Letter, ...]:
        """The same, letter by letter."""
        return tuple(Letter(*part) for part in self._parts(strip, self._symbol))

    def _parts(self, strip: Pixels, level: Any) -> Iterator[tuple[str, float, float, float, bool]]:
        """Text, start, end, confidence, and whether a word begins, of every part of this level."""
        gray = strip if strip.ndim == 2 else np.asarray(cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY), np.uint8)
        framed = cv2.copyMakeBorder(alone(gray), BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REPLICATE)
        height, width = framed.shape
        self._api.SetImageBytes(framed.tobytes(), width, height, 1, width)
        self._api.SetSourceResolution(DPI)
        self._api.Recognize()
        result = self._api.GetIterator()
        for place in self._iterate(result, level) if result is not None else ():
            box = place.BoundingBox(level)
            text = _text(place, level)
            if box and text:
                start, end = (min(1.0, max(0.0, (edge - BORDER) / (width - 2 * BORDER))) for edge in (box[0], box[2]))
                yield text, start, end, place.Confidence(self._word) / 100, bool(place.IsAtBeginningOf(self._word))


def alone(gray: Pixels) -> Pixels:
    """A gray strip without what reaches into it from the lines above and below, where white parts that from its own line: of a strip with
    such slivers Tesseract often reads nothing."""
    paper = int(np.median(gray))
    contrast = np.abs(gray.astype(np.int16) - paper)
    inked = (contrast > INK * contrast.max(initial=0)).any(axis=1)
    height = len(inked)
    reach = int(EDGE * height)
    above, below = np.flatnonzero(~inked[:reach]), np.flatnonzero(~inked[height - reach :])
    top = int(above[0]) if inked[0] and len(above) else 0
    bottom = height - reach + int(below[-1]) + 1 if inked[-1] and len(below) else height
    if top == 0 and bottom == height:
        return gray
    cleaned = gray.copy()
    cleaned[:top] = cleaned[bottom:] = paper
    return cleaned


def _text(place: Any, level: Any) -> str:
    """The word here; Tesseract's binding raises where it holds none."""
    try:
        return str(place.GetUTF8Text(level)).strip()
    except RuntimeError:
        return ""


def _data_folder(code: str, folders: Sequence[Path]) -> Path:
    home = find_data(code, folders)
    if home is None:
        raise MissingError(
            f"Tesseract's data for {code!r} was not found",
            hint=f"install tesseract-ocr-{code.replace('_', '-')} or copy {code}.traineddata",
        )
    return home
