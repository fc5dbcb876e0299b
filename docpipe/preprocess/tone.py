"""The light on a page: whether it is blank, how it is shaded, how sharp and how large its print is. Turns nothing."""

from __future__ import annotations

import cv2
import numpy as np

from docpipe.preprocess.ink import Image, blobs, darkness, thumbnail, to_gray
from docpipe.records import Quality

BLANK_SIZE = 850  # pixels: an A4 page is then 600 wide
BLANK_BORDER = 15
BLANK_SHARE = 2e-5  # of the pixels: a page number alone is six times that
BLANK_DARKNESS = 32
BACKGROUND_SCALE = 8
SHADED = 30  # gray levels between the lightest and the darkest paper
DARK_PAPER = 190
NOT_PAPER = 90
COLOUR_SPREAD = 40
COLOUR_SHARE = 0.002
TEXT_PERCENTILE = 35  # digits and capitals are taller than the letters that count
TEXT_SIZE = 1400
FEWEST_LETTERS = 20


def is_blank(gray: Image) -> bool:
    """Whether nothing is printed on the page; noise, shading and the scanner's border are not print."""
    small = thumbnail(gray, BLANK_SIZE)
    border = min(BLANK_BORDER, min(small.shape) // 10)
    small = small[border : small.shape[0] - border, border : small.shape[1] - border]
    if min(small.shape) < 8:
        return bool(np.ptp(gray) < BLANK_DARKNESS)
    if small.size < gray.size / 2:  # a small picture's print is as thin as noise
        small = np.asarray(cv2.medianBlur(small, 3), np.uint8)
    return bool(np.count_nonzero(darkness(small) > BLANK_DARKNESS) < BLANK_SHARE * small.size)


def even_light(image: Image) -> Image:
    """The image with its paper made evenly white, where light falls unevenly on it or the paper is dark; else the same image."""
    gray = to_gray(image)
    if not _is_shaded(gray):
        return image
    size = max(1, gray.shape[1] // BACKGROUND_SCALE), max(1, gray.shape[0] // BACKGROUND_SCALE)
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    paper = cv2.blur(cv2.medianBlur(cv2.dilate(small, np.ones((7, 7), np.uint8)), 21), (9, 9))
    paper = cv2.resize(np.maximum(paper, NOT_PAPER), (gray.shape[1], gray.shape[0]), interpolation=cv2.INTER_LINEAR)
    if image.ndim == 3:
        paper = cv2.merge([paper, paper, paper])
    return np.asarray(cv2.divide(image, paper, scale=255), np.uint8)


def _is_shaded(gray: Image) -> bool:
    """Paper is the light side of each part of the page; parts that are dark altogether are pictures."""
    small = thumbnail(gray, 480)
    parts = [part for band in np.array_split(small, 8) for part in np.array_split(band, 6, axis=1) if part.size]
    paper = [level for part in parts if (level := float(np.percentile(part, 85))) > NOT_PAPER]
    if len(paper) < 0.6 * len(parts):
        return False
    low, middle, high = np.percentile(paper, (5, 50, 95))
    return bool(high - low > SHADED or middle < DARK_PAPER)


def drop_false_colour(image: Image) -> Image:
    """The gray image of a page without colour worth keeping; a third of the work for all that follows."""
    if image.ndim == 2:
        return image
    scale = 600 / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    red, green, blue = cv2.split(small)
    spread = np.asarray(cv2.subtract(cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)), np.int16)
    # A tint of the whole page, as old paper or a lamp gives it, is not colour of the print.
    coloured = np.abs(spread - np.median(spread)) > COLOUR_SPREAD
    return image if np.count_nonzero(coloured) > COLOUR_SHARE * spread.size else to_gray(image)


def measure_quality(gray: Image, dpi: float) -> Quality:
    """Blur, contrast and text height as `Quality` defines them. Smoothed first: noise would count as sharpness."""
    smooth = cv2.GaussianBlur(gray, (3, 3), 0)
    _, deviation = cv2.meanStdDev(cv2.Laplacian(smooth, cv2.CV_16S))
    dark, light = np.percentile(thumbnail(gray, BLANK_SIZE), (1, 95))
    height = text_height(gray)
    return Quality(
        blur=round(float(deviation[0, 0]) ** 2, 1),
        contrast=round((float(light) - float(dark)) / 255, 3),
        text_height=round(height * 72 / dpi, 2) if height else None,
    )


def text_height(gray: Image) -> float | None:
    """The usual height of a small letter in pixels; None where there are too few to tell."""
    scale = 2 if max(gray.shape) > TEXT_SIZE else 1
    small = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) if scale == 2 else gray
    binary = cv2.adaptiveThreshold(small, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 25, 12)
    found = blobs(np.asarray(binary, np.uint8))
    width, height = found.boxes[:, 2], found.boxes[:, 3]
    letters = (height >= 4) & (height <= 60) & (width <= 3 * height) & (width >= 0.15 * height) & (found.areas > 6)
    if np.count_nonzero(letters) <= FEWEST_LETTERS:
        return None
    return float(np.percentile(height[letters], TEXT_PERCENTILE)) * scale
