"""Any form that has no schema of its own: its labels with what was filled in beside them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from docpipe.annotations import Kind, Merge, Rows


class Entry(BaseModel):
    """One box or line of the form."""

    label: Annotated[str | None, Kind("text")] = Field(None, description="What the form prints beside or above the box, as printed")
    value: Annotated[str | None, Kind("text")] = Field(None, description="What was filled in; null for an empty box and for a check box")
    checked: bool | None = Field(None, description="For a check box whether it is ticked; null for anything else")


class Form(BaseModel):
    """A form: its title and every entry in reading order."""

    title: Annotated[str | None, Kind("text"), Merge("first")] = Field(None, description="Title of the form, as printed at its head")
    entries: Annotated[list[Entry], Rows("pairs")] = Field(
        default_factory=list, description="Every label of the form with its value or its tick, in reading order, empty ones too"
    )
