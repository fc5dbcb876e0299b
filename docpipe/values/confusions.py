"""What else a printed number may have been before it was misread: one slip of OCR each. Knows glyphs, no document."""

from __future__ import annotations

import re

# Digits that OCR takes for one another, the likelier first (measured with slips drawn at random and with two OCR engines on receipts).
CONFUSED = {"0": "86", "1": "74", "2": "7", "3": "85", "4": "91", "5": "63", "6": "085", "7": "12", "8": "0369", "9": "4"}
LETTERS = {
    "O": "0",
    "o": "0",
    "Q": "0",
    "D": "0",
    "l": "1",
    "I": "1",
    "|": "1",
    "i": "1",
    "S": "5",
    "s": "5",
    "B": "8",
    "Z": "2",
    "z": "2",
    "g": "9",
}
_DIGITS = re.compile(r"\d[\d\s'’]*\d|\d")
LONGEST = 24


def readings(raw: str) -> tuple[str, ...]:
    """Every string one slip away from `raw` (which is not among them), likelier first: letters read as the digits they look like, one
    digit confused with another, a lost decimal separator put back before the last 2, 1, 3 or 4 digits in either form. Empty for text
    without a digit or too long to be one number. Which of them is a number is for the caller and the document's decimal separator."""
    if len(raw) > LONGEST or not any(char.isdigit() for char in raw):
        return ()
    found = [*_letters(raw), *_digits(raw), *_separators(raw)]
    return tuple(dict.fromkeys(reading for reading in found if reading != raw))


def _letters(raw: str) -> list[str]:
    """Where letters stand between or beside digits, all of them as digits."""
    return [re.sub(r"(?<=[\d.,])[^\W\d_]|[^\W\d_](?=[\d.,])", lambda match: LETTERS.get(match[0], match[0]), raw)]


def _digits(raw: str) -> list[str]:
    return [raw[:place] + other + raw[place + 1 :] for place, char in enumerate(raw) for other in CONFUSED.get(char, "")]


def _separators(raw: str) -> list[str]:
    """A number without any separator, with one put back."""
    match = _DIGITS.search(raw)
    if match is None or "." in raw or "," in raw:
        return []
    digits = re.sub(r"\D", "", match[0])
    head, tail = raw[: match.start()], raw[match.end() :]
    return [f"{head}{digits[:-places]}{mark}{digits[-places:]}{tail}" for places in (2, 1, 3, 4) if len(digits) > places for mark in ".,"]
