"""Line-item tables and totals from words with boxes: header labels, geometry and arithmetic together, no model.

Read choose.py first: it puts the parts in order. lexicon.py holds the labels, trust.py says when rows are given at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from docpipe.annotations import Rule
from docpipe.extract.labels.layout import PageLayout
from docpipe.extract.labels.tables.choose import best_reading
from docpipe.extract.labels.tables.emit import of_reading
from docpipe.extract.labels.tables.lines import lines_of
from docpipe.extract.labels.tables.plan import plan_of
from docpipe.extract.labels.tables.textual import text_rows
from docpipe.extract.labels.tables.trust import trusted
from docpipe.fields import FieldSpec
from docpipe.records import Candidate, Locale

__all__ = ["TableReading", "read_tables"]


@dataclass(frozen=True)
class TableReading:
    """What was read. `checks`: relation -> holds, fails, or None where the document does not have it; `level` 0..5 says how much of
    the reading arithmetic and labels confirm together (0: a relation fails, 5: everything holds). Neither is a reason to accept alone."""

    candidates: tuple[Candidate, ...] = ()
    locale: Locale = field(default_factory=Locale)
    level: int = 0
    checks: Mapping[str, bool | None] = field(default_factory=dict)
    rows: int = 0


def read_tables(
    layouts: Sequence[PageLayout], specs: Sequence[FieldSpec], rules: Sequence[Rule], *, engine: str = "labels"
) -> TableReading:
    """Rows for the schema's table lists and the totals that its rules relate, from all pages of one document in order.

    Every candidate has its page, box, printed string and evidence. Nothing is given for a table that nothing confirms.
    """
    plan = plan_of(specs, rules)
    if not (plan.items or plan.taxes or plan.totals or plan.others):
        return TableReading()
    lines = lines_of(layouts)
    others = tuple(candidate for rows, labels in plan.others for candidate in text_rows(lines, rows, labels, engine))
    found = best_reading(lines, plan) if plan.items or plan.taxes or plan.totals else None
    if found is None:
        return TableReading(others)
    found = trusted(found)
    return TableReading(
        (*of_reading(found, plan, engine), *others),
        Locale(decimal=found.separator),
        found.checks.level,
        found.checks.named,
        len(found.table.rows) if found.table else 0,
    )
