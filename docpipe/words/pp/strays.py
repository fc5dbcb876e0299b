"""Finds characters that stand alone, such as a quantity in a table, to which the detector is blind. Knows ink beside lines; reads none,
but a colon is known by its shape."""

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


@dataclass(frozen=True, kw_only=True)
class Colon:
    """Two dots over one another, in heights of a letter: sides of a dot, from the one's top to the other's, how far they may be off the
    upright; how much wider or higher the one may be; least share of a dot that is ink. In heights of a line: twice how far off its
    middle, and how far behind it."""

    least: float = 0.08
    most: float = 0.3
    low: float = 0.3
    high: float = 0.75
    lean: float = 0.1
    unlike: float = 1.8
    ink: float = 0.6
    level: float = 0.5
    reach: float = 6.0


SHAPE = Shape()
COLON = Colon()
# Ink is looked for at half size where letters are at least this high, in pixels.
HALVE_FROM = 16.0
# Outside these factors of the usual letter height it is dirt or a picture.
LEAST, MOST = 0.8, 2.2
MOST_SPOTS = 200
# More dots than these are the paper's grain. Measured: on clean receipts at most 80, on grainy ones 530 and more.
MOST_DOTS = 200
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


def find_colons(image: Pixels, quads: Sequence[Quad]) -> list[Quad]:
    """Quads round the colons that stand outside all `quads`, between two lines on their height."""
    if not quads:
        return []
    letter = 0.5 * float(np.median([min(size(quad)) for quad in quads]))
    found = _ink(image, quads, 1)
    width, height, area = found[:, 2], found[:, 3], found[:, 4]
    wanted = (np.minimum(width, height) >= COLON.least * letter) & (np.maximum(width, height) <= COLON.most * letter)
    wanted &= (area >= COLON.ink * width * height) & (width <= COLON.unlike * height) & (height <= COLON.unlike * width)
    dots = sorted((float(top), float(left), float(w), float(h)) for left, top, w, h in found[wanted, :4].tolist())
    if len(dots) > MOST_DOTS:
        return []
    boxes = [(*quad.min(axis=0).tolist(), *quad.max(axis=0).tolist()) for quad in quads]
    pairs = [
        (dots[one], dots[other]) for one in range(len(dots)) for other in range(one + 1, len(dots)) if _paired(dots, one, other, letter)
    ]
    spots = [(min(a[1], b[1]), a[0], max(a[1] + a[2], b[1] + b[2]), b[0] + b[3]) for a, b in pairs]
    return [_quad(spot) for spot in spots[:MOST_SPOTS] if _between(spot, boxes)]


def _paired(dots: Sequence[Spot], one: int, other: int, letter: float) -> bool:
    """Whether two dots (y, x, width, height) are a colon."""
    (y0, x0, w0, h0), (y1, x1, w1, h1) = dots[one], dots[other]
    upright = abs((x0 + w0 / 2) - (x1 + w1 / 2)) <= COLON.lean * letter
    alike = max(w0, w1) <= COLON.unlike * min(w0, w1) and max(h0, h1) <= COLON.unlike * min(h0, h1)
    return upright and alike and COLON.low * letter <= y1 - y0 <= COLON.high * letter


def _between(spot: Spot, boxes: Sequence[Spot]) -> bool:
    """Whether the spot stands at half height between two lines that are about as high, close behind the one: a label and its value."""
    level = [box for box in boxes if abs(spot[1] + spot[3] - box[1] - box[3]) <= COLON.level * (box[3] - box[1])]
    before = [box for box in level if box[2] <= spot[0] + 1]
    after = [box for box in level if box[0] >= spot[2] - 1]
    return any(spot[0] - box[2] <= COLON.reach * (box[3] - box[1]) for box in before) and bool(after)


def is_character(reading: Reading) -> bool:
    """Whether a stray was read as a short number or a letter, and surely enough to be none of the page's dirt."""
    text = reading.text.strip()
    if not text.isalnum() or len(text) > LONGEST:
        return False
    return reading.confidence >= (SURE_DIGITS if text.isdigit() else SURE_LETTERS)


def _ink(image: Pixels, quads: Sequence[Quad], shrink: int) -> npt.NDArray[np.int32]:
    """Connected ink outside the quads, (n, 5): x, y, width, height, area, in pixels of the image at a fraction of its size."""
    gray = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    if shrink > 1:
        gray = np.asarray(cv2.resize(gray, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA), np.uint8)
    dark = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 25, 12)
    for quad in quads:
        cv2.fillConvexPoly(dark, np.asarray(quad / shrink, np.int32), 0)
    _, _, found, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    return np.asarray(found[1:], np.int32)


def _spots(image: Pixels, quads: Sequence[Quad], letter: float) -> list[Spot]:
    """Boxes (x0, y0, x1, y1) of connected ink outside the quads, of a character's size and shape."""
    shrink = 2 if letter >= HALVE_FROM else 1
    found = _ink(image, quads, shrink)
    width, height, area = (found[:, column] for column in (2, 3, 4))
    wanted = (height * shrink >= LEAST * letter) & (height * shrink <= MOST * letter) & (area >= SHAPE.ink * width * height)
    wanted &= (width <= SHAPE.widest * height) & (width >= np.maximum(2, SHAPE.narrowest * height))
    return [(x * shrink, y * shrink, (x + w) * shrink, (y + h) * shrink) for x, y, w, h, _ in found[wanted].tolist()]


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
