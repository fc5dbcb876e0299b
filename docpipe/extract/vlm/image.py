"""A page's image -> the images that a model is shown: cut in halves where it is long, resampled once. Knows pixels, no question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from docpipe.backends import Backend
from docpipe.records import Box, Page
from docpipe.words import read_image
from docpipe.workspace import Workspace

LEAST_DPI = 72.0  # what a model is shown coarser than this, it guesses: print of 8 points is 8 pixels high
LONG = 2.5  # times as high as wide: a till receipt, of which a model sees the whole too small
LEAST_HEIGHT = 120  # pixels: a part as low as this is not cut again
SEAM = 0.2  # of the height to each side of the middle, where a seam may lie
ROOM = 18.0  # points above and below a region that is shown once more: a line or two
CLOSER = 0.5  # of a part's height; a region that is higher is seen no better by itself


@dataclass(frozen=True)
class Part:
    """A full-width band of a page's image that begins `top` pixels below the page's upper edge."""

    image: Image.Image
    top: int = 0

    def band(self, top: int, bottom: int) -> Part:
        """The rows of it from `top` to `bottom`, in pixels."""
        return Part(self.image.crop((0, top, self.image.width, bottom)), self.top + top)


def page_image(page: Page, space: Workspace) -> Image.Image:
    """The page as RGB. Raises PageError where it has no image."""
    pixels, _ = read_image(page, space)
    return Image.fromarray(pixels[..., ::-1] if pixels.ndim == 3 else pixels).convert("RGB")  # stored colours are read as BGR


def parts(image: Image.Image, dpi: float, backend: Backend) -> Iterator[Part]:
    """The image whole, or from top to bottom in parts that the model can read."""
    return _readable(Part(image), dpi, backend)


def _readable(part: Part, dpi: float, backend: Backend) -> Iterator[Part]:
    width, height = part.image.size
    shown = dpi * backend.fit(width, height)[1] / height
    halves = cut(part) if height > LONG * width or (2 * height > width and shown < LEAST_DPI) else None
    if halves is None:
        yield part
        return
    for half in halves:
        yield from _readable(half, dpi, backend)


def cut(part: Part) -> tuple[Part, Part] | None:
    """The upper and the lower half, with the seam where least is printed near the middle; None where it is too low to be cut."""
    height = part.image.height
    if height < 2 * LEAST_HEIGHT:
        return None
    gray = np.asarray(part.image.convert("L"), np.int16)
    top, bottom = int(height * (0.5 - SEAM)), int(height * (0.5 + SEAM))
    # How much a row differs from its neighbours along the row: rulings and shading do not count as print, letters do.
    ink = np.abs(np.diff(gray[top:bottom], axis=1)).sum(axis=1)
    quiet = np.flatnonzero(ink <= ink.min())
    gaps = np.split(quiet, np.flatnonzero(np.diff(quiet) > 1) + 1)
    seam = min((top + int(gap[len(gap) // 2]) for gap in gaps), key=lambda row: abs(row - height // 2))
    return part.band(0, seam), part.band(seam, height)


def closer(part: Part, region: Box, dpi: float) -> Part | None:
    """The band that holds a region of the page (in points), with some room round it; None where that is most of the part, so that nothing
    would be seen better, or lies outside of it."""
    top, bottom = (round((edge + room) * dpi / 72) - part.top for edge, room in ((region[1], -ROOM), (region[3], ROOM)))
    top, bottom = max(0, top), min(part.image.height, bottom)
    return part.band(top, bottom) if 0 < bottom - top <= CLOSER * part.image.height else None


def fitted(image: Image.Image, backend: Backend) -> Image.Image:
    """The image at the size that the backend asks for."""
    size = backend.fit(*image.size)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
