"""Fit the confidence model from stored readings with truth: python benchmarks/calibrate.py --truth T.jsonl ... --readings DIR --scorer DIR

DIR of readings holds one readings.json per document, named as the scorer names predictions; the scorer's folder holds normalise.py with
`compare` and `kind_of`. Prints, out of fold by vendor, how sure and how right the model is, then the table for coefficients.py.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from docpipe import plugins
from docpipe.fields import load_schema, rules_of
from docpipe.records import Readings
from docpipe.validate import contests, settle
from docpipe.validate.choice import XML, values_of
from docpipe.validate.confidence import features, states
from docpipe.validate.rules import check

VENDOR = ("group", "seller.name", "merchant.name", "registrant_name", "advertiser")
RIDGE = 6.0
SMALLEST = 0.05
BY_HAND = {"agree": 2.0, "ungrounded": -2.5}  # need two engines, or one that makes values up
THRESHOLDS = (0.98, 0.95, 0.9, 0.8, 0.6, 0.4)


@dataclass(frozen=True)
class Sample:
    """One value given: its features, whether it is right, the fold of its vendor, its set."""

    found: dict[str, float]
    right: bool
    fold: int
    origin: str
    path: str
    document: str


def main() -> None:
    options = arguments()
    sys.path.insert(0, str(options.scorer))
    samples = [sample for truth in options.truth for sample in read(truth, options)]
    names = sorted({name for sample in samples for name in sample.found})
    names = [name for name in names if sum(sample.found.get(name, 0.0) != 0 for sample in samples) >= options.least]
    table = np.array([[sample.found.get(name, 0.0) for name in names] for sample in samples])
    right = np.array([sample.right for sample in samples], dtype=float)
    folds = np.array([sample.fold for sample in samples])
    versions = Counter((sample.document, sample.path) for sample in samples)
    weight = np.array([1 / versions[sample.document, sample.path] for sample in samples])
    sure = np.zeros(len(samples))
    for fold in (0, 1):
        constant, weights = fit(table[folds != fold], right[folds != fold], weight[folds != fold])
        sure[folds == fold] = 1 / (1 + np.exp(-(constant + table[folds == fold] @ weights)))
    report("all", sure, right)
    for origin in dict.fromkeys(sample.origin for sample in samples):
        mine = np.array([sample.origin == origin for sample in samples])
        report(origin, sure[mine], right[mine])
    confident = sorted(((s, x.origin, x.path) for s, x in zip(sure, samples, strict=True) if not x.right), reverse=True)
    print("surest wrong:", [(f"{s:.2f}", origin, path) for s, origin, path in confident[:12]])
    constant, weights = fit(table, right, weight)
    print_table("ROW" if options.rows else "FIELD", constant, dict(zip(names, weights, strict=True)))


def print_table(name: str, constant: float, weights: dict[str, float]) -> None:
    """The fitted model as coefficients.py writes it, with what no document here can show."""
    known = {name: round(float(weight), 2) for name, weight in weights.items() if abs(weight) >= SMALLEST} | BY_HAND
    items = [f'"{name}": {weight}' for name, weight in sorted(known.items())]
    rows = [", ".join(items[start : start + 5]) for start in range(0, len(items), 5)]
    print(f"{name} = Coefficients(\n    {constant:.2f},\n    {{")
    print("\n".join(f"        {row}," for row in rows))
    print("    },\n)  # fmt: skip")


def arguments() -> Any:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--truth", type=Path, nargs="+", required=True)
    parser.add_argument("--readings", type=Path, required=True)
    parser.add_argument("--scorer", type=Path, required=True)
    parser.add_argument("--schemas", type=Path, help="folder of schema files that are not built in")
    parser.add_argument("--rows", action="store_true", help="fit ROW, on the cells of line items, instead of FIELD")
    parser.add_argument("--least", type=int, default=12, help="a feature seen less often is left out")
    return parser.parse_args()


def read(truth: Path, options: Any) -> list[Sample]:
    """Every header value that would stand, with the truth's verdict on it."""
    from normalise import compare, is_empty, kind_of

    samples = []
    for line in truth.read_text("utf-8").splitlines():
        row = json.loads(line)
        file = options.readings / (row["document"].replace("/", "__") + ".json")
        if not file.is_file():
            continue
        schema = schema_of(row["schema"], options.schemas)
        for path, found in given(Readings.model_validate_json(file.read_text("utf-8")), schema):
            known, wanted = truth_at(row, path, len(row.get("line_items") or []))
            if known and ("[" in path) == options.rows:
                kind = kind_of(row["schema"], re.sub(r"\[\d+\]", "", path), row.get("kinds") or {})
                right = not is_empty(wanted) and bool(compare(kind, wanted, found["="])[0])
                numbers = {name: amount for name, amount in found.items() if name not in ("=", "rows")}
                if "[" not in path or found["rows"] == len(row["line_items"]):
                    samples.append(Sample(numbers, right, fold_of(row), truth.stem, path, str(row.get("group") or row["document"])))
    return samples


def truth_at(row: dict[str, Any], path: str, rows: int) -> tuple[bool, Any]:
    """Whether the truth says something for the path, and what; rows are compared where both sides have as many."""
    cell = re.fullmatch(r"line_items\[(\d+)\]\.(\w+)", path)
    if cell is None:
        return path in row["fields"], row["fields"].get(path)
    known = int(cell[1]) < rows and cell[2] in row["line_items"][int(cell[1])]
    return known, row["line_items"][int(cell[1])][cell[2]] if known else None


def schema_of(name: str, folder: Path | None) -> type[BaseModel]:
    """The only schema class of the file of that name in the folder, else the built-in schema."""
    if folder is not None and (folder / f"{name}.py").is_file():
        return plugins.load(name, BaseModel, folder)
    return load_schema(name)[0]


def given(readings: Readings, schema: type[BaseModel]) -> list[tuple[str, dict[str, Any]]]:
    """Path -> the features of the value that the joint step lets stand, and under `=` the value; nothing is dropped for being unsure."""
    rules = rules_of(schema)
    merged, _, _ = contests(readings, schema)
    choices, _ = settle(merged, rules, least=0.0)
    relations = states(check(rules, values_of(choices)))
    rows = len({match[1] for path in choices if (match := re.match(r"line_items\[(\d+)\]", path))})
    return [
        (path, {**features(choice, choice.winner, relations.get(path, frozenset())), "=": choice.value, "rows": rows})
        for path, choice in choices.items()
        if choice.winner is not None and choice.winner.engine != XML
    ]


def fold_of(row: dict[str, Any]) -> int:
    """Documents of one vendor, or versions of one document, fall into one fold."""
    fields = row["fields"]
    vendor = next((value for name in VENDOR if (value := row.get(name) or fields.get(name))), row["document"])
    vendor = vendor[0] if isinstance(vendor, list) else vendor
    return hashlib.md5("".join(filter(str.isalnum, str(vendor).lower()))[:12].encode()).digest()[0] % 2


def fit(table: np.ndarray, right: np.ndarray, weight: np.ndarray) -> tuple[float, np.ndarray]:
    """Ridge logistic regression by Newton's method on standardized columns; weights are given for the columns as they are."""
    mean, spread = table.mean(axis=0), table.std(axis=0) + 1e-9
    design = np.hstack([np.ones((len(table), 1)), (table - mean) / spread])
    penalty = np.diag([1e-6, *[RIDGE] * table.shape[1]])
    beta = np.zeros(design.shape[1])
    for _ in range(50):
        sure = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        slope = design.T @ (weight * (right - sure)) - penalty @ beta
        step = np.linalg.solve(design.T @ (design * (weight * sure * (1 - sure))[:, None]) + penalty, slope)
        beta = beta + step
        if np.abs(step).max() < 1e-8:
            break
    weights = beta[1:] / spread
    return float(beta[0] - mean @ weights), weights


def report(name: str, sure: np.ndarray, right: np.ndarray) -> None:
    """Share of values above each threshold and how many of them are wrong; the expected calibration error."""
    parts = []
    for threshold in THRESHOLDS:
        above = sure >= threshold
        parts.append(f">={threshold}: {above.mean():.2f}/{int((1 - right[above]).sum())} wrong")
    bins = np.clip((sure * 10).astype(int), 0, 9)
    error = sum(abs((sure - right)[bins == one].sum()) for one in range(10)) / max(1, len(sure))
    print(f"{name:16} n {len(sure)} right {right.mean():.3f} ECE {error:.3f}  " + "  ".join(parts))


if __name__ == "__main__":
    main()
