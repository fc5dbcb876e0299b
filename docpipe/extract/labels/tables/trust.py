"""When rows are given at all. Knows what labels and arithmetic say of a table; wrong rows are worse than none."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from docpipe.extract.labels.tables.breakdown import tax_lines
from docpipe.extract.labels.tables.checks import Found
from docpipe.extract.labels.tables.products import EXACT

_WORD = re.compile(r"[^\W\d_]{3}|[\u2e80-\ud7ff]{2}")
MULTIPLY = 0.6  # of the rows, to count as evidence
DESCRIBED = 0.8  # of the rows of a table without header
SHAPED = 0.7  # of the rows have the usual cells, where nothing else confirms a table
NAMED = 0.5
LEAST = 3  # rows of a table that neither a header nor a label nor a product speaks for


def trusted(found: Found) -> Found:
    """The reading without rows that are only an amount where no sum needs them."""
    table = found.table
    if table is None or found.checks.named["rows_sum"]:
        return found
    kept = [place for place, row in enumerate(table.rows) if not row.bare]
    if len(kept) == len(table.rows) or not kept:
        return found
    rows = tuple(table.rows[place] for place in kept)
    return replace(found, table=replace(table, rows=rows), products=tuple(found.products[place] for place in kept))


def is_trusted(found: Found) -> bool:
    """The reading has no table, or labels and arithmetic confirm that it is one."""
    table = found.table
    if table is None:
        return True
    if not table.rows or _is_tax_table(found):
        return False
    sums = found.checks.named["rows_sum"] is True
    multiplies = _multiplies(found)
    if table.header is None:
        return _without_header(found, sums, multiplies)
    if not multiplies and not _described(found):
        return False
    things = sum(any(cell.score(role) >= NAMED for cell in table.header.cells) for role in ("description", "sku", "quantity", "position"))
    named = (table.label("amount") >= NAMED) + (table.label("unit_price") >= NAMED) + (table.label("quantity") >= NAMED)
    if sums and (multiplies or named + things >= 2):
        return True
    if multiplies:
        return named >= 1 and things >= 1
    return table.label("amount") >= NAMED and things >= 1 and named + things >= 3 and _shaped(found)


def _is_tax_table(found: Found) -> bool:
    """Its rows are the document's tax lines: a base, a rate and what it takes, nothing that is counted or priced."""
    table = found.table
    if table is None or any({"quantity", "unit_price"} & row.cells.keys() for row in table.rows):
        return False
    lines = {(line.page, round(line.y)) for line in table.lines if tax_lines([line], found.separator)}
    return all((row.amount.page, round(row.amount.y)) in lines for row in table.rows)


def _without_header(found: Found, sums: bool, multiplies: bool) -> bool:
    """The sum must be printed, and either the rows multiply or that sum is a labelled total of rows that are all described."""
    table, solution = found.table, found.solution
    if table is None or not sums:
        return False
    target = solution.totals.get(solution.rows_to or "")
    owed = solution.rows_to == "gross" and solution.checks.get("due") is True
    labelled = owed or (target is not None and target.label_score >= NAMED)
    if not _described(found) or len(table.rows) < 2:
        return False
    return multiplies or labelled or (solution.exact and len(table.rows) >= LEAST and _shaped(found) and _sided(found))


def _described(found: Found) -> bool:
    """Most rows say with a word what they are for."""
    rows = found.table.rows if found.table else ()
    return sum(_WORD.search(row.text) is not None for row in rows) >= DESCRIBED * len(rows)


def _sided(found: Found) -> bool:
    """Every row has a number beside its amount."""
    return found.table is not None and all(len(row.cells) > 1 for row in found.table.rows)


def _multiplies(found: Found) -> bool:
    """Most rows multiply exactly, and not only because every quantity is one."""
    table = found.table
    if table is None or not table.rows:
        return False
    exact = sum(
        verdict in EXACT and row.amount.value(found.separator) != 0 for row, verdict in zip(table.rows, found.products, strict=True)
    )
    counts = [number.value(found.separator) for row in table.rows if (number := row.cells.get("quantity")) is not None]
    return exact >= MULTIPLY * len(table.rows) and any(count is not None and abs(count) != Decimal(1) for count in counts)


def _shaped(found: Found) -> bool:
    """Most rows have the same cells and a description."""
    rows = found.table.rows if found.table else ()
    shapes = [row.shape for row in rows]
    usual = max(set(shapes), key=lambda shape: (shapes.count(shape), len(shape)))
    return "description" in usual and shapes.count(usual) >= SHAPED * len(shapes)
