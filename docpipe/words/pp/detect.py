"""Finds the text lines of an image. Knows the detector's network and its output map; reads no text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from docpipe.words.pp import weights
from docpipe.words.pp.pack import pack
from docpipe.words.pp.quads import Pixels, Quad, size, upright
from docpipe.words.pp.runtime import Network, Tensor, int8_pays, load_network

# The network halves its input five times.
GRID = 32


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How large the detector sees a page: the longest side in pixels.

    Measured on receipts, clean and bad A4 scans: below 1280 words are lost on dense pages, above it only time; with the letter height
    known, letters of 10 px lose nothing on receipts for less time and gain two points on bad scans. Above 1600 nothing is gained that
    would be worth a gigabyte.
    """

    unknown: int = 1280
    letter: float = 10.0
    least: int = 736
    most: int = 1600
    grid: int = 160

    def longest(self, image_longest: int, text_height: float | None) -> int:
        """Never above the image's own longest side: enlarging brings nothing."""
        wanted = self.unknown if not text_height else image_longest * self.letter / text_height
        rounded = round(wanted / self.grid) * self.grid
        return min(image_longest, max(self.least, min(self.most, rounded)))


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """The model's own: probability of a text pixel, of a whole box, how far a box grows back to the text's outline, least side."""

    pixel: float = 0.3
    box: float = 0.5
    grow: float = 1.6
    side: float = 3.0
    boxes: int = 3000


class Detector:
    """Image -> quads of its text lines, in pixels of that image. Loads its model at the first call."""

    def __init__(self, *, cache: Path, scale: Scale | None = None, thresholds: Thresholds | None = None) -> None:
        self._cache = cache
        self._scale = scale or Scale()
        self._thresholds = thresholds or Thresholds()

    @cached_property
    def _network(self) -> Network:
        return load_network(weights.detector_model(self._cache, int8=int8_pays()))

    def find(self, image: Pixels, *, text_height: float | None = None) -> list[Quad]:
        """The lines' quads, taken as horizontal text, top to bottom. Raises EngineError when the model cannot be loaded."""
        height, width = image.shape[:2]
        if min(height, width) < 4:
            return []
        small = _scaled(image, self._scale.longest(max(height, width), text_height))
        packed = pack(small)
        chances = self._network.run(_input(packed.image))[0, 0]
        factor = np.array([width / small.shape[1], height / small.shape[0]], np.float32)
        limit = np.array([width - 1, height - 1], np.float32)
        quads = [upright(np.clip(packed.unpacked(corners) * factor, 0, limit)) for corners in self._boxes(chances)]
        found = [quad for quad in quads if min(size(quad)) > self._thresholds.side]
        return sorted(found, key=lambda quad: (float(quad[0, 1]), float(quad[0, 0])))

    def _boxes(self, chances: Tensor) -> Iterator[npt.NDArray[np.float32]]:
        """Corners on the map of every blob that is surely text, grown back to the text's outline."""
        wanted = self._thresholds
        mask = cv2.dilate((chances > wanted.pixel).astype(np.uint8), np.ones((2, 2), np.uint8))
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        for contour in contours[: wanted.boxes]:
            centre, (width, height), angle = cv2.minAreaRect(contour)
            if min(width, height) < wanted.side or _mean_inside(chances, contour, (centre, (width, height), angle)) < wanted.box:
                continue
            margin = width * height * wanted.grow / (width + height)
            yield np.asarray(cv2.boxPoints((centre, (width + margin, height + margin), angle)), np.float32)


def _scaled(image: Pixels, longest: int) -> Pixels:
    """The image in proportion, with this longest side."""
    height, width = image.shape[:2]
    scale = longest / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    return image if size == (width, height) else np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)


def _input(image: Pixels) -> Tensor:
    """The image as (1, 3, h, w) in BGR, values -1..1, its sides filled up to a multiple of 32 with what stands at its edge."""
    if image.ndim == 2:
        image = np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
    below, right = (-side % GRID for side in image.shape[:2])
    if below or right:
        image = np.asarray(cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8)
    return np.asarray(cv2.dnn.blobFromImage(image, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=False), np.float32)


def _mean_inside(chances: Tensor, contour: cv2.typing.MatLike, rectangle: cv2.typing.RotatedRect) -> float:
    x, y, width, height = cv2.boundingRect(contour)
    corners = cv2.boxPoints(rectangle) - [x, y]
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [corners.astype(np.int32)], 1)
    return float(cv2.mean(chances[y : y + height, x : x + width], mask)[0])
