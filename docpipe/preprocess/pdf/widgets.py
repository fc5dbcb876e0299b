"""Form fields of a PDF page: the state of its check boxes and radio buttons, and values whose look the file does not carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from docpipe.preprocess.pdf.mupdf import pymupdf
from docpipe.preprocess.pdf.text import Turn, clean_text
from docpipe.preprocess.sheet import Box, LayerWord

MOST_WIDGETS = 3000
_TICKED = (pymupdf.PDF_WIDGET_TYPE_CHECKBOX, pymupdf.PDF_WIDGET_TYPE_RADIOBUTTON)
_TYPED = (pymupdf.PDF_WIDGET_TYPE_TEXT, pymupdf.PDF_WIDGET_TYPE_COMBOBOX, pymupdf.PDF_WIDGET_TYPE_LISTBOX)

Checkbox = tuple[float, float, float, float, float]


def apply_widgets(page: Any, words: Sequence[LayerWord]) -> tuple[list[LayerWord], list[Checkbox]]:
    """The words as a reader sees them (a tick is no word; a value that is not drawn is one), and the boxes with their state, 0 or 1."""
    turn = Turn(page)
    boxes: list[Checkbox] = []
    values: list[tuple[Box, str]] = []
    for index, widget in enumerate(page.widgets()):
        if index >= MOST_WIDGETS:
            break
        box = turn.box(widget.rect)
        if widget.field_type in _TICKED:
            boxes.append((*box, 1.0 if _is_on(widget) else 0.0))
        elif widget.field_type in _TYPED and isinstance(widget.field_value, str):
            values.append((box, clean_text(" ".join(widget.field_value.split()))))
    kept = [word for word in words if not any(holds(box, word) for box in boxes)]
    next_line = max((word.line for word in kept), default=-1) + 1
    for box, value in values:
        if value and not any(holds((*box, 0.0), word) for word in kept):
            kept.extend(_spread(value, box, next_line))
            next_line += 1
    return kept, boxes


def _is_on(widget: Any) -> bool:
    value = widget.field_value
    if isinstance(value, bool):
        return value
    return value not in (None, "", "Off") and (widget.field_type == pymupdf.PDF_WIDGET_TYPE_CHECKBOX or value == widget.on_state())


def holds(box: Checkbox, word: LayerWord) -> bool:
    """Whether the word's centre lies in the box."""
    x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _spread(value: str, box: Box, line: int) -> list[LayerWord]:
    """The words of a value side by side over its field, each as wide as its share of the text."""
    x0, y0, x1, y1 = box
    height = min(y1 - y0, 14.0)
    step = min((x1 - x0) / len(value), 0.6 * height)
    words, start = [], 0
    for text in value.split():
        start = value.index(text, start)
        words.append(
            LayerWord(text, round(x0 + start * step, 2), y0, round(x0 + (start + len(text)) * step, 2), round(y0 + height, 2), 1.0, line)
        )
        start += len(text)
    return words
