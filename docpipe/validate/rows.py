"""The rows of lists over pages and engines. Knows paths with `[i]`; a row is never dropped or joined for having the same values."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from docpipe.records import Candidate, Reading

_ROW = re.compile(r"^([^\[]+)\[(\d+)\](.*)$", re.DOTALL)
Row = tuple[Candidate, ...]
EngineRows = dict[str, list[Row]]


def place(path: str) -> tuple[str, int, str] | None:
    """`line_items[3].amount` -> (`line_items`, 3, `.amount`); None for a path outside any list."""
    match = _ROW.match(path)
    return (match[1], int(match[2]), match[3]) if match else None


def at_row(candidate: Candidate, index: int) -> Candidate:
    """The candidate, moved to another row of its list."""
    found = place(candidate.path)
    return candidate if found is None else candidate.model_copy(update={"path": f"{found[0]}[{index}]{found[2]}"})


def rows_of(readings: Sequence[Reading]) -> dict[str, EngineRows]:
    """list -> engine -> its rows in document order. Readings of single pages are put after one another; empty row numbers close up."""
    lists: dict[str, EngineRows] = defaultdict(lambda: defaultdict(list))
    for reading in sorted(readings, key=lambda reading: (reading.engine, reading.pages, reading.model or "")):
        numbered: dict[tuple[str, int], list[Candidate]] = defaultdict(list)
        for candidate in reading.candidates:
            if found := place(candidate.path):
                numbered[found[0], found[1]].append(candidate)
        for (name, _), cells in sorted(numbered.items()):
            rows = lists[name][reading.engine]
            rows.append(tuple(at_row(cell, len(rows)) for cell in cells))
    return {name: dict(engines) for name, engines in lists.items()}


def align(base: Sequence[Row], other: Sequence[Row]) -> list[Row]:
    """The other engine's rows under the numbers of the base's rows: one by one where there are as many, else by the order of the
    values that both read; rows without a partner are left out."""
    if len(base) == len(other):
        pairs: Iterable[tuple[int, int]] = zip(range(len(base)), range(len(other)), strict=True)
    else:
        matcher = SequenceMatcher(None, [_signature(row) for row in base], [_signature(row) for row in other], autojunk=False)
        pairs = [(block.a + step, block.b + step) for block in matcher.get_matching_blocks() for step in range(block.size)]
    return [tuple(at_row(cell, mine) for cell in other[theirs]) for mine, theirs in pairs]


def _signature(row: Row) -> str:
    """What both engines should have read alike: the row's last numbers-like value, its amount by the order of a table's columns."""
    best: dict[str, Candidate] = {}
    for cell in sorted(row, key=lambda cell: (-cell.score, str(cell.value))):
        best.setdefault(cell.path, cell)
    amounts = [str(cell.value) for path, cell in sorted(best.items()) if path.endswith("amount")]
    return amounts[0] if amounts else "|".join(str(cell.value) for _, cell in sorted(best.items()))
