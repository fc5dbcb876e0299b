"""What each feature is worth, in one frozen record: natural log-odds against `unknown`, the same for every class.

Fitted by `benchmarks/classify_fit.py` on half of the vendors of real receipts, invoices, orders and forms, each seen with all classes, with
some, and without its own, where the answer is unknown. `benchmarks/classify.py` measures it on the other half.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache


@dataclass(frozen=True)
class Weights:
    """One number for each feature of `features.py`."""

    title: float = 3.03
    other_title: float = -2.03
    labels: float = 1.96
    short_labels: float = 2.85
    share: float = 10.06
    phrases: float = 3.64
    words: float = 0.04
    own: float = 0.37
    values: float = 0.91
    no_money: float = -2.65
    narrow: float = 1.91
    wide: float = -1.13
    script: float = -1.00
    checked: float = 0.80
    prose: float = -2.87
    bias: float = -7.05


@cache
def worth() -> dict[str, float]:
    """The weights by feature."""
    return asdict(Weights())
