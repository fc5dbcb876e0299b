"""The title of a document: the largest print at its head. Knows sizes and places, no words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from docpipe.extract.labels.layout import PageLayout, Segment
from docpipe.fields import FieldSpec
from docpipe.records import Candidate, Evidence
from docpipe.values.text import tidy

HEAD = 0.35  # share of the page's height that a title stands in
_RIVALS = 4


def read_titles(layouts: Sequence[PageLayout], specs: Sequence[FieldSpec], engine: str) -> Iterator[Candidate]:
    """Candidates for fields named `title`, best first."""
    wanted = [spec for spec in specs if spec.name == "title" and not spec.repeated and spec.kind == "text"]
    if not wanted or not layouts:
        return
    page = layouts[0]
    head = [segment for segment in page.segments if segment.y0 < HEAD * page.height and sum(map(str.isalpha, segment.text)) > 2]
    for spec in wanted:
        for segment in sorted(head, key=lambda segment: -_prominence(segment, page))[:_RIVALS]:
            score = _prominence(segment, page) - 1.0
            evidence = Evidence(
                relation="header", fit=min(1.0, max(0.0, score + 0.5)), features={"height": segment.height / page.median_height}
            )
            yield Candidate(
                path=spec.path,
                value=tidy(segment.text),
                raw=segment.text,
                page=page.number,
                box=segment.box,
                engine=engine,
                score=score,
                evidence=evidence,
            )


def _prominence(segment: Segment, page: PageLayout) -> float:
    """Large, high up, alone on its line, not ending in a colon."""
    alone = len(page.lines[segment.line]) == 1
    size = min(segment.height / page.median_height, 4.0)
    return size - segment.y0 / page.height + 0.2 * alone - 0.5 * segment.text.rstrip().endswith(":")
