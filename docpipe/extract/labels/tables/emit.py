"""A reading of table and totals -> candidates with evidence. Knows records and the schema's paths; decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from docpipe.extract.labels.layout import box_of
from docpipe.extract.labels.tables.breakdown import TaxLine
from docpipe.extract.labels.tables.checks import Found, holds, implied_rates
from docpipe.extract.labels.tables.numbers import Number
from docpipe.extract.labels.tables.plan import Plan, RowPlan
from docpipe.extract.labels.tables.products import EXACT
from docpipe.extract.labels.tables.rows import Row
from docpipe.extract.labels.tables.totals import Total
from docpipe.records import Candidate, Evidence
from docpipe.values.amounts import plain
from docpipe.values.text import tidy

EQUATION_ROLES = frozenset({"net", "tax", "gross"})
LABELLED = 0.5
BELOW = 5.0  # text heights below gross in which a payment would stand
ALIGNED = 3.0  # points
PER_LEVEL = 0.15  # of the score, so that level 5 stands above any single label


class Emitter:
    """Turns one reading into candidates for one engine."""

    def __init__(self, found: Found, plan: Plan, engine: str) -> None:
        self._found = found
        self._plan = plan
        self._engine = engine
        named = found.checks.named
        self._features = {name: float(value) for name, value in named.items() if value is not None}
        self._features["level"] = float(found.checks.level)
        self._features["rows_exact"] = float(found.solution.exact)

    def rows(self) -> Iterator[Candidate]:
        """The cells of every row, for the fields the schema has."""
        plan, table = self._plan.items, self._found.table
        if plan is None or table is None:
            return
        implied = implied_rates(table.rows, self._found.tax_lines, self._found.solution, self._found.separator)
        for place, row in enumerate(table.rows):
            yield from self._row(plan, place, row, implied[place] if implied else None)

    def totals(self) -> Iterator[Candidate]:
        """The chosen totals that have a label or take part in an equation that holds."""
        solution = self._found.solution
        for role, total in {**solution.adjusted, **solution.totals}.items():
            if role in self._plan.totals and (total.label_score >= LABELLED or self._proven(role)):
                yield self._total(role, total)
        yield from self._implied()

    def taxes(self) -> Iterator[Candidate]:
        """The tax breakdown, one row for each printed line."""
        plan = self._plan.taxes
        if plan is None:
            return
        for place, line in enumerate(self._found.tax_lines):
            cells = {"tax_rate": line.rate_number, "base": line.base_number, "tax_amount": line.tax_number}
            cells |= {} if "tax_amount" in plan.fields else {"amount": line.tax_number}
            for role, number in cells.items():
                if role in plan.fields:
                    yield self._cell(plan.path(place, role), number, Evidence(relation="column", fit=1.0, features=self._features))

    def _row(self, plan: RowPlan, place: int, row: Row, implied: TaxLine | None) -> Iterator[Candidate]:
        verdict = self._found.products[place]
        features = dict(self._features)
        if verdict != "n/a":
            features["product"] = 0.0 if not holds(verdict) else 1.0 if verdict in EXACT else 0.5
        for role in plan.fields:
            if role in row.cells:
                yield self._cell(plan.path(place, role), row.cells[role], self._column(role, features, _fit(role, row.cells[role])))
            elif role == "description":
                yield from self._text(plan.path(place, role), row, features)
            elif role in row.texts:
                phrase = row.texts[role]
                yield self._made(plan.path(place, role), phrase.text, None, row.amount.page, phrase.box, self._column(role, features, 0.5))
            elif role == "tax_rate" and implied is not None:
                evidence = Evidence(relation="column", fit=1.0, features={**features, "implied": 1.0})
                yield self._cell(plan.path(place, role), implied.rate_number, evidence)

    def _text(self, path: str, row: Row, features: dict[str, float]) -> Iterator[Candidate]:
        if row.description and row.text:
            page = row.amount.page
            yield self._made(path, row.text, tidy(row.text), page, row.text_box, self._column("description", features, 1.0))

    def _column(self, role: str, features: dict[str, float], fit: float) -> Evidence:
        table = self._found.table
        head = table.head(role) if table else None
        if head is None and table is not None and table.header is not None:
            named = [cell for cell in table.header.cells if role in cell.roles]
            head = max(named, key=lambda cell: cell.roles[role], default=None)
        if head is None or not head.words:
            return Evidence(relation="column", fit=fit, features=features)
        score = min(1.0, head.score(role))
        return Evidence(relation="column", label=head.text, label_box=head.box, label_score=score, fit=fit, features=features)

    def _cell(self, path: str, number: Number, evidence: Evidence) -> Candidate:
        value = number.value(self._found.separator)
        return self._made(path, number.raw, None if value is None else plain(value), number.page, number.box, evidence)

    def _made(
        self, path: str, raw: str, value: str | None, page: int, box: tuple[float, float, float, float] | None, evidence: Evidence
    ) -> Candidate:
        score = round(evidence.label_score + PER_LEVEL * self._found.checks.level, 4)
        return Candidate(path=path, value=value, raw=raw, page=page, box=box, engine=self._engine, score=score, evidence=evidence)

    def _proven(self, role: str) -> bool:
        solution = self._found.solution
        whole = role in EQUATION_ROLES and solution.checks.get("net_tax_gross") is True
        return whole or (role == solution.rows_to and solution.exact) or (role in solution.adjusted and solution.exact)

    def _total(self, role: str, total: Total) -> Candidate:
        value = abs(total.value) if role in self._plan.positive else total.value
        features = self._features | ({"added": float(len(total.numbers))} if len(total.numbers) > 1 else {})
        return self._of_total(role, total, value, features, total.label_score)

    def _of_total(self, role: str, total: Total, value: Decimal, features: dict[str, float], label_score: float) -> Candidate:
        first = total.numbers[0]
        evidence = Evidence(
            relation=_relation(total),
            label=total.label or None,
            label_box=total.label_box,
            label_score=label_score,
            fit=1.0,
            features=features,
        )
        raw = " + ".join(number.raw for number in total.numbers)
        words = [word for number in total.numbers if number.page == first.page for word in number.words]
        return self._made(self._plan.totals[role].path, raw, plain(value), first.page, box_of(words), evidence)

    def _implied(self) -> Iterator[Candidate]:
        """What the document does not print again: due is gross where nothing was paid before, net is gross where there is no tax."""
        solution, known = self._found.solution, self._found.candidates
        gross = solution.totals.get("gross")
        if gross is None or gross.value <= 0:
            return
        features = {**self._features, "implied": 1.0}
        confirmed = solution.checks.get("net_tax_gross") or solution.rows_to == "gross"
        unpaid = confirmed and not known.get("prepaid") and not known.get("open") and not self._followed(gross)
        if "due" in self._plan.totals and "due" not in solution.totals and unpaid:
            yield self._of_total("due", gross, gross.value, features, 0.0)
        untaxed = solution.rows_to == "gross" and not known.get("tax") and not self._found.tax_lines
        if "net" in self._plan.totals and "net" not in solution.totals and untaxed:
            yield self._of_total("net", gross, gross.value, features, 0.0)

    def _followed(self, gross: Total) -> bool:
        """More money stands right below gross, in its column: something was paid before, or is due beside it."""
        table = self._found.table
        lines = table.lines if table else self._found.lines
        last = gross.numbers[-1]
        return any(
            number.money and abs(number.x1 - last.x1) < ALIGNED and number.value(self._found.separator) != gross.value
            for line in lines
            if gross.line.place < line.place < gross.line.place + BELOW * gross.line.height
            for number in line.cells
        )


def _fit(role: str, number: Number) -> float:
    return 1.0 if number.money or role in ("quantity", "tax_rate", "position") else 0.7


def _relation(total: Total) -> str:
    if total.label_box is None:
        return "none"
    below = total.label_box[3] <= total.numbers[0].box[1] + 1
    return "below" if below else "right"


def of_reading(found: Found, plan: Plan, engine: str) -> Sequence[Candidate]:
    """All candidates of a reading."""
    emitter = Emitter(found, plan, engine)
    return (*emitter.rows(), *emitter.totals(), *emitter.taxes())
