"""Which pages the next engine of the cascade is worth asking about. Knows a result, no engine."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from docpipe.fields import fields_of
from docpipe.records import Result


def unsettled(result: Result[Any], schema: type[BaseModel]) -> tuple[int, ...]:
    """The pages that another reading may settle: none where the result is accepted, else those that its doubts lie on. A doubt that lies on
    no page in particular, as a required value that was not found, lies on all. Pages that could not be read are nobody's, nor are those of
    a kind that holds nothing."""
    readable = [page.number for page in result.pages if page.status == "done" and page.kind == "content"]
    if result.status == "accepted":
        return ()
    given = {field.path for field in result.fields}
    missing = any(spec.required and not spec.repeated and spec.path not in given for spec in fields_of(schema))
    doubts = {issue.page for issue in result.issues}
    if missing or not doubts or None in doubts:
        return tuple(readable)
    return tuple(number for number in readable if number in doubts)
