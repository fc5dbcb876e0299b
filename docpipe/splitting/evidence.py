"""What speaks for a new document at a page and what for the one before going on: numbers, each with the print it comes from.

Knows the pages of the part so far and the next one; neither the weights nor where the packet is cut.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from docpipe.classify import UNKNOWN
from docpipe.records import Box
from docpipe.splitting.lines import Shown
from docpipe.splitting.part_so_far import PartSoFar, beside, likeness, same_place
from docpipe.splitting.traits import Traits

MANY_CHANGED = 3  # values from which on a head is another one's
SAME_SIZE = 0.02
SAME_EDGE = 0.012  # shares of the width: the same column
OTHER_LETTER = 0.1  # of the height of print, in logarithms, from which on it is another one
Sort = Literal["page_number", "number", "party", "title", "layout", "size", "class", "separator", "blank", "code", "asked"]


class Evidence(NamedTuple):
    """One feature, and what is printed where it was seen; `text` and `box` are empty where that is no single place."""

    feature: str
    value: float
    text: str = ""
    box: Box | None = None


def evidence_at(part: PartSoFar, page: Traits) -> list[Evidence]:
    """All evidence at the page, for a new document and against it, in no order."""
    return [one for observe in _OBSERVERS for one in observe(part, page) if one.value]


# ---- printed page numbers --------------------------------------------------------------------------------------------


def _page_numbers(part: PartSoFar, page: Traits) -> Iterator[Evidence]:
    mine, last = page.number, part.last.number
    if mine:
        yield Evidence(_succession(part, page), 1.0 if mine.sure else 0.5, mine.text, mine.box)
    if last and last.total:
        ended = last.number == last.total
        yield Evidence("ended" if ended else "unfinished", 1.0 if last.sure else 0.5, f"before: {last.text}")
    if last and not mine:
        yield Evidence("unnumbered", 1.0, f"before: {last.text}")


def _succession(part: PartSoFar, page: Traits) -> str:
    """How the page's number follows the number of the page before; where both say of how many, that is surer."""
    mine, last = page.number, part.last.number
    if mine is None or mine.number == 1:
        return "restarts" if mine and mine.total else "number_one"
    if last is None:
        return "fits" if mine.number == part.pages + 1 else "jumps"
    if mine.number != last.number + 1 or mine.total != last.total:
        return "jumps"
    return "follows" if mine.total else "counts"


# ---- numbers, parties, titles ----------------------------------------------------------------------------------------


def _values(part: PartSoFar, page: Traits) -> Iterator[Evidence]:
    """Numbers in the head that stand where the page before has the same one, or the part another one; and whether it knows them at all."""
    kept, _ = same_place(part.last.values, page.values)
    _, changed = beside(part, page)
    yield Evidence("kept_values", math.log1p(len(kept)), *_shown(kept))
    yield Evidence("changed_values", math.log1p(len(changed)), *_shown(changed))
    if mine := page.numbers:
        shared = [shown for key, shown in mine.items() if key in part.numbers]
        others = [shown for key, shown in mine.items() if key not in part.numbers]
        yield Evidence("shared_numbers", len(shared) / len(mine), *_shown(shared))
        yield Evidence("foreign_numbers", float(not shared), *_shown(others))


def _parties(part: PartSoFar, page: Traits) -> Iterator[Evidence]:
    """Whether the head says what the part's heads say at the same place, with the same values or with others; and whom it names."""
    last = likeness(part.last, page)
    first = last if part.first is part.last else likeness(part.first, page)
    _, changed = beside(part, page)
    yield Evidence("twin", max(first, last) * min(1.0, len(changed) / MANY_CHANGED), *_where(page))
    yield Evidence("running", last * (not changed), *_where(page))
    yield Evidence("returns", max(0.0, first - last), *_where(page))
    known = part.first.names | part.last.names
    if page.names:
        yield Evidence("strange_names", len(page.names - known) / len(page.names), *_where(page))
    said = {one.text.casefold() for side in (part.first, part.last) for one in side.contacts}
    new = [one for one in page.contacts if one.text.casefold() not in said]
    yield Evidence("contacts", math.log1p(len(new)), *_shown(new))
    yield Evidence("contacts_again", math.log1p(len(page.contacts) - len(new)), *_shown(page.contacts))


def _titles(part: PartSoFar, page: Traits) -> Iterator[Evidence]:
    if page.title:
        again = bool(part.last.title and _same_text(part.last.title.text, page.title.text))
        yield Evidence("title_again" if again else "title", 1.0, *page.title)
    if page.class_title:
        yield Evidence("class_title", 1.0, *page.class_title)
    if page.date:
        again = any(one.date and one.date.text == page.date.text for one in (part.first, part.last))
        yield Evidence("date_again" if again else "date", 1.0, *page.date)


def _counting(part: PartSoFar, page: Traits) -> Iterator[Evidence]:
    """Rows and paragraphs that are counted on, or anew; a table, a sentence that goes on."""
    if page.steps and part.last.steps:
        mine, last = page.steps[0], part.last.steps[-1]
        if mine.number == last.number + 1:
            yield Evidence("counts_on", 1.0, *mine.shown)
        elif mine.number == 1 and last.number > 1:
            yield Evidence("counts_anew", 1.0, *mine.shown)
    yield Evidence("table_first", float(page.table_first))
    if page.columns and part.last.columns:
        same = [edge for edge in page.columns if any(abs(edge - other) < SAME_EDGE for other in part.last.columns)]
        yield Evidence("columns", len(same) / len(page.columns))
    yield Evidence("begins_small", float(page.begins_small), *_where(page))


# ---- layout, size, class ---------------------------------------------------------------------------------------------


def _layout(part: PartSoFar, page: Traits) -> Iterator[Evidence]:
    last = part.last
    if page.words:
        yield Evidence("known_words", len(page.words & (part.first.words | last.words)) / len(page.words))
    if page.foot and last.foot:
        yield Evidence("foot", len(page.foot & last.foot) / len(page.foot | last.foot))
    if last.total:
        yield Evidence("total_before", 1.0, f"before: {last.total.text}")
    if carried := last.carried or page.carried:
        yield Evidence("carried", 1.0, *(page.carried or (f"before: {carried.text}", None)))
    yield Evidence("room_before", 1.0 - min(1.0, last.bottom))
    yield Evidence("source", float(page.source != last.source))
    if page.letter and last.letter:
        yield Evidence("letter", min(0.5, max(0.0, abs(math.log(page.letter / last.letter)) - OTHER_LETTER)))
    yield Evidence("like_a_start", max((likeness(one, page) for one in part.starts), default=0.0))
    yield Evidence("like_a_later", max((likeness(one, page) for one in part.later), default=0.0))


def _size(part: PartSoFar, page: Traits) -> Iterator[Evidence]:
    last = part.last
    if min(page.width, page.height, last.width, last.height) <= 0:
        return
    turned = (page.width < page.height) != (last.width < last.height)
    across = abs(math.log(page.width / last.width)) > SAME_SIZE
    other = across or abs(math.log(page.height / last.height)) > SAME_SIZE
    said = f"{page.width:.0f} x {page.height:.0f} points, before: {last.width:.0f} x {last.height:.0f}"
    yield Evidence("turned", float(turned), said)
    yield Evidence("size", float(other and not turned), said)


def _class(part: PartSoFar, page: Traits) -> Iterator[Evidence]:
    """Probabilities: of a class, of another one than the part's, of none."""
    said = max((name for name in page.scores if name != UNKNOWN), key=lambda name: page.scores[name], default="")
    yield Evidence("class_known", page.known, said)
    both = sum(page.scores.get(name, 0.0) * score for name, score in part.first.scores.items() if name != UNKNOWN)
    yield Evidence("class_other", max(0.0, page.known * part.first.known - both), said)
    yield Evidence("class_lost", part.last.known * (1.0 - page.known), UNKNOWN)


# ---- pages that are no content ---------------------------------------------------------------------------------------


def _kinds(part: PartSoFar, page: Traits) -> Iterator[Evidence]:
    yield Evidence("cover", float(page.kind == "cover"))
    yield Evidence("cover_before", float(part.last.kind == "cover" and part.last.kind != page.kind))
    yield Evidence("terms", float(page.kind == "terms"))


_OBSERVERS: Sequence[Callable[[PartSoFar, Traits], Iterable[Evidence]]] = (
    _page_numbers, _values, _parties, _titles, _counting, _layout, _size, _class, _kinds,
)  # fmt: skip
# As what sort of sign a feature is told; one that is not named is layout.
SORTS: dict[str, Sort] = {
    **dict.fromkeys(("follows", "counts", "restarts", "number_one", "fits", "jumps", "ended", "unfinished", "unnumbered"), "page_number"),
    **dict.fromkeys(("kept_values", "changed_values", "shared_numbers", "foreign_numbers", "twin"), "number"),
    **dict.fromkeys(("running", "returns", "strange_names", "contacts", "contacts_again"), "party"),
    **dict.fromkeys(("title", "title_again", "class_title", "date", "date_again"), "title"),
    **dict.fromkeys(("size", "turned"), "size"),
    **dict.fromkeys(("class_known", "class_other", "class_lost", "cover", "cover_before", "terms"), "class"),
}
# What a sign says where there is no print to show.
DESCRIPTIONS = {
    "running": "the head of the document goes on",
    "returns": "the head of the document's first page once more",
    "strange_names": "the head names others",
    "twin": "the head of the document's first page with other numbers",
    "shared_numbers": "numbers that the document prints too",
    "foreign_numbers": "numbers that the document does not print",
    "known_words": "words that the document prints too",
    "foot": "the foot of the page before",
    "room_before": "the page before is not full",
    "source": "a scan beside a page with a text layer",
    "letter": "print of another height",
    "like_a_start": "looks like the first page of an earlier document",
    "like_a_later": "looks like a later page of an earlier document",
    "table_first": "begins with a row of amounts",
    "columns": "amounts in the columns of the page before",
    "cover": "a cover",
    "cover_before": "the page before is a cover",
    "terms": "conditions",
}


def _shown(found: Sequence[Shown]) -> tuple[str, Box | None]:
    return (found[0].text, found[0].box) if found else ("", None)


def _where(page: Traits) -> tuple[str, Box | None]:
    """The first line of the head, for a person to find it."""
    return _shown([tokens[0].shown for tokens in page.head.values()][:1])


def _same_text(one: str, other: str) -> bool:
    return one.casefold().split() == other.casefold().split()
