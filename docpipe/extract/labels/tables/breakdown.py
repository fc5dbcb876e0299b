"""Tax lines: a base, a rate and a tax on one printed line, found by arithmetic. Knows no label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from docpipe.extract.labels.tables.lines import Line
from docpipe.extract.labels.tables.numbers import Number, Separator, close
from docpipe.extract.labels.tables.products import HUNDRED, RATES

MOST_NUMBERS = 8  # on a tax line
MOST_LINES = 20
HIGHEST = 30
ROUNDING = Decimal("0.0105")


@dataclass(frozen=True, eq=False)
class TaxLine:
    """What one rate adds: `base` x `rate` / 100 = `tax`, as printed and as decimals."""

    base: Decimal
    rate: Decimal
    tax: Decimal
    base_number: Number
    rate_number: Number
    tax_number: Number
    line: Line


def tax_lines(lines: Sequence[Line], separator: Separator) -> list[TaxLine]:
    """The tax lines among these lines, top to bottom, the same one not twice."""
    found: list[TaxLine] = []
    for line in lines:
        if not 3 <= len(line.numbers) <= MOST_NUMBERS:
            continue
        tax = _tax_line(line, separator)
        if tax and not any((tax.base, tax.rate, tax.tax) == (known.base, known.rate, known.tax) for known in found):
            found.append(tax)
        if len(found) >= MOST_LINES:
            break
    return found


def _tax_line(line: Line, separator: Separator) -> TaxLine | None:
    values = [(number, value) for number in line.numbers if (value := number.value(separator)) is not None]
    best: TaxLine | None = None
    for rate_number, rate in values:
        if not 0 < rate <= HIGHEST or (rate_number.money and not rate_number.percent and rate not in RATES):
            continue
        money = [(number, value) for number, value in values if number is not rate_number and number.money]
        for base_number, base in money:
            for tax_number, tax in money:
                if tax_number is base_number or base == 0 or not close(base * rate / HUNDRED, tax, ROUNDING):
                    continue
                if best is None or rate_number.percent > best.rate_number.percent:
                    best = TaxLine(base, rate, tax, base_number, rate_number, tax_number, line)
    return best
