"""Printed lines and check boxes of a page image. Knows dark pixels and shapes, no words and no form fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from docpipe.records import Checkbox, Ruling
from docpipe.words.image import Image
from docpipe.words.squares import measure

Mask = npt.NDArray[np.uint8]
Rect = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """Sizes in points. A ruling is at least `ruling` long and at most `thick`; a check box is a square with sides of `least` to `most`,
    none more than `square` times the other; of strokes, only straight ones of at least `side` count as its sides."""

    ruling: float = 16.0
    thick: float = 3.0
    least: float = 5.0
    most: float = 18.0
    square: float = 1.25
    side: float = 3.6
    window: float = 9.0
    darker: int = 12


SHAPES = Shapes()
# Both are looked for at about this resolution: the reduction keeps the darkest pixels, so a hairline survives it.
SEARCH_DPI = 100.0


@dataclass(frozen=True)
class Marks:
    """What a page image shows beside its words, in points."""

    rulings: tuple[Ruling, ...] = ()
    checkboxes: tuple[Checkbox, ...] = ()


def find_marks(image: Image, *, dpi: float) -> Marks:
    """The rulings and check boxes of an upright, deskewed gray or BGR page image at `dpi`; boxes in points, top to bottom."""
    gray = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    shrink = max(1, round(dpi / SEARCH_DPI))
    scale = 72.0 * shrink / dpi
    dark = _dark(_darkest(gray, shrink), scale)
    boxes = {measure(gray, _enlarged(rect, shrink), dpi=dpi, slack=shrink + 1) for rect in _squares(dark, scale)}
    return Marks(
        tuple(sorted(_rulings(dark, scale), key=lambda ruling: (ruling.y0, ruling.x0))),
        tuple(sorted((box for box in boxes if box is not None), key=lambda box: (box.y0, box.x0))),
    )


def _darkest(gray: Image, shrink: int) -> Image:
    """The image at a fraction of its size, each pixel the darkest of those it stands for."""
    if shrink == 1:
        return gray
    darkest = cv2.erode(gray, np.ones((shrink, shrink), np.uint8), anchor=(0, 0))
    return np.ascontiguousarray(darkest[::shrink, ::shrink], np.uint8)


def _enlarged(rect: Rect, by: int) -> Rect:
    x, y, width, height = rect
    return x * by, y * by, width * by, height * by


def _dark(gray: Image, scale: float) -> Mask:
    """255 where a pixel is clearly darker than its surroundings."""
    window = max(3, round(SHAPES.window / scale) | 1)
    dark = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, SHAPES.darker)
    return np.asarray(dark, np.uint8)


def _strokes(dark: Mask, length: float) -> tuple[Mask, Mask]:
    """The level and the upright dark strokes of at least this length, in pixels."""
    pixels = max(3, round(length))
    level, standing = (cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones(kernel, np.uint8)) for kernel in ((1, pixels), (pixels, 1)))
    return np.asarray(level, np.uint8), np.asarray(standing, np.uint8)


def _rulings(dark: Mask, scale: float) -> Iterator[Ruling]:
    thick = max(2, round(SHAPES.thick / scale))
    level, standing = _strokes(dark, SHAPES.ruling / scale)
    for x, y, width, height in _components(level):
        if height <= thick:
            middle = (y + height / 2) * scale
            yield Ruling(x * scale, middle, (x + width) * scale, middle)
    for x, y, width, height in _components(standing):
        if width <= thick:
            middle = (x + width / 2) * scale
            yield Ruling(middle, y * scale, middle, (y + height) * scale)


def _components(mask: Mask) -> list[Rect]:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [(x, y, width, height) for x, y, width, height in map(cv2.boundingRect, contours)]


def _squares(dark: Mask, scale: float) -> Iterator[Rect]:
    """Outlines of about a check box's size and shape. Only straight strokes are looked at, so that neither letters nor the tick in a
    box get in the way."""
    contours, _ = cv2.findContours(cv2.bitwise_or(*_strokes(dark, SHAPES.side / scale)), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for contour in contours:
        x, y, width, height = cv2.boundingRect(contour)
        if not (SHAPES.least <= min(width, height) * scale and max(width, height) * scale <= SHAPES.most):
            continue
        alike = max(width, height) <= SHAPES.square * min(width, height) + 1
        if alike and cv2.contourArea(contour) >= 0.7 * (width - 1) * (height - 1):
            yield x, y, width, height
