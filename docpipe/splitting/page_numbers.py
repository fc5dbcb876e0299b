"""The page number that a page prints of itself: `Page 2 of 3`, `Seite 2/3`, `- 2 -`. Knows how such numbers look, no document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from docpipe.records import Box
from docpipe.splitting.lines import Line, box_of

MOST = 2000  # pages of one document; a larger number is something else
EDGE = 0.13  # share of the page's height, above and below, that bare numbers stand in
ALONE = 3  # words of a line that holds little beside the number
_NAMES = (
    "page|pages|pg|p|seite|seiten|blatt|página|pagina|pág|pag|hoja|folio|feuille|feuillet|bladzijde|blz|blad|pagine|foglio|strona|sida|side"
    "|sheet|페이지|쪽"
)
_OF = r"(?:of|out of|von|vom|aus|de|del|sur|di|van|von insgesamt|av|af|z|/|\||-)"
_NUMBER, _TOTAL = r"(?P<number>\d{1,4})", r"(?P<total>\d{1,4})"
_WHOLE = re.compile(rf"(?<!\w)(?:{_NAMES})\s*[.:#]?\s*(?:no\.?|nr\.?)?\s*{_NUMBER}\s*{_OF}\s*{_TOTAL}(?!\d)", re.IGNORECASE)
_BEHIND = re.compile(rf"(?<![\w./-]){_NUMBER}\s*{_OF}\s*{_TOTAL}\s*(?:{_NAMES})(?!\w)", re.IGNORECASE)
_NAMED = re.compile(rf"(?<!\w)(?:{_NAMES})\s*[.:#]?\s*(?:no\.?|nr\.?)?\s*{_NUMBER}(?![\w.,/-])", re.IGNORECASE)
_PAIR = re.compile(rf"[(\[]?\s*{_NUMBER}\s*(?:of|von|de|sur|di|van|/)\s*{_TOTAL}\s*[)\]]?", re.IGNORECASE)
_DASHED = re.compile(rf"[-–—]\s*{_NUMBER}\s*[-–—]")


class Printed(NamedTuple):
    """Page `number` of `total`, None where that is not said. `sure` where it calls itself a page, no mere `2/3` in a corner."""

    number: int
    total: int | None
    sure: bool
    text: str
    box: Box


def printed_number(lines: Iterable[Line], height: float) -> Printed | None:
    """The surest number; of equals the first. One that cannot be, such as page 3 of 2, is none."""
    return max(_numbers(lines, height), key=lambda one: (one.sure and one.total is not None, one.sure), default=None)


def _numbers(lines: Iterable[Line], height: float) -> Iterator[Printed]:
    for line in lines:
        text = line.text
        if not any(char.isdigit() for char in text):
            continue
        at_edge = _at_edge(line, height)
        if whole := _WHOLE.search(text) or _BEHIND.search(text):
            yield from _found(whole, line, sure=True)
            continue
        if at_edge or len(line.words) <= ALONE:
            yield from _found(_NAMED.search(text), line, sure=True)
        if at_edge:
            yield from _found(_PAIR.fullmatch(text) or _DASHED.fullmatch(text), line, sure=False)


def _at_edge(line: Line, height: float) -> bool:
    _, top, _, bottom = line.box
    return bottom <= EDGE * height or top >= (1 - EDGE) * height


def _found(match: re.Match[str] | None, line: Line, *, sure: bool) -> Iterator[Printed]:
    if match is None:
        return
    said = match.groupdict()
    number, total = int(said["number"]), int(said["total"]) if said.get("total") else None
    if 1 <= number <= (total or MOST) <= MOST:
        yield Printed(number, total, sure, match[0].strip(), _box(line, match.start(), match.end()))


def _box(line: Line, start: int, end: int) -> Box:
    """Round the words that the characters `start:end` of the line's text are of."""
    words, place = [], 0
    for word in line.words:
        if place < end and place + len(word.text) > start:
            words.append(word)
        place += len(word.text) + 1
    return box_of(words)
