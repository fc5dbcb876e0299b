"""Accepted answers -> candidates with their place on the page and what speaks for them. Knows answers, words and kinds; asks nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from docpipe.extract.vlm.ground import PAGE_SIMILAR, PagePrint, Place, beside, nearest
from docpipe.extract.vlm.labels import NumberLabels
from docpipe.extract.vlm.parse import Answer, Leaf, Sureness
from docpipe.extract.vlm.rows import Row, strays
from docpipe.fields import FieldSpec, pattern
from docpipe.records import Candidate, Evidence, Words
from docpipe.values.text import tidy

NAME = "vlm"
UNKNOWN = 0.5  # how sure a model is that does not say
NOTHING = frozenset({"null", "none", "n/a", "not found", "not available", "-", "–", "—"})  # how models write null, where it is not print
_ROW = re.compile(r"^([^\[]+)\[(\d+)\](.*)$", re.DOTALL)


def joined(answers: Sequence[Answer], specs: Mapping[str, FieldSpec]) -> list[Leaf]:
    """The leaves of a page's parts, from top to bottom: rows counted on, texts of the page put together."""
    leaves: list[Leaf] = []
    for answer in answers:
        rows = {name: 1 + max(row for one, row in _rows(leaves) if one == name) for name, _ in _rows(leaves)}
        leaves += [_counted_on(leaf, rows) for leaf in answer.leaves]
    texts = [leaf for leaf in leaves if leaf.path in specs and specs[leaf.path].kind == "page_text"]
    for path in dict.fromkeys(leaf.path for leaf in texts):
        mine = [leaf for leaf in texts if leaf.path == path]
        whole = Leaf(path, "\n".join(str(leaf.value) for leaf in mine), _least_sure(mine))
        leaves = [whole if leaf is mine[0] else leaf for leaf in leaves if leaf is mine[0] or leaf not in mine]
    return leaves


def _least_sure(leaves: Sequence[Leaf]) -> Sureness | None:
    return min((leaf.sureness for leaf in leaves if leaf.sureness), key=lambda sure: sure.least, default=None)


def _rows(leaves: Sequence[Leaf]) -> Iterator[tuple[str, int]]:
    return ((found[1], int(found[2])) for leaf in leaves if (found := _ROW.match(leaf.path)))


def _counted_on(leaf: Leaf, rows: Mapping[str, int]) -> Leaf:
    found = _ROW.match(leaf.path)
    if found is None or found[1] not in rows:
        return leaf
    return Leaf(f"{found[1]}[{int(found[2]) + rows[found[1]]}]{found[3]}", leaf.value, leaf.sureness)


def candidates(
    leaves: Sequence[Leaf], specs: Mapping[str, FieldSpec], words: Words, *, model: str, hinted: bool = False
) -> Iterator[Candidate]:
    """A candidate for each leaf. One that the page's words do not bear out has no place and is not `grounded`. `hinted`: the model was told
    these words, so that what it says of them is no reading of its own."""
    page, reached = PagePrint(words), 0
    groups: list[tuple[str, list[Leaf], dict[str, Place]]] = []
    tables: dict[str, list[tuple[str, dict[str, Place]]]] = {}
    for row, group in groupby(leaves, key=lambda leaf: _row_of(leaf.path)):
        mine = list(group)
        found = {leaf.path: page.places(leaf.value, specs[pattern(leaf.path)].kind) for leaf in mine if isinstance(leaf.value, str)}
        anchor, chosen, reached = _on_one_row(found, reached) if row else ("", *_in_order(found, reached))
        if anchor and specs[pattern(anchor)].rows not in ("pairs", "pages"):
            tables.setdefault(row.partition("[")[0], []).append((anchor, chosen))
        groups.append((row, mine, chosen))
    labels, away = NumberLabels(page, specs.values()), {path for rows in tables.values() for path in _away(rows)}
    for row, mine, chosen in groups:
        kept = {path: place for path, place in chosen.items() if path not in away}
        kept |= _ticked(mine, specs, page, kept if row else {})
        for leaf in mine:
            if leaf.path not in kept and str(leaf.value).casefold() in NOTHING:
                continue
            spec, place = specs[pattern(leaf.path)], kept.get(leaf.path)
            named = place is not None and labels.at_own(place.box, spec.path)
            candidate = _candidate(leaf, spec, place, page, words, model, named=named)
            yield _told(candidate) if hinted else candidate


def _told(candidate: Candidate) -> Candidate:
    evidence = candidate.evidence
    return candidate.model_copy(update={"evidence": evidence.model_copy(update={"features": {**evidence.features, "hinted": 1.0}})})


def _away(rows: Sequence[tuple[str, Mapping[str, Place]]]) -> Iterator[str]:
    """The cells of a table, by path, that are printed in another row than their own."""
    found = strays([Row(pattern(anchor), {pattern(path): place for path, place in cells.items()}) for anchor, cells in rows])
    return (path for number, (_, cells) in enumerate(rows) for path in cells if (number, pattern(path)) in found)


def _row_of(path: str) -> str:
    found = _ROW.match(path)
    return f"{found[1]}[{found[2]}]" if found else ""


def _in_order(found: Mapping[str, Sequence[Place]], reached: int) -> tuple[dict[str, Place], int]:
    """For values outside of lists: each the next after the one before it. And where the next is looked for."""
    chosen: dict[str, Place] = {}
    for path, places in found.items():
        if places:
            chosen[path] = nearest(places, reached)
            reached = chosen[path].at
    return chosen, reached


def _on_one_row(found: Mapping[str, Sequence[Place]], reached: int) -> tuple[str, dict[str, Place], int]:
    """For the cells of a row: the cell that is printed at the fewest places says where the row is, which comes first; the others are those
    nearest to it. And where the next row is looked for."""
    some = {path: places for path, places in found.items() if places}
    if not some:
        return "", {}, reached
    rarest = min(some, key=lambda path: (len(some[path]), -len(some[path][0].raw)))
    anchor = nearest(some[rarest], reached)
    return rarest, {path: anchor if path == rarest else beside(places, anchor.box) for path, places in some.items()}, anchor.at + 1


def _ticked(leaves: Sequence[Leaf], specs: Mapping[str, FieldSpec], page: PagePrint, row: Mapping[str, Place]) -> dict[str, Place]:
    """The box for each yes or no: in a row, beside the first of its texts; outside of lists, beside the field's label, if there is one."""
    found: dict[str, Place] = {}
    for leaf in leaves:
        if isinstance(leaf.value, bool):
            label = next(iter(row.values()), None) or page.only(specs[pattern(leaf.path)].names)
            place = page.tick(label, leaf.value) if label else None
            found |= {leaf.path: place} if place else {}
    return found


def _candidate(leaf: Leaf, spec: FieldSpec, place: Place | None, page: PagePrint, words: Words, model: str, *, named: bool) -> Candidate:
    said = leaf.value if isinstance(leaf.value, str) else None
    alike = place.similarity if place else page.prints_page(said or "") if spec.kind == "page_text" else 0.0
    features = {"words": alike, "ocr": 0.0 if words.source == "text_layer" else 1.0, "named": float(named)}
    if place is not None:
        features["word_confidence"] = place.word_confidence
    sure = leaf.sureness
    if sure is not None:
        features |= {"token_min": sure.least, "token_mean": sure.mean, "forbidden": sure.forbidden}
    score = sure.least if sure else UNKNOWN
    # OCR may err where the model does not; what a text layer says is what the page prints.
    own_word = place is not None and place.similarity < 1 and words.source != "text_layer"
    return Candidate(
        path=leaf.path,
        value=leaf.value if said is None or spec.kind == "page_text" else tidy(said) if own_word else None,
        raw=(place.raw or None) if place else said,
        page=words.page,
        box=place.box if place else None,
        engine=NAME,
        model=model,
        score=score,
        grounded=place is not None or (spec.kind == "page_text" and alike >= PAGE_SIMILAR),
        evidence=Evidence(relation="model", fit=alike, features=features),
    )


def of_page(found: Sequence[Candidate], specs: Sequence[FieldSpec]) -> Iterator[Candidate]:
    """For a list that has a row for each page, this page's: its text, which was asked for once, and its number."""
    known = {spec.path: spec for spec in specs}
    text = next((one for one in found if one.path in known and known[one.path].kind == "page_text"), None)
    for spec in specs:
        if text is None or spec.rows != "pages":
            continue
        path = spec.path.replace("[*]", "[0]")
        if spec.kind == "page_text":
            yield text.model_copy(update={"path": path})
        elif spec.kind == "quantity":
            yield text.model_copy(update={"path": path, "value": str(text.page), "raw": str(text.page), "grounded": True})
