"""What can be ticked on a page, and what is: drawn boxes by their ink, and ticks printed as letters. Knows no label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from docpipe.records import Box, Checkbox, Word

TICKED_INK = 0.12  # share of a box's inside that is inked from which it counts as ticked; empty boxes show under 0.05
_TICKED = frozenset({"x", "☒", "✓", "✔", "✗", "✘", "■", "☑", "[x]", "(x)", "⊠", "●", "4", "3"})
_EMPTY = frozenset({"□", "☐", "◻", "○", "[]", "[", "❑", "❏"})


class Tick(NamedTuple):
    """A check box or a printed tick: `ink` 0..1, `box` its place."""

    box: Box
    ink: float

    @property
    def ticked(self) -> bool:
        return self.ink >= TICKED_INK


def ticks(checkboxes: Sequence[Checkbox], words: Iterable[Word]) -> list[Tick]:
    """Check boxes and ticks printed as letters; a tick inside a box belongs to the box."""
    found = [Tick((box.x0, box.y0, box.x1, box.y1), box.ink) for box in checkboxes]
    for word in words:
        text = word.text.lower()
        if text not in _TICKED and text not in _EMPTY:
            continue
        tick = Tick((word.x0, word.y0, word.x1, word.y1), 0.0 if text in _EMPTY else 1.0)
        inside = [place for place, known in enumerate(found) if _holds(known.box, tick.box)]
        if inside:
            found[inside[0]] = Tick(found[inside[0]].box, max(tick.ink, found[inside[0]].ink))
        elif not text.isdigit():  # the tick of a symbol font; by itself a number
            found.append(tick)
    return found


def is_tick(text: str) -> bool:
    """Whether a word by itself stands for a tick or for an empty box."""
    text = text.lower()
    return text in _EMPTY or (text in _TICKED and not text.isdigit())


def _holds(one: Box, other: Box) -> bool:
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return one[0] - 2 <= x <= one[2] + 2 and one[1] - 2 <= y <= one[3] + 2
