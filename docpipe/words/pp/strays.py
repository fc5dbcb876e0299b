"""Finds characters that stand alone, such as a quantity in a table, to which the detector is blind. Knows ink beside lines; reads none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from docpipe.words.pp.quads import Pixels, Quad, size
from docpipe.words.pp.recognize import Reading

Spot = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """In heights of the spot itself: how wide one is at most, how far apart two of one number stand, how much white is cut out with it;
    least share of its box that is ink; its height as a share of the line's beside it, which has white above and below; how much of its
    height it shares with that line."""

    widest: float = 1.2
    narrowest: float = 0.12
    apart: float = 0.5
    white: float = 0.35
    ink: float = 0.2
    least: float = 0.35
    most: float = 1.0
    level: float = 0.8


SHAPE = Shape()
# Ink is looked for at half size where letters are at least this high, in pixels.
HALVE_FROM = 16.0
# Outside these factors of the usual letter height it is dirt or a picture.
LEAST, MOST = 0.8, 2.2
MOST_SPOTS = 200
# How surely a lone character must be read: dirt is seldom taken for a digit, more often for a letter.
SURE_DIGITS, SURE_LETTERS = 0.7, 0.9
LONGEST = 3


def find_strays(image: Pixels, quads: Sequence[Quad]) -> list[Quad]:
    """Quads round spots of ink outside all `quads` that are as high as the letters of a line beside them."""
    if not quads:
        return []
    letter = 0.5 * float(np.median([min(size(quad)) for quad in quads]))
    boxes = np.array([(*quad.min(axis=0), *quad.max(axis=0)) for quad in quads], np.float32)
    spots = [spot for spot in _numbers(_spots(image, quads, letter)) if _beside_line(spot, boxes)]
    limit = np.array([image.shape[1] - 1, image.shape[0] - 1], np.float32)
    return [np.clip(_quad(spot), 0, limit) for spot in spots[:MOST_SPOTS]]


def is_character(reading: Reading) -> bool:
    """Whether a stray was read as a short number or a letter, and surely enough to be none of the page's dirt."""
    text = reading.text.strip()
    if not text.isalnum() or len(text) > LONGEST:
        return False
    return reading.confidence >= (SURE_DIGITS if text.isdigit() else SURE_LETTERS)


def _spots(image: Pixels, quads: Sequence[Quad], letter: float) -> list[Spot]:
    """Boxes (x0, y0, x1, y1) of connected ink outside the quads, of a character's size and shape."""
    gray = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    shrink = 2 if letter >= HALVE_FROM else 1
    if shrink > 1:
        gray = np.asarray(cv2.resize(gray, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA), np.uint8)
    dark = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 25, 12)
    for quad in quads:
        cv2.fillConvexPoly(dark, np.asarray(quad / shrink, np.int32), 0)
    _, _, found, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    width, height, area = (found[1:, column] for column in (2, 3, 4))
    wanted = (height * shrink >= LEAST * letter) & (height * shrink <= MOST * letter) & (area >= SHAPE.ink * width * height)
    wanted &= (width <= SHAPE.widest * height) & (width >= np.maximum(2, SHAPE.narrowest * height))
    return [(x * shrink, y * shrink, (x + w) * shrink, (y + h) * shrink) for x, y, w, h, _ in found[1:][wanted].tolist()]


def _numbers(spots: Sequence[Spot]) -> list[Spot]:
    """Spots that stand side by side as one."""
    joined: list[Spot] = []
    for spot in sorted(spots):
        height = spot[3] - spot[1]
        place = next((place for place, other in enumerate(joined) if _adjoins(other, spot, height)), None)
        if place is None:
            joined.append(spot)
        else:
            other = joined[place]
            joined[place] = (other[0], min(other[1], spot[1]), max(other[2], spot[2]), max(other[3], spot[3]))
    return joined


def _adjoins(left: Spot, right: Spot, height: float) -> bool:
    return right[0] - left[2] < SHAPE.apart * height and _shared(left[1], left[3], right[1], right[3]) >= SHAPE.level * height


def _shared(low: float, high: float, other_low: float, other_high: float) -> float:
    return min(high, other_high) - max(low, other_low)


def _beside_line(spot: Spot, boxes: npt.NDArray[np.float32]) -> bool:
    """Whether a line stands level with the spot and is about as high."""
    height = spot[3] - spot[1]
    level = np.minimum(boxes[:, 3], spot[3]) - np.maximum(boxes[:, 1], spot[1]) >= SHAPE.level * height
    lines = boxes[:, 3] - boxes[:, 1]
    alike = (height >= SHAPE.least * lines) & (height <= SHAPE.most * lines)
    return bool(np.any(level & alike))


def _quad(spot: Spot) -> Quad:
    x0, y0, x1, y1 = spot
    white = SHAPE.white * (y1 - y0)
    return np.array([[x0 - white, y0 - white], [x1 + white, y0 - white], [x1 + white, y1 + white], [x0 - white, y1 + white]], np.float32)
