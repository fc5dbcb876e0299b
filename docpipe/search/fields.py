"""What a result says of a document, as a search needs it: which fields have which values, and what they are found by.

A field's words are `=seller.name:acme`, its whole value `=gross_total=1190`; so are `schema`, `status`, `name` and `job`. Fields of a list
count for the page they stand on only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from docpipe.records import Box, Record, Result, Value
from docpipe.search.forms import MARK, compact, forms_of, number_form
from docpipe.search.tokens import LONGEST, Line, tokens_of

SAYS, IS = ":", "="
LONGEST_VALUE = 200  # characters; longer ones are the page's text over again
_PLACE = re.compile(r"\[\d*\]")
_UNFIT = re.compile(r"[^\w.]+")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?")


class FieldValue(Record):
    """One field of a result: its value, and where that is printed."""

    path: str
    value: Value
    raw: str | None = None
    page: int | None = None
    box: Box | None = None


class Facts(Record):
    """What one result says. `pages` are those that it is about, none named is all; `sha256` is the whole result's."""

    schema_name: str
    status: str
    sha256: str
    pages: tuple[int, ...] = ()
    fields: tuple[FieldValue, ...] = ()

    def of_page(self, number: int) -> bool:
        """Whether the page is one of those that it is about."""
        return not self.pages or number in self.pages


def facts_of(result: Result[Any], *, sha256: str | None = None) -> tuple[Facts, ...]:
    """A result's facts; of a packet those of each document in it. `sha256` is the result's, where it is known."""
    whole = sha256 or result.sha256()
    return tuple(_facts(document, whole) for document in result.documents())


def _facts(result: Result[Any], whole: str) -> Facts:
    pages = result.part.pages if result.part else ()
    fields = (FieldValue.model_validate(field, from_attributes=True) for field in result.fields if field.value is not None)
    return Facts(schema_name=result.schema_ref.name, status=result.status, sha256=whole, pages=pages, fields=tuple(fields))


def field_name(path: str) -> str:
    """How a field is called in queries: its path without the places in lists."""
    return _UNFIT.sub("", _PLACE.sub("", path)).casefold()


def filter_token(name: str, how: str, said: str) -> str:
    """What a page is found by whose field says so."""
    return f"{MARK}{name}{how}{said}"[: 2 * LONGEST]


def names_in(facts: Sequence[Facts]) -> set[str]:
    """The names of all fields that a query can ask for."""
    return {field_name(field.path) for one in facts for field in one.fields if _is_short(field.value)}


def filters_of(facts: Facts, page: int) -> Iterator[str]:
    """What one of the pages is found by because of the result."""
    yield from says("schema", facts.schema_name)
    yield from says("status", facts.status)
    for field in facts.fields:
        if _is_short(field.value) and ("[" not in field.path or field.page in (page, None)):
            yield from says(field_name(field.path), _text(field.value))


def says(name: str, value: str) -> Iterator[str]:
    """The words of a value, their other forms, and the value as a whole."""
    line = Line(0, tuple(value.split()))
    for token in (*tokens_of(line), *forms_of(line)):
        yield filter_token(name, SAYS, token.text.removeprefix(MARK))
    yield filter_token(name, IS, _key(value))


def keys_of(line: Line) -> dict[str, None]:
    """What a whole value that was typed may be stored as."""
    typed = "".join(line.texts)
    last = len(line.texts) - 1
    forms = [token.text.removeprefix(MARK).replace("-", "") for token in forms_of(line) if (token.first, token.last) == (0, last)]
    return dict.fromkeys([_key(typed), *forms])


def _key(value: str) -> str:
    return number_form(Decimal(value)) if len(value) <= LONGEST and _DECIMAL.fullmatch(value) else compact(value)[:LONGEST]


def _is_short(value: Value) -> bool:
    return value is not None and len(_text(value)) <= LONGEST_VALUE


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else value or ""
