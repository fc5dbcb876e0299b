"""Numbers that name or reach a person or an account: IBANs, payment cards, e-mail addresses, telephone numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from stdnum import luhn

from docpipe.records import Box, Word, Words
from docpipe.redact import Redactor
from docpipe.values.identifiers import find_ibans

_MAIL = re.compile(r"[^\s@<>(),;:]+@[^\s@<>(),;:]+\.\w+")
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_PHONE = re.compile(r"(?<![\w/.,-])(?:\+|00)\d(?:[ ()/.-]{0,2}\d){6,14}(?!\d)")  # with its country's code: others look like any number


class Identifiers(Redactor):
    """Looks at each line of words. A number that goes on in the next line is not seen as one: where that matters, name a redactor of your
    own."""

    name = "identifiers"

    def boxes(self, words: Words) -> Iterable[Box]:
        for _, line in groupby(words.words, key=lambda word: word.line):
            yield from _boxes_of(list(line))


def _boxes_of(line: list[Word]) -> Iterator[Box]:
    text, starts = "", []
    for word in line:
        starts.append(len(text))
        text += word.text + " "
    for start, end in _spans(text):
        for word, at in zip(line, starts, strict=True):
            if at < end and start < at + len(word.text):
                yield word.x0, word.y0, word.x1, word.y1


def _spans(text: str) -> Iterator[tuple[int, int]]:
    for found in find_ibans(text.upper()):
        yield found.start, found.end
    for kind in (_MAIL, _PHONE):
        for match in kind.finditer(text):
            yield match.span()
    for match in _CARD.finditer(text):
        if luhn.is_valid(re.sub(r"\D", "", match[0])):
            yield match.span()
