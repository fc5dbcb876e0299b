"""What each feature is worth, in one frozen record: natural log-odds against `unknown`, the same for every class.

Fitted once, by maximum likelihood with an L2 penalty of 0.02 and the signs held, on half of the vendors of real receipts, invoices,
orders and forms, each seen with all classes, with some, and without its own, where the answer is unknown. `benchmarks/classify.py` measures
it on the other half.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache


@dataclass(frozen=True)
class Weights:
    """One number for each feature of `features.py`."""

    title: float = 0.42
    own_title: float = 0.31
    other_title: float = -1.0
    labels: float = 2.35
    short_labels: float = 1.06
    share: float = 5.63
    phrases: float = 1.97
    words: float = 0.48
    own: float = 2.4
    values: float = 2.11
    no_money: float = -0.95
    narrow: float = 1.68
    script: float = -1.0
    checked: float = 1.17
    prose: float = -1.86
    bias: float = -8.11


@cache
def worth() -> dict[str, float]:
    """The weights by feature."""
    return asdict(Weights())
