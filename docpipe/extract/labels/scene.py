"""One document as the labels engine sees it: its pages, the labels on them, how it writes numbers and dates, and the typed values in it.

Knows no scores. Everything is found once and kept.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property

from docpipe.extract.labels.blocks import Block, find_blocks
from docpipe.extract.labels.index import Place, is_mark, place_of
from docpipe.extract.labels.label import Labels
from docpipe.extract.labels.layout import PageLayout, Segment
from docpipe.extract.labels.lexicon import MAIL_HOSTS, RANGE_JOINT, ROUNDING_WORD
from docpipe.extract.labels.matching import find_labels
from docpipe.extract.labels.pairing import Pairing
from docpipe.extract.labels.phrases import Target
from docpipe.records import Box, DateOrder, Locale
from docpipe.values.amounts import CURRENCY_MARKS, AmountFound, find_amounts, vote_decimal
from docpipe.values.dates import count_date_order, find_dates, vote_date_order
from docpipe.values.identifiers import find_currencies
from docpipe.values.text import squash

_DOMAIN = re.compile(r"(?:www\.|@|https?://)((?:[\w\-]+\.)+)[a-z]{2,}", re.IGNORECASE)
# `$ 1,400`: an amount with three digits after its only separator; what groups there is no decimal separator.
_GROUPED = re.compile(r"(?:[$€£¥₩₹]|RM|USD|EUR)\s?\d{1,3}([.,])\d{3}(?![\d.,])")
GROUPED_FIT, WHOLE_FIT = 0.55, 0.9  # of `1,500`: beside amounts with decimals, and where no amount has them
_LETTER_PAPER = (612.0, 792.0)


@dataclass(frozen=True, eq=False)
class Option:
    """A value that a field could have. `paired` says that labels are to be looked for round `place`; a block of lines is not paired.
    `features` are what its maker knows about it, for the score and for the confidence model."""

    place: Place
    value: str | bool
    raw: str
    fit: float
    box: Box
    paired: bool = True
    features: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Money:
    """A printed amount that could be one, with how surely it is money."""

    place: Place
    value: Decimal
    fit: float
    found: AmountFound


@dataclass(frozen=True, eq=False)
class Day:
    """A printed date. `role` is 1 for the first and -1 for the last day of a period, 0 for a date by itself."""

    place: Place
    value: str
    role: int = 0
    slash: bool = False


class Scene:
    """A document's pages and a schema's targets, put together."""

    def __init__(self, layouts: Sequence[PageLayout], targets: Sequence[Target]) -> None:
        self.layouts = tuple(layouts)
        self.targets = tuple(targets)
        self.labels: Labels = find_labels(self.layouts, self.targets)
        self.pairing = Pairing(self.layouts, self.labels)
        self.by_number = {page.number: page for page in self.layouts}

    def page(self, place: Place | Segment) -> PageLayout:
        return self.by_number[place.page]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        return tuple(text for page in self.layouts for text in page.texts)

    @cached_property
    def whole_text(self) -> str:
        return "\n".join(self.texts)

    @cached_property
    def squashed(self) -> tuple[str, ...]:
        return tuple(squash(text) for text in self.texts)

    @cached_property
    def locale(self) -> Locale:
        """What most numbers and dates show; None where nothing tells."""
        votes = vote_decimal(self.texts)
        for text in self.texts:
            for mark in _GROUPED.findall(text):
                votes["." if mark == "," else ","] += 1
        decimal = None if not votes else "," if votes[","] > votes["."] else "."
        return Locale(decimal=decimal, date_order=self._date_order())

    def _date_order(self) -> DateOrder | None:
        if voted := vote_date_order(self.texts):
            return voted
        if any(target.month_first for target in self.targets):
            return "month_first"
        return "month_first" if self._looks_american() else None

    @cached_property
    def order_shown(self) -> float:
        """How many dates show the order that the others are read in, less those that show the contrary; 0 where none does."""
        order = self.locale.date_order
        return float(count_date_order(self.texts, order)) if order else 0.0

    def _looks_american(self) -> bool:
        """Dollars on American paper: its dates put the month first."""
        page = self.layouts[0] if self.layouts else None
        paper = page is not None and abs(page.width - _LETTER_PAPER[0]) < 3 and abs(page.height - _LETTER_PAPER[1]) < 3
        marks = Counter(code for text in self.texts for code in find_currencies(text))
        return paper and bool(marks) and marks.most_common(1)[0][0] == "USD"

    @property
    def decimal(self) -> str:
        return self.locale.decimal or "."

    @cached_property
    def days(self) -> tuple[Day, ...]:
        """Every date, with its role in a period."""
        order = self.locale.date_order
        found = []
        for page in self.layouts:
            for segment in page.segments:
                found += [(segment, date.start, date.end, date.value) for date in find_dates(segment.text, order)]
        return tuple(_days(found))

    @cached_property
    def money(self) -> tuple[Money, ...]:
        """Every amount except percentages. Where none has a currency's small coin, thousands in groups are amounts all the same."""
        found = tuple(money for page in self.layouts for segment in page.segments for money in _moneys(segment, page, self.decimal))
        if any(money.found.decimals == 2 for money in found):
            return found
        return tuple(replace(money, fit=WHOLE_FIT) if money.fit == GROUPED_FIT else money for money in found)

    @cached_property
    def money_counts(self) -> Counter[Decimal]:
        return Counter(money.value for money in self.money if money.fit > 0.5)

    @cached_property
    def largest(self) -> Decimal | None:
        """The largest amount that is surely money."""
        return max(self.money_counts, default=None)

    @cached_property
    def day_counts(self) -> Counter[str]:
        return Counter(day.value for day in self.days)

    @cached_property
    def rounds_cash(self) -> bool:
        return any(ROUNDING_WORD.search(text) for text in self.texts)

    @cached_property
    def columns(self) -> Columns:
        return Columns.of(self)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        return find_blocks(self)

    @cached_property
    def domains(self) -> dict[str, float]:
        """The names in web and mail addresses, each with its share of them: who sends a paper prints its own."""
        found = (squash(match[1].rstrip(".").split(".")[-1]) for text in self.texts for match in _DOMAIN.finditer(text))
        cores = Counter(core for core in found if len(core) >= 4 and core not in MAIL_HOSTS)
        return {core: count / cores.total() for core, count in cores.items()}


@dataclass(frozen=True)
class Columns:
    """What amounts in one column of the page say about each other, by segment and start."""

    sums: frozenset[tuple[Segment, int]]
    followed: frozenset[tuple[Segment, int]]
    last: frozenset[tuple[Segment, int]]

    @classmethod
    def of(cls, scene: Scene) -> Columns:
        """Amounts with one right edge make a column: which are the sum of those above, which have others below, which end it."""
        sums: set[tuple[Segment, int]] = set()
        followed: set[tuple[Segment, int]] = set()
        last: set[tuple[Segment, int]] = set()
        for column in _columns(scene):
            keys = [(money.place.segment, money.place.start) for money in column]
            sums.update(key for place, key in enumerate(keys) if _is_sum(column, place))
            if len(column) >= 3:
                followed.update(keys[:-1])
            if len(column) >= 2:
                last.add(keys[-1])
        return cls(frozenset(sums), frozenset(followed), frozenset(last))


def _columns(scene: Scene) -> list[list[Money]]:
    columns: list[tuple[int, float, list[Money]]] = []
    strong = [money for money in scene.money if money.fit > 0.5]
    for money in sorted(strong, key=lambda money: (money.place.page, money.place.box[1])):
        edge, reach = money.place.box[2], 0.8 * scene.page(money.place).median_height
        for page, known, members in columns:
            if page == money.place.page and abs(known - edge) < reach:
                members.append(money)
                break
        else:
            columns.append((money.place.page, edge, [money]))
    return [members for _, _, members in columns]


def _is_sum(column: Sequence[Money], place: int) -> bool:
    """The amount is the sum of two or more directly above it."""
    total, longest = Decimal(0), 40
    for above in range(place - 1, max(-1, place - longest), -1):
        total += column[above].value
        if total == column[place].value and place - above >= 2 and total:
            return True
    return False


def _moneys(segment: Segment, page: PageLayout, decimal: str) -> list[Money]:
    found = []
    for amount in find_amounts(segment.text, decimal):
        if amount.percent:
            continue
        marked = amount.currency is not None or (amount.start == 0 and _mark_before(segment, page))
        digits = segment.text[amount.start : amount.end]
        grouped = amount.decimals == 0 and bool(re.fullmatch(r"\d{1,3}(?:[.,'’ ]\d{3})+", digits))
        two = amount.decimals == 2
        fit = 1.0 if two and marked else 0.9 if two else 0.75 if marked else GROUPED_FIT if grouped else 0.3
        found.append(Money(place_of(segment, amount.start, amount.end), amount.value, fit, amount))
    return found


def _mark_before(segment: Segment, page: PageLayout) -> bool:
    """The segment left of this one on its line is a currency mark, printed at the other edge of the cell."""
    row = page.lines[segment.line]
    place = row.index(segment)
    if place == 0:
        return False
    text = row[place - 1].text.strip().lower()
    return is_mark(text) and text in CURRENCY_MARKS


def _days(found: Sequence[tuple[Segment, int, int, str]]) -> list[Day]:
    """Dates with their roles: two neighbours on a line, with nothing but a joint between them, are the ends of a period."""
    days = [Day(place_of(segment, start, end), value) for segment, start, end, value in found]
    order = sorted(range(len(days)), key=lambda i: (days[i].place.page, days[i].place.segment.line, days[i].place.box[0]))
    for left, right in itertools.pairwise(order):
        first, second = days[left], days[right]
        joint = _joint(first.place, second.place)
        if joint is not None and not (RANGE_JOINT.fullmatch(joint) is None and joint.strip()):
            slash = joint.strip() == "/"
            if first.role == 0:
                days[left] = replace(first, role=1, slash=slash)
            place = second.place
            days[right] = replace(second, role=-1, slash=slash, place=replace(place, anchor=first.place.box[0]))
    return days


def _joint(first: Place, second: Place) -> str | None:
    """The text between two dates that stand close on one line; None where they are apart, or run together in one segment."""
    one, other = first.segment, second.segment
    if one.page != other.page or one.line != other.line:
        return None
    if one is other:
        return one.text[first.end : second.start].strip() or None
    if other.x0 - one.x1 > 6 * one.height or first.end < len(one.text) - 3 or second.start > 3:
        return None
    return one.text[first.end :] + other.text[: second.start]
