"""Reads Korean lines: PP-OCR's alphabet has no Hangul, Tesseract's has. Knows strips and gaps, finds no lines.

Tesseract with Korean alone reads Hangul best, and Latin letters and digits worst: those are read again, each stretch by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, takewhile
from pathlib import Path

import numpy as np

from docpipe.records import Word
from docpipe.words.pp import Pixels, Quad, Reading, Recognizer, part, size, strip
from docpipe.words.tess import HEIGHT, Letter, LineReader, Piece, alone, find_data, installed

# Tesseract parts Hangul words at every letter; closer than this share of the line's height they are one word.
JOIN = 0.26
# What PP-OCR reads of a stretch is taken from this mean confidence on; of a whole line from the other, where it leaves no letter out:
# Hangul, which it lacks, it passes over. FAR and NEAR, for punctuation, are in heights
# of the line.
SURE, SURE_LINE = 0.8, 0.9
FAR = 0.7
NEAR = 0.15
# White left round a stretch, in pixels of the strip, and the widest gap inside one, in heights.
WHITE = 4
APART = 1.0
_LATIN = re.compile(r"[A-Za-z0-9]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_JAMO = re.compile(r"[\u3131-\u318e]")
_PLAIN = re.compile(r"[-.,:;~%()\[\]/|'\"·ㆍ※]+")


def available(folders: Sequence[Path] = ()) -> bool:
    """Whether Korean can be read here: tesserocr and the Korean data."""
    return installed() and find_data("kor", folders) is not None


def hangul_share(text: str) -> float:
    """The share of `text`'s letters that are Hangul; 0 without letters."""
    letters = sum(char.isalpha() for char in text)
    return len(_HANGUL.findall(text)) / letters if letters else 0.0


class HangulReader:
    """Tesseract with Korean; what is not Hangul is read again, by PP-OCR or by Tesseract with English. Made once per process."""

    def __init__(self, *, latin: Recognizer | None = None, folders: Sequence[Path] = ()) -> None:
        """Without `latin`, Tesseract alone reads. Raises MissingError where `available` is false."""
        self._korean = LineReader(("kor",), folders=folders)
        home = find_data("kor", folders)
        english = latin is None and home is not None and (home / "eng.traineddata").is_file()
        self._mixed = LineReader(("kor", "eng"), folders=folders) if english else None
        self._latin = latin

    def read(self, image: Pixels, quad: Quad) -> tuple[Word, ...]:
        """The words of one line, boxes in pixels of `image`."""
        line = strip(image, quad, HEIGHT)
        letters = self._letters(line)
        along, across = size(quad)
        pieces = join(_words(letters), gap=JOIN * across / max(along, 1.0))
        return tuple(Word(piece.text, *part(quad, piece.start, piece.end), piece.confidence) for piece in pieces)

    def _letters(self, line: Pixels) -> Sequence[Letter]:
        korean = self._korean.letters(line)
        if self._latin is not None:
            return _corrected(line, korean, self._latin)
        if self._mixed is None or (confidence(korean) >= SURE and not any(_LATIN.search(letter.text) for letter in korean)):
            return korean
        mixed = self._mixed.letters(line)
        return mixed if confidence(mixed) >= confidence(korean) else korean


def confidence(pieces: Sequence[Piece]) -> float:
    """Mean over the characters of a line; 0 for an empty one."""
    return sum(piece.confidence * len(piece.text) for piece in pieces) / max(1, sum(len(piece.text) for piece in pieces))


def _corrected(line: Pixels, letters: Sequence[Letter], latin: Recognizer) -> list[Letter]:
    """The letters, with PP-OCR's reading of the whole line or of every stretch without Hangul where it is sure."""
    line = alone(line if line.ndim == 2 else np.asarray(line[:, :, 1], np.uint8))
    height, width = line.shape[:2]
    if hangul_share("".join(letter.text for letter in letters)) < 0.5 and letters:
        reading = latin.read_upright(line, _rectangle(0, width, height))
        read = _letters(reading, width)
        if reading.confidence >= SURE_LINE and _covers(read, letters, FAR * height / width):
            return read
    corrected: list[Letter] = []
    for stretch, foreign in _stretches(letters, APART * height / width):
        corrected.extend((foreign and _again(latin, line, stretch)) or stretch)
    return corrected


def _again(latin: Recognizer, line: Pixels, stretch: Sequence[Letter]) -> list[Letter]:
    """PP-OCR's reading of a stretch of the line; nothing where it is not sure."""
    height, width = line.shape[:2]
    start, end = max(0.0, stretch[0].start * width - WHITE), min(width - 1.0, stretch[-1].end * width + WHITE)
    reading = latin.read_upright(line, _rectangle(start, end, height))
    if reading.confidence < SURE or _overread("".join(reading.text.split()), "".join(letter.text for letter in stretch)):
        return []
    read = _letters(reading, width)
    if not read:
        return []
    near = NEAR * height / width
    before = _marks(stretch, lambda place: place < _middle(read[0]) - near) if not _PLAIN.match(read[0].text) else []
    after = _marks(stretch[::-1], lambda place: place > _middle(read[-1]) + near) if not _PLAIN.match(read[-1].text) else []
    inner = stretch[len(before) : len(stretch) - len(after)] or stretch
    read[0] = replace(read[0], start=inner[0].start, first=inner[0].first)
    read[-1] = replace(read[-1], end=inner[-1].end)
    return [*before, *read, *after[::-1]]


def _marks(stretch: Sequence[Letter], outside: Callable[[float], bool]) -> list[Letter]:
    """The punctuation at the start of a stretch that PP-OCR has passed over: what it reads begins further in."""
    return list(takewhile(lambda letter: bool(_PLAIN.fullmatch(letter.text)) and outside(_middle(letter)), stretch))


def _middle(letter: Letter) -> float:
    return (letter.start + letter.end) / 2


def _overread(text: str, korean: str) -> bool:
    """Whether a reading only adds to the other's at one end: that is ink of the Hangul beside it."""
    return len(text) > len(korean) and (text.startswith(korean) or text.endswith(korean))


def _rectangle(start: float, end: float, height: float) -> Quad:
    return np.array([[start, 0], [end, 0], [end, height - 1], [start, height - 1]], np.float32)


def _letters(reading: Reading, width: float, *, first: bool = True) -> list[Letter]:
    """A reading's characters as letters of a strip of this width."""
    x0, x1 = float(reading.quad[0, 0]) / width, float(reading.quad[1, 0]) / width
    places = [x0 + place * (x1 - x0) for place in reading.places]
    edges = [x0, *((left + right) / 2 for left, right in pairwise(places)), x1]
    letters = []
    for number, (char, chance) in enumerate(zip(reading.text, reading.chances, strict=True)):
        if not char.isspace():
            letters.append(Letter(char, edges[number], edges[number + 1], chance, first))
        first = char.isspace()
    return letters


def _covers(read: Sequence[Letter], letters: Sequence[Letter], far: float) -> bool:
    """Whether every one of the letters has one of `read` near it."""
    places = [_middle(letter) for letter in read]
    return bool(places) and all(min(abs(place - _middle(letter)) for place in places) <= far for letter in letters)


def _stretches(letters: Sequence[Letter], apart: float) -> Iterator[tuple[list[Letter], bool]]:
    """The letters in stretches, each with whether it is to be read again: no Hangul, more than punctuation."""
    kinds = [not _HANGUL.match(letter.text) for letter in letters]
    for place in range(1, len(letters) - 1):
        # A syllable beside single jamo is a Latin letter misread: no Korean word is written so.
        beside = letters[place - 1].text + letters[place + 1].text
        if not kinds[place] and kinds[place - 1] and kinds[place + 1] and _JAMO.search(beside):
            kinds[place] = True
    stretch: list[Letter] = []
    for place, letter in enumerate(letters):
        if stretch and (kinds[place] != kinds[place - 1] or letter.start - stretch[-1].end > apart):
            yield stretch, _worth(stretch, kinds[place - 1])
            stretch = []
        stretch.append(letter)
    if stretch:
        yield stretch, _worth(stretch, kinds[-1])


def _worth(stretch: Sequence[Letter], foreign: bool) -> bool:
    return foreign and not _PLAIN.fullmatch("".join(letter.text for letter in stretch))


def _words(letters: Sequence[Letter]) -> list[Piece]:
    words: list[Piece] = []
    for letter in letters:
        if words and not letter.first:
            word = words.pop()
            words.append(Piece(word.text + letter.text, word.start, letter.end, min(word.confidence, letter.confidence)))
        else:
            words.append(Piece(letter.text, letter.start, letter.end, letter.confidence))
    return words


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
