"""One printed text answers one question: where two fields of free text want the same place, the one with the better way out gives in.

Knows scores and places, no labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from docpipe.extract.labels.phrases import Target
from docpipe.extract.labels.scoring import Scored

_KINDS = frozenset({"name", "text", "address", "id"})
GIVING_IN = 1.0  # what a place that another field keeps loses
_ROUNDS = 3


def contested(targets: Sequence[Target], ranked: Mapping[str, list[Scored]]) -> dict[str, list[Scored]]:
    """The rankings, best first, after no two fields without a group want one place first."""
    result = dict(ranked)
    paths = [target.spec.path for target in targets if target.kind in _KINDS and not target.group]
    for _ in range(_ROUNDS):
        changed = False
        for one, other in combinations(paths, 2):
            loser = _loser(result[one], result[other], one, other)
            if loser:
                winner = result[other if loser == one else one][0]
                result[loser] = _without(result[loser], winner)
                changed = True
        if not changed:
            break
    return result


def _loser(one: Sequence[Scored], other: Sequence[Scored], path: str, other_path: str) -> str | None:
    """Which of two fields should look elsewhere; None where they do not want the same place."""
    if not one or not other or min(one[0].score, other[0].score) < 0 or not _overlap(one[0], other[0]):
        return None
    one_rest = _best_elsewhere(one, other[0])
    other_rest = _best_elsewhere(other, one[0])
    keeps_first = one[0].score + other_rest
    keeps_second = other[0].score + one_rest
    return other_path if keeps_first >= keeps_second else path


def _best_elsewhere(ranking: Sequence[Scored], taken: Scored) -> float:
    return max((scored.score for scored in ranking if not _overlap(scored, taken)), default=0.0)


def _overlap(one: Scored, other: Scored) -> bool:
    first, second = one.option.place, other.option.place
    return first.segment is second.segment and first.start < second.end and second.start < first.end


def _without(ranking: Sequence[Scored], winner: Scored) -> list[Scored]:
    lowered = [
        replace(scored, score=scored.score - GIVING_IN, features={**scored.features, "taken": 1.0}) if _overlap(scored, winner) else scored
        for scored in ranking
    ]
    return sorted(lowered, key=lambda scored: -scored.score)
