"""A second look before a document is accepted: does the page, drawn, show what its text layer says? Knows pages, boxes and the OCR seam.

A text layer is only a claim: a picture may lie over it, digits may be drawn as lines, words may be too small to see. What is looked at
are the values outside tables, the required ones and all amounts, dates and numbers of identity; the rows of a table are vouched for by
the totals that they add up to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel

from docpipe.fields import fields_of
from docpipe.limits import Limits
from docpipe.preprocess import render
from docpipe.records import Box, Candidate, Field, Issue, Job, Page, Reading, Readings, Result, Usage, Word
from docpipe.validate import contests
from docpipe.validate.choice import same
from docpipe.values.alike import NUMBERS, has_minus, says
from docpipe.words import OcrEngine, load_words, read_image
from docpipe.workspace import Workspace, temporary

if TYPE_CHECKING:
    from docpipe.words.image import Image

NAME = "witness"
LOOKED_AT = frozenset({"money", "date", "id", "iban", "tax_id"})
NO_TEXT = frozenset({"bool", "page_text"})
# The first look and, where that does not find the value, the second, which tells a slip of OCR from a lie.
RESOLUTIONS = (200, 300)
# A line lower than this, in points, is print of less than 3 points, which no reader of the page sees as text.
LEAST_HEIGHT = 3.5
# A word outside the box is read as part of its value when it stands this near, in box heights: a digit may be pasted before an amount.
NEAR = 0.2
SHOWN = 60  # characters of what the page shows that are quoted


class Sight(NamedTuple):
    """A value to look for: where its text layer has it and how it is printed there; `box` in points."""

    path: str
    kind: str
    raw: str
    page: int
    box: Box


def sights(readings: Readings, result: Result[Any], schema: type[BaseModel]) -> list[Sight]:
    """The values of a result that rest on a text layer. One without a place, as an e-invoice's, is looked for where another engine read
    the same; where none did it is left out, as is one that our own OCR read."""
    layered = {page.number for page in readings.pages if page.words in ("text_layer", "mixed")}
    specs = {spec.path: spec for spec in fields_of(schema) if not spec.repeated and spec.kind not in NO_TEXT}
    choices = contests(readings, schema)[0]
    found = []
    for field in result.fields:
        spec = specs.get(field.path)
        if spec is not None and (spec.required or spec.kind in LOOKED_AT):
            rivals = choices[field.path].ranked if field.path in choices else ()
            found += _placed(field, [one for one in rivals if same(spec.kind, one.value, field.value)], spec.kind)[:1]
    return [sight for sight in found if sight.page in layered]


def _placed(field: Field, equals: Sequence[Candidate], kind: str) -> list[Sight]:
    """Where the value, or one that says the same, is printed; the place that it was taken from first."""
    rivals: list[Field | Candidate] = [field, *equals]
    return [Sight(field.path, kind, one.raw, one.page, one.box) for one in rivals if one.raw and one.page and one.box]


def look(
    job: Job, pages: Sequence[Page], wanted: Sequence[Sight], *, ocr: OcrEngine, space: Workspace, limits: Limits, password: str | None
) -> Reading:
    """Look at each place: a reading without candidates, with an error `not_as_seen` for every value that the picture does not show.

    `usage.calls` counts the places. Raises DocumentError, PageError, EngineError, DeadlineError or ResourceError.
    """
    issues: list[Issue] = []
    for page in pages:
        words = load_words(page, space)
        missing = [_signed(sight, words.words) for sight in wanted if words and sight.page == page.number]
        seen: dict[Box, str] = {}
        for dpi in RESOLUTIONS:
            if missing:
                seen = _seen(page, missing, job, dpi, ocr=ocr, limits=limits, password=password)
                missing = [sight for sight in missing if not says(seen[sight.box], sight.raw, kind=sight.kind)]
        issues += [_complaint(sight, seen[sight.box]) for sight in missing]
    places = {(sight.page, sight.box) for sight in wanted}
    return Reading(engine=NAME, pages=tuple(sorted({page for page, _ in places})), usage=Usage(calls=len(places)), issues=tuple(issues))


def _signed(sight: Sight, words: Sequence[Word]) -> Sight:
    """The value with the sign that its text layer prints: engines leave out that of a credit note."""
    if sight.kind not in NUMBERS or has_minus(sight.raw):
        return sight
    printed = [word.text for word in words if _within(word, sight.box, sight.box[3] - sight.box[1])]
    return sight._replace(raw=f"-{sight.raw}") if any(has_minus(text) for text in printed) else sight


def _complaint(sight: Sight, text: str) -> Issue:
    quoted = text[:SHOWN]
    message = f"the page shows {quoted!r}" if quoted else "the page shows nothing that can be read"
    return Issue(code="not_as_seen", severity="error", path=sight.path, page=sight.page, message=message, suggestion=quoted or None)


def _seen(
    page: Page, wanted: Sequence[Sight], job: Job, dpi: int, *, ocr: OcrEngine, limits: Limits, password: str | None
) -> dict[Box, str]:
    """What stands at each place of one page, which is drawn once."""
    with temporary() as space:
        drawn = render(page, job=job, space=space, limits=limits, password=password, dpi=dpi)
        image, resolution = read_image(drawn, space)
    places = {sight.box: sight.raw.count("\n") + 1 for sight in wanted}
    return {box: _text(image, box, rows, resolution / 72.0, ocr, job.options.languages) for box, rows in places.items()}


def _text(image: Image, place: Box, rows: int, scale: float, ocr: OcrEngine, languages: Sequence[str]) -> str:
    """The words in the box of so many rows; none where they are too small to be seen.

    They are read off a crop that is one text height wider and half a one higher on each side.
    """
    x0, y0, x1, y1 = place
    height = max(y1 - y0, 1.0) / rows
    limit_y, limit_x = image.shape[:2]
    left, top = max(0, int((x0 - height) * scale)), max(0, int((y0 - height / 2) * scale))
    right, bottom = min(limit_x, int((x1 + height) * scale) + 1), min(limit_y, int((y1 + height / 2) * scale) + 1)
    if right <= left or bottom <= top or height < LEAST_HEIGHT:
        return ""
    box = (x0 * scale - left, y0 * scale - top, x1 * scale - left, y1 * scale - top)
    lines = ocr.read(image[top:bottom, left:right], languages=languages)
    inside = [word for line in lines for word in line.words if _within(word, box, height * scale)]
    return " ".join(word.text for word in sorted(inside, key=lambda word: (_row(word, box[1], height * scale), word.x0)))


def _within(word: Word, box: Box, height: float) -> bool:
    """The word's centre lies in the box, or it touches the box from the side."""
    middle = (word.y0 + word.y1) / 2
    if not box[1] <= middle <= box[3]:
        return False
    centred = box[0] <= (word.x0 + word.x1) / 2 <= box[2]
    gap = max(box[0] - word.x1, word.x0 - box[2])
    return centred or (gap <= NEAR * height and any(char.isdigit() for char in word.text))


def _row(word: Word, top: float, height: float) -> int:
    return int(((word.y0 + word.y1) / 2 - top) // height)
