"""What a document says about itself as a whole: another title, a stamp, amounts in thousands. Knows pages and the schema's titles.

Each is an error beside the values, not a reading of them: they are as printed, and mean something else than the schema asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from docpipe.extract.labels.layout import PageLayout, Segment
from docpipe.extract.labels.lexicon import LEGAL_FORM
from docpipe.extract.labels.meanings import FILLERS, JOINTS, SCALED_UNITS, SCALES, STAMPS
from docpipe.fields import fields_of, titles_of
from docpipe.records import Issue
from docpipe.values.dates import MONTHS
from docpipe.values.text import fold, squash

HEAD = 0.45  # share of a page's height that its title stands in
LARGE = 1.2  # median heights: print that is set apart by its size
HUGE = 2.0  # median heights: a word printed across others
MORE = 2  # further words that a title may have: `Mahnung an Firma Nord` is one, a sentence is none
CELL = 5  # words of a cell with an amount or its label; in a longer text a unit belongs to something else
SENTENCE = 4  # words from which on a phrase says the same wherever it stands


def contradictions(layouts: Sequence[PageLayout], schema: type[BaseModel]) -> Iterator[Issue]:
    """The first title that is another document's, the first stamp, the first remark on the scale of the amounts."""
    own, other = titles_of(schema)
    yield from list(_other_kinds(layouts, own, other))[:1]
    yield from list(_stamps(layouts, own))[:1]
    if any(spec.kind == "money" for spec in fields_of(schema)):
        yield from list(_scales(layouts))[:1]


def _other_kinds(layouts: Sequence[PageLayout], own: Sequence[str], other: Sequence[str]) -> Iterator[Issue]:
    for page in layouts:
        for segment in page.segments:
            said = next((title for title in other if _titles(segment, page, title, own, first=page is layouts[0])), None)
            if said is not None:
                yield _issue("other_document", segment, f"the page calls itself {segment.text!r}", f"look whether it is a {said!r}")


def _titles(segment: Segment, page: PageLayout, title: str, own: Sequence[str], *, first: bool) -> bool:
    """The segment is the title of another kind of document, on a page behind the first in large print only: other papers may lie behind
    the schema's. A whole sentence that says so may stand anywhere."""
    words = fold(title).split()
    if len(words) >= SENTENCE and f" {' '.join(words)} " in f" {segment.folded} ":
        return True
    if segment.y0 > HEAD * page.height or not (_stands_out(segment, page) if first else _is_large(segment, page)):
        return False
    rest = _rest(segment.folded, words, own)
    named = LEGAL_FORM.search(segment.text) is not None  # a letterhead
    return rest is not None and rest <= MORE and not named and not _is_own(segment, title, own)


def _stamps(layouts: Sequence[PageLayout], own: Sequence[str]) -> Iterator[Issue]:
    for page in layouts:
        for segment in page.segments:
            alone = _stands_out(segment, page) or len(page.lines[segment.line]) == 1
            parts = [segment.folded] if alone and not _beside_box(segment, page) else []
            parts += [fold(word.text) for word in segment.words if word.y1 - word.y0 >= HUGE * page.median_height]
            if said := next((text for text in parts if any(_rest(text, stamp.split(), own) == 0 for stamp in STAMPS)), None):
                yield _issue("stamped", segment, f"the page is marked {said!r}", "ask for the valid original")


def _scales(layouts: Sequence[PageLayout]) -> Iterator[Issue]:
    for page in layouts:
        for segment in page.segments:
            found = SCALES.search(segment.text) or (SCALED_UNITS.search(segment.text) if len(segment.words) <= CELL else None)
            if found:
                yield _issue("scaled_amounts", segment, f"amounts may be given {found[0]!r}", "multiply the amounts as the page says")


def _issue(code: str, segment: Segment, message: str, suggestion: str) -> Issue:
    return Issue(code=code, severity="error", page=segment.page, message=message, suggestion=suggestion)


def _stands_out(segment: Segment, page: PageLayout) -> bool:
    """Larger than the rest, or by itself in capitals that label nothing."""
    if _is_large(segment, page):
        return True
    letters = [char for char in segment.text if char.isalpha()]
    return len(page.lines[segment.line]) == 1 and ":" not in segment.text and bool(letters) and all(map(str.isupper, letters))


def _is_large(segment: Segment, page: PageLayout) -> bool:
    return segment.height >= LARGE * page.median_height


def _rest(text: str, phrase: Sequence[str], own: Sequence[str]) -> int | None:
    """How many words of a folded text are part of neither the phrase nor a number, date or title of one's own; None without the phrase."""
    words = text.split()
    at = next((place for place in range(len(words)) if words[place : place + len(phrase)] == list(phrase)), None)
    if at is None:
        return 0 if squash(text) == squash(" ".join(phrase)) else None
    known = FILLERS.union(*(fold(title).split() for title in own), MONTHS)
    rest = [*words[:at], *words[at + len(phrase) :]]
    return sum(word not in known and not any(map(str.isdigit, word)) for word in rest)


def _is_own(segment: Segment, title: str, own: Sequence[str]) -> bool:
    """`Invoice / Delivery note` is both, `Invoice for your order` names the other only; `Invoice reminder` and `Facture pro forma` are
    not the schema's."""
    other, said = re.escape(title.casefold()), segment.text.casefold()
    names = "|".join(re.escape(name.casefold()) for name in own)
    both = rf"\b(?:{names}){JOINTS}{other}|{other}{JOINTS}(?:{names})\b|^\W*(?:{names})\s+[^\W\d]+\s.*{other}"
    return bool(own) and re.search(both, said) is not None


def _beside_box(segment: Segment, page: PageLayout) -> bool:
    """The words are the caption of a check box."""
    reach = 2 * page.median_height
    return any(
        box.y0 < segment.y1 and segment.y0 < box.y1 and segment.x0 - reach < box.x1 and box.x0 < segment.x1 + reach
        for box in page.checkboxes
    )
