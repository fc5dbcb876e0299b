"""The text of a document in reading order; what is read when no schema is given."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from docpipe.annotations import Kind, Merge, Rows


class TranscriptPage(BaseModel):
    """One page's text."""

    page: Annotated[int | None, Kind("quantity")] = Field(None, description="Page number, counted from 1")
    text: Annotated[str | None, Kind("page_text")] = Field(None, description="All text of the page in reading order, tables as Markdown")


class Transcript(BaseModel):
    """A document as text."""

    text: Annotated[str | None, Kind("page_text"), Merge("concat_text")] = Field(
        None, description="All text of the document in reading order, tables as Markdown"
    )
    pages: Annotated[list[TranscriptPage], Rows("pages")] = Field(default_factory=list, description="The same text, page by page")
