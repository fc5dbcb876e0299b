"""What each piece of evidence is worth, in natural log-odds that a document begins, in one frozen record.

Fitted by `benchmarks/packets_fit.py` on packets of documents of half of the vendors; `benchmarks/packets.py` measures it on the other half.
What those documents do not show, covers and conditions, is set by hand.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache

# Probability from which on a document begins: the best F1 on the half that was fitted on. Below a half, as a boundary that is missed merges
# two people's papers, where a false one costs a page's values.
THRESHOLD = 0.4


@dataclass(frozen=True)
class Weights:
    """One number for each feature of `evidence.py`."""

    follows: float = -5.00
    counts: float = -0.00
    restarts: float = 5.00
    number_one: float = 0.05
    fits: float = -0.12
    jumps: float = 0.00
    ended: float = 2.00
    unfinished: float = -2.00
    unnumbered: float = 0.33
    kept_values: float = -0.87
    changed_values: float = 0.89
    shared_numbers: float = -0.50
    foreign_numbers: float = 0.85
    twin: float = 0.34
    running: float = -0.42
    returns: float = 4.00
    strange_names: float = 0.00
    contacts: float = 1.73
    contacts_again: float = 3.70
    title: float = 0.10
    title_again: float = -1.52
    class_title: float = 0.87
    date: float = 2.67
    date_again: float = -0.17
    counts_on: float = -0.03
    counts_anew: float = 0.97
    table_first: float = -0.57
    columns: float = -1.44
    begins_small: float = -0.11
    known_words: float = -0.19
    foot: float = -0.30
    total_before: float = 2.28
    carried: float = -0.33
    room_before: float = 0.57
    source: float = 0.00
    letter: float = 1.22
    like_a_start: float = 2.17
    like_a_later: float = -1.63
    turned: float = 0.76
    size: float = 3.42
    class_known: float = 1.61
    class_other: float = 1.32
    class_lost: float = -0.71
    cover: float = 4.00
    cover_before: float = -8.00
    terms: float = -5.00
    blank_before: float = 0.50
    bias: float = -5.37


@cache
def worth() -> dict[str, float]:
    """The weights by feature."""
    return asdict(Weights())
