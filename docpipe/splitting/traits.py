"""What is kept of a page while a packet is cut: a few kilobytes, however much it prints. Knows one page at a time."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from docpipe.classify import UNKNOWN, PageVerdict
from docpipe.records import Page, PageKind, Words, WordSource
from docpipe.splitting.codes import SEPARATORS, Code, separator_of
from docpipe.splitting.lines import Line, Shown, box_of, digits, lines_of, number_key, word_key
from docpipe.splitting.page_numbers import Printed, printed_number

HEAD, FOOT, NAMES = 0.4, 0.1, 0.25  # shares of the page's height: its head, its foot, and where who sent it stands
MOST_HEAD, MOST_NUMBERS, MOST_WORDS = 150, 80, 500  # that are kept of a page
TITLE_SIZE, TITLE_WORDS, TITLE_PLACE = 1.25, 8, 0.4  # median heights, words and share of the height of what is a title
LONG_NUMBER = 4  # digits of what may tell one paper from another
_DATE = re.compile(r"(?<!\d)(?:\d{1,4}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}[./ -][A-Za-zä]{3,9}[./ -]\d{2,4})(?!\d)")
_MONEY = re.compile(r"[-(]?[$€£₩¥]?\d{1,3}(?:[.,' ]?\d{3})*[.,]\d{2}[-)]?")
_TOTALS = re.compile(
    r"(?<!sub)(?<!sub )\b(?:grand total|total|totals|totaal|summe|gesamt\w*|gesamtbetrag|endbetrag|rechnungsbetrag|zahlbetrag|montant total"
    r"|net à payer|importe total|totale|amount due|balance due|합계|총액)\b",
    re.IGNORECASE,
)
_CARRIED = re.compile(
    r"\b(?:continued|cont'd|carried forward|brought forward|übertrag|fortsetzung|à reporter|report à nouveau|suite|suma y sigue|continúa|vervolg|"
    r"transport|riporto|segue)\b|이월",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Sheet:
    """One page of a packet with all that is known of it."""

    page: Page
    words: Words
    verdict: PageVerdict
    codes: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a page's head: its key, and its left edge and top as shares of the page. `valued`: it has digits."""

    key: str
    x: float
    y: float
    valued: bool
    shown: Shown


@dataclass(frozen=True, slots=True)
class Traits:
    """One page. `scores` are the verdict's, `bottom` is the share of the page down to which it is printed, `letter` the median height of
    its words in points."""

    page: int
    kind: PageKind
    width: float
    height: float
    source: WordSource
    scores: dict[str, float]
    separator: Shown | None = None
    number: Printed | None = None
    head: tuple[Token, ...] = ()
    numbers: dict[str, Shown] | None = None
    names: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    foot: frozenset[str] = frozenset()
    title: Shown | None = None
    class_title: Shown | None = None
    total: Shown | None = None
    carried: Shown | None = None
    date: Shown | None = None
    bottom: float = 0.0
    letter: float = 0.0
    read: bool = True

    @property
    def known(self) -> float:
        """The probability that it is of a class."""
        return 1.0 - self.scores.get(UNKNOWN, 1.0)


def traits_of(sheet: Sheet, *, separators: Collection[str] = SEPARATORS) -> Traits:
    """What is kept of the page."""
    words, verdict = sheet.words, sheet.verdict
    code = separator_of(sheet.codes, separators)
    lines = list(lines_of(words))
    height = words.height or 1.0
    small = median(word.y1 - word.y0 for word in words.words) if words.words else 0.0
    return Traits(
        page=sheet.page.number,
        kind="separator" if code else "blank" if sheet.page.status == "blank" else verdict.kind,
        width=sheet.page.width,
        height=sheet.page.height,
        source=words.source,
        scores=verdict.scores,
        separator=Shown(code.text, code.box) if code else None,
        number=printed_number(lines, height),
        head=tuple(_head(words, height)),
        numbers=dict(_numbers(words)),
        names=frozenset(_keys(lines, 0.0, NAMES * height)),
        words=frozenset(list(dict.fromkeys(_keys(lines, 0.0, height)))[:MOST_WORDS]),
        foot=frozenset(_keys(lines, (1 - FOOT) * height, height)),
        title=_title(lines, small, height),
        class_title=_class_title(verdict, height),
        total=_first(_TOTALS, lines),
        carried=_first(_CARRIED, [*lines[:12], *lines[-12:]]),
        date=_first(_DATE, [line for line in lines if line.box[1] < HEAD * height]),
        bottom=max((word.y1 for word in words.words), default=0.0) / height,
        letter=small,
        read=sheet.page.status != "failed" and verdict.error is None,
    )


def _head(words: Words, height: float) -> Iterator[Token]:
    tops = [word for word in words.words if word.y0 < HEAD * height and len(word_key(word.text)) > 1]
    for word in sorted(tops, key=lambda word: word.y0)[:MOST_HEAD]:
        valued = digits(word.text) > 0
        key = number_key(word.text) if valued else word_key(word.text)
        yield Token(key, word.x0 / (words.width or 1.0), word.y0 / height, valued, Shown(word.text, box_of([word])))


def _numbers(words: Words) -> Iterator[tuple[str, Shown]]:
    """Numbers that are neither a date nor an amount, such as those of documents, customers and accounts."""
    found = 0
    for word in words.words:
        if found < MOST_NUMBERS and digits(word.text) >= LONG_NUMBER and not _DATE.search(word.text) and not _MONEY.fullmatch(word.text):
            found += 1
            yield number_key(word.text), Shown(word.text, box_of([word]))


def _keys(lines: Iterable[Line], top: float, bottom: float) -> Iterator[str]:
    """The words without digits of the lines that begin between the two heights."""
    for line in lines:
        if top <= line.box[1] < bottom:
            yield from (key for word in line.words if len(key := word_key(word.text)) > 2 and not digits(word.text))


def _title(lines: Sequence[Line], small: float, height: float) -> Shown | None:
    """The largest print near the top, where it is larger than the rest and short."""
    high = [line for line in lines if line.box[1] < TITLE_PLACE * height and len(line.words) <= TITLE_WORDS and _letters(line) > 2]
    sized = [(median(word.y1 - word.y0 for word in line.words), line) for line in high]
    size, line = max(sized, key=lambda one: one[0], default=(0.0, None))
    return Shown(line.text, line.box) if line and size >= TITLE_SIZE * small else None


def _letters(line: Line) -> int:
    return sum(char.isalpha() for char in line.text)


def _class_title(verdict: PageVerdict, height: float) -> Shown | None:
    """What the classifier took for the title of one of the classes."""
    signs = [sign for sign in verdict.signs if sign.sort == "title" and sign.box and sign.box[1] < HEAD * height]
    return next((Shown(sign.text, sign.box) for sign in signs if sign.box), None)


def _first(form: re.Pattern[str], lines: Iterable[Line]) -> Shown | None:
    for line in lines:
        if match := form.search(line.text):
            return Shown(match[0], line.box)
    return None
