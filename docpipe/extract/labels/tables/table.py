"""One way to read a document's table: its rows, its columns and the document's lines as cut by them. Puts the parts together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from docpipe.extract.labels.tables.assign import Assignment, assign
from docpipe.extract.labels.tables.body import Body, bodies_of
from docpipe.extract.labels.tables.columns import HEAD_REACH, Column, cluster, place_of, under_headers
from docpipe.extract.labels.tables.free import Run, best_run
from docpipe.extract.labels.tables.header import Header, HeaderCell
from docpipe.extract.labels.tables.lines import Line, split
from docpipe.extract.labels.tables.numbers import Number, Separator
from docpipe.extract.labels.tables.plan import NUMERIC_KINDS, Plan
from docpipe.extract.labels.tables.rows import Row, rows_of

MOST_HEADERS = 4
HEADER_BEHIND = 1.2  # score behind the best header that is still tried
SAME_HEADER = 0.3
HEADER_SCORE = 0.5
ROW_NEAR = 1.2  # text heights between an amount and numbers of its row, without header
BELOW_LAST = 40.0  # points below the last amount that a header-less table may reach


@dataclass(frozen=True, eq=False)
class Table:
    """The rows under one header, or above one printed sum; `lines` are all lines of the document, those of the table cut at its columns.

    `changes` are amounts at its end that are no rows but may be part of their total.
    """

    rows: tuple[Row, ...]
    assignment: Assignment
    header: Header | None
    score: float
    lines: tuple[Line, ...]
    start: float
    end: float
    run: Run | None = None
    changes: tuple[Decimal, ...] = ()

    def head(self, role: str) -> HeaderCell | None:
        """The header cell over the role's column."""
        column = self.assignment.columns.get(role)
        return column.head if column else None

    def label(self, role: str) -> float:
        """How surely the header names the role's column, 0..1."""
        head = self.head(role)
        return min(1.0, head.score(role)) if head else 0.0

    def with_rows(self, rows: Sequence[Row], *, changes: Sequence[Decimal]) -> Table:
        """The table with other rows; it ends at the last of them."""
        end = max((place_of(row.amount) for row in rows), default=self.end)
        return replace(self, rows=tuple(rows), end=min(end, self.end), changes=tuple(changes))


def headed_tables(lines: Sequence[Line], headers: Sequence[Header], plan: Plan, separator: Separator) -> Iterator[Table]:
    """The tables under the best headers; of one header several where its end is in doubt."""
    if not headers:
        return
    ranked = sorted(headers, key=lambda header: (-header.score, header.line.index))
    seen: set[int] = set()
    for header in ranked[:MOST_HEADERS]:
        if header.score < ranked[0].score - HEADER_BEHIND:
            break
        first = next(h for h in headers if h.score >= header.score - SAME_HEADER and len(h.signature ^ header.signature) <= 1)
        if first.line.index in seen:
            continue
        seen.add(first.line.index)
        for body in bodies_of(lines, first, headers, plan):
            table = _headed(lines, body, first, plan, separator)
            if table is not None:
                yield table


def free_table(lines: Sequence[Line], plan: Plan, separator: Separator) -> Table | None:
    """The table of the best run of amounts that add up to a printed sum; None where there is none."""
    run = best_run(lines, separator, plan)
    if run is None:
        return None
    first, last = run.amounts[0], run.amounts[-1]
    body = [line for line in lines if place_of(first) - BELOW_LAST <= line.place <= place_of(last) + BELOW_LAST]
    columns = _free_columns(body, run)
    assignment = assign(columns, separator, _later(lines, place_of(last), separator))
    if assignment is None:
        return None
    rows = rows_of(body, assignment, columns, ())
    return Table(tuple(rows), assignment, None, run.score, tuple(lines), place_of(first), place_of(last), run)


def _headed(lines: Sequence[Line], body: Body, header: Header, plan: Plan, separator: Separator) -> Table | None:
    lefts = [cell.x0 for cell in header.cells if {"description", "sku"} & cell.roles.keys()]
    rights = [cell.x1 for cell in header.cells if {"quantity", "position"} & cell.roles.keys()]
    cut = [split(line, lefts, rights) for line in body.lines]
    numbers = [n for line in cut for n in line.cells if any(min(n.x1, c.x1) - max(n.x0, c.x0) > -HEAD_REACH for c in header.cells)]
    if not numbers:
        return None
    columns = under_headers(numbers, header.cells)
    last = max(place_of(number) for number in numbers)
    end = last if body.end is None else min(last, body.end)
    assignment = assign(columns, separator, _later(lines, end, separator), _custom(plan)) if columns else None
    if assignment is None:
        return None
    rows = rows_of(cut, assignment, columns, header.cells)
    whole = list(lines)
    for line in cut:
        whole[line.index] = line
    score = assignment.score + HEADER_SCORE * header.score
    return Table(tuple(rows), assignment, header, score, tuple(whole), header.line.place, end)


def _custom(plan: Plan) -> tuple[str, ...]:
    """Numeric columns that only this schema knows."""
    if plan.items is None:
        return ()
    return tuple(role for role, spec in plan.items.fields.items() if role == spec.name and spec.kind in NUMERIC_KINDS)


def _later(lines: Sequence[Line], place: float, separator: Separator) -> set[Decimal]:
    """The values printed below a place."""
    below = (number for line in lines if line.place > place + 1 for number in line.numbers if not number.percent)
    return {value for number in below if (value := number.value(separator)) is not None}


def _free_columns(body: Sequence[Line], run: Run) -> list[Column]:
    """The run as one column, and what stands beside its amounts as others."""
    kept = set(map(id, run.amounts))
    x0, x1 = min(n.x0 for n in run.amounts), max(n.x1 for n in run.amounts)
    rows = {(amount.page, round(amount.y)): amount for amount in run.amounts}
    beside = [
        number
        for line in body
        for number in line.cells
        if id(number) not in kept
        and (number.x1 <= x0 or number.x0 >= x1)
        and any(page == number.page and abs(amount.y - number.y) < ROW_NEAR * amount.height for (page, _), amount in rows.items())
    ]
    columns = [*cluster(beside), Column(run.amounts, _as_amount(run.amounts))]
    return sorted(columns, key=lambda column: column.x0)


def _as_amount(amounts: Sequence[Number]) -> HeaderCell:
    """A stand-in header that keeps the run the amount column."""
    return HeaderCell((), min(n.x0 for n in amounts), max(n.x1 for n in amounts), "", {"amount": 1.0})
