"""The labels engine: no model, no network. Finds a field's printed label, the value that stands to it, and says why.

Knows how the parts follow each other; each part is a file of this package.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel

from docpipe.extract import Engine
from docpipe.extract.labels.beside import surroundings
from docpipe.extract.labels.candidates import options
from docpipe.extract.labels.contest import contested
from docpipe.extract.labels.kinds import contradictions
from docpipe.extract.labels.layout import PageLayout, lay_out
from docpipe.extract.labels.legibility import with_word_confidence
from docpipe.extract.labels.pages import read_pages, wants_pages
from docpipe.extract.labels.pairs import read_pairs
from docpipe.extract.labels.phrases import Target, targets_of
from docpipe.extract.labels.scene import Option, Scene
from docpipe.extract.labels.scoring import Scored, score
from docpipe.extract.labels.struck import with_struck
from docpipe.extract.labels.tables import read_tables
from docpipe.extract.labels.titles import read_titles
from docpipe.fields import fields_of, rules_of
from docpipe.records import Candidate, Evidence, Job, Locale, Page, Reading
from docpipe.words import load_words
from docpipe.workspace import Workspace

RIVALS = 14  # values handed on for each field
PLACES = 2  # of each value
HOPELESS = -0.5  # below this a candidate is no rival; amounts are kept all the same, since a sum can lift any of them
_SUMMED = frozenset({"money", "quantity", "rate"})


class LabelsEngine(Engine):
    """Reads all pages of a document together: repeated headers, totals and the way numbers are written need every page."""

    name: ClassVar[str] = "labels"
    scope: ClassVar[Literal["page", "document"]] = "document"

    def read(self, pages: Sequence[Page], schema: type[BaseModel], *, job: Job, space: Workspace) -> Reading:
        """Candidates for every field that something on the pages could be. A score of 0 or more is the engine's own belief; lower ones
        are rivals for the schema's rules to lift."""
        layouts = (lay_out(words) for page in pages if (words := load_words(page, space)) is not None)
        if all(wants_pages(spec) for spec in fields_of(schema)):
            return read_texts(layouts, schema)
        return read_layouts(list(layouts), schema)


def read_texts(layouts: Iterable[PageLayout], schema: type[BaseModel]) -> Reading:
    """The reading where only the pages' text is asked for: one page in memory at a time, however long the document."""
    candidates = tuple(read_pages(layouts, fields_of(schema), LabelsEngine.name))
    pages = tuple(sorted({candidate.page for candidate in candidates if candidate.page}))
    return Reading(engine=LabelsEngine.name, pages=pages, candidates=candidates)


def read_layouts(layouts: Sequence[PageLayout], schema: type[BaseModel]) -> Reading:
    """The reading of pages that are already laid out."""
    specs, rules = fields_of(schema), rules_of(schema)
    scene = Scene(layouts, targets_of(specs, rules))
    tables = read_tables(layouts, specs, rules, engine=LabelsEngine.name)
    candidates = [
        *(_single_fields(scene) if layouts else ()),
        *tables.candidates,
        *read_pairs(layouts, specs, LabelsEngine.name),
        *read_pages(layouts, specs, LabelsEngine.name),
        *read_titles(layouts, specs, LabelsEngine.name),
    ]
    candidates = list(with_struck(with_word_confidence(candidates, layouts), layouts))
    locale = Locale(decimal=tables.locale.decimal or scene.locale.decimal, date_order=scene.locale.date_order)
    numbers, issues = tuple(page.number for page in layouts), tuple(contradictions(layouts, schema))
    return Reading(engine=LabelsEngine.name, pages=numbers, candidates=tuple(candidates), locale=locale, issues=issues)


def _single_fields(scene: Scene) -> Iterator[Candidate]:
    """Candidates for the fields that stand once in a document."""
    ranked = contested(scene.targets, {target.spec.path: _ranked(scene, target) for target in scene.targets})
    for target in scene.targets:
        yield from _candidates(scene, target, ranked[target.spec.path])


def _ranked(scene: Scene, target: Target) -> list[Scored]:
    found = [score(scene, target, option) for option in options(scene, target)]
    if target.kind in ("money", "id", "quantity", "rate"):
        found = [scored for scored in found if not _inside_label(scene, scored.option)]
    return sorted(found, key=lambda scored: -scored.score)


def _inside_label(scene: Scene, option: Option) -> bool:
    """The option is a part of a printed label of several words: the 16 of `16 State tax`."""
    place = option.place
    return option.paired and any(
        label.similarity >= 0.88 and label.end - label.start >= 2 and label.starts_at <= place.start and place.end <= label.ends_at
        for label in scene.labels.by_segment.get(place.segment, ())
        if not label.heading
    )


def _candidates(scene: Scene, target: Target, ranked: Iterable[Scored]) -> list[Candidate]:
    """The best of each value, up to RIVALS values."""
    places: dict[str | bool, int] = {}
    kept = []
    least = -math.inf if target.kind in _SUMMED else HOPELESS
    for scored in ranked:
        if scored.score < least:
            break
        value = scored.option.value
        if places.get(value, 0) >= PLACES or (value not in places and len(places) >= RIVALS):
            continue
        places[value] = places.get(value, 0) + 1
        kept.append(_candidate(scene, target, scored))
    return kept


def _candidate(scene: Scene, target: Target, scored: Scored) -> Candidate:
    option, pair = scored.option, scored.pair
    evidence = Evidence(
        relation=pair.relation if pair else _relation(scored),
        label=pair.label.segment.text[pair.label.starts_at : pair.label.ends_at] if pair else None,
        label_box=pair.label.box if pair else None,
        label_score=min(1.0, pair.label.strength) if pair else 0.0,
        fit=max(0.0, min(1.0, option.fit)),
        features={**scored.features, **surroundings(scene, option, pair, target.kind)} if pair else scored.features,
    )
    return Candidate(
        path=target.spec.path,
        value=option.value,
        raw=option.raw or None,
        page=option.place.page,
        box=option.box,
        engine=LabelsEngine.name,
        score=scored.score,
        evidence=evidence,
    )


def _relation(scored: Scored) -> str:
    features = scored.features
    if features.get("from_block"):
        return "block"
    if "line_sum" in features or "ends_legal" in features:
        return "header"
    return "tick" if "ink" in features else "none"
