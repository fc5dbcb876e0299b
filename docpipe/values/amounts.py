"""Amounts as they are printed -> decimals. Knows separators, signs and currency marks, no page.

A printed number means different things in different documents (1.234), so every reading takes the document's decimal separator.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from docpipe.values.dates import find_dates

CURRENCY_MARKS = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "$": "USD", "usd": "USD", "us$": "USD", "£": "GBP", "gbp": "GBP", "rm": "MYR", "myr": "MYR",
    "chf": "CHF", "sfr": "CHF", "₩": "KRW", "krw": "KRW", "원": "KRW", "¥": "JPY", "jpy": "JPY", "rs.": "INR", "rs": "INR", "inr": "INR",
    "₹": "INR", "s$": "SGD", "sgd": "SGD", "pln": "PLN", "zł": "PLN", "czk": "CZK", "kč": "CZK", "sek": "SEK", "nok": "NOK", "dkk": "DKK",
    "aud": "AUD", "cad": "CAD", "cny": "CNY", "hkd": "HKD", "thb": "THB", "php": "PHP", "idr": "IDR", "brl": "BRL", "r$": "BRL",
}  # fmt: skip
_MARK = "|".join(re.escape(mark) for mark in sorted(CURRENCY_MARKS, key=len, reverse=True))
_SIGN = "[-(–−]"
_AMOUNT = re.compile(
    rf"(?<![\w.,/#])(?<!\d:)(?<!\w[-–])(?P<sign>{_SIGN})?\s?(?P<before>{_MARK})?\s?(?P<inner>{_SIGN})?\s?"
    r"(?P<digits>\d{1,3}(?:[ .,'’\u00a0\u202f]\d{3})+(?:\s?[.,]\s?\d{1,4})?|\d+(?:\s?[.,]\s?\d{1,4})?)"
    rf"(?P<trail>\s?-|\))?\s?(?P<percent>%)?\s?(?P<after>{_MARK})?(?!\w|[.,/\-:]\d)",
    re.IGNORECASE,
)
LONGEST_BARE = 7  # a longer string of digits alone is a number of something, not an amount
_LAST = re.compile(r"([.,])(\d+)$")


class AmountFound(NamedTuple):
    """A number in a text: `start:end` span its digits, `decimals` counts the places printed after the decimal separator."""

    start: int
    end: int
    value: Decimal
    currency: str | None
    decimals: int
    percent: bool


def find_amounts(text: str, decimal: str) -> list[AmountFound]:
    """Every number in the text that is no part of a date, a time, or a longer code; long bare digit strings are left out."""
    if not any(char.isdigit() for char in text):
        return []
    dates = [(date.start, date.end) for date in find_dates(text, None)]
    found = []
    for match in _AMOUNT.finditer(text):
        if any(match.start("digits") < end and start < match.end("digits") for start, end in dates):
            continue
        amount = _amount(match, decimal)
        if amount is not None:
            found.append(amount)
    return found


def parse_amount(text: str, decimal: str) -> Decimal | None:
    """The one number the text holds, with its sign; None where it holds none or several."""
    found = find_amounts(text, decimal)
    return found[0].value if len(found) == 1 else None


def vote_decimal(texts: Iterable[str]) -> Counter[str]:
    """How many numbers have the form that shows '.' or ',' to be the decimal separator: it is followed by exactly two digits, or the
    other separator stands before it."""
    votes: Counter[str] = Counter()
    for text in texts:
        for match in _AMOUNT.finditer(text):
            last = _LAST.search(match["digits"])
            if last and (len(last[2]) == 2 or {".", ","} <= set(match["digits"])):
                votes[last[1]] += 1
    return votes


def to_decimal(digits: str, decimal: str) -> Decimal | None:
    """`1.234,50` -> 1234.50. A lone separator that is not `decimal` and stands before three digits groups; any other lone separator is
    read as decimal, since two digits after it mean nothing else."""
    plain = re.sub(r"[\s'’\u00a0\u202f]", "", digits)
    marks = [char for char in plain if char in ".,"]
    if marks:
        places = len(plain) - 1 - max(plain.rfind("."), plain.rfind(","))
        groups = len(set(marks)) == 1 and (len(marks) > 1 or (places == 3 and marks[0] != decimal))
        head, tail = (plain, "") if groups else (plain[: -places - 1], plain[-places:])
        plain = re.sub("[.,]", "", head) + (f".{tail}" if tail else "")
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None


def plain(value: Decimal) -> str:
    """The decimal as contracts carry it: no exponent, places as they are."""
    return format(value, "f")


def _amount(match: re.Match[str], decimal: str) -> AmountFound | None:
    digits, mark = match["digits"], match["before"] or match["after"]
    value = to_decimal(digits, decimal)
    if value is None:
        return None
    decimals = -exponent if isinstance(exponent := value.as_tuple().exponent, int) else 0
    bare = mark is None and match["percent"] is None and digits.isdigit()
    if bare and len(digits) > LONGEST_BARE:
        return None
    return AmountFound(
        match.start("digits"),
        match.end("digits"),
        -value if _negative(match) else value,
        CURRENCY_MARKS[mark.lower()] if mark else None,
        decimals,
        match["percent"] is not None,
    )


def _negative(match: re.Match[str]) -> bool:
    """A minus or bracket before, a minus after; a dash that joins the number to the word before it is no sign."""
    if (match["trail"] or "").strip() == "-":
        return True
    if match["inner"]:
        return True
    if match["sign"] is None:
        return False
    before = match.string[: match.start("sign")]
    return not before[-1:].isalnum() and (match["sign"] != "(" or match["trail"] == ")")
