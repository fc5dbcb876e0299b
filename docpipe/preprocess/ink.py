"""Small working copies of a page image and the ink on them. Every measurement of a page starts here; nothing is measured yet."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


class Blobs(NamedTuple):
    """Connected ink: boxes (n, 4) as x, y, width, height, areas (n) and centres (n, 2), in pixels of the image it was found on."""

    boxes: npt.NDArray[np.int32]
    areas: npt.NDArray[np.int32]
    centres: npt.NDArray[np.float32]


def to_gray(image: Image) -> Image:
    """A gray (h, w) image of a gray or RGB one."""
    return image if image.ndim == 2 else _as_bytes(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))


def thumbnail(gray: Image, longest: int) -> Image:
    """The image no longer than `longest` on its longer side; never enlarged."""
    scale = longest / max(gray.shape[:2])
    if scale >= 1:
        return gray
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    return _as_bytes(cv2.resize(gray, size, interpolation=cv2.INTER_AREA))


def darkness(gray: Image) -> Image:
    """How much darker than the paper around it each pixel is; shading and shadows are gone."""
    return _as_bytes(cv2.subtract(paper(gray), gray))


def paper(gray: Image, scale: int = 4) -> Image:
    """The page without its print. Estimated at 1/`scale` of the size: a hundred times cheaper, and paper has no detail."""
    height, width = gray.shape
    small = cv2.resize(gray, (max(1, width // scale), max(1, height // scale)), interpolation=cv2.INTER_AREA)
    small = cv2.medianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), 9)
    return _as_bytes(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def ink(gray: Image) -> Image:
    """255 where there is ink, 0 where there is paper."""
    return _as_bytes(cv2.threshold(darkness(gray), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1])


def blobs(binary: Image) -> Blobs:
    """The connected parts of a binary image."""
    _, _, stats, centres = cv2.connectedComponentsWithStats(binary)
    table = np.asarray(stats[1:], np.int32)
    return Blobs(table[:, :4], table[:, cv2.CC_STAT_AREA], np.asarray(centres[1:], np.float32))


def join_along_lines(binary: Image, gap: int) -> Image:
    """Ink of one line grown together across gaps of less than `gap` pixels."""
    return _as_bytes(cv2.morphologyEx(binary, cv2.MORPH_CLOSE, np.ones((1, gap), np.uint8)))


def rotate(image: Image, degrees: float) -> Image:
    """The image turned by a small angle clockwise about its centre, same size, the gaps white."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    return _as_bytes(cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=(255, 255, 255)))


def quarter_turns(image: Image, turns: int) -> Image:
    """The image turned clockwise by `turns` quarters."""
    codes = {1: cv2.ROTATE_90_CLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_COUNTERCLOCKWISE}
    return _as_bytes(cv2.rotate(image, codes[turns % 4])) if turns % 4 else image


def _as_bytes(image: object) -> Image:
    """What OpenCV returns, with the type that it has."""
    return np.asarray(image, np.uint8)
