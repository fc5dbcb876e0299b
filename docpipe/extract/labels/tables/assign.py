"""Which column is the amount, the quantity, the unit price: header labels and arithmetic decide together. Knows no page."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from docpipe.extract.labels.tables.columns import MOST_COLUMNS, Column, aligned, attach, place_of
from docpipe.extract.labels.tables.numbers import Number, Separator
from docpipe.extract.labels.tables.products import RATES, product_rule

SAMPLE = 40  # rows that take part in the choice
PRODUCT_WEIGHT = 3.0
AGAINST = 0.6  # the header names another role
MOST_MONEY = 0.6  # of a column's numbers: then the others are no amounts
SURE = 0.6
CURRENCY = 1.0  # against a quantity printed with a currency mark
COUNTS = 1.5  # against a column of bare counts that no header calls an amount, beside a column of money
Values = list[Decimal | None]


@dataclass(frozen=True)
class Assignment:
    """Role -> column, and how well header and arithmetic agree. `anchors` are the amounts, one for each row."""

    score: float
    columns: dict[str, Column]
    anchors: tuple[Number, ...]


@dataclass(frozen=True)
class _Options:
    """The columns of one table with their values side by side for one choice of the amount."""

    columns: Sequence[Column]
    amount: int
    rows: int
    amounts: Values
    values: list[Values]
    discount: int | None
    rate: int | None


def assign(columns: Sequence[Column], separator: Separator, later: Collection[Decimal], custom: Collection[str] = ()) -> Assignment | None:
    """The best choice of roles; None without a column of amounts. `later` are the values printed below the table; `custom` the roles
    only this schema knows."""
    columns = _fewer(columns)
    best: tuple[float, int, int | None, int | None] | None = None
    for amount, base, options in _amounts(columns, separator, later):
        for bound, quantity, price in _pairs(options):
            if best is not None and base + bound + PRODUCT_WEIGHT <= best[0]:
                break
            score = base + bound + _products(options, quantity, price)
            if best is None or score > best[0] + 1e-9:
                best = (score, amount, quantity, price)
    if best is None:
        return None
    score, amount, quantity, price = best
    chosen = {"amount": columns[amount]}
    chosen |= {role: columns[place] for role, place in (("quantity", quantity), ("unit_price", price)) if place is not None}
    rest = [column for column in columns if column not in chosen.values()]
    chosen |= _others(rest, separator, custom)
    return Assignment(score, chosen, tuple(anchors_of(columns[amount])))


def anchors_of(column: Column) -> list[Number]:
    """The column's amounts: only those shaped like money where most are, only those that share the column's edge."""
    money = [number for number in column.numbers if number.money]
    numbers = money if len(money) >= MOST_MONEY * len(column.numbers) else list(column.numbers)
    return sorted(aligned(numbers, column.head), key=place_of)


def _fewer(columns: Sequence[Column]) -> list[Column]:
    kept = sorted(columns, key=lambda column: (column.named, len(column.numbers)), reverse=True)[:MOST_COLUMNS]
    return sorted(kept, key=lambda column: column.x0)


def _amounts(columns: Sequence[Column], separator: Separator, later: Collection[Decimal]) -> Iterator[tuple[int, float, _Options]]:
    """Every column that may be the amount, best first, with what speaks for it alone."""
    found = []
    for place, column in enumerate(columns):
        if all(number.percent for number in column.numbers):
            continue
        anchors = anchors_of(column)
        values = [number.value(separator) for number in anchors]
        if any(value is not None for value in values):
            others = any(other is not column and _price_share(other) >= 0.5 for other in columns)
            score = _amount_score(column, anchors, values, later, last=place == len(columns) - 1, others=others)
            found.append((score, place, anchors))
    for score, place, anchors in sorted(found, key=lambda one: -one[0]):
        sample = anchors[:SAMPLE]
        side = [[n.value(separator) if n else None for n in attach(sample, column)] for column in columns]
        amounts = [number.value(separator) for number in sample]
        yield place, score, _Options(columns, place, len(sample), amounts, side, _headed(columns, "discount"), _headed(columns, "tax_rate"))


def _headed(columns: Sequence[Column], role: str) -> int | None:
    return next((place for place, column in enumerate(columns) if column.score(role) >= SURE), None)


def _amount_score(
    column: Column, anchors: Sequence[Number], values: Values, later: Collection[Decimal], *, last: bool, others: bool
) -> float:
    """What speaks for the column being the amounts; `others`: another column has the form of money."""
    good = [value for value in values if value is not None]
    total = sum(good, Decimal(0))
    score = 1.2 * column.score("amount") - AGAINST * (column.named and not column.score("amount"))
    score += 0.5 * sum(number.money for number in anchors) / len(anchors) + 0.3 * last + 0.2 * (column.score("base") > 0)
    score += (2.0 if len(good) > 1 else 0.5) * (total in later and total != 0)
    plain = not column.score("amount") and 2 * sum(number.money for number in anchors) < len(anchors)
    return score - 2.0 * (1 - len(good) / len(values)) + 0.05 * min(10, len(anchors)) - COUNTS * (plain and others)


def _role_score(column: Column, role: str, unnamed: float) -> float:
    if not column.named:
        return -unnamed
    return column.score(role) - AGAINST * (not column.score(role))


def _pairs(options: _Options) -> list[tuple[float, int | None, int | None]]:
    """Every choice of quantity and unit price, or of none, best first by what the header says."""
    places: list[int | None] = [
        None, *(p for p, column in enumerate(options.columns) if p != options.amount and not any(n.percent for n in column.numbers))
    ]  # fmt: skip
    found = []
    for quantity in places:
        for price in places:
            if quantity is None or quantity != price:
                found.append((_pair_score(options, quantity, price), quantity, price))
    return sorted(found, key=lambda pair: -pair[0])


def _pair_score(options: _Options, quantity: int | None, price: int | None) -> float:
    columns = options.columns
    score = 0.0 if quantity is None else _role_score(columns[quantity], "quantity", 0.4)
    score += 0.0 if price is None else _role_score(columns[price], "unit_price", 0.3)
    if quantity is not None and any(number.form.currency for number in columns[quantity].numbers):
        score -= CURRENCY
    if price is not None and quantity is not None:
        # Multiplication commutes: only order and form tell the price from the quantity where no header does.
        score += 0.05 * (quantity < price) + 0.05 * (price < options.amount)
        score += 0.4 * (_price_share(columns[price]) - _price_share(columns[quantity]))
    return score


def _price_share(column: Column) -> float:
    return sum(number.fraction for number in column.numbers) / len(column.numbers)


def _products(options: _Options, quantity: int | None, price: int | None) -> float:
    """What the products of the rows add to the score."""
    if price is None:
        return 0.0
    counts = options.values[quantity] if quantity is not None else [None] * options.rows
    discounts = _unless(options, options.discount, quantity, price)
    rates = _unless(options, options.rate, quantity, price)
    asked = held = trivial = 0
    for row in range(options.rows):
        count, each, amount = counts[row], options.values[price][row], options.amounts[row]
        if each is None or amount is None or (quantity is not None and count is None):
            continue
        asked += 1
        held += product_rule(count, each, amount, discounts[row], rates[row]) is not None
        trivial += count is None or abs(count) == 1
    if not asked:
        return 0.0
    if quantity is None:
        return 0.5 * held / options.rows
    return PRODUCT_WEIGHT * held / options.rows * (0.5 if trivial == asked else 1.0) - (1.0 if held < 0.5 * asked else 0.0)


def _unless(options: _Options, place: int | None, *taken: int | None) -> Values:
    return [None] * options.rows if place is None or place in taken else options.values[place]


def _others(rest: list[Column], separator: Separator, custom: Collection[str]) -> dict[str, Column]:
    """The remaining columns by their headers; a tax rate also by its form."""
    chosen: dict[str, Column] = {}
    for role in ("discount", "tax_rate", *custom, "position", "tax_amount", "date", "base", "sku", "gross_price"):
        scored = [(c.score(role) + (0.6 if role == "tax_rate" and _is_rates(c, separator) else 0.0), c) for c in rest]
        score, column = max(scored, key=lambda pair: pair[0], default=(0.0, None))
        if column is not None and score >= SURE:
            chosen[role] = column
            rest.remove(column)
    return chosen


def _is_rates(column: Column, separator: Separator) -> bool:
    rates = [number.percent and number.value(separator) in RATES for number in column.numbers]
    return sum(rates) > 0.7 * len(rates)
