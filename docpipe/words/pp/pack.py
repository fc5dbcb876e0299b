"""Leaves out what is empty of an image before the detector sees it: margins and white bands. Knows contrast, no text."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from docpipe.words.pp.quads import Pixels

Places = npt.NDArray[np.intp]

# Looked at this much smaller: the mean of so many pixels shows print, and hardly any noise.
SHRINK = 4
# Gray levels between neighbours there that are print; on noisy paper so many times those of the paper. Faint stamps have 30.
LEAST_CONTRAST, MOST_CONTRAST = 10.0, 24.0
NOISE = 3.0
PAPER = 25  # percentile of the page that is surely paper
# White kept round all that is printed, about two line heights, so that what stood apart still does; and the least band worth cutting.
WHITE = 20
LEAST = 16


@dataclass(frozen=True)
class Packed:
    """A smaller image, and for each of its rows and columns the one of the whole image that it was."""

    image: Pixels
    rows: Places
    columns: Places

    def unpacked(self, corners: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Points (n, 2) of this image as points of the whole one."""
        x = np.interp(corners[:, 0], np.arange(len(self.columns)), self.columns)
        y = np.interp(corners[:, 1], np.arange(len(self.rows)), self.rows)
        return np.stack([x, y], axis=1).astype(np.float32)


def pack(image: Pixels) -> Packed:
    """The image without its empty rows and columns; one without any print stays as it is."""
    height, width = image.shape[:2]
    print_ = _print(image)
    if not print_.any():
        return Packed(image, np.arange(height), np.arange(width))
    rows, columns = (_kept(np.asarray(print_.any(axis=axis), bool), side) for axis, side in ((1, height), (0, width)))
    return Packed(image[rows][:, columns], rows, columns)


def _print(image: Pixels) -> npt.NDArray[np.bool_]:
    """Where the image, `SHRINK` times smaller, is not even."""
    height, width = image.shape[:2]
    size = max(1, -(-width // SHRINK)), max(1, -(-height // SHRINK))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    gray = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    contrast = np.asarray(cv2.morphologyEx(gray, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)))
    wanted = np.clip(NOISE * np.percentile(contrast, PAPER), LEAST_CONTRAST, MOST_CONTRAST)
    return np.asarray(contrast > wanted, bool)


def _kept(printed: npt.NDArray[np.bool_], length: int) -> Places:
    """The lines of a side `length` long that are printed or near print."""
    kept = np.repeat(printed, SHRINK)[:length]
    kept = np.concatenate([kept, np.zeros(length - len(kept), bool)])
    near = np.convolve(kept, np.ones(2 * WHITE + 1))[WHITE : WHITE + length] > 0  # not "same": a side may be shorter than the kernel
    return np.flatnonzero(near | _short_gaps(near))


def _short_gaps(near: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Gaps not worth cutting."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], near, [True]]).astype(np.int8)))
    short = np.zeros(len(near), bool)
    for start, end in edges.reshape(-1, 2):
        if end - start < LEAST:
            short[start:end] = True
    return short
