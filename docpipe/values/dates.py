"""Dates as they are printed -> ISO 8601. Knows forms and month names of several languages, no page."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from docpipe.records import DateOrder

FIRST_YEAR, LAST_YEAR = 1950, 2045

_MONTH_NAMES = (
    "jan january januar janvier jänner enero ene gennaio gen januari janeiro",
    "feb february februar februari février fevrier févr fevr febrero febbraio fevereiro",
    "mar march märz maerz mrz mars maart marzo março mär",
    "apr april avril avr abril abr aprile",
    "may mai mei mayo maggio mag maio",
    "jun june juni juin junio giugno giu junho",
    "jul july juli juillet juil julio luglio lug julho",
    "aug august août aout augustus agosto ago",
    "sep sept september septembre septiembre settembre set setembro",
    "oct october oktober okt octobre octubre ottobre ott outubro",
    "nov november novembre noviembre novembro",
    "dec december dezember dez décembre decembre diciembre dic dicembre dezembro déc",
)
MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}
_NAME = "|".join(sorted(MONTHS, key=len, reverse=True))

# The look-ahead `(?=\d{1,2}:\d\d)` lets a time be glued to the year, as OCR prints it.
_NUMERIC = re.compile(r"(?<![\d.,/-])(\d{1,2})\s?([./\-])\s?(\d{1,2})\s?\2\s?(\d{4}|\d{2})(?:(?=\d{1,2}:\d\d)|(?!\d|[./-]\d))")
_YEAR_FIRST = re.compile(r"(?<!\d)((?:19|20)\d{2})\s?([./\-])\s?(\d{1,2})\s?\2\s?(\d{2}(?=\d{2}:\d\d)|\d{1,2}(?!\d))")
_HANGUL = re.compile(r"((?:19|20)\d{2})\s?[년年]\s?(\d{1,2})\s?[월月]\s?(\d{1,2})\s?[일日]")
_DAY_NAME = re.compile(
    rf"(?<!\w)(\d{{1,2}})(?:st|nd|rd|th|er|º|\.)?[\s\-/.,]*(?:de\s+)?({_NAME})\.?[\s\-/.,']*(?:del?\s+)?(\d{{4}}|\d{{2}})(?!\d|:\d)",
    re.IGNORECASE,
)
_NAME_DAY = re.compile(
    rf"(?<![^\W\d])({_NAME})\.?[\s\-/]*(\d{{1,2}})(?:st|nd|rd|th)?(?:\s*,\s*|\s+|\.\s*|-|/)(\d{{4}})(?!\d)", re.IGNORECASE
)
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)")


class DateFound(NamedTuple):
    """A date in a text: characters `start:end`, the ISO value, and whether day and month could be swapped."""

    start: int
    end: int
    value: str
    ambiguous: bool = False


def find_dates(text: str, order: DateOrder | None) -> list[DateFound]:
    """Every date in the text, left to right. `order` decides 03/04/2020; None reads it day first."""
    found: list[DateFound] = []
    for date in _matches(text, order):
        if not any(date.start < other.end and other.start < date.end for other in found):
            found.append(date)
    return sorted(found)


def parse_date(text: str, order: DateOrder | None) -> str | None:
    """The one date that the text holds, also as bare yyyymmdd; None where there is none or several different ones."""
    values = {date.value for date in find_dates(text, order)}
    if not values and (compact := _COMPACT.fullmatch(text.strip())):
        return _iso(*compact.groups())
    return values.pop() if len(values) == 1 else None


def vote_date_order(texts: Iterable[str]) -> DateOrder | None:
    """The order that the document's unambiguous numeric dates show; None where none of them tells or they tie."""
    votes = Counter(order for text in texts for _, order in _ordered(text))
    if votes["day_first"] == votes["month_first"]:
        return None
    return "day_first" if votes["day_first"] > votes["month_first"] else "month_first"


def count_date_order(texts: Iterable[str], order: DateOrder) -> int:
    """How many different unambiguous dates show this order, less those that show the other."""
    shown = {pair for text in texts for pair in _ordered(text)}
    return sum(1 if shows == order else -1 for _, shows in shown)


def _ordered(text: str) -> Iterator[tuple[str, DateOrder]]:
    """Each numeric date of which one number can only be the day, with the order that it shows."""
    for match in _NUMERIC.finditer(text):
        first, second = int(match[1]), int(match[3])
        if second <= 12 < first <= 31:
            yield match[0], "day_first"
        elif first <= 12 < second <= 31:
            yield match[0], "month_first"


def _matches(text: str, order: DateOrder | None) -> Iterator[DateFound]:
    """Candidates, surest form first."""
    if not any(char.isdigit() for char in text):
        return
    for form in (_HANGUL, _YEAR_FIRST):
        for match in form.finditer(text):
            parts = match.groups() if form is _HANGUL else (match[1], match[3], match[4])
            yield from _found(match, _iso(*parts))
    for match in _NUMERIC.finditer(text):
        yield from _numeric(match, order)
    for match in _DAY_NAME.finditer(text):
        yield from _found(match, _iso(match[3], MONTHS[match[2].lower()], match[1]))
    for match in _NAME_DAY.finditer(text):
        yield from _found(match, _iso(match[3], MONTHS[match[1].lower()], match[2]))


def _numeric(match: re.Match[str], order: DateOrder | None) -> Iterator[DateFound]:
    """The order asked for where it gives a date, else the other one."""
    day_first = _iso(match[4], match[3], match[1])
    month_first = _iso(match[4], match[1], match[3])
    values = (month_first, day_first) if order == "month_first" else (day_first, month_first)
    value = values[0] or values[1]
    yield from _found(match, value, ambiguous=None not in values and day_first != month_first)


def _found(match: re.Match[str], value: str | None, *, ambiguous: bool = False) -> Iterator[DateFound]:
    if value is not None:
        yield DateFound(match.start(), match.end(), value, ambiguous)


def _iso(year: str | int, month: str | int, day: str | int) -> str | None:
    full = int(year) + (0 if int(year) >= 100 else 2000 if int(year) < 70 else 1900)
    try:
        date = datetime.date(full, int(month), int(day))
    except ValueError:
        return None
    return date.isoformat() if FIRST_YEAR <= full <= LAST_YEAR else None
