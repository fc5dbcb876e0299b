"""The text of whole pages as candidates, for schemas that ask for it. Knows which fields want it, not how text is put in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from docpipe.extract.labels.layout import PageLayout, box_of
from docpipe.extract.labels.tables.markdown import page_markdown
from docpipe.fields import FieldSpec
from docpipe.records import Candidate, Evidence


def wants_pages(spec: FieldSpec) -> bool:
    """The field is a page's text, or stands in a list that has a row for each page."""
    return spec.kind == "page_text" or spec.rows == "pages"


def read_pages(layouts: Iterable[PageLayout], specs: Sequence[FieldSpec], engine: str) -> Iterator[Candidate]:
    """Every page's text for each field of kind `page_text`, and the page's number for the other fields of a list of pages.

    A field outside a list gets one candidate per page; its merge policy joins them.
    """
    wanted = [spec for spec in specs if wants_pages(spec)]
    if not wanted:
        return
    for row, page in enumerate(layouts):
        text = page_markdown(page)
        for spec in wanted:
            value = text if spec.kind == "page_text" else str(page.number) if spec.kind == "quantity" else None
            if value is None:
                continue
            words = [word for segment in page.segments for word in segment.words]
            box = box_of(words) if words and spec.kind == "page_text" else None
            path = spec.path.replace("[*]", f"[{row}]")
            yield Candidate(path=path, value=value, raw=value, page=page.number, box=box, engine=engine, score=1.0, evidence=_EVIDENCE)


_EVIDENCE = Evidence(relation="none", fit=1.0)
