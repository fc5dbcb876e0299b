"""How far the lines of a page lean, in degrees. Changes no image."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from docpipe.preprocess.ink import Image, ink, join_along_lines, thumbnail

WORKING_SIZE = 1000
LINE_GAP = 13
STEEPEST = 25.0
FEW_LINES = 5
AGREE = 0.5  # degrees within which both measures must agree where one alone is not enough
SURE = 2.0  # degrees; more than this is rare enough to be checked
_FFT_SIZE = 1024
_FFT_LIMIT = 16.0
_RADII = np.arange(30, 380)


def measure_skew(gray: Image) -> float:
    """The clockwise angle by which the page's lines fall to the right; 0.0 where nothing or nothing certain can be said.

    Text lines grown together give an angle each, and the median by length counts (off by 0.02 degrees on pages, 0.1 on receipts). Where
    there are few, or the angle is large, the spectrum of the page has to agree.
    """
    binary = ink(thumbnail(gray, WORKING_SIZE))
    angle, lines = _lines_angle(binary)
    if lines == 0:
        return 0.0
    if lines >= FEW_LINES and abs(angle) <= SURE:
        return angle
    return angle if abs(_spectrum_angle(binary) - angle) <= AGREE else 0.0


def _lines_angle(binary: Image) -> tuple[float, int]:
    """The median angle of the long flat blobs, weighted by their width, and how many there are."""
    contours, _ = cv2.findContours(join_along_lines(binary, LINE_GAP), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    found = [line for contour in contours if len(contour) >= 60 and (line := _line(np.asarray(contour, np.int32))) is not None]
    if not found:
        return 0.0, 0
    found.sort()
    widths = np.cumsum([width for _, width in found])
    return found[int(np.searchsorted(widths, widths[-1] / 2))][0], len(found)


def _line(contour: npt.NDArray[np.int32]) -> tuple[float, float] | None:
    """The angle and width of a blob that is shaped like a line of text."""
    _, (width, height), angle = cv2.minAreaRect(contour)
    if width < height:
        width, height, angle = height, width, angle - 90
    angle = (angle + 90) % 180 - 90
    if width < 60 or width < 5 * height or abs(angle) >= STEEPEST:
        return None
    return float(angle), float(width)


def _spectrum_angle(binary: Image) -> float:
    """The angle at which the page's spectrum is strongest: lines repeat across themselves."""
    canvas = np.zeros((_FFT_SIZE, _FFT_SIZE), np.float32)
    part = binary[:_FFT_SIZE, :_FFT_SIZE]
    canvas[: part.shape[0], : part.shape[1]] = part
    window = cv2.createHanningWindow((_FFT_SIZE, _FFT_SIZE), cv2.CV_32F)
    strength = np.log1p(np.fft.fftshift(np.abs(np.fft.rfft2(canvas * window)), axes=0)).astype(np.float32)
    coarse = np.arange(-_FFT_LIMIT, _FFT_LIMIT + 0.01, 0.25)
    near = coarse[_along(strength, coarse).argmax()]
    fine = np.arange(near - 0.3, near + 0.301, 0.05)
    return float(fine[_along(strength, fine).argmax()])


def _along(strength: npt.NDArray[np.float32], angles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The spectrum's sum along the ray of each angle, from its centre; it is symmetric, so half of it is stored."""
    centre = _FFT_SIZE // 2
    radians = np.radians(angles)[:, None]
    y, x = centre + _RADII * np.cos(radians), -_RADII * np.sin(radians)
    y, x = np.where(x < 0, 2 * centre - y, y), np.abs(x)
    values = cv2.remap(strength, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(np.asarray(values).sum(axis=1), np.float64)
