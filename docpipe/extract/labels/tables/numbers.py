"""Printed numbers as they stand in words. Knows their forms and, given a decimal separator, their values; no label and no role."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from docpipe.extract.labels.layout import box_of
from docpipe.records import Box, Word
from docpipe.values.amounts import CURRENCY_MARKS

Separator = Literal[".", ","]
SEPARATORS: tuple[Separator, ...] = (".", ",")
CENT = Decimal("0.01")

# Fonts map currency signs to odd glyphs, so any lone glyph that is no letter, digit or punctuation counts as one.
_ODD = r"[^\w\s.,()%\-–−+:;/*#&@|'’\"“”„<>=!?\[\]{}~•●]"
_MARK = "|".join(sorted(map(re.escape, CURRENCY_MARKS), key=len, reverse=True))
_CURRENCY = rf"(?:{_MARK}|{_ODD})"
_UNIT = r"(?:x|stk|stck|st|pcs|pc|kg|g|l|h|m|m2|m²|m3|m³|std|km|gb|mb|kwh|ea|un|u|ltr|min|ml|cm|mm|개|個|件)"
_NUMBER = re.compile(
    rf"(?P<open>\(?)(?P<sign>[-–−+]?)(?P<before>{_CURRENCY})?(?P<inner>[-–−]?)"
    rf"(?P<core>\d(?:[\d.,'’]*\d)?|[.,]\d\d)(?P<dash>[.,][-–]{{1,2}})?(?P<trail>[-–−]?)(?P<after>{_CURRENCY}|%|{_UNIT})?(?P<close>\)?)[:;*]?",
    re.IGNORECASE,
)
_UNIT_WORD = re.compile(rf"(?:{_CURRENCY}|%|[^\W\d_]{{1,8}}\.?|[A-Za-z²³/()]{{1,8}}|[-–])", re.IGNORECASE)
_LONE_MARK = re.compile(_CURRENCY, re.IGNORECASE)
_LEAD = re.compile(rf"[-–−+(]|{_CURRENCY}[-–−]?|[-–−]{_CURRENCY}", re.IGNORECASE)
_PRICE_SHAPE = re.compile(r"[.,](?:\d\d|\d{4,})$")
_MONEY_SHAPE = re.compile(r"[.,]\d\d$|^\d{1,3}(?:[.,'’ ]\d{3})+$")
_LIKE_DIGITS = re.compile(r"[-(]?[\dOolISB.,]*[.,][\dOolISB]{2}[)%€$-]?")
_AS_DIGITS = str.maketrans("OolISB", "001158")
_GROUP = re.compile(r"\d{3}(?:[.,]\d{2,4})?")
_THIN = str.maketrans("", "", "\u00a0\u2009\u202f\u2007")
_LETTERS = re.compile(r"[^\W\d_]{2}")
MOST_DIGITS = 15  # a longer number is the number of something
JOIN_GAP = 0.4  # of the text height: `1 234,56` is one number


class Form(NamedTuple):
    """What a string says as a number: `core` its digits and separators; `whole`: a dash stands for the decimals (`12,-`), `unit`: a unit
    is glued to it."""

    core: str
    negative: bool
    percent: bool
    currency: bool
    whole: bool = False
    unit: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Number:
    """A printed number. `before` is the text left of it in its phrase; `alone`: it is a cell, with at most a unit beside it."""

    form: Form
    words: tuple[Word, ...]
    page: int
    x0: float
    x1: float
    y: float
    height: float
    before: str = ""
    alone: bool = False

    @property
    def core(self) -> str:
        return self.form.core

    @property
    def percent(self) -> bool:
        return self.form.percent

    @property
    def raw(self) -> str:
        """As printed, without the unit beside it."""
        return " ".join(word.text for word in self.words)

    @property
    def box(self) -> Box:
        return box_of(self.words)

    @property
    def centre(self) -> float:
        return (self.x0 + self.x1) / 2

    @property
    def money(self) -> bool:
        """It has the form of money: a currency mark, two decimal places, or thousands set apart."""
        return self.form.currency or self.form.whole or _MONEY_SHAPE.search(self.form.core) is not None

    @property
    def fraction(self) -> bool:
        """It has the form of a price: a currency mark or two decimal places or more."""
        return self.money or _PRICE_SHAPE.search(self.form.core) is not None

    def value(self, separator: Separator) -> Decimal | None:
        """With this decimal separator; None where the number cannot be written so."""
        value = read(self.form.core, separator)
        return -value if value is not None and self.form.negative else value

    def __repr__(self) -> str:
        return f"<{self.raw}@{self.x0:.0f},{self.y:.0f}>"


@lru_cache(maxsize=65536)
def read(core: str, separator: Separator) -> Decimal | None:
    """`1.234,50` with `,` -> 1234.50; None where groups and decimals do not fit, or it is too long for an amount."""
    group = "," if separator == "." else "."
    text = ("0" + core if core[0] in ".," else core).replace("’", "'")
    form = (
        rf"(?:\d{{1,3}}(?:[{re.escape(group)}' ]\d{{3}})+|\d{{1,2}}(?:{re.escape(group)}\d{{2}})+{re.escape(group)}\d{{3}}|\d+)"
        rf"(?:{re.escape(separator)}\d+)?"
    )
    if sum(map(str.isdigit, text)) > MOST_DIGITS or not re.fullmatch(form, text):
        return None
    return Decimal(re.sub(rf"[{re.escape(group)}' ]", "", text).replace(separator, "."))


@lru_cache(maxsize=65536)
def form_of(text: str) -> Form | None:
    """The number that one word is; None for any other word, a date too. Letters that look like digits count in a word shaped like money."""
    text = text.translate(_THIN)
    match = _NUMBER.fullmatch(text)
    if match is None and _LIKE_DIGITS.fullmatch(text) and 2 * sum(map(str.isdigit, text)) >= sum(map(str.isalnum, text)):
        match = _NUMBER.fullmatch(text.translate(_AS_DIGITS))
    if match is None or all(read(match["core"], mark) is None for mark in SEPARATORS):
        return None
    after = (match["after"] or "").lower()
    mark = bool(match["before"]) or bool(after and _LONE_MARK.fullmatch(after))
    negative = bool(match["open"] and match["close"]) or match["sign"] in ("-", "–", "−") or bool(match["inner"] or match["trail"])
    unit = bool(after) and not mark and after != "%"
    return Form(match["core"], negative, after == "%", mark, bool(match["dash"]), unit)


def votes(numbers: Iterable[Number]) -> Counter[Separator]:
    """How many numbers show by their form which separator is decimal."""
    count: Counter[Separator] = Counter()
    for number in numbers:
        match = re.search(r"([.,])(\d+)$", number.core)
        if match and (len(match[2]) in (1, 2, 4) or {".", ","} <= set(number.core)):
            count["." if match[1] == "." else ","] += 1
    return count


def numbers_of(phrase: Sequence[Word], page: int, y: float, height: float) -> list[Number]:
    """The numbers of one phrase, left to right, each knowing whether the phrase is a cell of numbers."""
    found: list[tuple[int, int, Form]] = []
    text: list[int] = []
    place = 0
    while place < len(phrase):
        form, count = _number_at(phrase, place, height)
        if form is None:
            text.append(place)
            place += 1
            continue
        found.append((place, count, form))
        place += count
    if not found:
        return []
    alone = _is_cell(phrase, found, text)
    return [
        Number(
            form,
            tuple(phrase[start : start + count]),
            page,
            phrase[start].x0,
            phrase[start + count - 1].x1,
            y,
            height,
            " ".join(phrase[i].text for i in text if i < start),
            alone,
        )
        for start, count, form in found
    ]


def _is_cell(phrase: Sequence[Word], found: Sequence[tuple[int, int, Form]], text: Sequence[int]) -> bool:
    """Nothing but numbers and a unit or two, the first word being a number."""
    words = [phrase[i].text for i in text]
    if not all(map(_UNIT_WORD.fullmatch, words)) or sum(len(word) > 2 for word in words) > 1:
        return False
    if any(form.unit for _, _, form in found) and any(map(has_letters, words)):
        return False
    if len(found) > 1:
        return len(text) <= len(found) and not (text and text[0] == 0 and _LETTERS.search(phrase[0].text))
    return len(text) <= 2 and (not text or text[0] > 0 or _LONE_MARK.fullmatch(phrase[0].text) is not None)


def _number_at(phrase: Sequence[Word], place: int, height: float) -> tuple[Form | None, int]:
    """The number that starts at this word, and how many words it takes."""
    form, count = form_of(phrase[place].text), 1
    following = phrase[place + 1].text if place + 1 < len(phrase) else ""
    if form is None and following and _LEAD.fullmatch(phrase[place].text):
        form, count = form_of(phrase[place].text + following), 2
    if form is None:
        return None, 1
    if not form.percent:
        form, count = _joined(phrase, place, count, form, height)
    if place + count < len(phrase) and phrase[place + count].text == "%":
        form, count = form._replace(percent=True), count + 1
    return form, count


def _joined(phrase: Sequence[Word], place: int, count: int, form: Form, height: float) -> tuple[Form, int]:
    """`1 234,56`: groups of three digits close behind, where the tail shows decimals."""
    if not re.fullmatch(r"\d{1,3}", form.core):
        return form, count
    end, core = place + count, form.core
    while end < len(phrase) and phrase[end].x0 - phrase[end - 1].x1 < JOIN_GAP * height:
        tail = form_of(phrase[end].text)
        if tail is None or not _GROUP.fullmatch(tail.core) or (tail.negative and not form.negative):
            break
        core, end = f"{core} {tail.core}", end + 1
        if "." in tail.core or "," in tail.core:
            return Form(core, form.negative, tail.percent, form.currency or tail.currency), end - place
    return form, count


def has_letters(text: str) -> bool:
    """At least two letters in a row: a word, not a mark."""
    return _LETTERS.search(text) is not None


def close(one: Decimal, other: Decimal, tolerance: Decimal = Decimal("0.005")) -> bool:
    """Equal within the tolerance."""
    return abs(one - other) <= tolerance


def runs_of(values: Sequence[Decimal]) -> list[Decimal]:
    """The sums so far, one for each value."""
    sums = [Decimal(0)]
    for value in values:
        sums.append(sums[-1] + value)
    return sums[1:]
