"""Reads text lines, character by character. Knows the recognizer's network and CTC; finds no lines and no words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from docpipe.words.pp import weights
from docpipe.words.pp.quads import Pixels, Quad, between, strip, ways
from docpipe.words.pp.runtime import Network, Tensor, int8_pays, load_network
from docpipe.words.pp.weights import Alphabet

HEIGHT = 48
MIN_WIDTH = 32
# Of a strip's greatest contrast, what a column with ink has at least; rows at top and bottom that may belong to other lines; the white
# left at the ends, in pixels of the strip.
INK = 0.2
EDGE = 8
WHITE = 8
# A strip longer than this is read in parts of so many pixels, cut where no ink is for at least a blank's width. Measured: a quarter
# less time per pixel than for a whole line of 1300 pixels.
LONG = 480
PART = (200, 440)
BLANK = 9
# Longer strips are read all the same, but memory grows with them: 6000 px is a line of 125 heights.
MAX_WIDTH = 6400


class Character(NamedTuple):
    """A character, its centre along the line (0..1) and its probability."""

    text: str
    place: float
    chance: float


@dataclass(frozen=True)
class Reading:
    """One line as read: a character, its place along the line (0..1, centre) and its probability each; `quad` in reading direction."""

    text: str
    places: tuple[float, ...]
    chances: tuple[float, ...]
    quad: Quad

    @property
    def confidence(self) -> float:
        """Mean probability of the characters; 0 for an empty line."""
        return sum(self.chances) / len(self.chances) if self.chances else 0.0


class Recognizer:
    """Quads of an image -> readings. Loads its model at the first call."""

    def __init__(self, *, alphabet: Alphabet = "latin", cache: Path) -> None:
        self._alphabet: Alphabet = alphabet
        self._cache = cache

    @cached_property
    def _network(self) -> Network:
        return load_network(weights.recognizer_model(self._alphabet, self._cache, int8=int8_pays()))

    @cached_property
    def _characters(self) -> tuple[str, ...]:
        return weights.characters(dict(self._network.metadata))

    def read(self, image: Pixels, quad: Quad) -> Reading:
        """The line in this quad, in the direction that reads best. Raises EngineError when the model cannot be loaded."""
        return max((self.read_upright(image, way) for way in ways(quad)), key=lambda reading: reading.confidence)

    def read_upright(self, image: Pixels, quad: Quad) -> Reading:
        """The line in this quad, in the quad's own direction only."""
        line = strip(image, quad, HEIGHT)[:, :MAX_WIDTH]
        inked = _inked(line)
        start, end = _ends(inked)
        quad, line, width = between(quad, start / line.shape[1], end / line.shape[1]), line[:, start:end], end - start
        found: list[Character] = []
        for first, last in pairwise([0, *_cuts(inked[start:end]), width]):
            part = self._read(line[:, first:last])
            if found and part:
                found.append(Character(" ", first / width, 1.0))
            found += [Character(text, (first + place * (last - first)) / width, chance) for text, place, chance in part]
        return Reading(
            "".join(char.text for char in found), tuple(char.place for char in found), tuple(char.chance for char in found), quad
        )

    def _read(self, line: Pixels) -> list[Character]:
        values = _input(line, self._network.width_step)
        return self._decode(self._network.run(values)[0], values.shape[3] / line.shape[1])

    def _decode(self, chances: Tensor, padding: float) -> list[Character]:
        """CTC, greedily: the likeliest character per column, repeats and blanks dropped."""
        best = chances.argmax(axis=1)
        fresh = np.ones(len(best), bool)
        fresh[1:] = best[1:] != best[:-1]
        columns = np.flatnonzero(fresh & (best != 0))
        places = np.minimum((columns + 0.5) * padding / len(best), 1.0)
        texts = (self._characters[code] for code in best[columns])
        return [Character(*char) for char in zip(texts, places.tolist(), chances[columns, best[columns]].tolist(), strict=True)]


def _inked(line: Pixels) -> npt.NDArray[np.bool_]:
    """Which columns of a strip hold ink."""
    gray = line if line.ndim == 2 else line[:, :, 1]
    middle = gray[EDGE:-EDGE]
    contrast = middle.max(axis=0).astype(np.int16) - middle.min(axis=0)
    return np.asarray(contrast > INK * contrast.max(initial=0), bool)


def _ends(inked: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Where the ink begins and ends, with some white; the whole strip where that cannot be told. The detector's margins are a tenth of all
    that would be read."""
    columns = np.flatnonzero(inked)
    if len(columns) < MIN_WIDTH // 4:
        return 0, len(inked)
    return max(0, int(columns[0]) - WHITE), min(len(inked), int(columns[-1]) + 1 + WHITE)


def _cuts(inked: npt.NDArray[np.bool_]) -> list[int]:
    """Where a long strip is cut for reading: between words, so that the parts fit into the processor's cache."""
    cuts: list[int] = []
    start = 0
    while len(inked) - start > LONG:
        place, white = _widest_white(inked[start + PART[0] : start + PART[1]])
        if white < BLANK:
            break
        start += PART[0] + place
        cuts.append(start)
    return cuts


def _widest_white(inked: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """The middle of the longest stretch without ink, and its length."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], inked, [True]]).astype(np.int8))).reshape(-1, 2)
    if not len(edges):
        return 0, 0
    first, last = edges[np.argmax(edges[:, 1] - edges[:, 0])]
    return int(first + last) // 2, int(last - first)


def _input(line: Pixels, step: int) -> Tensor:
    """One strip as (1, 3, 48, width), values -1..1, padded on the right to the runtime's grid."""
    if line.ndim == 2:
        line = np.asarray(cv2.cvtColor(line, cv2.COLOR_GRAY2BGR), np.uint8)
    width = max(MIN_WIDTH, -(-line.shape[1] // step) * step)
    values = np.zeros((1, 3, HEIGHT, width), np.float32)
    values[0, :, :, : line.shape[1]] = line.transpose(2, 0, 1) * np.float32(1 / 127.5) - 1
    return values
