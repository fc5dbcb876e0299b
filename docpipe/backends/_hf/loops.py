"""Whether an answer goes round in circles. Knows tokens only."""

from __future__ import annotations

from collections.abc import Sequence

# A form can have a dozen empty rows and a table of contents long rows of dots: both must pass. Chosen, not measured: there are no weights
# here.
PERIOD = 128
TIMES = 12
SPAN = 256
EVERY = 32  # tokens between two looks


def loops(tokens: Sequence[int]) -> bool:
    """Whether the tokens end in one block of at most PERIOD tokens, repeated at least TIMES and over at least SPAN tokens."""
    return any(_repeats(tokens, period) for period in range(1, PERIOD + 1))


def _repeats(tokens: Sequence[int], period: int) -> bool:
    span = max(SPAN, TIMES * period)
    if len(tokens) < span or tokens[-1] != tokens[-1 - period]:
        return False
    tail = tokens[-span:]
    return tail[period:] == tail[:-period]
