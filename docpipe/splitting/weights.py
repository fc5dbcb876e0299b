"""What each piece of evidence is worth, in natural log-odds that a document begins, in one frozen record.

Fitted by `benchmarks/packets_fit.py` on packets of documents of half of the vendors; `benchmarks/packets.py` measures it on the other half.
What those documents do not show, covers and conditions, is set by hand.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache

THRESHOLD = 0.5  # probability from which on a document begins


@dataclass(frozen=True)
class Weights:
    """One number for each feature of `evidence.py`."""

    bias: float = 0.0


@cache
def worth() -> dict[str, float]:
    """The weights by feature."""
    return asdict(Weights())
