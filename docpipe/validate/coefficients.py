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
    -3.30,
    {
        "agree": 2, "broken": 0.16, "fit": 3.03, "from_block": 1.21, "gap": 0.79, "holds": 1.81, "kind:choice": 0.46,
        "kind:currency": 1.61, "kind:date": -0.15, "kind:iban": 1.34, "kind:id": 0.08, "kind:money": -1.02, "kind:name":
        0.39, "kind:tax_id": 1.26, "kind:text": -0.41, "labelled_holds": 0.28, "level": 0.21, "own": 0.76, "same_cell": 0.6,
        "score": 1.32, "seen": 0.44, "ungrounded": -2.5, "weak": 1.1,
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
