"""A schema's fields -> what to look for on a page: label phrases with their weights, and how a field is told from its neighbours.

Knows names, descriptions and labels; no page. A user's schema may carry no labels at all: names and descriptions then give the phrases.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from docpipe.annotations import DefaultTo, Rule
from docpipe.extract.labels.lexicon import ISSUER_WORDS, MERCHANT_WORDS, RECIPIENT_WORDS, STOP_WORDS
from docpipe.fields import FieldSpec, name_words
from docpipe.values.text import fold, squash

Role = Literal["", "start", "end"]
Side = Literal["", "issuer", "recipient", "merchant", "other"]

_HEADS = {
    "number": ("number", "no", "#"), "no": ("number", "no", "#"), "id": ("id", "no", "number"), "date": ("date", "dt"),
    "name": ("name", ""), "amount": ("amount", "total", "amt", ""), "total": ("total", "amount"),
}  # fmt: skip
_PARTY_NAMES = frozenset({"name", "company", "organisation", "organization", "firm", "party"})
_START, _END = frozenset({"from", "start", "begin"}), frozenset({"to", "end", "until"})
_QUOTED = re.compile(r"['‘\"“]([^'’\"”]{3,60})['’\"”](?!s)")
_ITEM = re.compile(r"^\s*(?:box|line|item|question|feld|zeile|case|ligne)\s*(\d+\w?)\s*,?\s*", re.IGNORECASE)
_NUMBER_OF = re.compile(r"\b(number|name|date|day|code) of (?:the )?(.*)", re.IGNORECASE)
_NOT = re.compile(r"\bnot (?:the |a |an )?([^,;.]+)")
_CLAUSE = re.compile(r"[,:]|\bor\b|\bwhen\b|\bas printed\b|\bas shown\b|\bwith\b|\bbeside\b|\bin which\b")


@dataclass(frozen=True)
class Phrase:
    """Text that may be printed as a label; `key` is its squashed form, `weight` 0..1 how surely it means the field."""

    text: str
    key: str
    weight: float


@dataclass(frozen=True)
class Target:
    """One field to look for. `words` are the content words of its name and description; `item` the number of its box or line on a form;
    `side` the party of a deal that its group stands for, `group` that group's path; `allies` are the fields that mostly have the same
    value."""

    spec: FieldSpec
    phrases: tuple[Phrase, ...]
    negatives: tuple[str, ...]
    role: Role = ""
    side: Side = ""
    group: str = ""
    item: str = ""
    words: frozenset[str] = frozenset()
    month_first: bool = False
    allies: frozenset[str] = frozenset()
    stands_in: frozenset[str] = frozenset()

    @property
    def kind(self) -> str:
        return self.spec.kind

    @property
    def is_party(self) -> bool:
        """The field is the name or the address of its group's party, not of somebody who acts for it."""
        if not self.side or self.kind not in ("name", "address"):
            return False
        words = set(name_words(self.spec.name))
        return "address" in words if self.kind == "address" else bool(words & _PARTY_NAMES)

    @property
    def bare_date(self) -> bool:
        """The plain word for a date means this field: it is the document's own date."""
        return any(phrase.key in ("date", "datum", "fecha", "data", "일자") for phrase in self.phrases if phrase.weight > 0.9)


_CANONICAL = {
    word: canonical
    for canonical, words in {
        "excl": "exclusief exclusive excluding exclusivo exkl exklusive excludes ex",
        "incl": "inclusief inclusive including incluido inkl inklusive inklusiv includes inc",
        "amount": "amt", "account": "acct", "reference": "ref", "customer": "cust", "total": "tot", "net": "nett", "payment": "pymt",
        "mwst": "mwstr", "address": "addr", "description": "desc",
    }.items()
    for word in words.split()
}  # fmt: skip


_COMPOUND = re.compile(r"^(\w{4,})(?:nummer|number|nr)$")  # `Buchungsnummer` = `Buchungs-Nr.`


@lru_cache(maxsize=65536)
def label_key(text: str) -> str:
    """What two spellings of one label share: squashed, with common abbreviations of a word as that word."""
    return squash(" ".join(_COMPOUND.sub(r"\1 no", _CANONICAL.get(word, word)) for word in fold(text).split()))


@lru_cache(maxsize=65536)
def later_key(word: str) -> str:
    """The key of a word that is not the first of its label."""
    return label_key("x " + word)[1:]


@lru_cache(maxsize=32)
def targets_of(specs: tuple[FieldSpec, ...], rules: tuple[Rule, ...] = ()) -> tuple[Target, ...]:
    """One target per field that stands once in a document, in the order of the schema."""
    same = [(rule.path, rule.source) for rule in rules if isinstance(rule, DefaultTo)]
    found = [
        replace(
            _target(spec),
            allies=frozenset(two for one, two in (*same, *((b, a) for a, b in same)) if one == spec.path),
            stands_in=frozenset(one for one, two in same if two == spec.path),
        )
        for spec in specs
        if not spec.repeated and spec.kind != "page_text"
    ]
    return tuple(_with_twin(target, found) for target in found)


def content_words(text: str) -> frozenset[str]:
    """The words of a text that mean something, plural s off."""
    return frozenset(stem(word) for word in fold(text).split() if word not in STOP_WORDS and len(word) > 1)


def stem(word: str) -> str:
    """An English plural's singular; anything else as it is."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _target(spec: FieldSpec) -> Target:
    weights: dict[str, float] = {}
    for text, weight in _weighted(spec):
        text = fold(text)
        if len(text) >= 2:
            weights[text] = max(weights.get(text, 0.0), weight)
    phrases = sorted((Phrase(text, label_key(text), weight) for text, weight in weights.items()), key=lambda phrase: -phrase.weight)
    item = _ITEM.match(spec.description)
    return Target(
        spec=spec,
        phrases=tuple(phrases),
        negatives=tuple(_negatives(spec)),
        role=_role(spec),
        side=_side(spec),
        group=".".join(spec.groups),
        item=item[1].lower() if item else "",
        words=content_words(" ".join((*name_words(spec.name), re.split(r";|\bnot\b", _ITEM.sub("", spec.description))[0]))),
        month_first=bool(re.search(r"month.{0,12}(?:before|first)", spec.description)),
    )


def _weighted(spec: FieldSpec) -> Iterator[tuple[str, float]]:
    """Every phrase with its weight, by where it comes from."""
    for place, label in enumerate(spec.labels):
        yield label, max(0.94, 1.0 - 0.0004 * place)
    if spec.labels:
        yield " ".join(name_words(spec.name)), 0.85
        return
    yield from _from_name(spec)
    yield from _from_description(spec)


def _from_name(spec: FieldSpec) -> Iterator[tuple[str, float]]:
    words = name_words(spec.name)
    yield " ".join(words), 0.95
    role, head, base = _role(spec), words[-1], words[:-1]
    if role:
        yield from _period_phrases([word for word in words if word not in _START | _END], role)
    if spec.kind == "money" and {"total", "gross"} & content_words(spec.description):
        yield from (("total", 0.5), ("grand total", 0.55))
    if head in _HEADS and base:
        if head in ("number", "no", "id"):
            yield " ".join(base), 0.75
        for form in _HEADS[head]:
            yield " ".join((*base, form)), 0.9 if form else 0.75
        if head in ("name", "date", "number", "amount"):
            yield f"{head} of {' '.join(base)}", 0.92


def _period_phrases(base: Sequence[str], role: Role) -> Iterator[tuple[str, float]]:
    for word in ("dates", "date", "period", "start end dates"):
        yield " ".join((*base, word)), 0.9
    yield " ".join((*base, role, "date")), 0.97
    yield " ".join((*base, role)), 0.9
    yield f"{role} date", 0.5
    yield "period", 0.48
    yield " ".join(base), 0.6


def _from_description(spec: FieldSpec) -> Iterator[tuple[str, float]]:
    text = spec.description
    for quoted in _QUOTED.findall(text):
        yield quoted, 0.97
    role_or_date = bool(_role(spec)) or spec.kind == "date"
    for inside in re.findall(r"\(([^)]*)\)", text):
        yield from _from_parenthesis(inside, dates=role_or_date)
    main = _ITEM.sub("", re.sub(r"\([^)]*\)", "", re.split(r";|\bnot\b", text)[0]))
    clauses = list(_clauses(main))
    yield from clauses
    yield from _number_of(main)
    if item := _ITEM.match(text):
        yield from ((f"{item[1]} {clause}", min(1.0, weight + 0.15)) for clause, weight in clauses if weight >= 0.6)


def _from_parenthesis(inside: str, *, dates: bool) -> Iterator[tuple[str, float]]:
    for clause in re.split(r",|\bor\b", inside):
        words = [word for word in fold(clause).split() if word not in STOP_WORDS]
        if 0 < len(words) <= 3 and 2 < len(" ".join(words)) < 40:
            yield " ".join(words), 0.75
    tail = fold(inside).split()
    if dates and tail and tail[-1] in ("dates", "date"):
        yield from ((f"{word} {tail[-1]}", 0.88) for word in tail[:-1] if word not in STOP_WORDS)


def _clauses(main: str) -> Iterator[tuple[str, float]]:
    for clause in _CLAUSE.split(main):
        words = [word for word in fold(clause).split() if word not in ("the", "a", "an")]
        if 1 <= len(words) <= 7 and not STOP_WORDS.issuperset(words):
            yield " ".join(words), 0.8 if len(words) > 1 else 0.6


def _number_of(main: str) -> Iterator[tuple[str, float]]:
    """`number of the contract or order` -> contract number, contract #, order number, ..."""
    match = _NUMBER_OF.search(main)
    if not match:
        return
    head = {"day": "date"}.get(match[1].lower(), match[1].lower())
    for part in re.split(r",|\bor\b|\band\b", match[2]):
        words = " ".join([word for word in fold(part).split() if word not in STOP_WORDS and word != head][:2])
        if len(words) > 2:
            yield from ((f"{words} {form}", 0.85) for form in _HEADS.get(head, (head,)) if form)
            yield f"{head} of {words}", 0.85
            yield words, 0.55
    if head == "name":
        yield "name", 0.62


def _negatives(spec: FieldSpec) -> Iterator[str]:
    yield from (fold(label) for label in spec.not_labels)
    for match in _NOT.finditer(spec.description):
        text = fold(re.sub(r"\([^)]*\)", "", match[1]))
        if not spec.labels and 2 < len(text) < 30:
            yield text


def _role(spec: FieldSpec) -> Role:
    if spec.kind != "date":
        return ""
    last, text = name_words(spec.name)[-1], spec.description
    if last in _START or re.search(r"\b(?:first day|start)\b", text, re.IGNORECASE):
        return "start"
    if last in _END or re.search(r"\b(?:last day|end date)\b", text, re.IGNORECASE):
        return "end"
    return ""


def _side(spec: FieldSpec) -> Side:
    if not spec.groups:
        return ""
    words = set(name_words(spec.groups[-1])) | {" ".join(name_words(spec.groups[-1]))}
    if words & MERCHANT_WORDS:
        return "merchant"
    if words & RECIPIENT_WORDS:
        return "recipient"
    return "issuer" if words & ISSUER_WORDS else "other"


def _with_twin(target: Target, targets: Iterable[Target]) -> Target:
    """The first and the last day of one period share the phrases that name the period."""
    if not target.role:
        return target
    base, known = name_words(target.spec.name)[:-1], {phrase.key for phrase in target.phrases}
    extra = [
        phrase
        for twin in targets
        if twin.role and twin.role != target.role and name_words(twin.spec.name)[:-1] == base
        for phrase in twin.phrases
        if phrase.key not in known and not set(phrase.text.split()) & (_START | _END | {"first", "last"})
    ]
    return replace(target, phrases=target.phrases + tuple(extra))
