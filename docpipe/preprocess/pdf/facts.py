"""The facts of one PDF page, the cheap questions first: words, then trust, then drawings and form fields."""

from __future__ import annotations

from typing import Any

from docpipe.preprocess.pdf.content import Content
from docpipe.preprocess.pdf.drawings import measure_ink, read_drawings
from docpipe.preprocess.pdf.text import PageText, hidden_boxes, looks_reversed, looks_sideways, may_hide, painted_over, read_text, text_turn
from docpipe.preprocess.pdf.trust import SCAN, Around, Judgement, judge
from docpipe.preprocess.pdf.visible import seen_words
from docpipe.preprocess.pdf.widgets import apply_widgets, holds
from docpipe.preprocess.sheet import Box, LayerWord, Sheet

OCR_CONFIDENCE = 0.9  # of a word out of somebody's OCR layer
LEAST_IMAGE = 0.004  # of the page; smaller pictures hold no line of text


def read_sheet(page: Any, *, has_fields: bool) -> Sheet:
    """Everything that is known of the page without looking at its pixels."""
    content, text = _upright(page)
    width, height = content.width, content.height
    drawings = read_drawings(content)
    images = [clipped for box, _ in text.images if (clipped := _clip(box, width, height))]
    cover = min(1.0, sum(_area(box) for box in set(images)) / (width * height))
    words, hidden = _visible(content, text, cover)
    boxes: list[tuple[float, float, float, float, float]] = []
    if has_fields:
        words, boxes = apply_widgets(content, words)
    verdict = judge(words, Around(width, height, cover, hidden, text.outside, drawings.any))
    if verdict.reason == "ocr_layer":
        words = [word._replace(confidence=min(word.confidence, OCR_CONFIDENCE)) for word in words]
    squares = [square for square in drawings.squares if not any(_overlaps(square, box) for box in boxes)]
    keep = verdict.layer in ("trusted", "partial")
    return Sheet(
        width=round(width, 3),
        height=round(height, 3),
        rotation=content.rotation,
        layer=verdict.layer,
        reason=verdict.reason,
        needs_image=verdict.layer != "trusted" and (drawings.any or bool(images) or verdict.layer == "untrusted"),
        blank=verdict.layer == "none" and not drawings.any and not images and not boxes,
        words=words if keep else [],
        rulings=drawings.rulings if keep else [],
        strokes=drawings.strokes if keep else [],
        checkboxes=[*boxes, *measure_ink(content, squares)] if keep else [],
        image_boxes=_image_boxes(images, width, height, verdict),
    )


def _upright(page: Any) -> tuple[Content, PageText]:
    """The page and its text; where its lines run sideways, the page is turned first."""
    content = Content(page)
    text = read_text(content)
    if looks_sideways(text.words) or looks_reversed(text.words):
        further = text_turn(content)
        if further:
            page.set_rotation((content.rotation + further) % 360)
            content = Content(page)
            return content, read_text(content)
    return content, text


def _visible(content: Content, text: PageText, cover: float) -> tuple[list[LayerWord], float]:
    """The words that count and the share of invisible text: over a scan that is an OCR layer, elsewhere it is no text at all."""
    if cover <= SCAN:
        return seen_words(content, _drawn_words(content, text)), 0.0
    if not text.words:
        return [], 0.0
    _, share = hidden_boxes(content)
    return text.words, max(share, painted_over(content))


def _drawn_words(content: Content, text: PageText) -> list[LayerWord]:
    """Without the words that are drawn in no colour; other print may stand where they do, so that ink says nothing about them."""
    boxes = hidden_boxes(content)[0] if text.words and may_hide(content) else []
    return [word for word in text.words if not any(holds((*box, 0.0), word) for box in boxes)] if boxes else text.words


def _clip(box: Box, width: float, height: float) -> Box | None:
    x0, y0, x1, y1 = max(0.0, box[0]), max(0.0, box[1]), min(width, box[2]), min(height, box[3])
    return (x0, y0, x1, y1) if x1 - x0 > 1 and y1 - y0 > 1 else None


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _overlaps(one: tuple[float, ...], two: tuple[float, ...]) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


def _image_boxes(images: list[Box], width: float, height: float, verdict: Judgement) -> list[Box]:
    """Where pictures may hold words: touching ones as one box, tiny ones left out. Only a partly trusted page is asked."""
    if verdict.layer != "partial":
        return []
    merged: list[Box] = []
    for box in sorted(images):
        rest = []
        for other in merged:
            if _overlaps((box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1), other):
                box = min(box[0], other[0]), min(box[1], other[1]), max(box[2], other[2]), max(box[3], other[3])
            else:
                rest.append(other)
        merged = [*rest, box]
    return [box for box in merged if _area(box) > LEAST_IMAGE * width * height]
