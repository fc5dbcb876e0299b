"""A class -> what its documents are likely to print: titles, labels, phrases and words. Knows schemas and descriptions, no page."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel

from docpipe.classify import DocumentClass
from docpipe.extract.labels.lexicon import STOP_WORDS
from docpipe.extract.labels.phrases import content_words, label_key, targets_of
from docpipe.fields import FieldSpec, fields_of, name_words, rules_of, titles_of

Sort = Literal["title", "label", "phrase", "word", "other_title"]
LONGEST = 7  # words of a phrase
HEAD = 8  # letters by which most runs of words are known to begin no phrase
TAIL = 7  # letters of a title that is one when it ends a longer word: `Beitragsrechnung` is a `Rechnung`
_ABOUT = """use true false ticked box line printed shown empty null field value digits before after more most less must read each first
last day within between every there were have been does beside above below with without whether their some same such than
also name number date address code text kind left right side part list"""
_GLUE = STOP_WORDS | frozenset(_ABOUT.split())  # words of descriptions that say nothing of a kind of document
_NO_TITLE = re.compile(r"\buse:.*", re.IGNORECASE | re.DOTALL)
# `An invoice, credit note or other bill: who owes ...` names three kinds of documents.
_SENTENCE = re.compile(r"(?:an?|the|one|any)\s+(.+?)(?=[:;]|\s(?:of|that|which|from|for|with|often)\b|$)", re.IGNORECASE)
_LISTED = re.compile(r",|\bor\b(?:\s+other\b)?|\band\b")
_ITEMS = re.compile(r"[.,;:()]|\b(?:or|and|with|of|for)\b")
_PARTS = re.compile(r"[.,;:()'\"“”‘’]|\bor\b")


@dataclass(frozen=True)
class Meaning:
    """What a printed phrase means to a class: `owner` is the field's path, or the phrase itself; `weight` 0..1 how surely."""

    class_name: str
    sort: Sort
    owner: str
    weight: float


@dataclass(frozen=True)
class Nature:
    """What can be told of a class's documents beside their words. `fields` counts those that have labels, `words` the single words of its
    descriptions; `kinds` are the kinds of its values; `merchant` and `parties`: it has a shop, or two sides."""

    name: str
    fields: int
    words: int
    kinds: frozenset[str]
    merchant: bool
    parties: bool
    hangul: bool


@dataclass(frozen=True)
class Vocabulary:
    """The phrases of all classes, by the key that two spellings of one phrase share, and what each class is like. `tails` are the titles
    that a longer word may end with, longest first, by their last TAIL letters; `heads` are the beginnings of all keys, up to HEAD
    letters."""

    meanings: dict[str, tuple[Meaning, ...]]
    natures: tuple[Nature, ...]
    tails: dict[str, list[str]]
    heads: frozenset[str]

    def goes_on(self, run: str) -> bool:
        """Whether a phrase may begin with the run, which is the key of its first words."""
        return run[:HEAD] in self.heads

    def of(self, key: str) -> tuple[Meaning, ...]:
        """What the key means, or as a compound the title that it ends with."""
        if (known := self.meanings.get(key)) is not None:
            return known
        if (tails := self.tails.get(key[-TAIL:])) is None:
            return ()
        tail = next((tail for tail in tails if key.endswith(tail)), "")
        return tuple(meaning for meaning in self.meanings.get(tail, ()) if meaning.sort == "title")


@lru_cache(maxsize=8)
def vocabulary_of(classes: tuple[DocumentClass, ...], titles: tuple[tuple[str, str], ...] = ()) -> Vocabulary:
    """The vocabulary in which the classes are told apart; `titles` are those of what is no class, by its name, `|` between."""
    found: dict[str, dict[tuple[str, str, str], Meaning]] = {}
    natures = []
    for one in classes:
        spoken = list(_meanings(one))
        natures.append(_nature(one, spoken))
        for key, meaning in spoken:
            place = (meaning.class_name, meaning.sort, meaning.owner)
            kept = found.setdefault(key, {})
            if place not in kept or kept[place].weight < meaning.weight:
                kept[place] = meaning
    for name, listed in titles:
        for title in listed.split("|"):
            found.setdefault(label_key(title), {})[name, "title", title] = Meaning(name, "title", title, 1.0)
    meanings = {key: tuple(said.values()) for key, said in found.items()}
    tails: dict[str, list[str]] = {}
    for key in sorted(meanings, key=len, reverse=True):
        if len(key) >= TAIL and key.isalpha() and any(meaning.sort == "title" for meaning in meanings[key]):
            tails.setdefault(key[-TAIL:], []).append(key)
    heads = frozenset(key[:letters] for key in meanings for letters in range(1, HEAD + 1))
    return Vocabulary(meanings, tuple(natures), tails, heads)


def _meanings(one: DocumentClass) -> Iterator[tuple[str, Meaning]]:
    """Every phrase of the class with its key, most telling sort first."""
    for sort, owner, text, weight in _phrases(one):
        key = label_key(text)
        if len(key) >= 2 and len(text.split()) <= LONGEST + 1:
            yield key, Meaning(one.name, sort, owner, weight)


def _phrases(one: DocumentClass) -> Iterator[tuple[Sort, str, str, float]]:
    own, other = titles_of(one.schema) if one.schema else ((), ())
    yield from (("title", title, title, 1.0) for title in own)
    foreign = set(map(label_key, other))  # `credit note` is part of a description, and no title that speaks for the class
    yield from (("title", title, title, 0.8) for title in _names(one) if label_key(title) not in foreign)
    yield from (("other_title", title, title, 1.0) for title in other)
    specs = fields_of(one.schema) if one.schema else ()
    yield from _labels(one, specs)
    texts = [one.description, *_module_text(one.schema), *(spec.description for spec in specs)]
    texts += [choice for spec in specs for choice in spec.choices]
    for text in dict.fromkeys(texts):
        yield from (("phrase", run, run, 0.5 + 0.1 * min(5, len(run.split()))) for run in _runs(text))
    words = content_words(" ".join(texts)) - _GLUE
    yield from (("word", word, word, 0.3) for word in sorted(words) if len(word) > 3)


def _names(one: DocumentClass) -> Iterator[str]:
    """The class's own name, and its description where that is a title and no sentence."""
    bare = re.sub(r"\.py$", "", one.name.rpartition(":")[0]) or one.name
    yield " ".join(name_words(bare))
    if one.schema:
        yield " ".join(name_words(one.schema.__name__))
    first = re.sub(r"\([^)]*\)", "", re.split(r"\.(?:\s|$)", one.description)[0]).strip()
    if kinds := _SENTENCE.match(first):
        yield from (kind for part in _LISTED.split(kinds[1]) if 0 < len((kind := part.strip()).split()) <= 4)
    elif 2 <= len(first.split()) <= LONGEST + 1:
        yield first


def _module_text(schema: type[BaseModel] | None) -> Iterator[str]:
    """What the schema's file says of itself, without how to use it."""
    module = sys.modules.get(schema.__module__) if schema else None
    if module is not None and module.__doc__:
        yield _NO_TITLE.sub("", module.__doc__)


def _labels(one: DocumentClass, specs: Sequence[FieldSpec]) -> Iterator[tuple[Sort, str, str, float]]:
    if one.schema is None:
        # A description lists what is printed, as a schema's fields would.
        for part in _ITEMS.split(one.description):
            words = [word for word in re.findall(r"[\w/&-]+", part) if word.lower() not in STOP_WORDS]
            yield from (("label", text, text, 0.8) for text in [" ".join(words)] if text)
        return
    for target in targets_of(tuple(specs), rules_of(one.schema)):
        yield from (("label", target.spec.path, phrase.text, phrase.weight) for phrase in target.phrases)
    for spec in specs:
        if spec.repeated:
            yield from (("label", spec.path, label, 0.9) for label in spec.labels)
        yield from (("label", group, section, 0.8) for group in spec.groups[-1:] for section in spec.sections)


def _runs(text: str) -> Iterator[str]:
    """The runs of 2 to LONGEST words of a text that mean something: no stop word at either end."""
    for part in _PARTS.split(text):
        words = re.findall(r"[\w/&-]+", part)
        for start in range(len(words)):
            for end in range(start + 2, min(start + LONGEST, len(words)) + 1):
                run = words[start:end]
                if all(word.lower() not in _GLUE for word in (run[0], run[-1])):
                    yield " ".join(run)


def _nature(one: DocumentClass, said: Sequence[tuple[str, Meaning]]) -> Nature:
    targets = targets_of(fields_of(one.schema), rules_of(one.schema)) if one.schema else ()
    sides = {target.side for target in targets}
    return Nature(
        name=one.name,
        fields=len({meaning.owner for _, meaning in said if meaning.sort == "label"}),
        words=len({meaning.owner for _, meaning in said if meaning.sort == "word"}),
        kinds=frozenset(spec.kind for spec in fields_of(one.schema)) if one.schema else frozenset(),
        merchant="merchant" in sides,
        parties=len(sides & {"issuer", "recipient", "other"}) >= 2,
        hangul=any("가" <= char <= "힣" for key, _ in said for char in key),
    )
