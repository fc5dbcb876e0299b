"""All results as tables: CSV files, an XLSX workbook, or both. One row a document, and a table of its own for every list."""

from __future__ import annotations

import csv
import io
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from docpipe.errors import UsageError
from docpipe.output import draft_in, write_file, writing
from docpipe.records import Result
from docpipe.sinks import Sink
from docpipe.sinks._cells import Cell, Row, header_row, list_rows, neutral
from docpipe.sinks._workbook import write_workbook

DOCUMENTS = "documents"


class Table(Sink):
    """`target` is a file ending in .csv or .xlsx, or the folder that gets `results.csv` and `results.xlsx`.

    CSV is UTF-8 with a byte order mark, and each list `line_items` is a file `results.line_items.csv` beside it; in XLSX it is a sheet.
    Rows wait in anonymous files, so memory does not grow with the number of documents.
    """

    def __init__(self, target: Path | None) -> None:
        super().__init__(target)
        self._files = _table_files(target)
        self._spools = {DOCUMENTS: self._spool()}

    def write(self, result: Result[Any], *, name: str) -> None:
        for document in result.documents():
            self._write(document, name)

    def _write(self, result: Result[Any], name: str) -> None:
        self._spools[DOCUMENTS].add(header_row(result, name))
        for path, rows in list_rows(result, name):
            if path not in self._spools:
                self._spools[path] = self._spool()
            for row in rows:
                self._spools[path].add(row)

    def close(self) -> None:
        for file in self._files:
            if file.suffix.lower() == ".xlsx":
                self._write_xlsx(file)
            else:
                for title, spool in self._spools.items():
                    _write_csv(file if title == DOCUMENTS else file.with_suffix(f".{title}.csv"), spool)

    def _spool(self) -> Spool:
        return Spool(self.resources.enter_context(draft_in(self._files[0].parent)))

    def _write_xlsx(self, file: Path) -> None:
        with writing(file), draft_in(file.parent) as draft:
            write_workbook(draft, {title: (tuple(spool.columns), spool.rows()) for title, spool in self._spools.items()})
            draft.seek(0)
            write_file(file, draft)


class Spool:
    """Rows on their way to a table, and the columns seen so far, in order."""

    def __init__(self, file: IO[bytes]) -> None:
        self.columns: dict[str, None] = {"file": None}
        self._file = file

    def add(self, row: Row) -> None:
        self.columns.update(dict.fromkeys(row))
        pickle.dump(row, self._file)

    def rows(self) -> Iterator[list[Cell]]:
        """Every row with a cell for every column."""
        end = self._file.tell()
        self._file.seek(0)
        while self._file.tell() < end:
            row: Row = pickle.load(self._file)
            yield [row.get(column) for column in self.columns]


def _table_files(target: Path | None) -> tuple[Path, ...]:
    if target is None:
        raise UsageError("the sink 'table' writes files", hint="name a folder or a .csv or .xlsx file with --out")
    if target.is_dir():
        return target / "results.csv", target / "results.xlsx"
    if target.suffix.lower() not in (".csv", ".xlsx"):
        raise UsageError("a table is a .csv or .xlsx file", file=target.name, hint="name a folder or such a file with --out")
    return (target,)


def _write_csv(path: Path, spool: Spool) -> None:
    with writing(path), draft_in(path.parent) as draft, io.TextIOWrapper(draft, encoding="utf-8-sig", newline="") as text:
        table = csv.writer(text)
        table.writerow([neutral(column) for column in spool.columns])
        table.writerows([_csv_cell(cell) for cell in row] for row in spool.rows())
        text.flush()
        draft.seek(0)
        write_file(path, draft)


def _csv_cell(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else neutral(cell) if isinstance(cell, str) else str(cell)
