"""Which role a printed label may have, and how surely. Knows the built-in labels and a schema's own; no geometry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from docpipe.extract.labels.tables.lexicon import CARRIED, COLUMN_STEMS, COLUMNS, INCLUDED, TOTAL_STEMS, TOTALS
from docpipe.values.text import fold

Scores = dict[str, float]
LONGEST = 7  # words of a label
WORDS = 14  # a text with more words is a sentence, not a label
COVERED, COVERED_AT_START = 0.45, 0.3  # of the text's letters, by the label found in it
STEM_SCORE = 0.8
_BROKEN = re.compile(r"[-‐]\s+(?=[^\W\d_])")
_ASIDE = re.compile(r"\b(?:eur|euro|usd|gbp|dem|chf|sek|nok|dkk|pln|czk|huf|in)\b|[€$£¥]")
_RATE_TEXT = re.compile(r"\d[\d ]*%?")


def split_labels(text: str) -> tuple[str, ...]:
    """`a|b|c` -> the folded labels."""
    return tuple(dict.fromkeys(folded for part in text.split("|") if (folded := fold(part))))


BUILT_IN_COLUMNS = {role: split_labels(text) for role, text in COLUMNS.items()}
BUILT_IN_TOTALS = {role: split_labels(text) for role, text in TOTALS.items()}
_CARRIED = frozenset(split_labels(CARRIED))
_COLUMN_STEMS = tuple((re.compile(pattern), role) for pattern, role in COLUMN_STEMS)
_TOTAL_STEMS = tuple((re.compile(pattern), role) for pattern, role in TOTAL_STEMS)
_LETTERS = re.compile(r"[^\W\d_]|#")


class Labels:
    """One set of labels by role. A label may have several roles ("Total"): all are given with their scores, arithmetic decides.

    A role named `not:x` holds labels that are easily taken for `x`; where one fits as well as `x` does, `x` is not given.
    """

    def __init__(self, roles: Mapping[str, Iterable[str]], stems: tuple[tuple[re.Pattern[str], str], ...], *, rates: bool) -> None:
        self._stems = stems
        self._rates = rates
        self._roles: dict[str, set[str]] = {}
        self._squashed: dict[str, set[str]] = {}
        for role, labels in roles.items():
            for label in labels:
                self._roles.setdefault(label, set()).add(role)
                squashed = label.replace(" ", "")
                if len(squashed) >= 7 or not squashed.isascii():
                    self._squashed.setdefault(squashed, set()).add(role)
        self.words = frozenset(word for label in self._roles for word in label.split()) | frozenset(self._squashed)
        self.scores = lru_cache(maxsize=20000)(self._scores)

    def best(self, text: str) -> float:
        """How surely the text is a label of any role, 0..1."""
        return max(self.scores(text).values(), default=0.0)

    def _scores(self, text: str) -> Scores:
        """Role -> share of the text's letters that its longest label covers, where that is enough to be meant."""
        words = self._words(text)
        if not words or len(words) > WORDS:
            return {}
        letters = _size(words)
        if not letters:
            return {}
        found: Scores = {}
        for start in range(len(words)):
            for end in range(start + 1, min(len(words), start + LONGEST) + 1):
                self._add(found, words, start, end, letters)
        for role in self._squashed.get("".join(words), ()):
            found[role] = 1.0
        return _without_denied(found or self._by_stem(words))

    def _words(self, text: str) -> list[str]:
        folded = _ASIDE.sub(" ", fold(_BROKEN.sub("", text)))
        if self._rates:
            folded = _RATE_TEXT.sub(" ", folded)
        return folded.split()

    def _add(self, found: Scores, words: list[str], start: int, end: int, letters: int) -> None:
        roles = self._roles.get(" ".join(words[start:end]))
        if not roles:
            return
        covered = min(1.0, _size(words[start:end]) / letters)
        if covered >= COVERED or (start == 0 and covered >= COVERED_AT_START):
            for role in roles:
                found[role] = max(found.get(role, 0.0), covered)

    def _by_stem(self, words: list[str]) -> Scores:
        joined = "".join(words)
        if not 6 <= len(joined) <= 40:
            return {}
        return next(({role: STEM_SCORE} for pattern, role in self._stems if pattern.fullmatch(joined)), {})


def column_labels(own: Mapping[str, Iterable[str]]) -> Labels:
    """The labels of table columns: the built-in ones and `own`, by role."""
    return Labels(_joined(BUILT_IN_COLUMNS, own), _COLUMN_STEMS, rates=False)


def total_labels(own: Mapping[str, Iterable[str]]) -> Labels:
    """The labels of totals; a rate printed in one (`VAT 19 %`) is passed over."""
    return Labels(_joined(BUILT_IN_TOTALS, own), _TOTAL_STEMS, rates=True)


@lru_cache(maxsize=20000)
def is_carried(text: str) -> bool:
    """The text names a sum carried over from or to another page."""
    words = [word for word in fold(text).split() if not word.isdigit()]
    letters = _size(words)
    return any(
        " ".join(words[start:end]) in _CARRIED and _size(words[start:end]) >= 0.6 * letters
        for start in range(min(len(words), WORDS))
        for end in range(start + 1, min(len(words), start + LONGEST) + 1)
    )


def is_included(text: str) -> bool:
    """The text says that the row is part of another and not to be added."""
    first = fold(text[:40]).split()
    return bool(first) and (first[0] in INCLUDED or " ".join(first[:2]) in INCLUDED) and len(first) > 1


def _joined(built_in: Mapping[str, Iterable[str]], own: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    return {role: [*own.get(role, ()), *built_in.get(role, ())] for role in {**built_in, **own}}


def _without_denied(found: Scores) -> Scores:
    denied = {role[4:]: score for role, score in found.items() if role.startswith("not:")}
    return {role: score for role, score in found.items() if not role.startswith("not:") and score > denied.get(role, 0.0)}


def _size(words: Iterable[str]) -> int:
    return sum(len(_LETTERS.findall(word)) for word in words)
