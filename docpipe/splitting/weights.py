"""What each piece of evidence is worth, in natural log-odds that a document begins, in one frozen record.

Fitted by `benchmarks/packets_fit.py` on packets of documents of half of the vendors; `benchmarks/packets.py` measures it on the other half.
What those documents do not show, covers and conditions, is set by hand.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import cache

# Probability from which on a document begins. F1 on the half that was fitted on is level from 0.4 to 0.5; the lower one, as a boundary that
# is missed merges two people's papers, where a false one costs a page's values.
THRESHOLD = 0.4


@dataclass(frozen=True)
class Weights:
    """One number for each feature of `evidence.py`, and the bias."""

    follows: float = -5.00
    counts: float = -0.00
    restarts: float = 5.00
    number_one: float = 0.05
    fits: float = -0.14
    jumps: float = 0.00
    ended: float = 2.00
    unfinished: float = -2.00
    unnumbered: float = 0.32
    kept_values: float = -1.08
    changed_values: float = 0.89
    shared_numbers: float = -0.45
    foreign_numbers: float = 0.80
    twin: float = 0.40
    running: float = -0.34
    returns: float = 4.00
    strange_names: float = 0.00
    contacts: float = 1.75
    contacts_again: float = 3.49
    title: float = 0.09
    title_again: float = -1.37
    class_title: float = 0.84
    date: float = 2.65
    date_again: float = -0.15
    counts_on: float = -0.03
    counts_anew: float = 0.90
    table_first: float = -0.58
    columns: float = -1.38
    begins_small: float = -0.11
    known_words: float = -0.21
    foot: float = -0.31
    total_before: float = 2.27
    carried: float = -0.29
    room_before: float = 0.55
    source: float = 0.00
    letter: float = 1.21
    like_a_start: float = 2.18
    like_a_later: float = -1.60
    turned: float = 0.76
    size: float = 3.48
    class_known: float = 1.65
    class_other: float = 1.30
    class_lost: float = -0.66
    cover: float = 4.00
    cover_before: float = -8.00
    terms: float = -5.00
    blank_before: float = 0.50
    bias: float = -5.33


FEATURES = tuple(one.name for one in fields(Weights) if one.name != "bias")


@cache
def worth() -> dict[str, float]:
    """The weights by feature."""
    return asdict(Weights())
