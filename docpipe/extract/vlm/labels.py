"""Which numbers of a page stand at the label of their own field: what is added or multiplied could change places unnoticed.

Knows the labels of the fields that are asked for and where they are printed; no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from docpipe.extract.vlm.ground import AMOUNTS, PagePrint
from docpipe.extract.vlm.rows import on_line
from docpipe.fields import FieldSpec
from docpipe.records import Box

TOUCH = 2.0  # points that a label's box may reach into its value's


class NumberLabels:
    """The labels of all numbers, where the page prints them."""

    def __init__(self, page: PagePrint, specs: Iterable[FieldSpec]) -> None:
        numbers = [spec for spec in specs if spec.kind in AMOUNTS]
        self._printed = [(place.box, spec.path) for spec in numbers for name in spec.names for place in page.places(name, "id")]

    def at_own(self, box: Box, path: str) -> bool:
        """Whether, of these labels, the nearest to the left on its line or the nearest above is one of the field's. Of two that end at one
        place the longer counts."""
        before = [(box[0] - one[2], one[0], own) for one, own in self._printed if on_line(one, box) and one[2] <= box[0] + TOUCH]
        over = [(box[1] - one[3], one[0] - one[2], own) for one, own in self._printed if one[3] <= box[1] + TOUCH and _in_column(one, box)]
        return path in _nearest(before) | _nearest(over)


def _nearest(found: Sequence[tuple[float, float, str]]) -> set[str]:
    """The fields whose label it is: distance, rank and field of each."""
    best = min(found)[:2] if found else None
    return {path for distance, rank, path in found if (distance, rank) == best}


def _in_column(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2]
