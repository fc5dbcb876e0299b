"""Judges one square outline of a page image: a check box and its ink, or something else. Knows pixels near it, nothing of the page."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from docpipe.records import Checkbox
from docpipe.words.image import Image

Dark = npt.NDArray[np.bool_]

# Share of a side that must be dark, and of the side's length that counts as border when ink is measured.
SIDE_DARK = 0.85
BORDER = 0.2
# How much longer one side may be than the other.
SQUARE = 1.25
# How far past its corners a side may not go on, in points, and at how many corners it may all the same (where a tick's stroke does).
BEYOND = 1.0
CORNERS = 1
# A smaller square, in points, is part of a letter; one this full and this small is a printed bullet.
SMALLEST, BULLET_INK, BULLET_SIZE = 5.4, 0.93, 7.0
# Least difference between paper and ink.
CONTRAST = 40


def measure(gray: Image, rect: tuple[int, int, int, int], *, dpi: float, slack: int) -> Checkbox | None:
    """The check box at about `rect` (x, y, width, height in pixels, each side within `slack` of the truth), in points; None for letters,
    cells of a grid and bullets."""
    x, y, width, height = rect
    beyond = max(2, round(BEYOND * dpi / 72))
    margin = slack + beyond + 2
    left, top = max(0, x - margin), max(0, y - margin)
    part = gray[top : y + height + margin, left : x + width + margin]
    light, black = float(part.max()), float(part.min())
    if light - black < CONTRAST:
        return None
    dark: Dark = part < (light + black) / 2
    sides = _sides(dark, (x - left, y - top, x - left + width, y - top + height), slack)
    if sides is None or _goes_on(dark, sides, beyond):
        return None
    return _checkbox(dark, sides, (left, top), 72.0 / dpi)


def _sides(dark: Dark, guess: tuple[int, int, int, int], slack: int) -> tuple[int, int, int, int] | None:
    """The outermost pixel of each side (x0, y0, x1, y1); None unless all four are straight dark lines from corner to corner."""
    x0, y0, x1, y1 = guess
    level, standing = _thicker(dark), _thicker(dark.T).T
    inset = max(2, (x1 - x0) // 8)
    columns = standing[y0 + inset : y1 - inset].mean(axis=0)
    rows = level[:, x0 + inset : x1 - inset].mean(axis=1)
    left, right = _edge(columns, range(x0 - slack, x0 + slack + 1)), _edge(columns, range(x1 - 1 + slack, x1 - 2 - slack, -1))
    top, bottom = _edge(rows, range(y0 - slack, y0 + slack + 1)), _edge(rows, range(y1 - 1 + slack, y1 - 2 - slack, -1))
    if left is None or right is None or top is None or bottom is None or not _square(right - left, bottom - top):
        return None
    lines = [level[row, left : right + 1] for row in (top, bottom)] + [standing[top : bottom + 1, column] for column in (left, right)]
    return (left + 1, top + 1, right - 1, bottom - 1) if all(line.mean() >= SIDE_DARK for line in lines) else None


def _thicker(dark: Dark) -> Dark:
    """Each dark pixel with the one above and the one below, so that a line may step by a pixel."""
    thick = dark.copy()
    thick[1:] |= dark[:-1]
    thick[:-1] |= dark[1:]
    return thick


def _edge(shares: npt.NDArray[np.float64], places: range) -> int | None:
    """The first of these lines that is dark enough, from outside to inside."""
    return next((place for place in places if 0 <= place < len(shares) and shares[place] >= SIDE_DARK), None)


def _square(width: int, height: int) -> bool:
    return min(width, height) > 4 and max(width, height) <= SQUARE * min(width, height)


def _goes_on(dark: Dark, sides: tuple[int, int, int, int], beyond: int) -> bool:
    """Whether sides run on past the corners: a cell of a grid, not a box."""
    left, top, right, bottom = sides
    before_x, after_x = slice(max(0, left - beyond), max(0, left - 1)), slice(right + 2, right + 1 + beyond)
    before_y, after_y = slice(max(0, top - beyond), max(0, top - 1)), slice(bottom + 2, bottom + 1 + beyond)
    corners = (
        (row, column, rows, columns)
        for row, rows in ((top, before_y), (bottom, after_y))
        for column, columns in ((left, before_x), (right, after_x))
    )
    going_on = (_through(dark[_line(row), columns], 0) or _through(dark[rows, _line(column)], 1) for row, column, rows, columns in corners)
    return sum(going_on) > CORNERS


def _through(end: Dark, axis: int) -> bool:
    """Whether a stroke goes on through all of this stub beside a corner."""
    return bool(end.size) and bool(end.any(axis=axis).all())


def _line(place: int) -> slice:
    return slice(max(0, place - 1), place + 2)


def _checkbox(dark: Dark, sides: tuple[int, int, int, int], offset: tuple[int, int], scale: float) -> Checkbox | None:
    left, top, right, bottom = sides
    edge = max(2, round(BORDER * (right - left)))
    inside = dark[top + edge : bottom + 1 - edge, left + edge : right + 1 - edge]
    ink = float(inside.mean()) if inside.size else 0.0
    side = min(right - left, bottom - top) * scale
    if side < SMALLEST or (ink > BULLET_INK and side < BULLET_SIZE):
        return None
    x, y = offset
    return Checkbox((x + left) * scale, (y + top) * scale, (x + right + 1) * scale, (y + bottom + 1) * scale, round(ink, 3))
