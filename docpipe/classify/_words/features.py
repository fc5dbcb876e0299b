"""What a page shows, seen by one class: numbers that speak for or against it. Knows neither their weights nor other classes' numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from docpipe.classify._words.sight import Found, Sight
from docpipe.classify._words.vocabulary import Meaning, Nature

IN_PROSE = 0.3  # of a single word in the midst of a sentence
_CHECKED = frozenset({"iban", "tax_id"})
_VALUES = frozenset({"money", "date", "time", "rate", "bool"})


@dataclass(frozen=True)
class Mark:
    """One phrase and what it means to one class; `share` is what the class has of it, where several claim it."""

    found: Found
    meaning: Meaning
    share: float

    @property
    def value(self) -> float:
        return self.meaning.weight * self.share

    @property
    def several(self) -> bool:
        """A phrase of several words is seldom printed for another reason."""
        return self.found.end - self.found.start > 1


def marks_of(sight: Sight) -> dict[str, list[Mark]]:
    """The marks of each class: every phrase means one thing to it, and every meaning counts once, at its most telling place."""
    best: dict[tuple[str, str, str], Mark] = {}
    for found in sight.found:
        for meaning in _strongest(found.meanings):
            mark = Mark(found, meaning, (IN_PROSE if found.in_prose else 1.0) / math.sqrt(_claims(found.meanings, meaning)))
            place = (meaning.class_name, meaning.sort, meaning.owner)
            if place not in best or _rank(best[place]) < _rank(mark):
                best[place] = mark
    marks: dict[str, list[Mark]] = {}
    for mark in best.values():
        marks.setdefault(mark.meaning.class_name, []).append(mark)
    return marks


def _strongest(meanings: Iterable[Meaning]) -> Iterable[Meaning]:
    """One meaning of each class and sort: `address` is the label of the seller's or of the buyer's, not of both."""
    best: dict[tuple[str, str], Meaning] = {}
    for meaning in meanings:
        kept = best.get((meaning.class_name, meaning.sort))
        if kept is None or kept.weight < meaning.weight:
            best[meaning.class_name, meaning.sort] = meaning
    return best.values()


def _claims(meanings: Iterable[Meaning], mine: Meaning) -> int:
    """How many classes claim the phrase; a mere word of a description claims no label."""
    rivals = {m.class_name for m in meanings if m.sort != "other_title" and (m.sort != "word" or mine.sort == "word")}
    return len(rivals | {mine.class_name})


def features_of(sight: Sight, nature: Nature, marks: Iterable[Mark]) -> Mapping[str, float]:
    """The numbers, each 0 where nothing is seen; their weights are in `weights.py`."""
    by_sort: dict[str, list[Mark]] = {}
    for mark in marks:
        by_sort.setdefault(mark.meaning.sort, []).append(mark)
    labels, titles = by_sort.get("label", []), by_sort.get("title", [])
    own = [mark for sort in ("label", "phrase", "word") for mark in by_sort.get(sort, []) if mark.share == 1.0]
    single, several = _total(labels, several=False), _total(labels, several=True)
    return {
        "title": max((mark.meaning.weight for mark in titles if mark.found.stands_out), default=0.0),
        "other_title": max((1.0 for mark in by_sort.get("other_title", []) if mark.found.stands_out), default=0.0),
        "labels": math.log1p(several),
        "short_labels": math.log1p(single),
        "share": (single + several) / nature.fields if nature.fields else 0.0,
        "phrases": math.log1p(_total(by_sort.get("phrase", []), several=True)),
        "words": math.log1p(_total(by_sort.get("word", []), several=False)),
        "own": math.log1p(_total(own, several=True) + _total(own, several=False)),
        **dict(_shape(sight, nature)),
    }


def _shape(sight: Sight, nature: Nature) -> Iterator[tuple[str, float]]:
    wanted = nature.kinds & _VALUES
    yield "values", len(wanted & sight.kinds) / len(wanted) if wanted else 1.0
    yield "no_money", float("money" in wanted and "money" not in sight.kinds)
    yield "narrow", sight.narrow * (nature.merchant - nature.parties)
    yield "wide", (1.0 - sight.narrow) * nature.merchant
    yield "script", sight.hangul if not nature.hangul else 0.0
    yield "checked", float(len(nature.kinds & sight.kinds & _CHECKED) > 0)
    yield "prose", min(3.0, sight.letters / 1500)


def _total(marks: Iterable[Mark], *, several: bool) -> float:
    """The value of the marks, each owner once: the label of a field in two places says no more."""
    owners: dict[str, float] = {}
    for mark in marks:
        if mark.several == several:
            owners[mark.meaning.owner] = max(owners.get(mark.meaning.owner, 0.0), mark.value)
    return sum(owners.values())


def _rank(mark: Mark) -> tuple[bool, float]:
    """A title counts where it stands out, anything else where it is surest."""
    return mark.meaning.sort in ("title", "other_title") and mark.found.stands_out, mark.value
