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
    -2.54,
    {
        "agree": 2.0, "fit": 2.19, "from_block": 0.88, "gap": 0.37, "holds": 1.2,
        "kind:address": 0.07, "kind:bool": 0.98, "kind:choice": 1.48, "kind:currency": 2.0, "kind:iban": 1.53,
        "kind:id": 0.1, "kind:money": -1.44, "kind:name": 0.23, "kind:tax_id": 0.69, "kind:text": -0.61,
        "labelled_holds": 0.33, "level": 0.25, "ocr": -0.5, "own": 1.29, "same_cell": 0.38,
        "score": 1.54, "seen": 0.56, "ungrounded": -2.5, "weak": 1.58, "word_confidence": 0.5,
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
