"""Numbers, dates and identifiers in the one form that stands for all the ways they are printed. Knows forms, no page and no index.

1.234,50 and 1,234.5 are `=1234.5`; 3 April 2025 and 03.04.2025 are `=2025-04-03`; RE-2024/0815 is `=re20240815`. What can be read in two
ways, such as 1.234, has both forms: a search would rather find too much. The mark keeps them apart from printed words.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import accumulate

from docpipe.search.tokens import LONGEST, Line, Token
from docpipe.values.amounts import plain, to_decimal
from docpipe.values.dates import MONTHS, find_dates
from docpipe.values.text import fold

MARK = "="
SHORTEST_RUN = 8  # characters of an identifier that is printed in groups, such as an IBAN; fewer are cells of a table
_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(r"[\d.,'’%]+")
_SPLIT_NUMBER = re.compile(r"(?<![\d.,/-])(?:\d{1,3}(?:[ .,'’\u00a0\u202f]\d{3})+(?:[.,]\d{1,4})?|\d+[.,]\d{1,4})(?![\d/-]|[.,]\d)")
_LETTERS = re.compile(r"[^\W\d_]+")
_THREE_NUMBERS = re.compile(r"\d\s?[./\-]\s?\d{1,2}\s?[./\-]\s?\d|\d\s?[년年]")
_GROUP = re.compile(r"\W*(?=\w*\d)[^\W_]+(?:[-/][^\W_]+)*\W*")


def forms_of(line: Line) -> Iterator[Token]:
    """The forms of everything in the line that has digits, each once for each place."""
    text = " ".join(line.texts)
    if not _DIGIT.search(text):
        return
    seen = set()
    for token in (*_numbers(line, text), *dates_of(line), *_identifiers(line), *runs_of(line)):
        if token not in seen:
            seen.add(token)
            yield token


def dates_of(line: Line) -> Iterator[Token]:
    """The dates in the line, in ISO's form; both where day and month could be swapped."""
    text = " ".join(line.texts)
    if not (_THREE_NUMBERS.search(text) or MONTHS.keys() & _LETTERS.findall(text.lower())):
        return  # the full look costs ten times as much
    for order in ("day_first", "month_first"):
        for date in find_dates(text, order):
            yield _spanning(line, date.start, date.end, date.value)


def runs_of(line: Line) -> Iterator[Token]:
    """Identifiers that are printed in groups, without their blanks: words with digits that follow each other."""
    run: list[str] = []
    for place, text in enumerate((*line.texts, "")):
        if _GROUP.fullmatch(text):
            run.append(compact(text))
            continue
        if len(run) > 1 and SHORTEST_RUN <= len(whole := "".join(run)) <= LONGEST:
            yield Token(MARK + whole, line.start + place - len(run), line.start + place - 1)
        run = []


def number_form(value: Decimal) -> str:
    """A number without its sign and without zeros that say nothing: 12.50 is 12.5."""
    return plain(abs(value).normalize())


def compact(text: str) -> str:
    """The letters and digits of the folded text, with nothing between them."""
    return "".join(char for char in fold(text) if char.isalnum())


def is_split_number(texts: Sequence[str]) -> bool:
    """Whether it is one number with something between its digits, which means more than the digits alone."""
    return len(texts) == 1 and _NUMBER.fullmatch(texts[0]) is not None and not texts[0].isdigit()


def _numbers(line: Line, text: str) -> Iterator[Token]:
    """Numbers with something between their digits; one of digits alone is found as a word."""
    for match in _SPLIT_NUMBER.finditer(text):
        for decimal in ".,":
            value = to_decimal(match[0], decimal)
            if value is not None:
                yield _spanning(line, match.start(), match.end(), number_form(value))


def _identifiers(line: Line) -> Iterator[Token]:
    """Words with digits and something between them that may be left out or be another sign."""
    for place, text in enumerate(line.texts, line.start):
        if _DIGIT.search(text) and not _NUMBER.fullmatch(text) and len(fold(text).split()) > 1:
            yield Token((MARK + compact(text))[:LONGEST], place, place)


def _spanning(line: Line, start: int, end: int, form: str) -> Token:
    """A form and the words that the characters `start:end` of the line lie in."""
    begins = [0, *accumulate(len(text) + 1 for text in line.texts)]
    return Token(MARK + form, line.start + bisect_right(begins, start) - 1, line.start + bisect_right(begins, end - 1) - 1)
