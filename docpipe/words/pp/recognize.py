"""Reads text lines, character by character. Knows the recognizer's network and CTC; finds no lines and no words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

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
# Longer strips are read all the same, but memory grows with them: 6000 px is a line of 125 heights.
MAX_WIDTH = 6400


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
        start, end = _inked(line)
        quad, line = between(quad, start / line.shape[1], end / line.shape[1]), line[:, start:end]
        values = _input(line, self._network.width_step)
        return self._decode(self._network.run(values)[0], values.shape[3] / line.shape[1], quad)

    def _decode(self, chances: Tensor, padding: float, quad: Quad) -> Reading:
        """CTC, greedily: the likeliest character per column, repeats and blanks dropped."""
        best = chances.argmax(axis=1)
        fresh = np.ones(len(best), bool)
        fresh[1:] = best[1:] != best[:-1]
        columns = np.flatnonzero(fresh & (best != 0))
        places = np.minimum((columns + 0.5) * padding / len(best), 1.0)
        text = "".join(self._characters[code] for code in best[columns])
        return Reading(text, tuple(places.tolist()), tuple(chances[columns, best[columns]].tolist()), quad)


def _inked(line: Pixels) -> tuple[int, int]:
    """Where along a strip the ink begins and ends, with some white; the whole strip where that cannot be told. The detector's margins are
    a tenth of all that would be read."""
    gray = line if line.ndim == 2 else line[:, :, 1]
    middle = gray[EDGE:-EDGE]
    contrast = middle.max(axis=0).astype(np.int16) - middle.min(axis=0)
    inked = np.flatnonzero(contrast > INK * contrast.max(initial=0))
    if len(inked) < MIN_WIDTH // 4:
        return 0, line.shape[1]
    return max(0, int(inked[0]) - WHITE), min(line.shape[1], int(inked[-1]) + 1 + WHITE)


def _input(line: Pixels, step: int) -> Tensor:
    """One strip as (1, 3, 48, width), values -1..1, padded on the right to the runtime's grid."""
    width = max(MIN_WIDTH, -(-line.shape[1] // step) * step)
    values = np.zeros((1, 3, HEIGHT, width), np.float32)
    channels = line if line.ndim == 2 else line.transpose(2, 0, 1)  # a gray line's values go to all three
    values[0, :, :, : line.shape[1]] = channels * np.float32(1 / 127.5) - 1
    return values
