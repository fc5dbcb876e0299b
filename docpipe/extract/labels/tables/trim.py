"""Rows at a table's end that are none: charges, taxes and totals whose labels are in no list. Knows shapes, places and sums, no label."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from statistics import median

from docpipe.extract.labels.tables.columns import place_of
from docpipe.extract.labels.tables.lines import PAGE
from docpipe.extract.labels.tables.numbers import Separator
from docpipe.extract.labels.tables.products import is_tax
from docpipe.extract.labels.tables.rows import Row

USUAL = 0.8  # of the other rows have a cell that this one lacks
ALIGNED = 6.0  # points: descriptions of one table start together
APART = 1.4  # times the widest step between rows' lines


def trimmed(rows: Sequence[Row], separator: Separator) -> tuple[list[Row], list[Row]]:
    """The rows, and what stands at their end without being one: it lacks the cells that rows here have and stands apart from them, or
    is a tax on what is above it."""
    kept = list(rows)
    dropped: list[Row] = []
    while len(kept) > 1 and _odd(kept[-1], kept[:-1], separator):
        dropped.insert(0, kept.pop())
    return kept, dropped


def _odd(last: Row, others: Sequence[Row], separator: Separator) -> bool:
    usual = {role for role in ("quantity", "unit_price") if sum(role in row.cells for row in others) >= USUAL * len(others)}
    if usual & last.cells.keys():
        return False
    if _is_tax_row(last, others, separator):
        return True
    described = sum(bool(row.description) for row in others) >= USUAL * len(others)
    if not usual:
        return described and not last.description
    return (described and not last.description) or _elsewhere(last, others) or _apart(last, others)


def _is_tax_row(last: Row, others: Sequence[Row], separator: Separator) -> bool:
    amount = last.amount.value(separator)
    values = [value for row in others if (value := row.amount.value(separator)) is not None]
    if amount is None or not values:
        return False
    rate = last.cells.get("tax_rate")
    rates = [value] if rate is not None and (value := rate.value(separator)) is not None else []
    return is_tax(amount, sum(values, Decimal(0)), rates) or (
        is_tax(amount, values[-1], rates) and values[-1] == sum(values[:-1], Decimal(0))
    )


def _elsewhere(last: Row, others: Sequence[Row]) -> bool:
    """Its description starts where no other does."""
    starts = [row.description[0].x0 for row in others if row.description]
    return bool(starts and last.description) and all(abs(last.description[0].x0 - start) > ALIGNED for start in starts)


def _apart(last: Row, others: Sequence[Row]) -> bool:
    """It stands further below the row above than any row of the table does, on the same page."""
    places = [_bottom(row) for row in others]
    tops = [_top(row) for row in (*others, last)]
    steps = [top - bottom for bottom, top in zip(places, tops[1:], strict=True)]
    usual = [step for step, (one, other) in zip(steps[:-1], pairwise(others), strict=True) if one.amount.page == other.amount.page]
    height = median(row.amount.height for row in others)
    widest = max(usual, default=1.5 * height)
    return steps[-1] < PAGE / 2 and steps[-1] > APART * max(widest, height)


def _top(row: Row) -> float:
    first = min((phrase.box[1] + phrase.box[3]) / 2 for phrase in row.description) if row.description else row.amount.y
    return place_of(row.amount) - row.amount.y + min(first, row.amount.y)


def _bottom(row: Row) -> float:
    last = max((phrase.box[1] + phrase.box[3]) / 2 for phrase in row.description) if row.description else row.amount.y
    return place_of(row.amount) - row.amount.y + max(last, row.amount.y)
