"""Whether a text of the XML is printed on the pages that it travels with. Knows words, no places and no fields by name.

Names and addresses say whom to pay, descriptions for what: where the XML says another than the page, one of the two was changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from docpipe.fields import FieldSpec, pattern
from docpipe.records import Candidate, Page
from docpipe.values.text import fold, squash
from docpipe.words import load_words
from docpipe.workspace import Workspace

# Of 26 e-invoices' names, addresses and descriptions one lacks a word on its page, 8 % of its letters.
MISSING = 0.25
_NUMBER = re.compile(r"\d+")
_PARTIES = frozenset({"name", "address"})


@dataclass(frozen=True)
class Printed:
    """The words of all pages: run together, as texts are compared, and the numbers in them. Empty where a page could not be read."""

    text: str = ""
    numbers: frozenset[str] = frozenset()


def printed(pages: Sequence[Page], space: Workspace) -> Printed:
    """What the pages print; it is asked only where the document brings XML."""
    found = [words for page in pages if (words := load_words(page, space)) is not None]
    if len(found) < len(pages):
        return Printed()
    texts = [word.text for words in found for word in words.words]
    return Printed("".join(map(squash, texts)), frozenset(number for text in texts for number in _NUMBER.findall(text)))


def ground(candidate: Candidate, specs: Mapping[str, FieldSpec], pages: Printed) -> Candidate:
    """The candidate; a name, an address or a text of a row that the pages do not print is not `grounded`."""
    spec = specs[pattern(candidate.path)]
    asked = spec.kind in _PARTIES or (spec.repeated and spec.kind == "text")
    if not (pages.text and asked and isinstance(candidate.value, str)) or _prints(pages, candidate.value):
        return candidate
    return candidate.model_copy(update={"grounded": False})


def _prints(pages: Printed, value: str) -> bool:
    """Nearly all letters of the value's words, and every number in it, stand on the pages."""
    words = fold(value).split()
    missing = [word for word in words if word not in pages.text]
    if not pages.numbers.issuperset(_NUMBER.findall(value)):
        return False
    return sum(map(len, missing)) <= MISSING * max(1, sum(map(len, words)))
