"""Raw pixels of a page -> its image in the workspace: upright, straight, evenly lit, and measured. Opens no document."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal, cast

import cv2
import numpy as np

from docpipe.errors import PageError, ResourceError
from docpipe.preprocess.ink import Image, quarter_turns, to_gray
from docpipe.preprocess.tone import drop_false_colour, even_light, is_blank, measure_quality
from docpipe.preprocess.upright import measure_turn
from docpipe.records import Page
from docpipe.workspace import Workspace

LEAST_SKEW = 0.2  # degrees: less does not hurt reading, and turning pixels blurs them
JPEG_QUALITY = 90

cv2.setNumThreads(1)  # pages run in parallel, by processes


def straighten(raster: Path, dpi: float, page: Page, *, space: Workspace, clean: bool) -> Page:
    """A page without a text layer of its own: blank or not, set upright, straightened, lit evenly, measured and stored.

    `raster` is a .npy file, (h, w) gray or (h, w, 3) RGB, at `dpi`. The page's size is the stored image's, in points.
    """
    pixels = drop_false_colour(_load(raster, page))
    if is_blank(to_gray(pixels)):
        return _sized(page.model_copy(update={"status": "blank"}), pixels, dpi)
    turns, skew = measure_turn(to_gray(pixels))
    pixels = even_light(quarter_turns(pixels, turns))
    skew = skew if abs(skew) >= LEAST_SKEW else 0.0
    pixels = deskew(pixels, skew)
    rotation = cast(Literal[0, 90, 180, 270], (page.rotation + 90 * turns) % 360)
    page = page.model_copy(update={"rotation": rotation, "skew": round(skew, 3)})
    return _store(_sized(page, pixels, dpi), pixels, dpi, space=space, clean=clean)


def place(raster: Path, dpi: float, page: Page, *, space: Workspace, clean: bool) -> Page:
    """A page whose coordinates are settled: the image is turned no further than `raster` is, straightened as the page says, and stored."""
    pixels = deskew(drop_false_colour(_load(raster, page)), page.skew)
    return _store(page, pixels, dpi, space=space, clean=clean)


def deskew(pixels: Image, skew: float) -> Image:
    """The image turned back by `skew` degrees, on a larger white canvas so that no corner is lost; `geometry.straightening` is its map."""
    if skew == 0:
        return pixels
    from docpipe.preprocess.geometry import straightened_size, straightening

    height, width = pixels.shape[:2]
    new_width, new_height = (math.ceil(side) for side in straightened_size(width, height, skew))
    map_ = straightening(width, height, skew)
    matrix = np.array([[map_.a, map_.c, map_.e], [map_.b, map_.d, map_.f]])
    # OpenCV maps pixel centres, the geometry pixel edges: half a pixel apart on both sides.
    matrix[:, 2] += matrix[:, 0] * 0.5 + matrix[:, 1] * 0.5 - 0.5
    white = (255, 255, 255)
    return np.asarray(cv2.warpAffine(pixels, matrix, (new_width, new_height), flags=cv2.INTER_LINEAR, borderValue=white), np.uint8)


def _load(path: Path, page: Page) -> Image:
    """The raster that the rendering process wrote, checked: it may have been taken over."""
    try:
        pixels = np.load(path, allow_pickle=False)
    except MemoryError as problem:
        raise ResourceError("out of memory", page=page.number) from problem
    except (OSError, ValueError) as problem:
        raise PageError(f"the rendered page cannot be read: {problem}", page=page.number) from problem
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)) or pixels.size == 0:
        raise PageError("the rendered page is no image", page=page.number)
    return cast(Image, pixels)


def _sized(page: Page, pixels: Image, dpi: float) -> Page:
    height, width = pixels.shape[:2]
    return page.model_copy(update={"width": round(width * 72 / dpi, 3), "height": round(height * 72 / dpi, 3)})


def _store(page: Page, pixels: Image, dpi: float, *, space: Workspace, clean: bool) -> Page:
    """Write the image: PNG for a clean gray page, where it is small and exact, JPEG for paper and pictures."""
    quality = measure_quality(to_gray(pixels), dpi)
    name, parameters = (
        ("png", [cv2.IMWRITE_PNG_COMPRESSION, 1]) if clean and pixels.ndim == 2 else ("jpg", [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    )
    stored = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    done, content = cv2.imencode(f".{name}", stored, parameters)
    if not done:
        raise PageError("the page's image cannot be written", page=page.number)
    path = space.write(space.page(page.number, name), content.tobytes())
    return page.model_copy(update={"image": path.name, "dpi": round(dpi, 4), "quality": quality})
