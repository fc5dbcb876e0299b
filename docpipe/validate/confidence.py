"""How sure a value is, 0..1: a logistic model on the evidence of the winner and its rivals. Knows numbers, no rule and no page.

Out of fold the model is calibrated on kinds of documents that it has seen, and too sure on others: it never accepts by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp

from docpipe.records import Candidate
from docpipe.validate.choice import XML, Choice, Choices, value_key
from docpipe.validate.confirm import is_labelled
from docpipe.validate.rules import Finding

XML_CONFIDENCE = 0.99
SPREAD = 2.0  # scores and gaps beyond this tell nothing more


@dataclass(frozen=True)
class Coefficients:
    """One model: the constant, and a weight for each feature by name; a feature without a weight counts nothing."""

    constant: float
    weights: Mapping[str, float]


# Hand-set with the signs and rough sizes that a regression on labelled receipts, invoices, orders and forms gave.
FIELD = Coefficients(
    -1.6,
    {
        "score": 0.9, "gap": 0.9, "label": 1.2, "fit": 0.7, "holds": 1.4, "labelled_holds": 1.0, "broken": -1.5, "places": 0.1,
        "claim": -0.5, "agree": 2.0, "checksum": 1.0, "ungrounded": -2.5, "ocr": -0.2, "unlabelled": -0.2,
    },
)  # fmt: skip
ROW = Coefficients(
    0.4, {"label": 0.8, "holds": 1.2, "product": 1.2, "broken": -1.6, "agree": 2.0, "ungrounded": -2.5, "fit": 0.6}
)  # fmt: skip


def assess(choices: Choices, findings: Sequence[Finding]) -> dict[str, Choice]:
    """The same choices, each with its confidence."""
    state = states(findings)
    return {path: replace(choice, confidence=confidence(choice, state.get(path, frozenset()))) for path, choice in choices.items()}


def states(findings: Sequence[Finding]) -> dict[str, frozenset[str]]:
    """Path -> how the relations that speak of it stand: holds, weak, broken, product."""
    found: dict[str, set[str]] = {}
    for finding in findings:
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
    found = features(choice, winner, relations)
    model = ROW if choice.spec.repeated else FIELD
    return round(logistic(model.constant + sum(model.weights.get(name, 0.0) * amount for name, amount in found.items())), 4)


def features(choice: Choice, winner: Candidate, relations: frozenset[str]) -> dict[str, float]:
    """The numbers that the model reads, by name."""
    own, key = winner.evidence.features, value_key(choice.spec.kind, winner.value)
    mine = [one for one in choice.ranked if one.engine == winner.engine]
    rival = max((one.score for one in mine if value_key(choice.spec.kind, one.value) != key), default=winner.score - SPREAD)
    others = {one.engine for one in choice.ranked if one.engine != winner.engine and value_key(choice.spec.kind, one.value) == key}
    return {
        "score": _clip(winner.score),
        "gap": _clip(winner.score - rival),
        "label": winner.evidence.label_score,
        "own": own.get("own", 0.0),
        "fit": winner.evidence.fit,
        "claim": max(0.0, own.get("claim", 0.0) - own.get("own", 0.0)),
        "places": min(4.0, float(sum(value_key(choice.spec.kind, one.value) == key for one in mine))),
        "holds": float("holds" in relations),
        "labelled_holds": float("holds" in relations and is_labelled(winner)),
        "product": float("product" in relations),
        "broken": float("broken" in relations),
        "agree": float(bool(others)),
        "checksum": own.get("checksum", 0.0),
        "ungrounded": float(not winner.grounded),
        "ocr": own.get("ocr", 0.0),
        "unlabelled": float(winner.evidence.label_score < 0.1),
    }


def logistic(points: float) -> float:
    """Points -> probability."""
    return 1.0 / (1.0 + exp(-max(-30.0, min(30.0, points))))


def _clip(points: float) -> float:
    return max(-SPREAD, min(SPREAD, points))
