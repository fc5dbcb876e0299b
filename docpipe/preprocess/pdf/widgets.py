"""Form fields of a PDF page: the state of its check boxes and radio buttons. Typed values are text already: MuPDF draws every field."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from docpipe.preprocess.pdf.content import Content
from docpipe.preprocess.pdf.mupdf import pymupdf
from docpipe.preprocess.sheet import LayerWord

MOST_WIDGETS = 3000
_KINDS = (pymupdf.PDF_WIDGET_TYPE_CHECKBOX, pymupdf.PDF_WIDGET_TYPE_RADIOBUTTON)

Checkbox = tuple[float, float, float, float, float]


def apply_widgets(content: Content, words: Sequence[LayerWord]) -> tuple[list[LayerWord], list[Checkbox]]:
    """The words as a reader sees them, a tick being no word, and the page's boxes with their state, 0 or 1."""
    boxes = [
        (*content.turn.box(widget.rect), 1.0 if _is_on(widget) else 0.0)
        for widget in islice(content.page.widgets(), MOST_WIDGETS)
        if widget.field_type in _KINDS
    ]
    return [word for word in words if not any(holds(box, word) for box in boxes)], boxes


def _is_on(widget: Any) -> bool:
    value = widget.field_value
    if isinstance(value, bool):
        return value
    return value not in (None, "", "Off") and (widget.field_type == pymupdf.PDF_WIDGET_TYPE_CHECKBOX or value == widget.on_state())


def holds(box: Checkbox, word: LayerWord) -> bool:
    """Whether the word's centre lies in the box."""
    x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]
