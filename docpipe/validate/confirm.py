"""What speaks for a value beside its confidence: arithmetic with labels, a checksum, two readings that agree, an exact label.

Arithmetic by itself is no confirmation: documents whose every sum held in a language without labels were wrong a third of the time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf

from rapidfuzz import fuzz

from docpipe.annotations import AnyOf, DefaultTo, Product, Rule, Sum
from docpipe.fields import FieldSpec, pattern
from docpipe.records import Candidate, Evidence
from docpipe.validate.blocks import blocks_confirmed, dated_beside
from docpipe.validate.choice import XML, Choice, Choices, is_labelled, number, value_key
from docpipe.validate.reconcile import every_sum
from docpipe.validate.rules import Finding
from docpipe.validate.swaps import doubtful
from docpipe.values.identifiers import checksum
from docpipe.values.text import squash

# Measured on receipts, invoices and orders: of 227 dates, numbers and amounts that stand so at an exact label 1 was wrong.
EXACT = 0.955  # the label that confirms by itself; the twentieth label of a list is worth 0.96 of its first
CONTRADICTS = 0.85  # a label that gives a rival: a currency between label and amount makes it no other label
FULL_FIT, WORDY_FIT = 0.9, 0.79
CLOSE = frozenset({"same", "right", "cell", "below", "tick"})
ON_ROW = CLOSE - {"below"}  # below a label there is often something else, as below a column's head
RIVAL_GAP = 0.4  # a rival value this many points behind is none
# A label among other words has a lower score, so it must lead by more: of 240 values none was wrong.
ALMOST, IN_SENTENCE, SENTENCE_GAP = 0.9, 0.4, 0.9
CONTRADICTED = frozenset({"money", "date", "id", "iban", "tax_id"})
OPEN = 0.5  # of a value that was taken over although the page says more
MONEY_FIT = 0.85  # printed as money: with decimals or a currency
ALIKE = 90  # of 100, for names and addresses read twice
_WORDY = frozenset({"name", "address", "text"})
_MARKDOWN = re.compile(r"[|#*]+|\|?:?-{3,}:?\|?")  # between cells, before headings and below the head of a table
_QUOTED = re.compile(r"['‘\"“]([^'’\"”]{3,60})['’\"”](?!s)")


def confirm(
    choices: Choices, findings: Sequence[Finding], rules: Sequence[Rule], *, text_layer: bool = False, only_xml: bool = False
) -> dict[str, Choice]:
    """The same choices, each with the names of what confirms it. `text_layer`: every page's words come from a trusted text layer, so
    that the text of a page is what the page says. `only_xml`: there is no page that could say otherwise, so that an element is a label."""
    reached, named = _reached(rules), _by_relations(choices, findings, rules)
    for path, names in _by_place(choices, rules).items():
        named.setdefault(path, []).extend(names)
    confirmed: dict[str, Choice] = {}
    for path, choice in choices.items():
        names = named.get(path, [])
        if choice.winner is not None:
            names = [*names, *_own(choice, choice.winner, pattern(path) in reached)]
            names += ["label"] * (only_xml and choice.winner.engine == XML and pattern(path) not in reached)
            copied = choice.winner.evidence.relation != "model" and (choice.spec.kind == "page_text" or choice.spec.rows == "pages")
            names += ["text_layer"] * (text_layer and copied)
        if contradiction(choice, choices) is not None:
            names = []
        confirmed[path] = replace(choice, confirmed_by=tuple(dict.fromkeys(names)))
    for rule in rules:
        if isinstance(rule, DefaultTo):
            confirmed.update(_inherited(rule, confirmed))
    return confirmed


def contradiction(choice: Choice, choices: Choices) -> Candidate | None:
    """Another value that the document gives the field at one of its own labels elsewhere, and that is nothing else of the document's."""
    kind, winner = choice.spec.kind, choice.winner
    if winner is None or winner.engine == XML or choice.spec.repeated or kind not in CONTRADICTED:
        return None
    others = [other for path, other in choices.items() if path != choice.path]
    known = {value_key(kind, choice.value)} | {value_key(kind, other.value) for other in others if other.value is not None}
    rivals = (one for one in choice.ranked if one.engine == winner.engine and value_key(kind, one.value) not in known)
    return next(
        (
            one
            for one in rivals
            if one.evidence.label_score >= CONTRADICTS
            and one.evidence.relation in ON_ROW
            and not one.evidence.features.get("beside")
            and one.evidence.fit >= FULL_FIT
            and one.score >= 0
            and _is_schema_label(choice.spec, one.evidence.label or "")
        ),
        None,
    )


def _by_place(choices: Choices, rules: Sequence[Rule]) -> dict[str, list[str]]:
    """Path -> what its place on the page says for it: its party's whole block, or for a required date, the document's required number
    right before it."""
    names: dict[str, list[str]] = {}
    for path in blocks_confirmed(choices, rules):
        names.setdefault(path, []).append("block")
    for anchor, choice in choices.items():
        if choice.spec.required and choice.spec.kind == "id" and choice.winner is not None and is_labelled(choice.winner):
            for path in dated_beside(choices, anchor):
                names.setdefault(path, []).append(f"beside:{anchor}")
    return {path: found for path, found in names.items() if (winner := choices[path].winner) and _well_read(winner.evidence)}


def _reached(rules: Sequence[Rule]) -> frozenset[str]:
    """The fields that some arithmetic rule speaks of: a label by itself does not confirm them."""
    sums = {path for rule in every_sum(rules) for path in (rule.total, *rule.parts, *rule.less)}
    return frozenset(sums | {path for rule in rules if isinstance(rule, Product) for path in (rule.result, *rule.factors)})


def _by_relations(choices: Choices, findings: Sequence[Finding], rules: Sequence[Rule]) -> dict[str, list[str]]:
    """Path -> the relations that hold for it, with labels on both ends; not for values that might be each other's."""
    names: dict[str, list[str]] = {}
    for finding in findings:
        if finding.state == "holds" and isinstance(finding.rule, Sum | AnyOf | Product) and _labelled(finding, choices):
            for path in set(finding.paths) - doubtful(finding, choices, rules):
                names.setdefault(path, []).append(finding.name)
    return names


def _labelled(finding: Finding, choices: Choices) -> bool:
    """Every field of the relation stands at its own label: outside tables at a printed one, in a row under its column's header."""
    found = [choices[path] for path in finding.paths if path in choices]
    return all(choice.winner is not None and is_labelled(choice.winner) and not _overruled(choice, choice.winner) for choice in found)


def _overruled(choice: Choice, winner: Candidate) -> bool:
    """A better-scored value stands at a label of the field too, and only the arithmetic was against it."""
    key = value_key(choice.spec.kind, winner.value)
    return any(
        one.engine == winner.engine and one.score > winner.score and is_labelled(one) and value_key(choice.spec.kind, one.value) != key
        for one in choice.ranked
    )


def _own(choice: Choice, winner: Candidate, reached: bool) -> Iterator[str]:
    """What confirms a value without looking at other fields."""
    kind = choice.spec.kind
    if isinstance(winner.value, str) and _is_own(winner) and checksum(kind, winner.value):
        yield f"checksum:{kind}"
    others = [one for one in choice.ranked if one.engine != winner.engine and one.grounded and not (_copied(one) or _copied(winner))]
    agreeing = {one.engine for one in others if agree(kind, winner, one) and _leads(one, choice)}
    for engine in sorted(agreeing):
        yield "agree:" + "+".join(sorted((winner.engine, engine), key=lambda name: (name != XML, name)))
    if not reached and _at_exact_label(choice, winner):
        yield "label"


def _copied(candidate: Candidate) -> bool:
    """A model was told what OCR had read there: that it says the same is no second reading."""
    return bool(candidate.evidence.features.get("hinted") and candidate.evidence.features.get("ocr"))


def _is_own(winner: Candidate) -> bool:
    """A checksum proves the digits, not whose they are: it counts at the field's label, where nothing beside it says otherwise."""
    evidence = winner.evidence
    return winner.engine == XML or (evidence.label_score >= IN_SENTENCE and not evidence.features.get("turned"))


def _leads(candidate: Candidate, choice: Choice) -> bool:
    """It is its engine's best for the field."""
    return candidate is next(one for one in choice.ranked if one.engine == candidate.engine)


def agree(kind: str, one: Candidate, other: Candidate) -> bool:
    """Two readings say the same; names and addresses may differ by a letter or by what one of them leaves out at an end, the text of a page
    by its order and its Markdown."""
    if value_key(kind, one.value) == value_key(kind, other.value):
        return True
    if not isinstance(one.value, str) or not isinstance(other.value, str):
        return False
    if kind == "page_text":
        return _word_counts(one.value) == _word_counts(other.value)
    return kind in _WORDY and bool(fuzz.ratio(squash(one.value), squash(other.value)) >= ALIKE)


def _word_counts(text: str) -> Counter[str]:
    """Every word with its signs and separators, and how often it is there."""
    return Counter(word.casefold() for word in text.split() if not _MARKDOWN.fullmatch(word))


def _at_exact_label(choice: Choice, winner: Candidate) -> bool:
    """On the row or in the cell of one of the schema's labels as printed, of the field's type altogether, with nothing beside the two that
    could turn their meaning, no other value near, and the words not doubtful themselves."""
    evidence, kind = winner.evidence, choice.spec.kind
    if evidence.relation not in CLOSE or not winner.grounded or not _is_schema_label(choice.spec, evidence.label or ""):
        return False
    if evidence.fit < (WORDY_FIT if kind in _WORDY else FULL_FIT):
        return False
    if not _well_read(evidence):
        return False
    lead = winner.score - _rival(choice, winner)
    if not evidence.features.get("beside"):
        return evidence.label_score >= EXACT and lead >= RIVAL_GAP
    return not choice.spec.required and _in_sentence(evidence) and lead >= SENTENCE_GAP


def _in_sentence(evidence: Evidence) -> bool:
    """The label stands among other words, none of which turns its meaning: enough for a value that the document can do without."""
    similar = evidence.features.get("similarity", 0.0) >= ALMOST
    return similar and evidence.label_score >= IN_SENTENCE and not evidence.features.get("turned")


def _is_schema_label(spec: FieldSpec, printed: str) -> bool:
    """The schema's author says that this is printed beside the value, in `Labels` or in quotes in the description. A phrase that an
    engine made up from the field's name is a guess, and so is whatever stands beside a value in a list of pairs."""
    if spec.rows == "pairs":
        return False
    said = (*spec.labels, *_QUOTED.findall(spec.description))
    return any(fuzz.ratio(squash(label), squash(printed)) >= ALIKE for label in said)


def _rival(choice: Choice, winner: Candidate) -> float:
    """The score of the engine's best candidate with another value."""
    key = value_key(choice.spec.kind, winner.value)
    scores = [one.score for one in choice.ranked if one.engine == winner.engine and value_key(choice.spec.kind, one.value) != key]
    return max(scores, default=-inf)


def _well_read(evidence: Evidence) -> bool:
    """Words of a born-digital text layer. A label says nothing about misread letters, and the surest words of OCR are wrong too often (2 in
    100 numbers on receipts): what was recognised needs a sum, a checksum or a second reading."""
    return not evidence.features.get("ocr")


def _later_amount(own: Choice, choices: Mapping[str, Choice]) -> bool:
    """Below the value that was taken over stands an amount that is nothing else of the document's: a voucher, a fee, what is left."""
    winner = own.winner
    if winner is None or winner.box is None:
        return False
    known, bottom = {number(choice.value) for choice in choices.values()} | {None, 0}, winner.box[3]
    below = (one for one in own.ranked if one.page == winner.page and one.box is not None and one.box[1] > bottom)
    return any(number(one.value) not in known and one.evidence.fit >= MONEY_FIT for one in below)


def _inherited(rule: DefaultTo, choices: Mapping[str, Choice]) -> dict[str, Choice]:
    """A field that has the value of its source is as confirmed as that one, and where it was filled in from there, as sure."""
    own, source = choices.get(rule.path), choices.get(rule.source)
    if own is None or source is None or own.winner is None or value_key(own.spec.kind, own.value) != value_key(own.spec.kind, source.value):
        return {}
    if own.winner.evidence.relation == "default":
        if _later_amount(own, choices):
            return {rule.path: replace(own, confidence=min(own.confidence, OPEN))}
        own = replace(own, confidence=source.confidence)
    if source.confirmed_by and not own.confirmed_by:
        own = replace(own, confirmed_by=(f"default:{rule.source}",))
    return {rule.path: own}
