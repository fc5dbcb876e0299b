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

    follows: float = -1.01
    restarts: float = 0.77
    fits: float = -0.12
    jumps: float = 0.00
    ended: float = 0.46
    unfinished: float = -1.26
    unnumbered: float = 0.14
    kept_values: float = -0.52
    changed_values: float = 0.77
    shared_numbers: float = -0.23
    foreign_numbers: float = 0.99
    twin: float = 0.85
    running: float = -0.30
    returns: float = 2.42
    strange_names: float = 0.00
    contacts: float = 1.39
    contacts_again: float = 3.40
    title: float = 0.18
    title_again: float = -0.66
    class_title: float = 0.78
    date: float = 2.20
    date_again: float = -0.12
    counts_on: float = -0.07
    counts_anew: float = 0.75
    table_first: float = -0.36
    columns: float = -1.66
    begins_small: float = -0.18
    known_words: float = -0.34
    foot: float = -0.40
    total_before: float = 2.18
    carried: float = 0.00
    room_before: float = 0.38
    source: float = 0.00
    letter: float = 1.33
    like_a_start: float = 1.92
    like_a_later: float = -1.63
    turned: float = 0.90
    size: float = 2.88
    class_known: float = 1.43
    class_other: float = 1.19
    class_lost: float = -0.86
    cover: float = 4.00
    cover_before: float = -8.00
    terms: float = -5.00
    blank_before: float = 0.50
    bias: float = -4.62


@cache
def worth() -> dict[str, float]:
    """The weights by feature."""
    return asdict(Weights())
