"""Readings -> for every field its rival candidates, the one that stands first. Pure; losers are kept, rows never joined by value.

Knows the merge policies and that a document's own XML comes first; no rule between fields.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from docpipe.fields import FieldSpec, pattern
from docpipe.records import Candidate, Issue, Reading
from docpipe.validate.choice import XML, Choice, ValueKey, best_first, value_key
from docpipe.validate.rows import Row, align, place, rows_of

CLAIM_SHARE = 0.6  # a page's best candidate is a claim of its own from this share of the field's best score on
JUDGED_BY = Callable[[FieldSpec, tuple[Candidate, ...]], float]
RowJudge = Callable[[Sequence[Row]], float]


@dataclass(frozen=True)
class Judge:
    """What merging asks from outside: how sure a candidate is among its engine's own, and how well a set of rows holds together."""

    confidence: JUDGED_BY
    rows: RowJudge


def merge(readings: Sequence[Reading], specs: Sequence[FieldSpec], judge: Judge) -> tuple[dict[str, Choice], list[Issue]]:
    """Concrete path -> the field's contest, in the schema's order and row by row; and the conflicts of `must_agree` fields.

    Candidates for paths that the schema does not have, and those without a value, are left out.
    """
    known = {spec.path: (place_in_schema, spec) for place_in_schema, spec in enumerate(specs)}
    pooled = _pool(readings, judge)
    choices: dict[str, Choice] = {}
    issues: list[Issue] = []
    for path in sorted((path for path in pooled if pattern(path) in known), key=lambda path: (_row(path), known[pattern(path)][0])):
        spec = known[pattern(path)][1]
        ranked, conflict = _contest(spec, path, pooled[path], judge)
        choices[path] = Choice(path, spec, ranked)
        issues += conflict
    ordered = sorted(
        choices, key=lambda path: (known[pattern(path)][0] if place(path) is None else _first_of_list(path, known), _row(path))
    )
    return {path: choices[path] for path in ordered}, issues


def _row(path: str) -> int:
    found = place(path)
    return found[1] if found else -1


def _first_of_list(path: str, known: dict[str, tuple[int, FieldSpec]]) -> int:
    found = place(path)
    name = found[0] if found else path
    return min((at for pattern_, (at, _) in known.items() if pattern_.startswith(name + "[")), default=0)


def _pool(readings: Sequence[Reading], judge: Judge) -> dict[str, list[Candidate]]:
    """Every candidate with a value under its final path; lists take their rows from one engine, the others' rows stand beside them."""
    pooled: dict[str, list[Candidate]] = defaultdict(list)
    for reading in readings:
        for candidate in reading.candidates:
            if place(candidate.path) is None and candidate.value is not None:
                pooled[candidate.path].append(candidate)
    for engines in rows_of(readings).values():
        for row in _rows(engines, judge.rows):
            for cell in row:
                if cell.value is not None:
                    pooled[cell.path].append(cell)
    return pooled


def _rows(engines: dict[str, list[Row]], rows_judge: RowJudge) -> list[Row]:
    """The leading engine's rows (the XML's, else those that hold together best), then what the others say of the same rows."""
    leading = min(engines, key=lambda engine: (engine != XML, -rows_judge(engines[engine]), engine))
    others = [align(engines[leading], engines[engine]) for engine in sorted(engines) if engine != leading]
    return [*engines[leading], *(row for rows in others for row in rows)]


def _contest(spec: FieldSpec, path: str, rivals: list[Candidate], judge: Judge) -> tuple[tuple[Candidate, ...], list[Issue]]:
    """The candidates, the field's winner first, and the conflict where the field allows none."""
    ranked = _ranked(spec, rivals, judge)
    claims = _claims(ranked)
    if ranked[0].engine == XML:
        return tuple(ranked), []
    if spec.merge == "concat_text":
        return (_joined(claims), *ranked), []
    if spec.merge == "must_agree" and len({value_key(spec.kind, claim.value) for claim in claims}) > 1:
        other = next(claim for claim in claims if value_key(spec.kind, claim.value) != value_key(spec.kind, claims[0].value))
        issue = Issue(code="conflict", severity="error", path=path, page=other.page, message="pages disagree", suggestion=str(other.value))
        return tuple(ranked), [issue]
    winner = _by_policy(spec, claims, ranked[0])
    return (winner, *(candidate for candidate in ranked if candidate is not winner)), []


def _ranked(spec: FieldSpec, rivals: list[Candidate], judge: Judge) -> list[Candidate]:
    """Each engine's best first: the XML's, then values that more engines put first, then the surer; after them the rest."""
    engines: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in best_first(rivals):
        engines[candidate.engine].append(candidate)
    votes = Counter(value_key(spec.kind, mine[0].value) for mine in engines.values())

    def standing(engine: str) -> tuple[bool, int, float, str]:
        mine = engines[engine]
        return engine != XML, -votes[value_key(spec.kind, mine[0].value)], -judge.confidence(spec, tuple(mine)), engine

    leading = sorted(engines, key=standing)
    return [engines[engine][0] for engine in leading] + [rest for engine in leading for rest in engines[engine][1:]]


def _claims(ranked: Sequence[Candidate]) -> list[Candidate]:
    """What each page of each engine claims the value is, in page order: its best candidate, where that is not far behind the engine's."""
    best: dict[tuple[str, int | None], Candidate] = {}
    top: dict[str, float] = {}
    for candidate in ranked:
        best.setdefault((candidate.engine, candidate.page), candidate)
        top[candidate.engine] = max(top.get(candidate.engine, candidate.score), candidate.score)
    standing = [claim for claim in best.values() if claim.score >= CLAIM_SHARE * top[claim.engine] or claim.score == top[claim.engine]]
    return sorted(standing, key=lambda claim: claim.page or 0)


def _by_policy(spec: FieldSpec, claims: Sequence[Candidate], best: Candidate) -> Candidate:
    if spec.merge == "first":
        return claims[0]
    if spec.merge == "last":
        return next(claim for claim in claims if claim.page == claims[-1].page)
    if spec.merge == "vote":
        votes: Counter[ValueKey] = Counter(value_key(spec.kind, claim.value) for claim in claims)
        return max(claims, key=lambda claim: (votes[value_key(spec.kind, claim.value)], claim is best))
    return best


def _joined(claims: Sequence[Candidate]) -> Candidate:
    """One engine's text of all pages, in page order."""
    engine = claims[0].engine if len({claim.engine for claim in claims}) == 1 else max(claims, key=lambda claim: claim.score).engine
    parts = [claim for claim in claims if claim.engine == engine]
    if len(parts) == 1:
        return parts[0]
    text = "\n\n".join(str(part.value) for part in parts)
    return parts[0].model_copy(update={"value": text, "raw": None, "page": None, "box": None})
