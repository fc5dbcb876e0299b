"""The best reading of a document's table and totals: headers and header-less runs compete in both separators, arithmetic judges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from docpipe.extract.labels.tables.breakdown import tax_lines
from docpipe.extract.labels.tables.checks import Found, Verdicts, holds, judge, rows_total, verdicts
from docpipe.extract.labels.tables.header import Header, find_headers
from docpipe.extract.labels.tables.lines import Line
from docpipe.extract.labels.tables.numbers import SEPARATORS, Separator, runs_of, votes
from docpipe.extract.labels.tables.plan import Plan
from docpipe.extract.labels.tables.products import is_tax
from docpipe.extract.labels.tables.rows import Row
from docpipe.extract.labels.tables.solve import Facts, solve
from docpipe.extract.labels.tables.table import Table, free_table, headed_tables
from docpipe.extract.labels.tables.totals import candidates
from docpipe.extract.labels.tables.trim import trimmed
from docpipe.extract.labels.tables.trust import is_trusted

# Hand-set: a reading must not win by saying less, so every role it finds counts.
TABLE, HEADED, MULTIPLIES, FAILS, ROLE, FORM = 0.4, 1.0, 1.0, 0.3, 0.3, 1.5
CLEAR = 0.9  # of the numbers show one separator: the other is tried only when nothing holds
MOST_VARIANTS = 5
MOST_CHANGES = 3


def best_reading(lines: Sequence[Line], plan: Plan) -> Found | None:
    """The trusted reading that labels, arithmetic and form speak for most; None for a document without lines."""
    headers = find_headers(lines, plan.columns) if plan.items is not None else []
    form = votes(number for line in lines for number in line.numbers)
    best: Found | None = None
    for separator in sorted(SEPARATORS, key=lambda mark: -form[mark]):
        if best is not None and _settled(best, form):
            break
        for found in _readings(lines, headers, plan, separator, form):
            if is_trusted(found) and (best is None or found.objective > best.objective + 1e-9):
                best = found
    return best


def _settled(best: Found, form: Counter[Separator]) -> bool:
    """The numbers' form is clear and some equation holds: the other separator need not be tried."""
    clear = form[best.separator] >= CLEAR * max(1, sum(form.values())) and form[best.separator] >= 3
    return clear and any(best.checks.named[check] for check in ("rows_sum", "net_tax_gross", "products"))


def _readings(
    lines: Sequence[Line], headers: Sequence[Header], plan: Plan, separator: Separator, form: Counter[Separator]
) -> Iterator[Found]:
    if not lines:
        return
    share = form[separator] / (sum(form.values()) or 1)
    yield _finished(lines, plan, separator, None, share)
    if plan.items is None:
        return
    for table in (*headed_tables(lines, headers, plan, separator), free_table(lines, plan, separator)):
        for variant in _variants(table, separator) if table else ():
            yield _finished(lines, plan, separator, variant, share)


def _variants(table: Table, separator: Separator) -> list[Table]:
    """The table as read without carried sums and empty tails; and, where their sum is printed, with fewer rows."""
    rows = list(table.rows)
    while rows and rows[-1].amount.value(separator) == 0 and "quantity" not in rows[-1].cells:
        rows.pop()
    kept, dropped = trimmed(_without_carried(rows, separator), separator)
    table = table.with_rows(kept, changes=_changes(kept, dropped, separator))
    variants = [table]
    printed = {value for line in table.lines for n in line.numbers if (value := n.value(separator)) is not None}
    whole = rows_total(kept, separator)
    for fewer in _fewer(kept, separator) if not whole or whole not in printed else ():
        total = rows_total(fewer, separator)
        if fewer and len(fewer) < len(kept) and total and total in printed:
            variants.append(table.with_rows(fewer, changes=()))
    return variants[:MOST_VARIANTS]


def _changes(kept: Sequence[Row], dropped: Sequence[Row], separator: Separator) -> tuple[Decimal, ...]:
    """What the rows that are none may add to the sum before the net total: nothing that is a tax on it."""
    values = [value for row in dropped[:MOST_CHANGES] if (value := row.amount.value(separator)) is not None]
    total = rows_total(kept, separator) or Decimal(0)
    return tuple(change for change in runs_of(values) if not is_tax(change, total))


def _without_carried(rows: Sequence[Row], separator: Separator) -> list[Row]:
    """Rows that are only an amount equal to the sum so far are carried sums, in any language."""
    run, kept = Decimal(0), list[Row]()
    for row in rows:
        value = row.amount.value(separator)
        if value is not None and len(kept) > 1 and value == run and not {"quantity", "unit_price"} & row.cells.keys():
            continue
        kept.append(row)
        run += value or Decimal(0)
    return kept


def _fewer(rows: Sequence[Row], separator: Separator) -> Iterator[list[Row]]:
    """Readings with fewer rows: those before a row that equals their sum, those with a full shape, those that multiply."""
    usual = Counter(row.shape for row in rows).most_common(1)
    if usual:
        yield [row for row in rows if len(row.shape) >= len(usual[0][0])]
        yield [row for row in rows if not row.bare]
    found = verdicts(rows, separator)
    yield [row for row, verdict in zip(rows, found, strict=True) if holds(verdict)]
    values = [row.amount.value(separator) for row in rows]
    if None not in values:
        sums = runs_of([value for value in values if value is not None])
        for count in range(1, len(rows)):
            if values[count] == sums[count - 1] and (count > 1 or "quantity" not in rows[count].cells):
                yield list(rows[:count])


def _finished(lines: Sequence[Line], plan: Plan, separator: Separator, table: Table | None, share: float) -> Found:
    rows = table.rows if table else ()
    cut = table.lines if table else lines
    after = table.end - 1 if table else 0.0
    used = [number for row in rows for number in row.cells.values()]
    found, free = candidates(cut, separator, plan.labels, used=used, after=after)
    taken = set(map(id, used))
    below = [line for line in cut if line.place >= after and taken.isdisjoint(map(id, line.numbers))]
    taxes = tax_lines(below, separator)
    solution = solve(
        found,
        free if table else [],
        Facts(rows_total(rows, separator), taxes, plan.tax_share, table.changes if table else (), len(rows) == 1),
    )
    products = verdicts(rows, separator)
    objective = solution.score + FORM * share + (_table_score(table, products) if table and rows else 0.0)
    return Found(objective, separator, table, solution, taxes, products, judge(table, solution, taxes, products, separator), found, lines)


def _table_score(table: Table, products: Verdicts) -> float:
    held = sum(map(holds, products)) / len(products)
    failed = sum(verdict is None for verdict in products) / len(products)
    roles = sum(role in table.assignment.columns for role in ("quantity", "unit_price", "tax_rate"))
    return TABLE * table.score + HEADED * (table.header is not None) + MULTIPLIES * held - FAILS * failed + ROLE * roles
