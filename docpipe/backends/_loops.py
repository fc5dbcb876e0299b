"""Whether an answer goes round in circles. Knows tokens and characters only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Circle:
    """What counts as one: a block of at most `period` parts, repeated at least `times` and over at least `span` parts; `every` so many new
    parts a look is taken."""

    period: int
    times: int
    span: int
    every: int


# A form can have a dozen empty rows and a table of contents long rows of dots: both must pass. Chosen, not measured: there are no weights
# here. Of characters only what is said 20 times, as of rows in an answer that is whole (`extract/vlm/parse`).
TOKENS = Circle(period=128, times=12, span=256, every=32)
CHARACTERS = Circle(period=300, times=20, span=800, every=200)


def loops(parts: Sequence[object], circle: Circle = TOKENS) -> bool:
    """Whether the parts, tokens or the characters of a text, end in such a circle."""
    return any(_repeats(parts, period, circle) for period in range(1, circle.period + 1))


def reach(circle: Circle) -> int:
    """The parts at the end that `loops` looks at."""
    return max(circle.span, circle.times * circle.period)


def _repeats(parts: Sequence[object], period: int, circle: Circle) -> bool:
    span = max(circle.span, circle.times * period)
    if len(parts) < span or parts[-1] != parts[-1 - period]:
        return False
    last = parts[-span:]
    return last[period:] == last[:-period]
