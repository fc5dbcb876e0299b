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
    -2.40,
    {
        "agree": 2.0, "broken": 0.31, "fit": 2.63, "from_block": 0.84, "gap": 0.7,
        "holds": 1.06, "kind:address": -0.14, "kind:bool": -0.33, "kind:choice": 0.55, "kind:currency": 1.46,
        "kind:date": 0.09, "kind:iban": 1.16, "kind:id": -0.15, "kind:money": -0.85, "kind:name": 0.34,
        "kind:tax_id": 0.93, "kind:text": -0.64, "labelled_holds": 0.37, "level": 0.19, "ocr": -0.36,
        "own": 0.76, "same_cell": 0.56, "score": 1.39, "seen": 0.29, "ungrounded": -2.5,
        "weak": 1.09,
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
