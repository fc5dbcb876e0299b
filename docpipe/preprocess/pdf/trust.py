"""Whether a page's text layer can be believed, from its words and a few figures. Knows no PDF and looks at no pixel.

A garbled layer costs wrong values, a distrusted good one only time, so every test errs towards looking at the page.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from docpipe.preprocess.sheet import Layer, LayerWord

# Shares of characters or words at which a layer is given up; found on made cases of each fault and some 450 real PDFs of mixed origin.
UNMAPPED = 0.05
MOJIBAKE = 0.02
VOWELS = 0.6
VOWELS_OCR = 0.75
SYMBOLS_OCR = 0.3
SYMBOLS = 0.4
FEWEST_LATIN = 20
OFF_PAGE = 0.9
# Shares of the page that images cover.
SCAN = 0.5
PICTURES = 0.15
# A scan with less text than this is a scan with a stamp or a page number on it.
SCAN_CHARS = 200
SCAN_SPAN = 0.25

_MOJIBAKE = re.compile(r"[ÃÂâ][\u0080-\u00bf€™œžŸ]|ï¿½|\(cid:\d+\)")
_SYMBOL = re.compile(r"[^\w.…\-–—=*•|]")  # leaders and rules drawn with characters are none
_PLAIN = bytes(code for code in range(128) if not _SYMBOL.match(chr(code)))
_LATIN = re.compile(r"(?<!\S)[A-Z]?[a-z]{2,}(?!\S)")  # words, not codes
_VOWELLESS = re.compile(r"(?<!\S)[B-DF-HJ-NP-TV-Z]?[b-df-hj-np-tv-xz]{2,}(?!\S)")  # those of them without a vowel


class Judgement(NamedTuple):
    """The verdict on a text layer and, in one word, why."""

    layer: Layer
    reason: str


class Around(NamedTuple):
    """What is known of the page beside its words: size in points, share covered by images, share of its text that is invisible, share of
    its text that lies outside, and whether anything else is drawn."""

    width: float
    height: float
    cover: float
    hidden: float
    outside: float
    drawn: bool


def judge(words: Sequence[LayerWord], around: Around) -> Judgement:
    """`trusted`: the words are the page; `partial`: they are, but images may hold more; `untrusted`: look at the page instead; `none`."""
    if not words:
        return Judgement("none", "off_page" if around.outside else "no_text")
    text = "".join(word.text for word in words)
    reason = _garbled(words, text, around)
    if reason:
        return Judgement("untrusted", reason)
    if around.cover > SCAN:
        if len(text) < SCAN_CHARS or _span(words) < around.height * SCAN_SPAN:
            return Judgement("untrusted", "scan_with_little_text")
        if around.hidden > 0.5:
            return _judge_ocr_layer(words)
    if around.cover > PICTURES:
        return Judgement("partial", "images")
    return Judgement("trusted", "")


def _garbled(words: Sequence[LayerWord], text: str, around: Around) -> str:
    plain = text.isascii() and text.isprintable()  # as most pages are, which spares them the first two searches
    if not plain and sum(text.count(char) for char in set(text) if _is_unmapped(char)) > UNMAPPED * len(text):
        return "unmapped_characters"
    if ("(cid:" in text or not plain) and 2 * len(_MOJIBAKE.findall(text)) > MOJIBAKE * len(text):
        return "mojibake"
    if _symbol_share(text) > SYMBOLS:
        return "symbols"
    if around.outside > OFF_PAGE and (around.cover > 0 or around.drawn):
        return "off_page"
    if _vowel_share(words) < VOWELS:
        return "no_vowels"
    heights = sorted([min(y1 - y0, x1 - x0) if len(text) == 1 else y1 - y0 for text, x0, y0, x1, y1, _, _ in words])
    if not 2.0 <= heights[len(heights) // 2] <= around.height / 3:
        return "impossible_size"
    return ""


def _is_unmapped(char: str) -> bool:
    return char == "\ufffd" or unicodedata.category(char) in ("Cc", "Cn", "Co")


def _symbol_share(text: str) -> float:
    """Share of the characters that are neither letters nor digits nor fillers; glyph numbers taken for text come out as these."""
    if text.isascii():  # the same without a search
        return len(text.encode().translate(None, _PLAIN)) / len(text)
    return len(_SYMBOL.findall(text)) / len(text)


def _vowel_share(words: Sequence[LayerWord]) -> float:
    """Share of the Latin words without digits that have a vowel; 1 where there are too few to tell."""
    text = " ".join([word.text for word in words if len(word.text) > 2])
    vowelless = len(_VOWELLESS.findall(text))
    if not vowelless:
        return 1.0
    latin = len(_LATIN.findall(text))
    return (latin - vowelless) / latin if latin >= FEWEST_LATIN else 1.0


def _span(words: Sequence[LayerWord]) -> float:
    return max(word.y1 for word in words) - min(word.y0 for word in words)


def _judge_ocr_layer(words: Sequence[LayerWord]) -> Judgement:
    """Invisible words over a scan are somebody's OCR: good enough to use unless it is visibly bad."""
    symbols = sum(not any(char.isalnum() for char in word.text) for word in words)
    if symbols > SYMBOLS_OCR * len(words) or _vowel_share(words) < VOWELS_OCR:
        return Judgement("untrusted", "ocr_layer_garbled")
    return Judgement("trusted", "ocr_layer")
