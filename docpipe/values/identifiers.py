"""Identifiers and currencies: IBAN, tax ids, currency codes, and their checksums. Checks are python-stdnum's; knows no page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from stdnum import get_cc_module, iban
from stdnum.kr import brn

from docpipe.values.amounts import CURRENCY_MARKS

_IBAN = re.compile(r"\b([A-Z]{2}\d{2}(?:[ \u00a0]?[A-Z0-9]{4}){2,7}(?:[ \u00a0]?[A-Z0-9]{1,3})?)\b")
_COUNTRIES = "AT|BE|BG|CHE|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|HR|HU|IE|IT|LT|LU|LV|MT|NL|NO|PL|PT|RO|SE|SI|SK|XI"
_VAT = re.compile(rf"(?<![A-Z0-9])((?:{_COUNTRIES})[\s.-]?(?=[A-Z0-9. ]*\d)[A-Z0-9](?:[\s.]?[A-Z0-9]){{6,12}})(?![A-Z0-9])")
SHORTEST_VAT = 9  # with its country prefix
_KOREAN = re.compile(r"(?<!\d)(\d{3}-\d{2}-\d{5})(?!\d)")
_SYMBOLS = "".join(mark for mark in CURRENCY_MARKS if len(mark) == 1 and not mark.isalnum())
_WORDS = "|".join(re.escape(mark) for mark in sorted(CURRENCY_MARKS, key=len, reverse=True) if len(mark) > 1)
_CURRENCY = re.compile(rf"([{re.escape(_SYMBOLS)}])|(?<![A-Za-z])({_WORDS})(?![A-Za-z])", re.IGNORECASE)
_LOWER_IS_A_WORD = frozenset({"rm", "rs", "sek", "nok", "inr", "s$", "sgd"})


class IdFound(NamedTuple):
    """An identifier in a text: characters `start:end`, its value without blanks, and whether its checksum holds (None: has none)."""

    start: int
    end: int
    value: str
    valid: bool | None


def find_ibans(text: str) -> list[IdFound]:
    """Every string of an IBAN's form, valid or not; a valid one is not cut short by what follows it."""
    found = []
    for match in _IBAN.finditer(text):
        value = re.sub(r"\s", "", match[1])
        end = match.end()
        while not iban.is_valid(value) and match[1].count(" ") and len(value) > 15 and iban.is_valid(value[: len(value) - 1]):
            value, end = value[:-1], end - 1
        if len(value) >= 15:
            found.append(IdFound(match.start(), end, value, iban.is_valid(value)))
    return found


def find_tax_ids(text: str) -> list[IdFound]:
    """European VAT numbers by country prefix and Korean business numbers by form; an IBAN is none."""
    ibans, found, place = find_ibans(text), [], 0
    while match := _VAT.search(text, place):
        number = _without_what_follows(match)
        place = number.end
        if not any(known.start <= number.start < known.end for known in ibans):
            found.append(number)
    found += [IdFound(match.start(), match.end(), match[1], checksum("tax_id", match[1])) for match in _KOREAN.finditer(text)]
    return found


def _without_what_follows(match: re.Match[str]) -> IdFound:
    """A number printed in groups ends where its checksum holds; without that, at its first blank once it is long enough."""
    raw = match[1]
    ends = [blank.start() for blank in re.finditer(r"\s", raw)] + [len(raw)]
    valid = [end for end in ends if checksum("tax_id", raw[:end])]
    long_enough = [end for end in ends if len(re.sub(r"\W", "", raw[:end])) >= SHORTEST_VAT]
    end = (valid or long_enough or ends)[0]
    value = re.sub(r"[\s.\-]", "", raw[:end])
    return IdFound(match.start(), match.start() + end, value, checksum("tax_id", value))


def find_currencies(text: str) -> list[str]:
    """The ISO 4217 code of every currency mark in the text, in order."""
    marks = [match[0] for match in _CURRENCY.finditer(text)]
    return [CURRENCY_MARKS[mark.lower()] for mark in marks if not (mark.islower() and mark in _LOWER_IS_A_WORD)]


def vote_currency(texts: Iterable[str]) -> tuple[str, float] | None:
    """The document's most frequent currency and its share of all marks."""
    votes = Counter(code for text in texts for code in find_currencies(text))
    if not votes:
        return None
    code, count = votes.most_common(1)[0]
    return code, count / votes.total()


def checksum(kind: str, value: str) -> bool | None:
    """Whether the checksum of an `iban` or `tax_id` holds; None where the kind or the country has none we know."""
    compact = re.sub(r"[\s.\-]", "", value).upper()
    if kind == "iban":
        return bool(iban.is_valid(compact))
    if kind != "tax_id":
        return None
    if re.fullmatch(r"\d{3}-\d{2}-\d{5}", value.strip()):
        return bool(brn.is_valid(compact))
    prefix = re.match(r"[A-Z]{2}", compact)
    module = _vat_module(prefix[0]) if prefix else None
    return bool(module.is_valid(compact)) if module is not None else None


@cache
def _vat_module(prefix: str) -> Any:
    country = {"EL": "gr", "XI": "gb"}.get(prefix, prefix.lower())
    if prefix not in _COUNTRIES.replace("CHE", "CH").split("|"):
        return None
    try:
        return get_cc_module(country, "vat")
    except ImportError:
        return None
