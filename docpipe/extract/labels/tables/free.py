"""Tables without a header: a column of money whose sum is printed. Knows arithmetic and positions; of labels only those of totals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from docpipe.extract.labels.tables.columns import Column, cluster, place_of
from docpipe.extract.labels.tables.lines import Line
from docpipe.extract.labels.tables.numbers import CENT, Number, Separator, close
from docpipe.extract.labels.tables.plan import Plan
from docpipe.extract.labels.tables.products import HUNDRED, is_tax
from docpipe.extract.labels.tables.roles import is_carried

LONGEST = 150  # rows
MOST_OFF = 12  # cents: how far rounding hides the base of a tax
MOST = 400  # money cells of one column that are looked at
INDENT = 3.0  # points: lines of one indent level
STOP, TOTAL_LABEL = 0.6, 0.5
CHANGES = frozenset({"charge", "allow", "round"})
BACK = 12  # values before a start that it must not be the sum of
# Hand-set: a labelled sum beats an unlabelled one, a run that ends right before its sum beats a longer one.
BASE, PER_ROW, BELOW, LABELLED, ENDS, ALL_EQUAL = 1.5, 0.1, 0.5, 0.7, 1.0, 0.3


@dataclass(frozen=True)
class Run:
    """Amounts under one another that add up to a printed number, and how much speaks for them. `labelled`: that number has a label."""

    score: float
    amounts: tuple[Number, ...]
    labelled: bool


@dataclass(frozen=True)
class _Sums:
    """Where sums are printed: the last line each value stands on, and the values that a totals label names."""

    last: dict[Decimal, float]
    labelled: frozenset[Decimal]


def best_run(lines: Sequence[Line], separator: Separator, plan: Plan) -> Run | None:
    """The best run of amounts whose sum is printed below them or under a totals label; None where there is none."""
    lines_with = [line for line in lines if line.cells and not (len(line.cells) == 1 and is_carried(line.wording))]
    by_line = {id(number): line for line in lines_with for number in line.cells}
    money = [n for line in lines_with for n in line.cells if n.money and not n.percent and n.value(separator) is not None]
    sums = _sums(lines, separator, plan)
    best: Run | None = None
    for column in cluster(money[:MOST]):
        for group in _levels(column, by_line):
            kinds = [_kind(by_line[id(number)], plan, separator, sums) for number in group]
            for run in _runs(group, kinds, separator, sums):
                if best is None or run.score > best.score:
                    best = run
    return best


def _sums(lines: Sequence[Line], separator: Separator, plan: Plan) -> _Sums:
    last: dict[Decimal, float] = {}
    labelled = set()
    for line in lines:
        values = {value for number in line.numbers if not number.percent and (value := number.value(separator)) is not None}
        last |= dict.fromkeys(values, line.place)
        if values and plan.labels.best(line.wording) >= TOTAL_LABEL:
            labelled |= values
    return _Sums(last, frozenset(labelled))


def _kind(line: Line, plan: Plan, separator: Separator, sums: _Sums) -> str:
    """`row`, `change` (a charge or an allowance), or `stop` (any other total, or a rate of a printed amount, in any language)."""
    if _is_tax_line(line, separator, sums):
        return "stop"
    scores = plan.labels.scores(line.wording)
    best = max(scores, key=lambda role: scores[role], default="")
    if not best or scores[best] < STOP:
        return "row"
    return "change" if best in CHANGES else "stop"


def _is_tax_line(line: Line, separator: Separator, sums: _Sums) -> bool:
    """A rate and one amount, which is that rate of an amount printed elsewhere."""
    rates = [value for number in line.numbers if number.percent and (value := number.value(separator))]
    amounts = [value for number in line.numbers if not number.percent and (value := number.value(separator)) is not None]
    if len(rates) != 1 or len(amounts) != 1:
        return False
    base = (amounts[0] * HUNDRED / rates[0]).quantize(CENT)
    near = [base + step * CENT for step in range(-MOST_OFF, MOST_OFF + 1)]
    return any(value in sums.last and close(value * rates[0] / HUNDRED, amounts[0], CENT) for value in near)


def _levels(column: Column, by_line: dict[int, Line]) -> Iterator[list[Number]]:
    """The whole column, then those of its numbers whose lines start at the same indent."""
    yield list(column.numbers)
    levels: dict[int, list[Number]] = defaultdict(list)
    for number in column.numbers:
        first = next(iter(by_line[id(number)].texts), None)
        if first is not None:
            levels[round(first.x0 / INDENT)].append(number)
    yield from (level for level in levels.values() if 2 <= len(level) < len(column.numbers))


def _runs(group: Sequence[Number], kinds: Sequence[str], separator: Separator, sums: _Sums) -> Iterator[Run]:
    values = [number.value(separator) or Decimal(0) for number in group]
    carried = [_beside_break(group, place) for place in range(len(group))]
    for start in range(len(group)):
        if kinds[start] != "row" or _is_sum(values, start):
            continue
        total, rows = Decimal(0), list[int]()
        for end in range(start, min(len(group), start + LONGEST)):
            if kinds[end] != "row":
                break
            if len(rows) > 1 and values[end] == total and carried[end]:
                continue  # carried over to or from another page
            total += values[end]
            rows.append(end)
            ends = end + 1 < len(group) and values[end + 1] == total
            score = _score(total + _changes(values, kinds, end), group[end], sums)
            if score is None or sum(values[row] != 0 for row in rows) < 2 or is_tax(values[end], total - values[end]):
                continue
            equal = len({values[row] for row in rows}) == 1
            whole = score + PER_ROW * len(rows) + ENDS * ends - ALL_EQUAL * equal
            yield Run(whole, tuple(group[row] for row in rows), total in sums.labelled)
            if ends and not carried[end + 1]:
                break


def _score(total: Decimal, last: Number, sums: _Sums) -> float | None:
    """How much speaks for a run with this total; None where it is not printed below the run or under a totals label."""
    below = sums.last.get(total, 0.0) > place_of(last) + 1
    labelled = total in sums.labelled
    return BASE + BELOW * below + LABELLED * labelled if (below or labelled) and total != 0 else None


def _changes(values: Sequence[Decimal], kinds: Sequence[str], end: int) -> Decimal:
    """The charges and allowances right below a run."""
    total = Decimal(0)
    for place in range(end + 1, len(values)):
        if kinds[place] != "change":
            break
        total += values[place]
    return total


def _beside_break(group: Sequence[Number], place: int) -> bool:
    """The number is the first or the last of its page."""
    return any(0 <= other < len(group) and group[other].page != group[place].page for other in (place - 1, place + 1))


def _is_sum(values: Sequence[Decimal], place: int) -> bool:
    """The value is the sum of two or more right before it: a run cannot start with a subtotal."""
    total = Decimal(0)
    for back, value in enumerate(reversed(values[max(0, place - BACK) : place]), start=1):
        total += value
        if back >= 2 and total == values[place]:
            return True
    return False
