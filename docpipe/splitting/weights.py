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

    follows: float = -0.95
    restarts: float = 0.82
    fits: float = -0.17
    jumps: float = 0.00
    ended: float = 0.44
    unfinished: float = -1.27
    unnumbered: float = 0.20
    kept_values: float = -0.73
    changed_values: float = 0.76
    shared_numbers: float = -0.09
    foreign_numbers: float = 0.84
    twin: float = 0.45
    running: float = 0.00
    returns: float = 2.25
    strange_names: float = 0.00
    contacts: float = 1.45
    contacts_again: float = 3.22
    title: float = 0.16
    title_again: float = -0.53
    class_title: float = 0.85
    date: float = 2.16
    date_again: float = 0.17
    counts_on: float = -0.08
    counts_anew: float = 0.71
    table_first: float = -0.40
    columns: float = -1.23
    begins_small: float = -0.18
    known_words: float = -0.13
    foot: float = -0.41
    total_before: float = 2.03
    carried: float = 0.00
    room_before: float = 0.45
    source: float = 0.00
    letter: float = 1.34
    like_a_start: float = 1.82
    like_a_later: float = -1.65
    turned: float = 0.86
    size: float = 2.71
    class_known: float = 1.32
    class_other: float = 1.12
    class_lost: float = -0.64
    cover: float = 4.00
    cover_before: float = -8.00
    terms: float = -5.00
    blank_before: float = 0.50
    bias: float = -4.52


@cache
def worth() -> dict[str, float]:
    """The weights by feature."""
    return asdict(Weights())
