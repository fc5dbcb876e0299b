"""What holds of a table and its totals, and how much that proves. Knows relations, no page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations

from docpipe.extract.labels.tables.breakdown import TaxLine
from docpipe.extract.labels.tables.lines import Line
from docpipe.extract.labels.tables.numbers import CENT, Number, Separator, close, runs_of
from docpipe.extract.labels.tables.products import EXACT, HUNDRED, product_rule
from docpipe.extract.labels.tables.rows import Row
from docpipe.extract.labels.tables.solve import Solution
from docpipe.extract.labels.tables.table import Table
from docpipe.extract.labels.tables.totals import Total

ASKED = 3  # rows that must all fail before the product relation is said not to exist
MOST_ROWS = 14  # for the search of a subset
PLAIN_LABEL, SURE_LABEL = 0.5, 0.8
Verdicts = tuple[str | None, ...]
NOT_ASKED = "n/a"


@dataclass(frozen=True)
class Checks:
    """`named`: relation -> holds, fails, or None where the document does not have it. `level` 0..5, see `judge`."""

    level: int
    named: dict[str, bool | None]


@dataclass(frozen=True, eq=False)
class Found:
    """One reading of the whole document with one separator."""

    objective: float
    separator: Separator
    table: Table | None
    solution: Solution
    tax_lines: Sequence[TaxLine]
    products: Verdicts
    checks: Checks
    candidates: dict[str, list[Total]]
    lines: Sequence[Line]


def verdicts(rows: Sequence[Row], separator: Separator) -> Verdicts:
    """For every row the product rule that holds, None where none does, `n/a` where it cannot be asked or does not exist here."""
    found = [_verdict(row, separator) for row in rows]
    if len(found) >= ASKED and not any(holds(verdict) for verdict in found):
        return (NOT_ASKED,) * len(found)
    return tuple(found)


def holds(verdict: str | None) -> bool:
    """Some product rule holds."""
    return verdict is not None and verdict != NOT_ASKED


def value_of(row: Row, role: str, separator: Separator) -> Decimal | None:
    """The row's number for the role as a decimal."""
    number = row.cells.get(role)
    return number.value(separator) if number is not None else None


def rows_total(rows: Sequence[Row], separator: Separator) -> Decimal | None:
    """What the rows add up to, those that are part of another left out; None where one has no value."""
    values = [row.amount.value(separator) for row in rows if not row.included]
    return sum((value for value in values if value is not None), Decimal(0)) if values and None not in values else None


def judge(table: Table | None, solution: Solution, tax_lines: Sequence[TaxLine], products: Verdicts, separator: Separator) -> Checks:
    """0: a relation fails; 1: none fails; 2: the rows add up to net or gross; 3: and net + tax = gross (or every row multiplies and there
    is no tax); 4: both; 5: and what is no arithmetic: net and gross are labelled, the header names quantity, price and amount, every
    row multiplies exactly, the rates give the tax, and no amount is left unexplained."""
    rows = table.rows if table else ()
    named: dict[str, bool | None] = {
        "rows_sum": solution.checks.get("rows_sum") if rows else None,
        "net_tax_gross": solution.checks.get("net_tax_gross"),
        "products": _all_hold(products),
        "rates": rates_hold(rows, solution, separator),
        "breakdown": solution.checks.get("breakdown"),
        "due": solution.checks.get("due"),
        "labelled": labelled_totals(solution),
        "header": named_by_header(table),
        "leftover": None if table is None or not rows else not leftover(table, solution, tax_lines, separator),
    }
    return Checks(_level(named, solution, rows, products), named)


def _level(named: dict[str, bool | None], solution: Solution, rows: Sequence[Row], products: Verdicts) -> int:
    if any(named[check] is False for check in ("rows_sum", "net_tax_gross", "products", "rates", "breakdown", "due")):
        return 0
    if not named["rows_sum"]:
        return 1
    every = bool(products) and all(map(holds, products)) and any("quantity" in row.cells for row in rows)
    whole = named["net_tax_gross"] is True
    if not (whole and every):
        return 3 if whole or (every and "tax" not in solution.totals) else 2
    exact = all(verdict in EXACT for verdict in products) and all("quantity" in row.cells for row in rows if not row.included)
    rates = named["rates"] is True or not any("tax_rate" in row.cells for row in rows)
    sure = bool(named["labelled"] and named["header"] and named["leftover"] and solution.exact)
    return 5 if exact and rates and sure else 4


def _verdict(row: Row, separator: Separator) -> str | None:
    if "unit_price" not in row.cells:
        return NOT_ASKED
    values = [value_of(row, role, separator) for role in ("quantity", "unit_price", "amount", "discount", "tax_rate")]
    return product_rule(*values)


def _all_hold(products: Verdicts) -> bool | None:
    asked = [verdict for verdict in products if verdict != NOT_ASKED]
    return all(map(holds, asked)) if asked else None


def labelled_totals(solution: Solution) -> bool:
    """Net and gross stand beside labels of theirs."""
    net, gross = solution.totals.get("net"), solution.totals.get("gross")
    return bool(net and gross and net.label_score >= PLAIN_LABEL and gross.label_score >= PLAIN_LABEL)


def named_by_header(table: Table | None) -> bool:
    """The header names the columns taken for quantity, unit price and amount so."""
    return (
        table is not None and table.header is not None and all(table.label(r) >= PLAIN_LABEL for r in ("quantity", "unit_price", "amount"))
    )


def rates_hold(rows: Sequence[Row], solution: Solution, separator: Separator) -> bool | None:
    """Do the rows' tax rates give the printed tax? None where it cannot be asked: no rates, or charges in between."""
    tax, total = solution.totals.get("tax"), rows_total(rows, separator)
    own = [row for row in rows if not row.included]
    if tax is None or not own or total is None or not all("tax_rate" in row.cells for row in own):
        return None
    pairs = [(value_of(row, "tax_rate", separator), row.amount.value(separator)) for row in own]
    sure = [(rate, amount) for rate, amount in pairs if rate is not None and amount is not None]
    target = solution.totals.get(solution.rows_to or "")
    if len(sure) < len(pairs) or target is None or not close(total, target.value):
        return None
    return _tax_fits(sure, tax.value, inclusive=solution.rows_to == "gross")


def _tax_fits(pairs: Sequence[tuple[Decimal, Decimal]], tax: Decimal, *, inclusive: bool) -> bool:
    bases: dict[Decimal, Decimal] = defaultdict(Decimal)
    for rate, amount in pairs:
        bases[rate] += amount
    slack = Decimal("0.0101") * max(1, len(bases))
    if inclusive:
        return close(sum((_cents(base * rate / (HUNDRED + rate)) for rate, base in bases.items()), Decimal(0)), tax, slack)
    by_rate = sum((_cents(base * rate / HUNDRED) for rate, base in bases.items()), Decimal(0))
    by_row = sum((_cents(amount * rate / HUNDRED) for rate, amount in pairs), Decimal(0))
    return close(by_rate, tax, slack) or close(by_row, tax, Decimal("0.0051"))


def _cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def leftover(table: Table, solution: Solution, tax_lines: Sequence[TaxLine], separator: Separator) -> list[Number]:
    """Money under the amount column, from the header to gross, that no row, total, tax line, adjustment or sum so far accounts for."""
    gross = solution.totals.get("gross")
    if gross is None:
        return []
    amounts = table.assignment.columns["amount"]
    used = {id(row.amount) for row in table.rows}
    known = {abs(total.value) for total in (*solution.totals.values(), *solution.adjusted.values())}
    known |= {abs(number) for line in tax_lines for number in (line.base, line.tax)}
    known |= {sum((n.value(separator) or Decimal(0) for n in some), Decimal(0)) for some in _parts(solution)}
    sums = set(runs_of([row.amount.value(separator) or Decimal(0) for row in table.rows]))
    return [
        number
        for line in table.lines
        if table.start - 1 <= line.place <= gross.line.place
        for number in line.numbers
        if number.money and id(number) not in used and number.x1 >= amounts.x0 and number.x0 <= amounts.x1
        if not _explained(number.value(separator), known, sums)
    ]


def _parts(solution: Solution) -> list[tuple[Number, ...]]:
    """The single numbers of a total that is the sum of several."""
    return [(number,) for total in solution.totals.values() if len(total.numbers) > 1 for number in total.numbers]


def _explained(value: Decimal | None, known: set[Decimal], sums: set[Decimal]) -> bool:
    return value is not None and (value == 0 or abs(value) in known or value in sums)


def implied_rates(rows: Sequence[Row], tax_lines: Sequence[TaxLine], solution: Solution, separator: Separator) -> list[TaxLine] | None:
    """For rows that print no rate the tax line of each: the only one, or the one of the only subset of rows that adds up to its base."""
    if not rows or not tax_lines or any("tax_rate" in row.cells for row in rows) or solution.rows_to != "net":
        return None
    amounts = [row.amount.value(separator) or Decimal(0) for row in rows]
    by_rate = list({line.rate: line for line in reversed(tax_lines)}.values())
    if len(by_rate) == 1:
        return by_rate * len(rows) if close(by_rate[0].base, sum(amounts, Decimal(0))) else None
    if len(by_rate) != 2 or len(rows) > MOST_ROWS:
        return None
    first, second = by_rate
    if not close(first.base + second.base, sum(amounts, Decimal(0))):
        return None
    subsets = [
        some
        for count in range(1, len(rows))
        for some in combinations(range(len(rows)), count)
        if close(sum((amounts[row] for row in some), Decimal(0)), first.base)
    ]
    if len(subsets) != 1:
        return None
    return [first if row in subsets[0] else second for row in range(len(rows))]
