"""What a page shows of a vocabulary: which phrases stand where, which kinds of values, what shape. Knows words and boxes, no class."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from statistics import median

from docpipe.classify._words.vocabulary import LONGEST, Meaning, Vocabulary
from docpipe.extract.labels.phrases import label_key, later_key
from docpipe.records import Box, Word, Words
from docpipe.values.amounts import CURRENCY_MARKS, find_amounts
from docpipe.values.identifiers import find_ibans, find_tax_ids

HEAD = 0.45  # share of the page's height that a title stands in
LARGE = 1.2  # median heights: print that is set apart by its size
WORD = 60  # characters of a word that are looked at
BARE = 4  # characters from which on a number is not looked up: it is a value
LABEL = 4  # words of a line's beginning that an amount behind them makes a label
ALONE, SHORT = 1, 4  # further words of a line that is a title: in small and in large print
_MONEY = re.compile(r"(?<![\d.,])[-(]?[$€£₩¥]?\d{1,3}(?:[.,' ]?\d{3})*[.,]\d{2}(?![\d.,]\d)[-)]?")
_WHOLE = re.compile(r"[-(]?\d{1,3}(?:,\d{3})+\)?|[-(]?\d[\d.']*,[-–—]{1,2}")  # in groups, or with a dash for the decimals
_CURRENCY = re.compile(r"[$€£₩¥]|[A-Z]{3}|Euro|kr|zł|원")  # what may follow an amount
_MARK = re.compile("|".join(map(re.escape, CURRENCY_MARKS)), re.IGNORECASE)
_DATE = re.compile(r"(?<!\d)(?:\d{1,4}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}[./-][A-Za-z]{3,9}[./-]\d{2,4})(?!\d)")
_TIME = re.compile(r"(?<![\d:])[0-2]?\d:[0-5]\d(?::[0-5]\d)?(?![\d:])")
_DIGIT = re.compile(r"\d")
_RATE = re.compile(r"\d\s?%")
_LETTER, _HANGUL = re.compile(r"[^\W\d_]"), re.compile("[가-힣]")
_NUMBER_WORDS = ("n", "번호")  # how words for `number` begin, whose key within a phrase is another
_GLUED = re.compile(r"[:=].*", re.DOTALL)  # `ID:0123` is printed without a blank


@dataclass(frozen=True)
class Found:
    """One printed phrase: the words `start:end` of the page, what it may mean, whether it stands out as a title does, or is no more than a
    word in the midst of a sentence."""

    start: int
    end: int
    meanings: tuple[Meaning, ...]
    stands_out: bool = False
    in_prose: bool = False


@dataclass(frozen=True)
class Sight:
    """All that a page shows. `kinds` are the kinds of values that are printed on it, `narrow` 0..1 how much it is one narrow column, as a
    till prints it, `hangul` the share of Hangul among its letters; `sums`: an amount ends a line or stands behind a label, as values do and
    sentences seldom."""

    words: tuple[Word, ...]
    found: tuple[Found, ...]
    kinds: frozenset[str]
    narrow: float
    hangul: float
    letters: int
    sums: bool

    def text(self, found: Found) -> str:
        return " ".join(word.text for word in self.words[found.start : found.end])

    def box(self, found: Found) -> Box:
        """The box round the phrase; its words may stand on two lines."""
        words = self.words[found.start : found.end]
        return min(w.x0 for w in words), min(w.y0 for w in words), max(w.x1 for w in words), max(w.y1 for w in words)


def look(page: Words, vocabulary: Vocabulary) -> Sight:
    """What the page shows. Costs a millisecond for 500 words."""
    words = page.words
    text = " ".join(word.text for word in words)
    letters = sum(map(str.isalpha, text))
    return Sight(
        words=words,
        found=_found(page, vocabulary),
        kinds=frozenset(_kinds(text, page)),
        narrow=_narrow(words),
        hangul=len(_HANGUL.findall(text)) / letters if letters else 0.0,
        letters=letters,
        sums=prints_sums(words),
    )


def _found(page: Words, vocabulary: Vocabulary) -> tuple[Found, ...]:
    """Every phrase of the vocabulary that is printed, the longest at each place, and the titles that such a phrase begins with."""
    keys = [_keys(word.text) for word in page.words]
    head = Head(page)
    found: list[Found] = []
    covered = 0
    for start in range(len(keys)):
        *shorter, (key, end) = _phrases(start, keys, vocabulary)
        if end > covered and (meanings := vocabulary.of(key)):
            found.append(Found(start, end, meanings, head.stands_out(start, end), head.in_prose(start, end)))
            covered = end
            titles = (_title(start, title_end, vocabulary.of(title), head) for title, title_end in shorter)
            found.extend(title for title in titles if title)
    return tuple(found)


def _phrases(start: int, keys: Sequence[tuple[str, str]], vocabulary: Vocabulary) -> list[tuple[str, int]]:
    """The key and the end of the word at `start`, and of each known phrase that begins with it; the longest last."""
    run = keys[start][0]
    printed = [(run, start + 1)]
    for last in range(start + 1, min(start + LONGEST + 2, len(keys)) if run else 0):
        if not vocabulary.goes_on(run):
            break
        run += keys[last][1]
        if run in vocabulary.meanings:
            printed.append((run, last + 1))
    return printed


def _title(start: int, end: int, meanings: Iterable[Meaning], head: Head) -> Found | None:
    """`Invoice` within `Invoice No.` is no title, unless it stands out."""
    titles = tuple(meaning for meaning in meanings if meaning.sort in ("title", "other_title"))
    return Found(start, end, titles, stands_out=True) if titles and head.stands_out(start, end) else None


@lru_cache(maxsize=65536)
def _keys(text: str) -> tuple[str, str]:
    """A word's key where it begins a phrase, and within one. A longer number is a value and begins none."""
    text = _GLUED.sub("", text[:WORD])
    if len(text) > BARE and not _LETTER.search(text):
        return text, text
    first = label_key(text)
    return first, later_key(text) if first.startswith(_NUMBER_WORDS) else first


class Head:
    """How a page is set: what stands out on it, and what is part of a sentence."""

    def __init__(self, page: Words) -> None:
        self._words = page.words
        self._usual = median(word.y1 - word.y0 for word in page.words) if page.words else 1.0
        self._lengths = Counter(word.line for word in page.words)
        self._bottom = HEAD * page.height

    def stands_out(self, start: int, end: int) -> bool:
        """High on the page, and alone on its line or larger than the rest and nearly alone."""
        word = self._words[start]
        more = self._lengths[word.line] - (end - start)
        large = word.y1 - word.y0 >= LARGE * self._usual
        return word.y0 <= self._bottom and (more <= ALONE or (large and more <= SHORT))

    def in_prose(self, start: int, end: int) -> bool:
        """One word in small letters on a longer line, or a mere `PO` without the sign of a label behind it."""
        word = self._words[start]
        mere = len(word.text) < 3 and word.text.isascii()
        return end == start + 1 and (mere or (word.text[:1].islower() and self._lengths[word.line] > SHORT))


def _kinds(text: str, page: Words) -> Iterator[str]:
    """The kinds of values that are printed on the page: by form, and by checksum where there is one."""
    yield from (kind for kind, form in (("date", _DATE), ("time", _TIME), ("rate", _RATE)) if form.search(text))
    if len(list(islice(_MONEY.finditer(text), 2))) > 1:
        yield "money"
    if len(page.checkboxes) > 2:
        yield "bool"
    yield from ("iban" for number in find_ibans(text) if number.valid)
    yield from ("tax_id" for number in find_tax_ids(text) if number.valid)


def prints_sums(words: Sequence[Word]) -> bool:
    """Whether an amount ends a line or stands behind a label, as values do and sentences seldom."""
    return any(_ends_with_amount(line) or _is_labelled(line) for line in _lines(words))


def _lines(words: Sequence[Word]) -> Iterable[list[str]]:
    """What the words of each printed line say."""
    lines: dict[int, list[str]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word.text)
    return lines.values()


def _ends_with_amount(line: Sequence[str]) -> bool:
    """With decimals or without, as Won and Yen are printed. A full stop behind the amount makes it a sentence's end."""
    end = " ".join(line[-3:])
    if not _DIGIT.search(end):
        return False
    last = line[-2] if len(line) > 1 and _CURRENCY.fullmatch(line[-1]) else line[-1]
    return _is_amount(last) or _ends_with_currency(end)


def _is_labelled(line: Sequence[str]) -> bool:
    """An amount behind a line's first words, whatever follows: `Total 1,100.00 incl. VAT`. Small letters begin the rest of a sentence."""
    return not line[0][:1].islower() and any(_is_amount(word.rstrip("*.,;")) for word in line[1 : LABEL + 1])


def _is_amount(word: str) -> bool:
    bare = _CURRENCY.sub("", word)
    return bool(_MONEY.fullmatch(bare) or _WHOLE.fullmatch(bare))


def _ends_with_currency(text: str) -> bool:
    """A bare number is an amount beside the mark of a currency."""
    found = find_amounts(text, ".") if _MARK.search(text) else []
    behind = text[found[-1].end :].strip().lower() if found else text
    return bool(found) and found[-1].currency is not None and (not behind or behind in CURRENCY_MARKS)


def _narrow(words: Sequence[Word]) -> float:
    """1 where a line of the print is some 25 letters wide at most, 0 where it is 70 and more."""
    if not words:
        return 0.0
    letter = median((word.x1 - word.x0) / max(1, len(word.text)) for word in words)
    width = max(word.x1 for word in words) - min(word.x0 for word in words)
    return min(1.0, max(0.0, (70.0 - width / max(letter, 0.1)) / 45.0))
