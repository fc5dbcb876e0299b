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

    follows: float = -3.50
    counts: float = -0.00
    restarts: float = 3.50
    number_one: float = 0.05
    fits: float = -0.11
    jumps: float = 0.00
    ended: float = 1.50
    unfinished: float = -1.50
    unnumbered: float = 0.10
    kept_values: float = -0.80
    changed_values: float = 0.85
    shared_numbers: float = -0.24
    foreign_numbers: float = 0.95
    twin: float = 0.90
    running: float = -0.35
    returns: float = 2.40
    strange_names: float = 0.00
    contacts: float = 1.52
    contacts_again: float = 3.54
    title: float = 0.13
    title_again: float = -1.25
    class_title: float = 0.77
    date: float = 2.15
    date_again: float = -0.23
    counts_on: float = -0.05
    counts_anew: float = 0.88
    table_first: float = -0.27
    columns: float = -1.70
    begins_small: float = -0.21
    known_words: float = -0.05
    foot: float = -0.24
    total_before: float = 2.13
    carried: float = -0.26
    room_before: float = 0.51
    source: float = 0.00
    letter: float = 1.17
    like_a_start: float = 1.91
    like_a_later: float = -1.60
    turned: float = 0.80
    size: float = 2.97
    class_known: float = 1.42
    class_other: float = 1.17
    class_lost: float = -0.89
    cover: float = 4.00
    cover_before: float = -8.00
    terms: float = -5.00
    blank_before: float = 0.50
    bias: float = -4.75


@cache
def worth() -> dict[str, float]:
    """The weights by feature."""
    return asdict(Weights())
