"""Tables -> an XLSX workbook. Knows openpyxl and the format's limits, no result."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

from docpipe.sinks._cells import Cell, neutral

if TYPE_CHECKING:
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

MOST_ROWS = 1_048_576  # of a sheet, its header included
LONGEST_TEXT = 32_767  # characters of a cell
MOST_DIGITS = 15  # that a spreadsheet's number keeps
LONGEST_TITLE = 31
_CUT = " [cut]"
_NOT_IN_TITLE = re.compile(r"[\[\]:*?/\\']")


def write_workbook(file: IO[bytes], tables: Mapping[str, tuple[Sequence[str], Iterable[Sequence[Cell]]]]) -> None:
    """Write {title: (columns, rows)} as sheets; a table longer than a sheet goes on in a further one, a text longer than a cell is cut
    and says so (the CSV has it whole). No text becomes a formula."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for title, (columns, rows) in tables.items():
        left = iter(rows)
        for part in itertools.count(1):
            first = next(left, None)
            if first is None and part > 1:
                break
            sheet = book.create_sheet(_title(title, part, book.sheetnames))
            _fill(sheet, columns, itertools.chain([] if first is None else [first], itertools.islice(left, MOST_ROWS - 2)))
    book.save(file)


def _fill(sheet: WriteOnlyWorksheet, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    sheet.freeze_panes = "B2"
    sheet.append([_text(sheet, column) for column in columns])
    for row in rows:
        sheet.append([_cell(sheet, cell) for cell in row])


def _cell(sheet: WriteOnlyWorksheet, cell: Cell) -> Any:
    if isinstance(cell, str):
        return _text(sheet, cell)
    if isinstance(cell, Decimal) and len(cell.as_tuple().digits) > MOST_DIGITS:
        return _text(sheet, str(cell))
    return cell


def _text(sheet: WriteOnlyWorksheet, text: str) -> Any:
    """A cell that is text whatever it looks like; what looks like a formula is also marked as quoted, for whoever edits the cell."""
    from openpyxl.cell import WriteOnlyCell

    safe = neutral(text)
    quoted = safe.startswith("'") and not text.startswith("'")
    safe = safe[1:] if quoted else safe
    cell = WriteOnlyCell(sheet, value=safe if len(safe) <= LONGEST_TEXT else safe[: LONGEST_TEXT - len(_CUT)] + _CUT)
    cell.data_type = "s"
    cell.quotePrefix = quoted
    return cell


def _title(title: str, part: int, taken: Sequence[str]) -> str:
    """A sheet's name that the format allows and no other sheet has."""
    base = _NOT_IN_TITLE.sub(" ", title).strip() or "rows"
    lower = {name.lower() for name in taken}
    suffixes = (f" {number}" if number > 1 else "" for number in itertools.count(part))
    return next(name for suffix in suffixes if (name := base[: LONGEST_TITLE - len(suffix)] + suffix).lower() not in lower)
