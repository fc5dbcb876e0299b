"""Ruling lines and small printed squares from a page's vector drawings, in upright points. Looks at pixels only to measure ticks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docpipe.preprocess.pdf.content import Content
from docpipe.preprocess.sheet import Box

THIN = 2.5  # points: a filled rectangle no thicker than this is a drawn line
STRAIGHT = 1.0  # points that a line may lean over its whole length
SHORTEST = 8.0  # points: anything shorter is part of a letter, a dash or an icon
MOST_RULINGS = 2000
SQUARE = (5.0, 16.0)  # points: the side of a printed check box
MOST_SQUARES = 150  # more of them are a pattern or a matrix code
INK_DPI = 144
DARK = 160


def read_drawings(content: Content) -> tuple[list[Box], list[Box], bool]:
    """Rulings, small squares, and whether anything is drawn at all."""
    turn = content.turn
    rulings: dict[Box, None] = {}
    squares: dict[Box, None] = {}
    drawings = content.page.get_cdrawings()
    for drawing in drawings:
        for box, outlined in _shapes(drawing):
            _sort(turn.box(box), outlined, rulings, squares)
        if len(rulings) > MOST_RULINGS:
            break
    few = list(squares) if len(squares) <= MOST_SQUARES else []
    return list(rulings)[:MOST_RULINGS], few, bool(drawings)


def _shapes(drawing: dict[str, Any]) -> Iterator[tuple[Box, bool]]:
    """Each straight line, rectangle and quad of a drawing as a box, and whether its outline is drawn."""
    outlined = "s" in drawing["type"]
    for item in drawing["items"]:
        if item[0] == "l":
            if _is_straight(item):
                (x0, y0), (x1, y1) = item[1], item[2]
                yield (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), outlined
        elif item[0] == "re":
            yield tuple(item[1]), outlined
        elif item[0] == "qu":
            xs, ys = zip(*(tuple(corner) for corner in item[1]), strict=True)
            yield (min(xs), min(ys), max(xs), max(ys)), outlined
    if outlined and len(drawing["items"]) >= 4 and all(item[0] == "l" and _is_straight(item) for item in drawing["items"]):
        yield tuple(drawing["rect"]), outlined


def _is_straight(item: Any) -> bool:
    """Whether a line runs along or down the page."""
    (x0, y0), (x1, y1) = item[1], item[2]
    return bool(abs(x1 - x0) <= STRAIGHT or abs(y1 - y0) <= STRAIGHT)


def _sort(box: Box, outlined: bool, rulings: dict[Box, None], squares: dict[Box, None]) -> None:
    width, height = box[2] - box[0], box[3] - box[1]
    if is_square(width, height):
        if outlined:
            squares[box] = None
    elif min(width, height) <= (STRAIGHT if outlined else THIN):
        if max(width, height) >= SHORTEST:
            rulings[_as_line(box)] = None
    elif outlined and max(width, height) >= SHORTEST:
        x0, y0, x1, y1 = box
        for edge in ((x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)):
            rulings[edge] = None


def _as_line(box: Box) -> Box:
    """The middle line of a thin box."""
    x0, y0, x1, y1 = box
    if x1 - x0 >= y1 - y0:
        middle = round((y0 + y1) / 2, 2)
        return x0, middle, x1, middle
    middle = round((x0 + x1) / 2, 2)
    return middle, y0, middle, y1


def is_square(width: float, height: float) -> bool:
    """Whether a box of this size is a check box's."""
    least, most = SQUARE
    return least <= width <= most and least <= height <= most and max(width, height) <= 1.3 * min(width, height)


def measure_ink(content: Content, squares: list[Box]) -> list[tuple[float, float, float, float, float]]:
    """The squares with the share of their inside that is dark. Draws the page once, small."""
    if not squares:
        return []
    pixmap = content.gray(max(18, min(INK_DPI, int(2000 * 72 / max(content.width, content.height, 1)))))
    scale_x, scale_y = pixmap.width / content.width, pixmap.height / content.height
    samples, stride = pixmap.samples, pixmap.stride
    return [(*square, _ink(samples, stride, _inside(square, scale_x, scale_y, pixmap.width, pixmap.height))) for square in squares]


def _inside(square: Box, scale_x: float, scale_y: float, width: int, height: int) -> tuple[int, int, int, int]:
    """The pixels within the square's frame: a fifth is left out on each side."""
    x0, y0, x1, y1 = square
    margin_x, margin_y = 0.2 * (x1 - x0), 0.2 * (y1 - y0)
    left, top = max(0, round((x0 + margin_x) * scale_x)), max(0, round((y0 + margin_y) * scale_y))
    return left, top, min(width, round((x1 - margin_x) * scale_x)), min(height, round((y1 - margin_y) * scale_y))


def _ink(samples: bytes, stride: int, inside: tuple[int, int, int, int]) -> float:
    left, top, right, bottom = inside
    pixels = b"".join(samples[row * stride + left : row * stride + right] for row in range(top, bottom))
    return round(sum(value < DARK for value in pixels) / len(pixels), 3) if pixels else 0.0
