"""The confidence model's numbers. Data only; `benchmarks/calibrate.py` fits FIELD anew from readings with truth and prints this table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Coefficients:
    """One logistic model: the constant, and a weight for each feature by name; a feature without a weight counts nothing."""

    constant: float
    weights: Mapping[str, float]


FIELD = Coefficients(
    -2.44,
    {
        "agree": 2.0, "broken": 0.45, "fit": 2.75, "from_block": 0.79, "gap": 0.6,
        "holds": 0.84, "kind:address": -0.18, "kind:bool": -0.17, "kind:choice": 0.43, "kind:currency": 1.5,
        "kind:date": 0.1, "kind:iban": 1.23, "kind:id": -0.2, "kind:money": -0.73, "kind:name": 0.31,
        "kind:tax_id": 0.65, "kind:text": -0.65, "labelled_holds": 0.37, "level": 0.18, "ocr": -0.4,
        "own": 0.7, "same_cell": 0.54, "score": 1.41, "seen": 0.34, "ungrounded": -2.5,
        "weak": 0.95,
    },
)  # fmt: skip

# A cell of a table's row: hand-set.
ROW = Coefficients(
    0.4, {"own": 0.8, "holds": 1.2, "product": 1.2, "broken": -1.6, "agree": 2.0, "ungrounded": -2.5, "fit": 0.6}
)  # fmt: skip

# A value that a vision language model read: hand-set; its score is the token probability.
MODEL = Coefficients(
    -0.6, {"score": 1.0, "gap": 0.5, "holds": 1.2, "product": 0.8, "broken": -1.8, "agree": 2.2, "ungrounded": -2.5}
)  # fmt: skip
