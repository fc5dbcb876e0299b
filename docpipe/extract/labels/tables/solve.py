"""Which numbers are net, tax, gross and due: labels and equations decide together. Knows the candidates' scores and values only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import nlargest
from itertools import product
from math import log10

from docpipe.extract.labels.tables.breakdown import TaxLine
from docpipe.extract.labels.tables.numbers import close
from docpipe.extract.labels.tables.products import is_tax
from docpipe.extract.labels.tables.totals import Total, added, tax_sums, top

LABELLED = 0.5
RIVALS = 8  # for which what is due is looked at
MOST = 6  # labelled candidates of one role
CENT = Decimal("0.0051")
ROUNDED = Decimal("0.0151")  # rows that were rounded one by one
# Hand-set on vendor invoices: an equation outweighs any two labels, a label any form.
EQUATION, ROWS_NET, ROWS_GROSS, ROWS_NEAR, ROWS_OFF, BREAKDOWN = 2.0, 2.0, 1.6, 1.4, 0.5, 0.8
NO_GROSS, NO_NET, ALL_ZERO, TAX_TOO_LARGE, GROSS_BELOW_NET, NET_IS_NOT_GROSS = 0.4, 0.15, 1.0, 2.5, 1.0, 0.5
UNTAXED = 1.0
DUE_HOLDS, DUE_FAILS, LONE_PREPAID = 1.0, 1.2, 0.6
LARGE = 0.12  # for each power of ten of gross
Pick = Total | None
Checks = dict[str, bool]


@dataclass(frozen=True)
class Facts:
    """What is known before the totals are chosen: the sum of the rows (None: no table), the tax lines, the highest tax share, and
    unlabelled amounts that may be charges or allowances. `single`: there is one row, so that only a labelled total confirms it."""

    rows: Decimal | None
    tax_lines: Sequence[TaxLine]
    tax_share: Decimal
    changes: Sequence[Decimal] = ()
    single: bool = False


@dataclass(frozen=True)
class Solution:
    """The chosen totals by role and which relations hold (True), fail (False) or cannot be asked (absent).

    `exact`: the rows add up to the cent; `rows_to`: the role that they add up to; `adjusted`: charges and allowances that took part.
    """

    score: float
    totals: dict[str, Total] = field(default_factory=dict)
    checks: Checks = field(default_factory=dict)
    rows_to: str | None = None
    exact: bool = False
    adjusted: dict[str, Total] = field(default_factory=dict)


def solve(found: Mapping[str, Sequence[Total]], free: Sequence[Total], facts: Facts) -> Solution:
    """The totals that labels and equations agree on best."""
    solver = _Solver(found, free, facts)
    best = nlargest(RIVALS, (solver.judged(*picks) for picks in solver.options()), key=lambda solution: solution.score)
    return max((_with_due(solution, found) for solution in best), key=lambda solution: solution.score)


class _Solver:
    """One document's candidates, prepared once."""

    def __init__(self, found: Mapping[str, Sequence[Total]], free: Sequence[Total], facts: Facts) -> None:
        self._facts = facts
        self._adjustments = list(_adjustments(found))
        self._unlabelled: list[tuple[Decimal, dict[str, Total]]] = [(change, {}) for change in facts.changes]
        self._rounding = [Decimal(0), *(total.value for total in found.get("round", [])[:1])]
        self._free = {total.value: total for total in free}
        self._net = list(found.get("net", [])[:MOST])
        due = [_weaker(total, 0.25) for total in found.get("due", [])[:3]]
        self._gross = top([*found.get("gross", []), *due], MOST + 3)
        taxes = list(found.get("tax", [])[:MOST])
        lines = facts.tax_lines
        whole = [_sum_of_lines(lines)] if len(lines) > 1 else []
        self._tax = [*taxes, *tax_sums(found.get("tax", [])), *whole]
        self._breakdown = {line.tax for line in lines} | ({whole[0].value} if whole else set())

    def options(self) -> Iterator[tuple[Pick, Pick, Pick]]:
        """Net, tax and gross: labelled numbers in every combination, unlabelled ones where an equation asks for them."""
        nets: list[Pick] = [None, *self._net, *self._matching(self._net)]
        grosses: list[Pick] = [None, *self._gross, *self._matching(self._gross)]
        taxes: list[Pick] = [None, *self._tax]
        for net, gross in product(nets, grosses):
            between = self._at(gross.value - net.value) if net and gross else None
            for tax in taxes if between is None else [*taxes, between]:
                if not _same_number(net, tax, gross):
                    yield net, tax, gross
        yield from self._completed(nets, grosses, taxes)

    def _completed(self, nets: Iterable[Pick], grosses: Iterable[Pick], taxes: Sequence[Pick]) -> Iterator[tuple[Pick, Pick, Pick]]:
        """The third of the three found by its value alone."""
        for net in filter(None, nets):
            for tax in [*filter(None, taxes), *(self._free.values() if self._is_rows(net.value) else ())]:
                whole = self._at(net.value + tax.value)
                if whole and not _same_number(net, tax, whole):
                    yield net, tax, whole
        for gross, tax in product(filter(None, grosses), filter(None, taxes)):
            rest = self._at(gross.value - tax.value)
            if rest and not _same_number(rest, tax, gross):
                yield rest, tax, gross

    def judged(self, net: Pick, tax: Pick, gross: Pick) -> Solution:
        """How well these three fit labels and equations."""
        checks: Checks = {}
        score = sum(pick.score for pick in (net, tax, gross) if pick) - NO_GROSS * (gross is None) - NO_NET * (net is None)
        score += self._equation(net, tax, gross, checks)
        rows, rows_to, exact, adjusted = self._rows(net, gross, checks)
        score += rows + self._taxes(net, tax, checks) + _plausible(net, tax, gross, self._facts.tax_share)
        picks = {"net": net, "tax": tax, "gross": gross}
        return Solution(score, {role: pick for role, pick in picks.items() if pick}, checks, rows_to, exact, adjusted)

    def _equation(self, net: Pick, tax: Pick, gross: Pick, checks: Checks) -> float:
        if not (net and gross):
            return 0.0
        if not tax:
            return -NET_IS_NOT_GROSS * (net.value != gross.value)
        holds = any(close(net.value + tax.value + rounding, gross.value, CENT) for rounding in self._rounding)
        zero = holds and net.value == 0 and gross.value == 0
        checks["net_tax_gross"] = holds and not zero
        if not tax.label_score and tax.value not in self._breakdown and not is_tax(tax.value, net.value):
            return -EQUATION  # three numbers that happen to add up, such as what was paid, the change and the total
        gain = EQUATION if tax.value else UNTAXED  # any number that is printed twice is net and gross without tax
        return (gain if holds else -EQUATION) - ALL_ZERO * zero

    def _rows(self, net: Pick, gross: Pick, checks: Checks) -> tuple[float, str | None, bool, dict[str, Total]]:
        """A sum of zero proves nothing."""
        rows = self._facts.rows
        if not rows or not (net or gross):
            return 0.0, None, False, {}
        tries = ((self._adjustments, CENT, True), (self._adjustments, ROUNDED, False), (self._unlabelled, CENT, False))
        for adjustments, tolerance, exact in tries:
            for role, pick, gain in (("net", net, ROWS_NET), ("gross", gross, ROWS_GROSS)):
                used = next((a for a in adjustments if self._may_sum(pick, rows + a[0], tolerance)), None)
                if used:
                    checks["rows_sum"] = True
                    return (gain if exact else ROWS_NEAR), role, exact, used[1]
        checks["rows_sum"] = False
        return -ROWS_OFF, None, False, {}

    def _may_sum(self, pick: Pick, rows: Decimal, tolerance: Decimal) -> bool:
        return pick is not None and (pick.label_score >= LABELLED or not self._facts.single) and close(rows, pick.value, tolerance)

    def _taxes(self, net: Pick, tax: Pick, checks: Checks) -> float:
        if not self._breakdown or not tax:
            return 0.0
        checks["breakdown"] = any(close(value, tax.value) for value in self._breakdown)
        return BREAKDOWN if checks["breakdown"] else -BREAKDOWN

    def _at(self, value: Decimal) -> Pick:
        return self._free.get(value)

    def _is_rows(self, value: Decimal) -> bool:
        rows = self._facts.rows
        return (
            bool(rows)
            and rows is not None
            and not self._facts.single
            and any(close(rows + change, value, CENT) for change, _ in (*self._adjustments, *self._unlabelled))
        )

    def _matching(self, known: Sequence[Total]) -> list[Total]:
        values = {total.value for total in known}
        return [total for total in self._free.values() if total.value not in values and self._is_rows(total.value)]


def _adjustments(found: Mapping[str, Sequence[Total]]) -> Iterator[tuple[Decimal, dict[str, Total]]]:
    """What may stand between the rows and the net total: nothing, a charge, an allowance, or one of each."""
    charges, allowances = list(found.get("charge", []))[:2], list(found.get("allow", []))[:2]
    yield Decimal(0), {}
    yield from ((charge.value, {"charge": charge}) for charge in charges if charge.value)
    yield from ((-abs(less.value), {"allow": less}) for less in allowances if less.value)
    for charge, less in product(charges, allowances):
        if charge.value and less.value and charge.numbers != less.numbers:
            yield charge.value - abs(less.value), {"charge": charge, "allow": less}


def _sum_of_lines(lines: Sequence[TaxLine]) -> Total:
    return added([Total(0.25, line.tax, (line.tax_number,), line.line) for line in lines])


def _weaker(total: Total, by: float) -> Total:
    return Total(total.score - by, total.value, total.numbers, total.line, total.label, total.label_box, total.label_score)


def _same_number(net: Pick, tax: Pick, gross: Pick) -> bool:
    """One printed number cannot be two totals."""
    places = [id(number) for pick in (net, tax, gross) if pick for number in pick.numbers]
    return len(places) != len(set(places))


def _plausible(net: Pick, tax: Pick, gross: Pick, share: Decimal) -> float:
    score = 0.0
    if net and tax and net.value != 0 and (abs(tax.value) > abs(net.value) * share or tax.value * net.value < 0):
        score -= TAX_TOO_LARGE
    if net and gross and abs(gross.value) < abs(net.value) and (tax is None or tax.value >= 0):
        score -= GROSS_BELOW_NET
    if gross and gross.value:
        score += LARGE * max(0.0, min(6.0, log10(abs(gross.value))))
    return score


def _with_due(solution: Solution, found: Mapping[str, Sequence[Total]]) -> Solution:
    """The solution with what is due, prepaid and still open, chosen by labels and by gross - prepaid + open = due."""
    best, extra, checks = 0.0, {}, dict[str, bool]()
    gross = solution.totals.get("gross")
    taken = [total.numbers for role, total in solution.totals.items()]
    options = (_some(found, "due", 5), _some(found, "prepaid", 4), _some(found, "open", 2))
    for due, prepaid, still in product(*options):
        if prepaid and (prepaid.numbers in taken or (due and prepaid.numbers == due.numbers)):
            continue
        score, holds = _due_score(gross, due, prepaid, still)
        if score > best:
            best = score
            extra = {role: pick for role, pick in (("due", due), ("prepaid", prepaid), ("open", still)) if pick}
            checks = {} if holds is None else {"due": holds}
    return Solution(
        solution.score + best,
        {**solution.totals, **extra},
        {**solution.checks, **checks},
        solution.rows_to,
        solution.exact,
        solution.adjusted,
    )


def _some(found: Mapping[str, Sequence[Total]], role: str, most: int) -> list[Pick]:
    return [None, *list(found.get(role, []))[:most]]


def _due_score(gross: Pick, due: Pick, prepaid: Pick, still: Pick) -> tuple[float, bool | None]:
    score = (due.score if due else 0.0) + 0.5 * sum(pick.score for pick in (prepaid, still) if pick)
    if gross and due:
        left = gross.value - (abs(prepaid.value) if prepaid else 0) + (still.value if still else 0)
        holds = close(left, due.value)
        same = due.numbers == gross.numbers  # one number cannot confirm itself
        return score + (DUE_HOLDS * (not same) if holds else -DUE_FAILS), None if same else holds
    return score - LONE_PREPAID * bool(prepaid or still), None
