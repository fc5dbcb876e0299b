"""Judges one square outline of a page image: a check box and its ink, or something else. Knows pixels near it, nothing of the page."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from docpipe.records import Checkbox
from docpipe.words.engine import Image

Dark = npt.NDArray[np.bool_]

# Share of a side that must be dark, and of the side's length that counts as border when ink is measured.
SIDE_DARK = 0.85
BORDER = 0.2
# How far past its corners a side may not go on, in points, and how many of the eight ends may all the same (a tick's stroke does).
BEYOND = 1.0
ENDS = 1
# A box this full and this small, in points, is a printed bullet.
BULLET_INK, BULLET_SIZE = 0.93, 7.0
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
    light, black = float(np.percentile(part, 90)), float(part.min())
    if light - black < CONTRAST:
        return None
    dark: Dark = part < (light + black) / 2
    sides = _sides(dark, (x - left, y - top, x - left + width, y - top + height), slack)
    if sides is None or _goes_on(dark, sides, beyond):
        return None
    return _checkbox(dark, sides, (left, top), 72.0 / dpi)


def _sides(dark: Dark, guess: tuple[int, int, int, int], slack: int) -> tuple[int, int, int, int] | None:
    """The outermost pixel of each side (x0, y0, x1, y1); None unless all four are straight dark lines that meet in corners."""
    x0, y0, x1, y1 = guess
    wide = dark.copy()
    wide[1:] |= dark[:-1]
    wide[:, 1:] |= dark[:, :-1]
    inset = max(2, (x1 - x0) // 8)
    columns = wide[y0 + inset : y1 - inset].mean(axis=0)
    rows = wide[:, x0 + inset : x1 - inset].mean(axis=1)
    found = [_edge(columns, x0, slack), _edge(rows, y0, slack), _edge(columns, x1 - 1, -slack), _edge(rows, y1 - 1, -slack)]
    if any(edge is None for edge in found):
        return None
    left, top, right, bottom = (edge for edge in found if edge is not None)
    corners = all(
        wide[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].any() for row in (top, bottom) for column in (left, right)
    )
    return (left, top, right, bottom) if corners and right - left > 4 and bottom - top > 4 else None


def _edge(shares: npt.NDArray[np.float64], guess: int, slack: int) -> int | None:
    """The outermost line that is dark enough near the guess; outwards is up for a positive slack, down for a negative one."""
    step = 1 if slack > 0 else -1
    near = range(guess - slack, guess + 2 * slack + step, step)
    return next((place for place in near if 0 <= place < len(shares) and shares[place] >= SIDE_DARK), None)


def _goes_on(dark: Dark, sides: tuple[int, int, int, int], beyond: int) -> bool:
    """Whether sides run on past the corners: a cell of a grid, not a box."""
    left, top, right, bottom = sides
    before_x, after_x = slice(max(0, left - beyond), max(0, left - 1)), slice(right + 2, right + 1 + beyond)
    before_y, after_y = slice(max(0, top - beyond), max(0, top - 1)), slice(bottom + 2, bottom + 1 + beyond)
    ends = [dark[_line(row), columns].any(axis=0) for row in (top, bottom) for columns in (before_x, after_x)]
    ends += [dark[rows, _line(column)].any(axis=1) for column in (left, right) for rows in (before_y, after_y)]
    return sum(bool(end.size) and bool(end.all()) for end in ends) > ENDS


def _line(place: int) -> slice:
    return slice(max(0, place - 1), place + 2)


def _checkbox(dark: Dark, sides: tuple[int, int, int, int], offset: tuple[int, int], scale: float) -> Checkbox | None:
    left, top, right, bottom = sides
    edge = max(2, round(BORDER * (right - left)))
    inside = dark[top + edge : bottom + 1 - edge, left + edge : right + 1 - edge]
    ink = float(inside.mean()) if inside.size else 0.0
    if ink > BULLET_INK and (right - left) * scale < BULLET_SIZE:
        return None
    x, y = offset
    return Checkbox((x + left) * scale, (y + top) * scale, (x + right + 1) * scale, (y + bottom + 1) * scale, round(ink, 3))
