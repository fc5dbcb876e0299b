"""A page's words: from the text layer, from OCR of the page, or from OCR of only its images. Knows which, and how they come together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from docpipe.errors import PageError
from docpipe.records import Box, Checkbox, Page, Ruling, Word, Words, WordSource
from docpipe.words.engine import OcrEngine
from docpipe.words.order import in_order, runs_of
from docpipe.workspace import Workspace

if TYPE_CHECKING:
    from docpipe.words.image import Image

# An OCR word is one of the layer's when the layer's words cover this share of it.
COVERED = 0.5
# White round an image box that is read with it, in points: letters may touch its edge.
MARGIN = 2.0
# A smaller part, in pixels, holds no text.
LEAST = 8
# How far apart, in points, one mark may lie in the layer and in the image.
SAME = 2.5
# What an upright ruling is read as.
BARS = frozenset("|｜│")


def read_words(page: Page, *, ocr: OcrEngine, languages: Sequence[str], space: Workspace) -> Words:
    """Read the page's words once and store them as `page-0001.words.json`; a second call returns what is stored.

    A trusted text layer is taken as it is; of a partial one, the page's images are read as well; any other page is read whole.
    Raises PageError or EngineError.
    """
    stored = load_words(page, space)
    if stored is not None:
        return stored
    layer = _layer(page, space)
    words = layer if page.text_layer == "trusted" else _with_ocr(page, layer, ocr, languages, space)
    space.save(space.page(page.number, "words.json"), words)
    return words


def load_words(page: Page, space: Workspace) -> Words | None:
    """The page's stored words; None where there are none (a blank or failed page)."""
    path = space.page(page.number, "words.json")
    return space.load(path, Words) if path.exists() else None


def _layer(page: Page, space: Workspace) -> Words:
    """What the PDF itself says: words in reading order, rulings, check boxes; nothing for an image."""
    path = space.page(page.number, "layer.json")
    if not path.exists():
        return Words.none(page)
    layer = space.load(path, Words)
    words = in_order(runs_of(layer.words), layer.rulings)
    return layer.model_copy(update={"words": words, "source": "text_layer" if words else "none"})


def _with_ocr(page: Page, layer: Words, ocr: OcrEngine, languages: Sequence[str], space: Workspace) -> Words:
    """The page read off its image, whole, or only where a partial text layer leaves images."""
    partial = page.text_layer == "partial"
    if partial and not page.image_boxes:
        return layer
    image, dpi = read_image(page, space)
    boxes = page.image_boxes if partial else ((0.0, 0.0, page.width, page.height),)
    height = page.quality.text_height if page.quality and not partial else None
    lines = [line for box in boxes for line in _lines(image, box, dpi, ocr=ocr, languages=languages, text_height=height)]
    marked = _with_marks(layer, image, dpi, boxes)
    lines = [[word for word in line if not _is_ruling(word, marked.rulings)] for line in lines]
    if not partial:
        return marked.model_copy(update={"source": "ocr", "engine": ocr.name, "words": in_order(lines, marked.rulings)})
    lines = [fresh for line in lines if (fresh := [word for word in line if not _covered(word, layer.words)])]
    words = in_order([*runs_of(layer.words), *lines], marked.rulings)
    source: WordSource = "mixed" if lines and layer.words else "ocr" if lines else layer.source
    engine = ocr.name if lines else None
    return marked.model_copy(update={"source": source, "engine": engine, "words": words})


def _lines(
    image: Image, box: Box, dpi: float, *, ocr: OcrEngine, languages: Sequence[str], text_height: float | None
) -> Iterator[list[Word]]:
    """The lines of one part of the page (a box in points), their words in points of the page."""
    scale = 72.0 / dpi
    height, width = image.shape[:2]
    x0, y0 = (max(0, int((side - MARGIN) / scale)) for side in box[:2])
    x1, y1 = (min(limit, int((side + MARGIN) / scale) + 1) for side, limit in zip(box[2:], (width, height), strict=True))
    if x1 - x0 < LEAST or y1 - y0 < LEAST:
        return
    pixels = text_height / scale if text_height else None
    for line in ocr.read(image[y0:y1, x0:x1], languages=languages, text_height=pixels):
        yield [_placed(word, x0, y0, scale) for word in line.words]


def _placed(word: Word, x: int, y: int, scale: float) -> Word:
    """A word of a part of the image, in points of the page."""
    edges = (word.x0 + x, word.y0 + y, word.x1 + x, word.y1 + y)
    x0, y0, x1, y1 = (round(edge * scale, 2) for edge in edges)
    return Word(word.text, x0, y0, x1, y1, round(min(1.0, max(0.0, word.confidence)), 4))


def read_image(page: Page, space: Workspace) -> tuple[Image, float]:
    """The page's stored image, gray or BGR, and its resolution. Raises PageError."""
    if page.image is None or not page.dpi:
        raise PageError(f"page {page.number} has neither a text layer to trust nor an image to read", page=page.number)
    import cv2
    import numpy as np

    try:
        content = np.frombuffer(space.path(page.image).read_bytes(), np.uint8)
    except OSError as problem:
        raise PageError(f"the image of page {page.number} cannot be read: {problem.strerror}", page=page.number) from problem
    image = cv2.imdecode(content, cv2.IMREAD_ANYCOLOR) if content.size else None
    if image is None:
        raise PageError(f"the image of page {page.number} is damaged", page=page.number)
    return np.asarray(image, np.uint8), page.dpi


def _with_marks(layer: Words, image: Image, dpi: float, boxes: Sequence[Box]) -> Words:
    """The layer's rulings and check boxes, and those that the image shows within `boxes`; one that both show is the layer's."""
    from docpipe.words.marks import find_marks

    marks = find_marks(image, dpi=dpi)
    rulings = [ruling for ruling in marks.rulings if _within(ruling, boxes) and not _known(ruling, layer.rulings)]
    squares = [square for square in marks.checkboxes if _within(square, boxes) and not _known(square, layer.checkboxes)]
    return layer.model_copy(update={"rulings": (*layer.rulings, *rulings), "checkboxes": (*layer.checkboxes, *squares)})


def _is_ruling(word: Word, rulings: Sequence[Ruling]) -> bool:
    """Whether an upright ruling was read as a character."""
    x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
    return word.text in BARS and any(
        abs(ruling.x0 - x) <= SAME and abs(ruling.x1 - x) <= SAME and min(ruling.y0, ruling.y1) <= y <= max(ruling.y0, ruling.y1)
        for ruling in rulings
    )


def _within(mark: Ruling | Checkbox, boxes: Sequence[Box]) -> bool:
    x, y = (mark.x0 + mark.x1) / 2, (mark.y0 + mark.y1) / 2
    return any(box[0] - MARGIN <= x <= box[2] + MARGIN and box[1] - MARGIN <= y <= box[3] + MARGIN for box in boxes)


def _known(mark: Ruling | Checkbox, known: Sequence[Ruling | Checkbox]) -> bool:
    """Whether a mark of the layer has its corners at the same place, within `SAME` points."""
    return any(max(abs(one - other) for one, other in zip(mark[:4], there[:4], strict=True)) <= SAME for there in known)


def _covered(word: Word, layer: Sequence[Word]) -> bool:
    """Whether words of the layer already stand on at least half of this one."""
    shared = sum(
        max(0.0, min(word.x1, other.x1) - max(word.x0, other.x0)) * max(0.0, min(word.y1, other.y1) - max(word.y0, other.y0))
        for other in layer
    )
    return shared >= COVERED * (word.x1 - word.x0) * (word.y1 - word.y0)
