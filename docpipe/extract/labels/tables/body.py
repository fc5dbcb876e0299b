"""Which lines belong to a table: from its header over page breaks to the totals. Knows labels and geometry, no arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from docpipe.extract.labels.tables.header import Header, is_second_header
from docpipe.extract.labels.tables.lines import Line
from docpipe.extract.labels.tables.plan import Plan
from docpipe.extract.labels.tables.roles import is_carried

STOP = 0.55  # of the leading text must be a totals label
STOP_WIDE = 0.9  # where three cells or more follow, as for an item called "Total ..."
ROW_CELLS = 3
# An item may be called so; it ends the table only where the line has no more than an amount.
SOFT = frozenset({"charge", "allow", "round", "prepaid", "open", "tender"})
NEAR_COLUMN = 40.0
FURTHER = 120  # lines after the first total in which rows may go on


@dataclass(frozen=True, eq=False)
class Body:
    """A table's lines without headers, carried sums and adjustments. `end`: the place where the totals begin, if that was seen."""

    lines: tuple[Line, ...]
    end: float | None


def bodies_of(lines: Sequence[Line], header: Header, headers: Sequence[Header], plan: Plan) -> list[Body]:
    """The lines up to the first total; where more rows seem to follow a subtotal, also the lines up to the last of them."""
    before: list[Line] = []
    after: list[Line] = []
    end: float | None = None
    for line in _following(lines, header, headers):
        if is_second_header(line, plan.columns):
            end = line.place if end is None else end
            break
        kind = _stop(line, plan)
        if kind == "hard":
            end = line.place if end is None else end
        elif kind is None:
            (before if end is None else after).append(line)
        if len(after) > FURTHER:
            break
    bodies = [Body(tuple(before), end)]
    wide = [place for place, line in enumerate(after) if len(line.cells) >= ROW_CELLS - 1 and line.has_money and line.texts]
    if wide:
        last = after[wide[-1]]
        bodies.append(Body((*before, *after[: wide[-1] + 1]), last.place + last.height))
    return bodies


def _following(lines: Sequence[Line], header: Header, headers: Sequence[Header]) -> Iterator[Line]:
    """The lines below the header; on a later page those below the repeated header, else all, as long as numbers stand in its columns."""
    repeated = {other.line.index for other in headers if header.same(other)}
    again = {other.line.page: other for other in reversed(headers) if other is not header and header.same(other)}
    for page, group in groupby(lines[header.line.index + 1 :], key=lambda line: line.page):
        members = list(group)
        if page == header.line.page:
            start = header.bottom
        elif page in again:
            start = again[page].bottom
        elif _continues(members, header):
            start = float("-inf")
        else:
            return
        yield from (line for line in members if line.y > start and line.index not in repeated)


def _continues(members: Sequence[Line], header: Header) -> bool:
    money = [cell for cell in header.cells if cell.roles.keys() & {"amount", "unit_price"}]
    return any(
        number.money and any(number.x0 < cell.x1 + NEAR_COLUMN and number.x1 > cell.x0 - NEAR_COLUMN for cell in money)
        for line in members
        for number in line.cells
    )


def _stop(line: Line, plan: Plan) -> str | None:
    """`hard`: a total, the table ends; `soft`: a carried sum or an adjustment, no row; None: it may be a row."""
    if not any(number.money or number.alone for number in line.numbers):
        return None
    if is_carried(line.wording) and len(line.cells) < 2:
        return "soft"
    if not line.lead:
        return None
    need = STOP if len(line.cells) < ROW_CELLS else STOP_WIDE
    roles = {role: score for role, score in plan.labels.scores(line.lead).items() if score >= need}
    if not roles:
        return None
    best = max(roles, key=lambda role: roles[role])
    if best in SOFT:
        return "soft" if len(line.cells) < 2 else None
    return "hard"
