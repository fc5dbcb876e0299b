"""Whether a text that OCR read says what was printed. Knows glyphs that look alike and how numbers are written, no document."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rapidfuzz import fuzz

NUMBERS = frozenset({"money", "quantity", "rate"})
SIMILAR = 80.0  # of 100: a name is allowed slips of OCR, a number none
# Glyphs that OCR takes for one another, lower case. No two digits are in one class: another digit is another value.
_CLASSES = {"0": "oODQ", "1": "lIi|!", "5": "Ss", "8": "Bß", "2": "Zz", "6": "Gb", "9": "gq"}
_ALIKE = str.maketrans({other: glyph for glyph, others in _CLASSES.items() for other in others})
_NUMBER = re.compile(r"\d(?:.*\d)?", re.DOTALL)
_CODES = re.compile(r"[^\W\d_]{3,}|[€$£¥]")  # currencies, and words that the number is glued to
_MARK = re.compile(r"[.,](?=[^.,]*$)")
_MINUS = frozenset("-−–—(")


class _Number(NamedTuple):
    """A number as it is written: whether it has a minus, its digits, and how many of them stand after the last point or comma."""

    minus: bool
    digits: str
    decimals: int


def says(seen: str, printed: str, *, kind: str) -> bool:
    """Whether `seen` is `printed` but for glyphs that look alike, blanks and punctuation; a text without digits may have further slips.

    Of a number the sign and the decimals count, its currency does not. Further words round the value are let pass if they have no digit.
    """
    if kind not in NUMBERS and not any(char.isdigit() for char in printed):
        wanted = glyphs(printed)
        return bool(wanted) and fuzz.ratio(wanted, glyphs(seen)) >= SIMILAR
    if kind in NUMBERS:
        return _among(_number(printed), seen.split(), _number)
    return _among(glyphs(printed), re.split(r"[\s:#,;]+", seen), glyphs)


def has_minus(text: str) -> bool:
    """Whether a number is written with a sign or in brackets."""
    return not _MINUS.isdisjoint(text)


def glyphs(text: str) -> str:
    """The letters and digits of a text, in lower case without accents, one for all that look alike."""
    plain = unicodedata.normalize("NFKD", text).translate(_ALIKE).casefold()
    return "".join(char for char in plain if char.isalnum())


def _among(wanted: object, words: Sequence[str], form: Callable[[str], object]) -> bool:
    """Whether a run of the words has this form and none of the others has a digit."""
    places = [place for place, word in enumerate(words) if any(char.isdigit() for char in word)]
    runs = ((start, end) for start in range(len(words)) for end in range(start + 1, len(words) + 1))
    return bool(wanted) and any(
        form(" ".join(words[start:end])) == wanted for start, end in runs if all(start <= place < end for place in places)
    )


def _number(text: str) -> _Number | None:
    """The text's number; None where it has none."""
    text = _CODES.sub(" ", unicodedata.normalize("NFKD", text))
    found = _NUMBER.search(text.translate(_ALIKE))
    if found is None:
        return None
    core = found[0]
    minus = has_minus(text[: found.start()] + text[found.end() :])
    mark = _MARK.search(core)
    digits = "".join(char for char in core if char.isdigit())
    return _Number(minus, digits, sum(char.isdigit() for char in core[mark.end() :]) if mark else 0)
