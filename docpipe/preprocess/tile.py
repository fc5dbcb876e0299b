"""Cuts a page image into full-width bands with their seams between text lines. Knows pixels only; `geometry` maps them back.

A band is as high as the pixel budget allows. A seam goes where it crosses the fewest lines, near an even split; where it must cross one,
the next band starts above that line, so every line is whole in some tile. Only bands that would be too low to read are cut into columns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from docpipe.preprocess.ink import Image, blobs, darkness, join_along_lines, to_gray
from docpipe.records import Tile

OVERLAP = 96  # pixels that a band may reach back to hold a line whole
LEAST_BAND = 320  # pixels: lower bands would lose too much context
EARLIEST = 0.55  # of the budget at which a seam may lie
LINE_GAP = 19  # at half size: joins the words of a line
WORD_GAP = 3  # at half size: joins the letters of a word
RULE = 45  # at half size: longer straight ink is a ruling, not text
DARK = 40
PixelBox = tuple[int, int, int, int]
Boxes = npt.NDArray[np.int64]


def tile(image: Image, boxes: Sequence[PixelBox] | None = None, *, max_pixels: int) -> tuple[Tile, ...]:
    """Tiles of at most `max_pixels` each that cover the image, top to bottom and, where there are columns, left to right.

    `image` is gray (h, w) or colour (h, w, 3); `boxes` are its text lines as (x0, y0, x1, y1) in pixels, found here when None. An image
    within the budget gives (). A line higher than `OVERLAP`, or than a third of a tile, may be cut. Raises ValueError for a budget of less
    than a thousand pixels.
    """
    if max_pixels < 1000:
        raise ValueError("max_pixels must be at least 1000")
    height, width = image.shape[:2]
    if height * width <= max_pixels:
        return ()
    lines = find_lines(image) if boxes is None else np.array(boxes, np.int64).reshape(-1, 4)
    columns = _columns(width, max_pixels)
    column_width = math.ceil(width / columns) + (2 * OVERLAP if columns > 1 else 0)
    column_width = min(column_width, width, max_pixels)
    bands = _spans(height, lines[:, 1], lines[:, 3], max(1, max_pixels // column_width), OVERLAP)
    if column_width >= width:
        return tuple(_tile(0, top, width, bottom) for top, bottom in bands)
    words = find_lines(image, gap=WORD_GAP) if boxes is None else lines
    return tuple(
        _tile(left, top, right, bottom) for top, bottom in bands for left, right in _across(words, top, bottom, width, column_width)
    )


def find_lines(image: Image, *, gap: int = LINE_GAP) -> Boxes:
    """Boxes (n, 4) x0, y0, x1, y1 in pixels of the text lines of an image, or of its words with a smaller `gap`. Rulings are left out."""
    gray = to_gray(image)
    half = np.asarray(cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    binary = (darkness(half) > DARK).astype(np.uint8)
    for shape in ((1, RULE), (RULE, 1)):
        binary = np.asarray(cv2.subtract(binary, cv2.morphologyEx(binary, cv2.MORPH_OPEN, np.ones(shape, np.uint8))), np.uint8)
    found = blobs(join_along_lines(binary, gap))
    kept = found.boxes[(found.areas >= 8) & (found.boxes[:, 3] >= 4)].astype(np.int64)
    kept[:, 2:] += kept[:, :2]
    return np.minimum(2 * kept, [gray.shape[1], gray.shape[0]] * 2)


def _columns(width: int, max_pixels: int) -> int:
    """The fewest columns that leave bands high enough."""
    columns = 1
    while max_pixels // math.ceil(width / columns) < LEAST_BAND and width // columns > LEAST_BAND:
        columns += 1
    return columns


def _across(words: Boxes, top: int, bottom: int, width: int, limit: int) -> list[tuple[int, int]]:
    inside = words[(words[:, 1] < bottom) & (words[:, 3] > top)]
    return _spans(width, inside[:, 0], inside[:, 2], limit, 2 * OVERLAP)


def _spans(size: int, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], limit: int, overlap: int) -> list[tuple[int, int]]:
    """[0, size) as spans of at most `limit`; what is no longer than `overlap` is whole in one of them."""
    overlap = min(overlap, limit // 3)
    crossings = np.zeros(size + 1, np.int64)
    # A seam at y leaves whole what ends at y or starts there.
    np.add.at(crossings, np.clip(starts + 1, 0, size), 1)
    np.add.at(crossings, np.clip(ends, 0, size), -1)
    crossings = np.cumsum(crossings)
    spans = []
    start = 0
    while size - start > limit:
        seam = _seam(crossings, start, size, limit, overlap)
        spans.append((start, seam))
        start = max(start + 1, _reach_back(seam, starts[(starts < seam) & (ends > seam)], overlap))
    return [*spans, (start, size)]


def _seam(crossings: npt.NDArray[np.int64], start: int, size: int, limit: int, overlap: int) -> int:
    """Where the span that begins at `start` ends: crossing least, then nearest to an even split of what is left."""
    left = math.ceil((size - start - overlap) / (limit - overlap))
    even = start + min(limit, math.ceil((size - start) / left) + overlap)
    rows = np.arange(start + max(1, int(limit * EARLIEST)), start + limit + 1)
    best = rows[crossings[rows] == crossings[rows].min()]
    return int(best[np.abs(best - even).argmin()])


def _reach_back(seam: int, cut: npt.NDArray[np.int64], overlap: int) -> int:
    """Where the next span begins: above everything that the seam cuts, but for what is longer than the overlap."""
    reachable = cut[cut >= seam - overlap]
    return int(reachable.min()) if len(reachable) else seam


def _tile(left: int, top: int, right: int, bottom: int) -> Tile:
    return Tile(x0=left, y0=top, x1=right, y1=bottom, width=right - left, height=bottom - top)
