"""The words and image places of a PDF page in upright points, and which of the words cannot be seen. Judges nothing."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from operator import ne
from typing import Any, NamedTuple

from docpipe.preprocess.pdf.content import Content
from docpipe.preprocess.sheet import Box, LayerWord

UNMAPPED_CONFIDENCE = 0.5
_INVISIBLE = re.compile(rb"\b[37]\s+Tr\b")
_SEEN = 16 | 32  # char_flags of MuPDF: filled, stroked
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u2060\ufeff]")


class PageText(NamedTuple):
    """Words inside the page, the share of characters outside it, and the images' boxes with MuPDF's facts on each."""

    words: list[LayerWord]
    outside: float
    images: list[tuple[Box, dict[str, Any]]]


def read_text(content: Content) -> PageText:
    """Words keep MuPDF's line grouping, in its order."""
    turn, textpage = content.turn, content.textpage
    found = textpage.extractWORDS()
    found = _cleaned(found if turn.still else list(turn.words(found)))
    total = sum([len(word[4]) for word in found])
    width, height = 2 * content.width, 2 * content.height
    words = [
        LayerWord(text, x0, y0, x1, y1, 1.0 if text.isascii() or "\ufffd" not in text else UNMAPPED_CONFIDENCE, line)
        for (x0, y0, x1, y1, text, *_), line in zip(found, _line_numbers(found), strict=True)
        if 0 <= x0 + x1 <= width and 0 <= y0 + y1 <= height
    ]
    inside = total if len(words) == len(found) else sum([len(word.text) for word in words])
    images = [(turn.box(info["bbox"]), info) for info in textpage.extractIMGINFO()]
    return PageText(words, 1 - inside / total if total else 0.0, images)


def _cleaned(found: list[Any]) -> list[Any]:
    """MuPDF's words with clean text, without those of which nothing is left. Nearly all pages are plain ASCII and stay as they are."""
    text = "".join([word[4] for word in found])
    if text.isascii() and text.isprintable():
        return found
    return [(*word[:4], clean, *word[5:]) for word in found if (clean := clean_text(word[4]))]


def _line_numbers(found: Sequence[Any]) -> Iterable[int]:
    """For each of MuPDF's words the number of its line, counted from 0."""
    places = [word[5:7] for word in found]
    return accumulate(map(ne, places[1:], places), initial=0) if places else ()


def clean_text(raw: str) -> str:
    """NFC, a soft hyphen as the hyphen that it prints, no control or zero-width characters at all."""
    return _CONTROL.sub("", unicodedata.normalize("NFC", raw).replace("\u00ad", "-")).strip()


def looks_sideways(words: list[LayerWord]) -> bool:
    """Whether most of the longer words stand on end: a cheap reason to ask `text_turn`."""
    tall = sum([len(text) > 3 for text, x0, y0, x1, y1, _, _ in words if y1 - y0 > 1.5 * (x1 - x0)])
    if tall < 4:  # of at least five longer words
        return False
    longer = sum([len(word.text) > 3 for word in words])
    return longer >= 5 and tall > 0.6 * longer


def looks_reversed(words: list[LayerWord]) -> bool:
    """Whether the words of a line follow each other leftwards: upside down, or a script that runs so."""
    back = sum([one[6] == two[6] for one, two in pairwise(words) if two[3] < one[1] + 1])
    if back < 4:  # of at least five pairs
        return False
    pairs = sum([one.line == two.line for one, two in pairwise(words)])
    return pairs >= 5 and back > 0.6 * pairs


def text_turn(content: Content) -> int:
    """The further clockwise turn that sets most of the page's characters upright: 0, 90, 180 or 270."""
    votes: Counter[tuple[int, int]] = Counter()
    for line in _lines(content):
        votes[content.turn.direction(*line["dir"])] += sum(len(span["text"]) for span in line["spans"])
    if not votes:
        return 0
    direction, count = votes.most_common(1)[0]
    turns = {(0, -1): 90, (-1, 0): 180, (0, 1): 270}
    return turns.get(direction, 0) if count > 0.6 * votes.total() else 0


def may_hide(content: Content) -> bool:
    """Whether the page's content sets the drawing mode for invisible text."""
    stream = content.page.read_contents() or b""
    return b" Tr" in stream and _INVISIBLE.search(stream) is not None


def hidden_boxes(content: Content) -> tuple[list[Box], float]:
    """The boxes of text drawn in no colour at all, and its share of the page's characters."""
    boxes: list[Box] = []
    hidden = total = 0
    for line in _lines(content):
        for span in line["spans"]:
            size = len(span["text"].strip())
            total += size
            if (size and not span["char_flags"] & _SEEN) or span["alpha"] == 0:
                hidden += size
                boxes.append(content.turn.box(span["bbox"]))
    return boxes, hidden / total if total else 0.0


def painted_over(content: Content) -> float:
    """The share of the page's text that a picture of at least half the page is drawn over: an OCR layer hidden the other way."""
    half = abs(content.width * content.height) / 2
    hidden = total = 0
    for kind, (x0, y0, x1, y1) in content.page.get_bboxlog():
        if kind == "fill-text":
            total += 1
        elif kind == "fill-image" and abs((x1 - x0) * (y1 - y0)) >= half:
            hidden = total
    return hidden / total if total else 0.0


def _lines(content: Content) -> list[dict[str, Any]]:
    return [line for block in content.textpage.extractDICT()["blocks"] for line in block.get("lines", ())]
