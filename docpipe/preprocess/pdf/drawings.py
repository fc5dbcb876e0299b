"""Ruling lines, strokes and small printed squares from a page's vector drawings, in upright points. Looks at pixels only for ticks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from docpipe.preprocess.pdf.content import Content
from docpipe.preprocess.pdf.mupdf import pymupdf
from docpipe.preprocess.sheet import Box

THIN = 2.5  # points: a filled rectangle no thicker than this is a drawn line
STRAIGHT = 1.0  # points that a line may lean over its whole length
SHORTEST = 8.0  # points: anything shorter is part of a letter, a dash or an icon
MOST_RULINGS = 2000
MOST_STROKES = 400  # more of them are a picture or a pattern
PALE = 0.85  # the brightness of a colour that crosses nothing out
SQUARE = (5.0, 16.0)  # points: the side of a printed check box
MOST_SQUARES = 150  # more of them are a pattern or a matrix code
INK_DPI = 144
Point = tuple[float, float]
DARK = 160


class Drawings(NamedTuple):
    """What is drawn beside text: level and upright lines, small squares, other strokes as (x0, y0, x1, y1) from end to end, and whether
    anything is drawn at all."""

    rulings: list[Box]
    squares: list[Box]
    strokes: list[Box]
    any: bool


def read_drawings(content: Content) -> Drawings:
    """One pass over the page's drawings, then over its annotations."""
    page, turn = content.page, content.turn
    rulings: dict[Box, None] = {}
    squares: dict[Box, None] = {}
    strokes: list[Box] = []
    drawings = page.get_cdrawings()
    for drawing in drawings:
        for box, outlined in _shapes(drawing):
            _sort(turn.box(box), outlined, rulings, squares)
        if len(strokes) <= MOST_STROKES:
            strokes += [(*turn.point(*start), *turn.point(*end)) for start, end in _strokes(drawing)]
        if len(rulings) > MOST_RULINGS:
            break
    crossed = [(*turn.point(*start), *turn.point(*end)) for start, end in _annotated(page)]
    few = list(squares) if len(squares) <= MOST_SQUARES else []
    strokes = strokes if len(strokes) <= MOST_STROKES else []
    return Drawings(list(rulings)[:MOST_RULINGS], few, [*strokes, *crossed], bool(drawings))


def _strokes(drawing: dict[str, Any]) -> Iterator[tuple[Point, Point]]:
    """Lines that lean and curves, each from its first to its last point, in a colour that can be seen."""
    colour = drawing.get("color")
    if "s" not in drawing["type"] or not colour or sum(colour) / len(colour) >= PALE:
        return
    for item in drawing["items"]:
        if item[0] in ("l", "c") and not (item[0] == "l" and _is_straight(item)):
            (x0, y0), (x1, y1) = item[1], item[-1]
            if x0 != x1:
                yield (x0, y0), (x1, y1)


def _annotated(page: Any) -> Iterator[tuple[Point, Point]]:
    """The lines that annotations put over the text: struck-out words, lines and ink."""
    annotation = page.first_annot
    while annotation is not None:
        kind, points = annotation.type[0], annotation.vertices or []
        if kind == pymupdf.PDF_ANNOT_STRIKE_OUT:
            for upper_left, upper_right, lower_left, lower_right in zip(*(points[place::4] for place in range(4)), strict=True):
                yield _half(upper_left, lower_left), _half(upper_right, lower_right)
        elif kind == pymupdf.PDF_ANNOT_LINE:
            yield from pairwise(points)
        elif kind == pymupdf.PDF_ANNOT_INK:
            for line in points:
                yield from pairwise(line)
        annotation = annotation.next


def _half(one: Point, other: Point) -> Point:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2


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
