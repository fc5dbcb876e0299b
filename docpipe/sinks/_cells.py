"""A result as rows of cells, and cells that a spreadsheet cannot run. Knows no file format."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from docpipe.records import Result

Cell = str | bool | int | Decimal | datetime.date | datetime.time | None
Row = dict[str, Cell]

FORMULA_STARTS = tuple("=+-@\t\r\n") + tuple("＝＋－＠")
_NUMBER = re.compile(r"-\d+(?:\.\d+)?")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def neutral(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula: one that starts like it gets a leading apostrophe, a negative number does
    not. What no spreadsheet can hold (control characters) is left out."""
    text = _UNPRINTABLE.sub("", text)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(text) else text


def header_row(result: Result[Any], name: str) -> Row:
    """The document's own columns and every value that stands once, under its dotted path."""
    pages = len(result.part.pages) if result.part else result.document.pages
    row: Row = {**_which(result, name), "status": result.status, "pages": pages, "issues": len(result.issues)}
    return row | {_free(path, row): cell for path, cell in _flat(_plain(result.data))}


def list_rows(result: Result[Any], name: str) -> Iterator[tuple[str, list[Row]]]:
    """(path of the list, its rows) for every list, empty ones too; `row` counts from 1. A list inside a row is one cell of JSON."""
    for path, items in _lists(_plain(result.data)):
        yield path, [_list_row(item, {**_which(result, name), "row": number}) for number, item in enumerate(items, 1)]


def _which(result: Result[Any], name: str) -> Row:
    """The file, and which of its documents where it holds several."""
    return {"file": name} | ({"part": result.part.number} if result.part else {})


def _list_row(item: Any, row: Row) -> Row:
    cells = dict(_flat(item, lists=True)) if isinstance(item, dict) else {"value": _cell(item)}
    return row | {_free(key, row): cell for key, cell in cells.items()}


def _plain(data: Any) -> dict[str, Any]:
    return data.model_dump() if isinstance(data, BaseModel) else dict(data)


def _free(path: str, taken: Row) -> str:
    return f"data.{path}" if path in taken else path


def _flat(data: dict[str, Any], prefix: str = "", *, lists: bool = False) -> Iterator[tuple[str, Cell]]:
    """The leaves under their dotted paths; a list is left out, or with `lists` one cell of JSON."""
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.", lists=lists)
        elif lists or not isinstance(value, list | tuple):
            yield f"{prefix}{key}", _cell(value)


def _lists(data: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, list[Any]]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _lists(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{key}", list(value)


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, str | bool | int | Decimal | datetime.date | datetime.time):
        return value
    return Decimal(str(value)) if isinstance(value, float) else json.dumps(value, ensure_ascii=False, default=str)
