"""The words and image places of a PDF page in upright points, and which of the words cannot be seen. Judges nothing."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from docpipe.preprocess.pdf.mupdf import pymupdf
from docpipe.preprocess.sheet import Box, LayerWord

# No clip: text outside the page box is counted, then dropped. Images are only listed, not decoded. A character that the file does not
# map to Unicode comes as U+FFFD, not as the number of its glyph, which would look like text.
FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_PRESERVE_IMAGES
UNMAPPED_CONFIDENCE = 0.5
_INVISIBLE = re.compile(rb"\b[37]\s+Tr\b")
_SEEN = 16 | 32  # char_flags of MuPDF: filled, stroked
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u2060\ufeff]")


class PageText(NamedTuple):
    """Words inside the page, the share of characters outside it, and the images' boxes with MuPDF's facts on each."""

    words: list[LayerWord]
    outside: float
    images: list[tuple[Box, dict[str, Any]]]
    textpage: Any


def read_text(page: Any) -> PageText:
    """One pass over the page's content; words keep MuPDF's line grouping, in its order."""
    textpage = page.get_textpage(flags=FLAGS)
    turn = Turn(page)
    width, height = 2 * page.rect.width, 2 * page.rect.height
    found = textpage.extractWORDS()
    words: list[LayerWord] = []
    inside = total = 0
    line, previous = -1, None
    for x0, y0, x1, y1, text, *place, _ in found if turn.still else turn.words(found):
        # Nearly all words of nearly all pages are plain ASCII; the loop is what reading a text page costs beside MuPDF's own work.
        if not (text.isascii() and text.isprintable()):
            text = clean_text(text)
            if not text:
                continue
        total += len(text)
        if place != previous:
            line, previous = line + 1, place
        if 0 <= x0 + x1 <= width and 0 <= y0 + y1 <= height:
            inside += len(text)
            words.append(LayerWord(text, x0, y0, x1, y1, UNMAPPED_CONFIDENCE if "\ufffd" in text else 1.0, line))
    images = [(turn.box(info["bbox"]), info) for info in textpage.extractIMGINFO()]
    return PageText(words, 1 - inside / total if total else 0.0, images, textpage)


def clean_text(raw: str) -> str:
    """NFC, a soft hyphen as the hyphen that it prints, no control or zero-width characters at all."""
    return _CONTROL.sub("", unicodedata.normalize("NFC", raw).replace("\u00ad", "-")).strip()


class Turn:
    """Takes boxes from MuPDF's unrotated space to the upright page, as the page's rotation stands now."""

    def __init__(self, page: Any) -> None:
        self.still = page.rotation == 0
        matrix = page.rotation_matrix
        self._matrix = (matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f)

    def words(self, found: Iterable[Any]) -> Iterator[Any]:
        """MuPDF's words with their boxes turned."""
        return ((*self.box(word[:4]), *word[4:]) for word in found)

    def point(self, x: float, y: float) -> tuple[float, float]:
        a, b, c, d, e, f = self._matrix
        return a * x + c * y + e, b * x + d * y + f

    def box(self, box: Any) -> Box:
        """A box on the upright page."""
        x0, y0, x1, y1 = box[0], box[1], box[2], box[3]
        if self.still:
            return x0, y0, x1, y1
        (x0, y0), (x1, y1) = self.point(x0, y0), self.point(x1, y1)
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def direction(self, x: float, y: float) -> tuple[int, int]:
        """A direction on the upright page, to the nearest axis."""
        a, b, c, d, _, _ = self._matrix
        return round(a * x + c * y), round(b * x + d * y)


def looks_sideways(words: list[LayerWord]) -> bool:
    """Whether most of the longer words stand on end: a cheap reason to ask `text_turn`."""
    longer = [word for word in words if len(word.text) > 3]
    tall = sum(word.y1 - word.y0 > 1.5 * (word.x1 - word.x0) for word in longer)
    return len(longer) >= 5 and tall > 0.6 * len(longer)


def looks_reversed(words: list[LayerWord]) -> bool:
    """Whether the words of a line follow each other leftwards: upside down, or a script that runs so."""
    pairs = [(one, two) for one, two in pairwise(words) if one.line == two.line]
    return len(pairs) >= 5 and sum(two.x1 < one.x0 + 1 for one, two in pairs) > 0.6 * len(pairs)


def text_turn(page: Any, textpage: Any) -> int:
    """The further clockwise turn that sets most of the page's characters upright: 0, 90, 180 or 270."""
    turn = Turn(page)
    votes: Counter[tuple[int, int]] = Counter()
    for line in _lines(textpage):
        votes[turn.direction(*line["dir"])] += sum(len(span["text"]) for span in line["spans"])
    if not votes:
        return 0
    direction, count = votes.most_common(1)[0]
    turns = {(0, -1): 90, (-1, 0): 180, (0, 1): 270}
    return turns.get(direction, 0) if count > 0.6 * votes.total() else 0


def may_hide(page: Any) -> bool:
    """Whether the page's content sets the drawing mode for invisible text."""
    content = page.read_contents() or b""
    return b" Tr" in content and _INVISIBLE.search(content) is not None


def hidden_boxes(page: Any, textpage: Any) -> tuple[list[Box], float]:
    """The boxes of text drawn in no colour at all, and its share of the page's characters."""
    turn = Turn(page)
    boxes: list[Box] = []
    hidden = total = 0
    for line in _lines(textpage):
        for span in line["spans"]:
            size = len(span["text"].strip())
            total += size
            if (size and not span["char_flags"] & _SEEN) or span["alpha"] == 0:
                hidden += size
                boxes.append(turn.box(span["bbox"]))
    return boxes, hidden / total if total else 0.0


def painted_over(page: Any) -> float:
    """The share of the page's text that a picture of at least half the page is drawn over: an OCR layer hidden the other way."""
    half = abs(page.rect.width * page.rect.height) / 2
    hidden = total = 0
    for kind, (x0, y0, x1, y1) in page.get_bboxlog():
        if kind == "fill-text":
            total += 1
        elif kind == "fill-image" and abs((x1 - x0) * (y1 - y0)) >= half:
            hidden = total
    return hidden / total if total else 0.0


def _lines(textpage: Any) -> list[dict[str, Any]]:
    return [line for block in textpage.extractDICT()["blocks"] for line in block.get("lines", ())]
