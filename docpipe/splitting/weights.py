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

    follows: float = -1.00
    restarts: float = 0.83
    fits: float = -0.13
    jumps: float = 0.00
    ended: float = 0.65
    unfinished: float = -1.20
    unnumbered: float = 0.41
    kept_values: float = -0.50
    changed_values: float = 0.29
    shared_numbers: float = -0.27
    foreign_numbers: float = 0.81
    twin: float = 0.88
    running: float = -0.15
    returns: float = 2.15
    strange_names: float = 0.00
    contacts: float = 1.68
    contacts_again: float = 3.01
    title: float = 0.27
    title_again: float = -0.38
    class_title: float = 0.91
    date: float = 1.42
    date_again: float = -0.48
    counts_on: float = -0.13
    counts_anew: float = 0.45
    table_first: float = -0.38
    columns: float = -1.27
    begins_small: float = -0.18
    known_words: float = 0.00
    foot: float = -0.67
    total_before: float = 1.27
    carried: float = 0.00
    room_before: float = 0.00
    source: float = 0.00
    letter: float = 1.08
    like_a_start: float = 1.53
    like_a_later: float = -1.04
    turned: float = 1.03
    size: float = 2.32
    class_known: float = 1.57
    class_other: float = 0.77
    class_lost: float = -1.44
    cover: float = 4.00
    cover_before: float = -8.00
    terms: float = -5.00
    blank_before: float = 0.50
    bias: float = -3.32


@cache
def worth() -> dict[str, float]:
    """The weights by feature."""
    return asdict(Weights())
