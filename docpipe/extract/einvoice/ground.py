"""Whether a text of the XML is printed on the pages that it travels with. Knows words, no places and no fields by name.

Names and addresses say whom to pay, descriptions for what: where the XML says another than the page, one of the two was changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from docpipe.fields import FieldSpec, pattern
from docpipe.records import Candidate, Page
from docpipe.values.text import fold, squash
from docpipe.words import load_words
from docpipe.workspace import Workspace

# Of 26 e-invoices' names, addresses and descriptions one lacks a word on its page, 8 % of its letters.
MISSING = 0.25
_PARTIES = frozenset({"name", "address"})


def printed(pages: Sequence[Page], space: Workspace) -> str:
    """All words of the pages run together, as texts are compared; empty where a page could not be read."""
    found = [load_words(page, space) for page in pages]
    if any(words is None for words in found):
        return ""
    return "".join(squash(word.text) for words in found if words is not None for word in words.words)


def ground(candidate: Candidate, specs: Mapping[str, FieldSpec], text: str) -> Candidate:
    """The candidate; a name, an address or a text of a row that the pages do not print is not `grounded`."""
    spec = specs[pattern(candidate.path)]
    asked = spec.kind in _PARTIES or (spec.repeated and spec.kind == "text")
    if not (text and asked and isinstance(candidate.value, str)) or _prints(text, candidate.value):
        return candidate
    return candidate.model_copy(update={"grounded": False})


def _prints(text: str, value: str) -> bool:
    """Nearly all letters of the value's words and every number with three or more digits stand in the text."""
    words = fold(value).split()
    missing = [word for word in words if word not in text]
    if any(word.isdigit() and len(word) >= 3 for word in missing):
        return False
    return sum(map(len, missing)) <= MISSING * max(1, sum(map(len, words)))
