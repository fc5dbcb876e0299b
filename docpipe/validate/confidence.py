"""How sure a value is, 0..1: a logistic model on the evidence of the winner and its rivals. Knows numbers, no rule and no page.

Out of fold the model is calibrated on kinds of documents that it has seen, and too sure on others: it never accepts by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import exp

from docpipe.annotations import AnyOf, Product, Sum
from docpipe.records import Candidate
from docpipe.validate.choice import XML, Choice, Choices, is_labelled, value_key
from docpipe.validate.coefficients import FIELD, MODEL, ROW
from docpipe.validate.rules import Finding

XML_CONFIDENCE = 0.99
PAGE_CONFIDENCE = 0.9  # a page's text is what was read; how well, the words know
# What the labels engine measured that still tells something beside its score; more of it only fitted the documents at hand.
OWN = ("ocr", "word_confidence", "same_cell", "from_block")
SPREAD = 2.0  # scores and gaps beyond this tell nothing more


def assess(choices: Choices, findings: Sequence[Finding]) -> dict[str, Choice]:
    """The same choices, each with its confidence."""
    state = states(findings)
    return {path: replace(choice, confidence=confidence(choice, state.get(path, frozenset()))) for path, choice in choices.items()}


def states(findings: Sequence[Finding]) -> dict[str, frozenset[str]]:
    """Path -> how the relations that speak of it stand: holds, weak, broken, product. A limit or an order that is kept says nothing."""
    found: dict[str, set[str]] = {}
    for finding in findings:
        if finding.state != "broken" and not isinstance(finding.rule, Sum | AnyOf | Product):
            continue
        for path in finding.paths:
            names = found.setdefault(path, set())
            names.add(finding.state)
            if finding.name == "product" and finding.state == "holds":
                names.add("product")
    return {path: frozenset(names) for path, names in found.items()}


def confidence(choice: Choice, relations: frozenset[str]) -> float:
    """The model's probability that the standing value is right; 0 where none stands."""
    winner = choice.winner
    if winner is None:
        return 0.0
    if winner.engine == XML:
        return XML_CONFIDENCE
    if choice.spec.kind == "page_text" or choice.spec.rows == "pages":
        return PAGE_CONFIDENCE
    found = features(choice, winner, relations)
    model = MODEL if winner.evidence.relation == "model" else ROW if choice.spec.repeated else FIELD
    return round(logistic(model.constant + sum(model.weights.get(name, 0.0) * amount for name, amount in found.items())), 4)


def features(choice: Choice, winner: Candidate, relations: frozenset[str]) -> dict[str, float]:
    """The numbers that the model reads, by name: what the contest shows, the engine's own, and `kind:` for the field's kind."""
    key = value_key(choice.spec.kind, winner.value)
    mine = [one for one in choice.ranked if one.engine == winner.engine]
    alike = [one for one in mine if value_key(choice.spec.kind, one.value) == key]
    rival = max((one.score for one in mine if value_key(choice.spec.kind, one.value) != key), default=winner.score - SPREAD)
    others = {one.engine for one in choice.ranked if one.engine != winner.engine and value_key(choice.spec.kind, one.value) == key}
    own = winner.evidence.features
    return {
        **{name: _clip(own[name]) for name in OWN if name in own},
        f"kind:{choice.spec.kind}": 1.0,
        "score": _clip(winner.score),
        "gap": _clip(winner.score - rival),
        "own": own.get("own", winner.evidence.label_score),
        "fit": winner.evidence.fit,
        "level": max(one.evidence.features.get("level", 0.0) for one in alike),
        "seen": min(4.0, float(len(alike))),
        "holds": float("holds" in relations),
        "labelled_holds": float("holds" in relations and is_labelled(winner)),
        "weak": float("weak" in relations),
        "product": float("product" in relations),
        "broken": float("broken" in relations),
        "agree": float(bool(others)),
        "ungrounded": float(not winner.grounded),
    }


def logistic(points: float) -> float:
    """Points -> probability."""
    return 1.0 / (1.0 + exp(-max(-30.0, min(30.0, points))))


def _clip(points: float) -> float:
    return max(-SPREAD, min(SPREAD, points))
