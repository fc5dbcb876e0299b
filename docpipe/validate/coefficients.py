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
    -4.43,
    {
        "agree": 2, "broken": 0.2, "fit": 4.19, "from_block": 1.48, "gap": 0.85, "holds": 2.11, "kind:bool": 1.11,
        "kind:choice": 0.27, "kind:currency": 1.53, "kind:date": -0.19, "kind:iban": 1.55, "kind:id": -0.83, "kind:money":
        -0.72, "kind:name": 0.49, "kind:tax_id": 1.44, "kind:text": -1.12, "labelled_holds": 0.31, "ocr": 0.2, "own": 0.39,
        "same_cell": 0.29, "score": 1.47, "seen": 0.35, "ungrounded": -2.5, "weak": 0.08,
    },
)  # fmt: skip

# A cell of a table's row: hand-set.
ROW = Coefficients(
    0.4, {"label": 0.8, "holds": 1.2, "product": 1.2, "broken": -1.6, "agree": 2.0, "ungrounded": -2.5, "fit": 0.6}
)  # fmt: skip

# A value that a vision language model read: hand-set; its score is the token probability.
MODEL = Coefficients(
    -0.6, {"score": 1.0, "gap": 0.5, "holds": 1.2, "product": 0.8, "broken": -1.8, "agree": 2.2, "checksum": 1.0, "ungrounded": -2.5}
)  # fmt: skip
