"""What the documents of a packet show too seldom: running heads, and pages that print no number. Knows sheets, no file."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from docpipe.records import Word
from docpipe.splitting import Sheet
from docpipe.splitting.lines import lines_of
from docpipe.splitting.page_numbers import printed_number

RUNNING = 0.18  # share of a page's height that a running head takes


def with_running_head(document: Sequence[Sheet]) -> list[Sheet]:
    """The document as if the top of its first page, letterhead and numbers, stood on every page."""
    first = document[0]
    top = [word for word in first.words.words if word.y1 <= RUNNING * first.words.height]
    return [first, *(_under(top, sheet) for sheet in document[1:])]


def _under(top: Sequence[Word], sheet: Sheet) -> Sheet:
    if sheet.page.status != "done":
        return sheet
    below = [word._replace(line=word.line + len(top)) for word in sheet.words.words if word.y0 > RUNNING * sheet.words.height]
    return replace(sheet, words=sheet.words.model_copy(update={"words": (*top, *below)}))


def without_numbers(document: Sequence[Sheet]) -> list[Sheet]:
    """The document as if no page printed its number."""
    return [_unnumbered(sheet) for sheet in document]


def _unnumbered(sheet: Sheet) -> Sheet:
    lines = list(lines_of(sheet.words))
    while printed := printed_number(lines, sheet.words.height):
        lines = [line for line in lines if not (line.box[1] <= printed.box[1] and printed.box[3] <= line.box[3])]
    kept = tuple(word for line in lines for word in line.words)
    return replace(sheet, words=sheet.words.model_copy(update={"words": kept}))


def harder(documents: Sequence[Sequence[Sheet]], chance: random.Random) -> list[list[Sheet]]:
    """The documents, a third of them with a running head and a third without page numbers."""
    made = []
    for document in documents:
        sheets = with_running_head(document) if chance.random() < 1 / 3 else list(document)
        made.append(without_numbers(sheets) if chance.random() < 1 / 3 else sheets)
    return made
