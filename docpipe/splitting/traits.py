"""What is kept of a page while a packet is cut: a few kilobytes, however much it prints. Knows one page at a time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from statistics import median
from typing import NamedTuple

from docpipe.classify import UNKNOWN, PageVerdict
from docpipe.records import Page, PageKind, Word, Words, WordSource
from docpipe.splitting.codes import SEPARATORS, Code, separator_of
from docpipe.splitting.lines import Line, Shown, box_of, digit_count, lines_of, number_key, word_key
from docpipe.splitting.page_numbers import Printed, printed_number

HEAD, FOOT, NAMES = 0.4, 0.1, 0.25  # shares of the page's height: its head, its foot, and where who sent it stands
MOST_HEAD, MOST_NUMBERS, MOST_WORDS = 150, 80, 500  # that are kept of a page
TITLE_SIZE, TITLE_WORDS, TITLE_PLACE = 1.25, 8, 0.4  # median heights, words and share of the height of what is a title
BEFORE_TABLE = 10  # words that may stand before the first amount of a table that goes on
STEP_PLACE = 0.2  # share of the page's width within which lines begin that are numbered
LONG_NUMBER = 4  # digits of what may tell one paper from another
_MONTHS = (
    "jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez|ene|abr|ago|dic|janv|fév|fev|avr|juin|juil|août|déc|gen|mag|giu|lug|set|ott"
    "|maa|mei|mrt"
)
_DATE = re.compile(
    rf"(?<![\d./-])(?:\d{{1,4}}[./-]\d{{1,2}}[./-]\d{{2,4}}(?![\d/-])|\d{{1,2}}\.?[ ./-]?(?:{_MONTHS})\w*\.?,?[ ./-]?\d{{2,4}}(?!\d)"
    rf"|(?:{_MONTHS})\w*\.? \d{{1,2}},? \d{{4}}(?!\d))|\d{{4}}\s?년",
    re.IGNORECASE,
)
_MONEY = re.compile(r"[-(]?[$€£₩¥]?\d{1,3}(?:[.,' ]?\d{3})*[.,]\d{2}[-)]?")
_STEP = re.compile(r"\(?(\d{1,3})[.):]?")
_CONTACT = re.compile(
    r"\b(?:tel|telefon|telephone|phone|téléphone|teléfono|telefoon|fax|telefax|e-?mail|www|http|ust-?id\w*|vat|tva|nif|btw|gst|steuernummer|iban|bic"
    r"|attn|bill to|ship to|sold to|invoice to|kundennummer|customer|client|cliente|klant)\b|@|전화|사업자",
    re.IGNORECASE,
)
_TOTALS = re.compile(
    r"(?<!sub)(?<!sub )\b(?:grand total|total|totals|totaal|summe|gesamt\w*|gesamtbetrag|endbetrag|rechnungsbetrag|zahlbetrag|montant total"
    r"|net à payer|importe total|totale|amount due|balance due|합계|총액)\b",
    re.IGNORECASE,
)
_CARRIED = re.compile(
    r"\b(?:continued|cont'd|carried forward|brought forward|übertrag|fortsetzung|à reporter|report à nouveau|suite|suma y sigue|continúa"
    r"|vervolg|transport|riporto|segue)\b|이월",
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


class Step(NamedTuple):
    """A number that a line begins with: of a paragraph, a row or a question."""

    number: int
    shown: Shown


@dataclass(frozen=True, slots=True)
class Traits:
    """One page. `scores` are the verdict's, `bottom` is the share of the page down to which it is printed, `letter` the median height of
    its words in points. `head` are the words near the top by their keys, `values` those with digits; `columns` are the right edges of its
    amounts as shares of its width; `table_first`: it begins with a row of amounts; `steps` are the first and the last number that a line
    begins with; `begins_small`: its first word is in small letters."""

    page: int
    kind: PageKind
    width: float
    height: float
    source: WordSource
    scores: dict[str, float]
    separator: Shown | None = None
    number: Printed | None = None
    head: Mapping[str, tuple[Token, ...]] = field(default_factory=dict)
    values: tuple[Token, ...] = ()
    numbers: dict[str, Shown] | None = None
    names: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    foot: frozenset[str] = frozenset()
    title: Shown | None = None
    class_title: Shown | None = None
    total: Shown | None = None
    carried: Shown | None = None
    date: Shown | None = None
    contacts: tuple[Shown, ...] = ()
    columns: tuple[float, ...] = ()
    table_first: bool = False
    steps: tuple[Step, ...] = ()
    begins_small: bool = False
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
    head = list(_head(words, height))
    usual = median(word.y1 - word.y0 for word in words.words) if words.words else 0.0
    return Traits(
        page=sheet.page.number,
        kind="separator" if code else "blank" if sheet.page.status == "blank" else verdict.kind,
        width=sheet.page.width,
        height=sheet.page.height,
        source=words.source,
        scores=verdict.scores,
        separator=Shown(code.text, code.box) if code else None,
        number=printed_number(lines, height),
        head=_by_key(token for token in head if not token.valued),
        values=tuple(token for token in head if token.valued),
        numbers=dict(_numbers(words)),
        names=frozenset(_keys(lines, 0.0, NAMES * height)),
        words=frozenset(list(dict.fromkeys(_keys(lines, 0.0, height)))[:MOST_WORDS]),
        foot=frozenset(_keys(lines, (1 - FOOT) * height, height)),
        title=_title(lines, usual, height),
        class_title=_class_title(verdict, height),
        total=_first(_TOTALS, lines),
        carried=_first(_CARRIED, [*lines[:12], *lines[-12:]]),
        date=_first(_DATE, [line for line in lines if line.box[1] < HEAD * height]),
        contacts=tuple(Shown(line.text, line.box) for line in lines if line.box[1] < HEAD * height and _CONTACT.search(line.text)),
        columns=_columns(words),
        table_first=_table_first(words),
        steps=_steps(lines, words.width),
        begins_small=bool(words.words) and words.words[0].text[:1].islower() and len(words.words[0].text) > 1,
        bottom=max((word.y1 for word in words.words), default=0.0) / height,
        letter=usual,
        read=sheet.page.status != "failed" and verdict.error is None,
    )


def _head(words: Words, height: float) -> Iterator[Token]:
    tops = [word for word in words.words if word.y0 < HEAD * height and len(word_key(word.text)) > 1]
    for word in sorted(tops, key=lambda word: word.y0)[:MOST_HEAD]:
        valued = digit_count(word.text) > 0
        key = number_key(word.text) if valued else word_key(word.text)
        yield Token(key, word.x0 / (words.width or 1.0), word.y0 / height, valued, Shown(word.text, box_of([word])))


def _by_key(tokens: Iterable[Token]) -> dict[str, tuple[Token, ...]]:
    found: dict[str, tuple[Token, ...]] = {}
    for token in tokens:
        found[token.key] = (*found.get(token.key, ()), token)
    return found


def _numbers(words: Words) -> Iterator[tuple[str, Shown]]:
    """The first numbers that are neither a date nor an amount, such as those of documents, customers and accounts."""
    for word in islice(filter(_is_long_number, words.words), MOST_NUMBERS):
        yield number_key(word.text), Shown(word.text, box_of([word]))


def _is_long_number(word: Word) -> bool:
    return digit_count(word.text) >= LONG_NUMBER and not _DATE.search(word.text) and not _MONEY.fullmatch(word.text)


def _columns(words: Words) -> tuple[float, ...]:
    """Where amounts end that stand below each other."""
    edges = [round(word.x1 / (words.width or 1.0), 2) for word in words.words if _MONEY.fullmatch(word.text)]
    return tuple(sorted(edge for edge, times in Counter(edges).items() if times > 1))


def _table_first(words: Words) -> bool:
    """Whether hardly a word stands before the first amount, as on a page that goes on with a table."""
    before = 0
    for word in words.words:
        if _MONEY.fullmatch(word.text):
            return True
        before += len(word_key(word.text)) > 2 and not digit_count(word.text)
        if before > BEFORE_TABLE:
            return False
    return False


def _steps(lines: Sequence[Line], width: float) -> tuple[Step, ...]:
    found = [
        Step(int(match[1]), Shown(line.words[0].text, box_of(line.words[:1])))
        for line in lines
        if len(line.words) > 1 and line.words[0].x0 < STEP_PLACE * width and (match := _STEP.fullmatch(line.words[0].text))
    ]
    return (found[0], found[-1]) if found else ()


def _keys(lines: Iterable[Line], top: float, bottom: float) -> Iterator[str]:
    """The words without digits of the lines that begin between the two heights."""
    for line in lines:
        if top <= line.box[1] < bottom:
            yield from (key for word in line.words if len(key := word_key(word.text)) > 2 and not digit_count(word.text))


def _title(lines: Sequence[Line], usual: float, height: float) -> Shown | None:
    """The largest print near the top, where it is larger than the `usual` height of words and short."""
    high = [line for line in lines if line.box[1] < TITLE_PLACE * height and len(line.words) <= TITLE_WORDS and _letters(line) > 2]
    sized = [(median(word.y1 - word.y0 for word in line.words), line) for line in high]
    size, line = max(sized, key=lambda one: one[0], default=(0.0, None))
    return Shown(line.text, line.box) if line and size >= TITLE_SIZE * usual else None


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
