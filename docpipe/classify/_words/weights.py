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

    title: float = 0.39
    own_title: float = 0.0
    other_title: float = -1.0
    labels: float = 3.1
    short_labels: float = 1.67
    share: float = 9.46
    phrases: float = 2.51
    words: float = 0.12
    own: float = 1.95
    values: float = 1.49
    no_money: float = -0.96
    narrow: float = 2.12
    script: float = -1.0
    checked: float = 2.17
    prose: float = -2.2
    bias: float = -9.15


@cache
def worth() -> dict[str, float]:
    """The weights by feature."""
    return asdict(Weights())
