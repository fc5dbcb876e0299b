"""Four-cornered text lines: the order of corners, turning, and cutting one out as an upright strip. Knows no network."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

# Corners in pixels, (4, 2), in reading order: start of the text's top, end of its top, end of its bottom, start of its bottom.
Quad = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]

MIN_STRIP = 8
TALL = 1.5
# A line whose ends differ by less is cut out by slicing, which costs a third of warping and is as sharp.
LEVEL = 1.5


def upright(corners: npt.ArrayLike) -> Quad:
    """Any four corners as a quad of horizontal text: top left, top right, bottom right, bottom left."""
    points = np.asarray(corners, np.float32)
    points = points[np.argsort(points[:, 0], kind="stable")]
    left, right = points[:2], points[2:]
    left, right = left[np.argsort(left[:, 1], kind="stable")], right[np.argsort(right[:, 1], kind="stable")]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)


def size(quad: Quad) -> tuple[float, float]:
    """Length along the text and height across it, in pixels."""
    along = max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3]))
    across = max(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1]))
    return float(along), float(across)


def downwards(quad: Quad) -> Quad:
    """The same place read from top to bottom, letters turned clockwise."""
    return np.roll(quad, -1, axis=0)


def upwards(quad: Quad) -> Quad:
    """The same place read from bottom to top, letters turned counter-clockwise."""
    return np.roll(quad, 1, axis=0)


def ways(quad: Quad) -> tuple[Quad, ...]:
    """The directions this place may be read in: one for a line that is wider than tall; three for a tall one, since it may be a
    single upright character as well as a turned line."""
    along, across = size(quad)
    return (quad,) if across < TALL * along else (quad, upwards(quad), downwards(quad))


def part(quad: Quad, start: float, end: float) -> Box:
    """The box round the stretch from `start` to `end` (0..1 along the text)."""
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    corners = np.stack([quad[0] + top * start, quad[0] + top * end, quad[3] + bottom * start, quad[3] + bottom * end])
    low, high = corners.min(axis=0), corners.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def between(quad: Quad, start: float, end: float) -> Quad:
    """The stretch from `start` to `end` (0..1 along the text) as a quad."""
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    return np.array([quad[0] + top * start, quad[0] + top * end, quad[3] + bottom * end, quad[3] + bottom * start], np.float32)


def strip(image: Pixels, quad: Quad, height: int) -> Pixels:
    """The line as an upright image of this height, in proportion; resampled once, straight from `image`."""
    along, across = size(quad)
    scale = height / max(across, 2.0)
    width = max(MIN_STRIP, int(np.ceil(along * scale)))
    if _level(quad) and across < 3 * height:
        return _slice(image, quad, width, height, cv2.INTER_AREA if scale < 0.6 else cv2.INTER_CUBIC)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = np.asarray(cv2.getPerspectiveTransform(quad, target), np.float64)
    if scale < 0.6:
        image, matrix = _blurred(image, quad, matrix, scale)
    warped = cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _level(quad: Quad) -> bool:
    return abs(float(quad[0, 1] - quad[1, 1])) < LEVEL and float(quad[0, 0]) < float(quad[1, 0])


def _slice(image: Pixels, quad: Quad, width: int, height: int, method: int) -> Pixels:
    x0, y0 = np.maximum(0, np.floor(quad.min(axis=0))).astype(int)
    x1, y1 = np.ceil(quad.max(axis=0)).astype(int) + 1
    return np.asarray(cv2.resize(image[y0:y1, x0:x1], (width, height), interpolation=method), np.uint8)


def _blurred(image: Pixels, quad: Quad, matrix: npt.NDArray[np.float64], scale: float) -> tuple[Pixels, npt.NDArray[np.float64]]:
    """The quad's surroundings smoothed for a warp that shrinks, and the warp from there: cubic sampling alone would skip strokes."""
    x0, y0 = np.maximum(0, np.floor(quad.min(axis=0))).astype(int)
    x1, y1 = np.ceil(quad.max(axis=0)).astype(int) + 1
    smooth = cv2.GaussianBlur(image[y0:y1, x0:x1], (0, 0), 0.5 / scale)
    return np.asarray(smooth, np.uint8), matrix @ np.array([[1, 0, x0], [0, 1, y0], [0, 0, 1]], np.float64)


def median_height(quads: Sequence[Quad]) -> float:
    """Of the lines' heights in pixels; 0 without lines."""
    return float(np.median([size(quad)[1] for quad in quads])) if quads else 0.0
