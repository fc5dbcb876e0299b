"""Tables without a header: a column of money whose sum is printed. Knows arithmetic and positions; of labels only those of totals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from docpipe.extract.tables.columns import Column, cluster, place_of
from docpipe.extract.tables.lines import Line
from docpipe.extract.tables.numbers import Number, Separator
from docpipe.extract.tables.plan import Plan
from docpipe.extract.tables.roles import is_carried

LONGEST = 150  # rows
MOST = 400  # money cells of one column that are looked at
INDENT = 3.0  # points: lines of one indent level
STOP, TOTAL_LABEL = 0.6, 0.5
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
    by_line = {id(number): line for line in lines for number in line.cells}
    money = [n for line in lines for n in line.cells if n.money and not n.percent and n.value(separator) is not None]
    sums = _sums(lines, separator, plan)
    best: Run | None = None
    for column in cluster(money[:MOST]):
        for group in _levels(column, by_line):
            stops = [_stops(by_line[id(number)], plan) for number in group]
            for run in _runs(group, stops, separator, sums):
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


def _stops(line: Line, plan: Plan) -> bool:
    return plan.labels.best(line.wording) >= STOP or is_carried(line.wording)


def _levels(column: Column, by_line: dict[int, Line]) -> Iterator[list[Number]]:
    """The whole column, then those of its numbers whose lines start at the same indent."""
    yield list(column.numbers)
    levels: dict[int, list[Number]] = defaultdict(list)
    for number in column.numbers:
        first = next(iter(by_line[id(number)].texts), None)
        if first is not None:
            levels[round(first.x0 / INDENT)].append(number)
    yield from (level for level in levels.values() if 2 <= len(level) < len(column.numbers))


def _runs(group: Sequence[Number], stops: Sequence[bool], separator: Separator, sums: _Sums) -> Iterator[Run]:
    values = [number.value(separator) or Decimal(0) for number in group]
    for start in range(len(group)):
        if stops[start] or _is_sum(values, start):
            continue
        total = Decimal(0)
        for end in range(start, min(len(group), start + LONGEST)):
            if stops[end]:
                break
            total += values[end]
            if end == start or total == 0:
                continue
            below = sums.last.get(total, 0.0) > place_of(group[end]) + 1
            if not below and total not in sums.labelled:
                continue
            ends = end + 1 < len(group) and values[end + 1] == total
            score = BASE + PER_ROW * (end - start + 1) + BELOW * below + LABELLED * (total in sums.labelled) + ENDS * ends
            score -= ALL_EQUAL * (len(set(values[start : end + 1])) == 1)
            yield Run(score, tuple(group[start : end + 1]), total in sums.labelled)
            if ends:
                break


def _is_sum(values: Sequence[Decimal], place: int) -> bool:
    """The value is the sum of two or more right before it: a run cannot start with a subtotal."""
    total = Decimal(0)
    for back, value in enumerate(reversed(values[max(0, place - BACK) : place]), start=1):
        total += value
        if back >= 2 and total == values[place]:
            return True
    return False
