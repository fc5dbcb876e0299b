"""What a class looks like, in words that a caption might use. Knows classes, no model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from docpipe.classify import UNKNOWN, DocumentClass

# A phrase's vector is the mean of these. A model without vectors, which runs once for each text, is shown the first alone.
TEMPLATES = ("a scan of {}", "a picture of {}", "a document page: {}")
MOST_WORDS = 24  # of a description: about as long as a caption
SHORTEST = 4  # letters of a word that two names have in common
# What a page may be beside the classes. A phrase that speaks of a class's own name is left out.
OTHERS: dict[str, tuple[str, ...]] = {
    "cover": ("a cover sheet", "the title page of a document"),
    "terms": ("terms and conditions in small print",),
    "blank": ("an empty white page",),
    "separator": ("a separator sheet with a large barcode",),
    UNKNOWN: ("a photograph", "a page of a book", "a newspaper", "a drawing", "a map", "a chart", "a handwritten note", "something else"),
}
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")


@dataclass(frozen=True)
class Option:
    """What a page may be: a class, a kind of page or unknown, and the phrases for it; the page is as likely it as its best phrase is."""

    name: str
    phrases: tuple[str, ...]


def options_of(classes: Sequence[DocumentClass]) -> tuple[Option, ...]:
    """The classes first, then what else a page may be."""
    taken = {word for one in classes for word in _words(one.name)}
    mine = [Option(one.name, _phrases(one)) for one in classes]
    others = [Option(name, tuple(phrase for phrase in phrases if not _speaks_of(phrase, taken))) for name, phrases in OTHERS.items()]
    return (*mine, *(option for option in others if option.phrases))


def prompts(phrase: str) -> list[str]:
    """The phrase in every template."""
    return [template.format(phrase) for template in TEMPLATES]


def _phrases(one: DocumentClass) -> tuple[str, ...]:
    """The name as words, and how the description begins."""
    sentence = re.split(r"[.;:\n]", " ".join(one.description.split()), maxsplit=1)[0]
    said = " ".join(sentence.split()[:MOST_WORDS]).strip()
    return tuple(dict.fromkeys(phrase for phrase in (" ".join(_words(one.name)), said.lower()) if phrase))


def _words(name: str) -> list[str]:
    """`path.py:HiveReport` -> hive, report."""
    return [part.lower() for part in _PART.findall(name.rpartition(":")[2])]


def _speaks_of(phrase: str, taken: set[str]) -> bool:
    return any(_alike(word, name) for word in _words(phrase) for name in taken)


def _alike(one: str, other: str) -> bool:
    return min(len(one), len(other)) >= SHORTEST and (one.startswith(other) or other.startswith(one))
