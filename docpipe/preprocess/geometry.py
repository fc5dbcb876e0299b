"""Exact maps between a tile, the page image, the page's points and the PDF's own space. Plain arithmetic; knows no file.

Every map is affine and has an exact inverse; they are put together with `then`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from docpipe.records import Box, Tile


class Affine(NamedTuple):
    """(x, y) -> (a x + c y + e, b x + d y + f), in the order that PDF writes a matrix."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 1.0
    e: float = 0.0
    f: float = 0.0

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where a point goes."""
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def box(self, box: Box) -> Box:
        """The upright box around where a box goes."""
        corners = [self.point(x, y) for x in (box[0], box[2]) for y in (box[1], box[3])]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        return min(xs), min(ys), max(xs), max(ys)

    def then(self, other: Affine) -> Affine:
        """This map first, `other` after it."""
        a, b = other.a * self.a + other.c * self.b, other.b * self.a + other.d * self.b
        c, d = other.a * self.c + other.c * self.d, other.b * self.c + other.d * self.d
        return Affine(a, b, c, d, *other.point(self.e, self.f))

    def inverse(self) -> Affine:
        """The way back; raises ZeroDivisionError for a map that flattens the plane."""
        size = self.a * self.d - self.b * self.c
        a, b, c, d = self.d / size, -self.b / size, -self.c / size, self.a / size
        return Affine(a, b, c, d, -(a * self.e + c * self.f), -(b * self.e + d * self.f))


def points_to_pixels(dpi: float) -> Affine:
    """Points of the page -> pixels of its image at `dpi`. Never the ratio of the sizes: a pixmap's are rounded up."""
    return Affine(a=dpi / 72, d=dpi / 72)


def tile_to_image(tile: Tile) -> Affine:
    """Pixels of a tile, as it is handed on -> pixels of the page image."""
    return Affine(a=(tile.x1 - tile.x0) / tile.width, d=(tile.y1 - tile.y0) / tile.height, e=tile.x0, f=tile.y0)


def turning(width: float, height: float, degrees: int) -> Affine:
    """A page of this size -> the same page turned clockwise by 0, 90, 180 or 270 degrees, its corner back at the origin."""
    turns = {
        0: Affine(),
        90: Affine(0.0, 1.0, -1.0, 0.0, height, 0.0),
        180: Affine(-1.0, 0.0, 0.0, -1.0, width, height),
        270: Affine(0.0, -1.0, 1.0, 0.0, 0.0, width),
    }
    return turns[degrees % 360]


def turned_size(width: float, height: float, degrees: int) -> tuple[float, float]:
    """The size of the turned page."""
    return (height, width) if degrees % 180 else (width, height)


def straightened_size(width: float, height: float, skew: float) -> tuple[float, float]:
    """The size of the canvas that holds a page of this size turned back by `skew` degrees."""
    sine, cosine = abs(math.sin(math.radians(skew))), math.cos(math.radians(skew))
    return width * cosine + height * sine, width * sine + height * cosine


def straightening(width: float, height: float, skew: float) -> Affine:
    """A page whose lines fall by `skew` degrees clockwise -> the straight page on its larger canvas, in the same unit."""
    sine, cosine = math.sin(math.radians(skew)), math.cos(math.radians(skew))
    back = Affine(cosine, -sine, sine, cosine)
    left, top, _, _ = back.box((0.0, 0.0, width, height))
    return back._replace(e=-left, f=-top)


def user_to_page(crop: Box) -> Affine:
    """PDF user space (y upwards) -> unrotated points from the crop box's top left corner.

    `crop` is the crop box in PDF user space, (left, bottom, right, top).
    """
    return Affine(1.0, 0.0, 0.0, -1.0, -crop[0], crop[3])


def page_to_image(width: float, height: float, *, rotation: int, skew: float, dpi: float) -> Affine:
    """Unrotated points of a page of this size -> pixels of its image: turned, straightened, scaled."""
    size = turned_size(width, height, rotation)
    return turning(width, height, rotation).then(straightening(*size, skew)).then(points_to_pixels(dpi))
