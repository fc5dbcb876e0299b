"""Fit the weights of `docpipe.splitting` on packets of half 0 of the vendors, and print them for `docpipe/splitting/weights.py`.

    python benchmarks/packets_fit.py --truth TRUTH.jsonl ... --data DATA --schemas FOLDER --cache FOLDER [--packets 200]

The arguments are those of `packets.py`. Each page but a packet's first is weighed against the true part before it, with the built-in
classes and with all of them. Invoices of `tests/made_invoices.py` are among the documents; a third of all get a running head, a third lose
their page numbers. A logistic regression by maximum likelihood, L2 penalty, signs held where only one makes sense.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from classify import reference
from packets_harder import harder
from packets_made import LEAST, MOST, Paper, Shelf, Sorter, add_arguments, made_up, packets, papers, sheets_of

from docpipe.classify import load_classes
from docpipe.splitting import Sheet
from docpipe.splitting.evidence import Evidence, evidence_at
from docpipe.splitting.part_so_far import PartSoFar
from docpipe.splitting.traits import traits_of
from docpipe.splitting.weights import FEATURES

Array = npt.NDArray[np.float64]
SEED, PENALTY, STEPS, RATE = 11, 2.0, 4000, 0.03
MADE_UP = 0.25  # packets of made-up invoices for each of documents: all of one layout's family, in six languages
FOR = {"restarts", "number_one", "ended", "changed_values", "foreign_numbers", "strange_names", "title", "class_title", "date"}
FOR |= {"total_before", "room_before", "source", "letter", "size", "turned", "class_other", "like_a_start", "twin", "returns"}
FOR |= {"contacts", "counts_anew"}
AGAINST = {"follows", "counts", "fits", "unfinished", "kept_values", "shared_numbers", "title_again", "known_words", "foot", "carried"}
AGAINST |= {"class_lost", "like_a_later", "running", "counts_on", "table_first", "columns", "begins_small"}
# Page numbers of a known total lie seldom, nor does a first page's head that comes once more: they are worth this at least, where the
# documents show them too seldom, or beside much else.
AT_LEAST = {"restarts": 5.0, "ended": 2.0, "follows": -5.0, "unfinished": -2.0, "returns": 4.0}
BY_HAND = {"cover": 4.0, "cover_before": -8.0, "terms": -5.0, "blank_before": 0.5}  # the documents do not show these


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    options = parser.parse_args()
    shelf, found = Shelf(options.cache), papers(options.truth, options.data)
    names = sorted({paper.schema for paper in found})
    every = load_classes([reference(name, options.schemas) for name in names])
    rows, right = [], []
    for classes in (every, load_classes([])):
        for said, begins in examples([paper for paper in found if paper.half == 0], shelf, Sorter(classes), options.packets):
            rows.append(_row(said))
            right.append(begins)
    wanted = np.array(right, dtype=float)
    weights = fit(np.array(rows), wanted)
    for name, value in zip((*FEATURES, "bias"), weights, strict=True):
        print(f"    {name}: float = {BY_HAND.get(name, value):.2f}")
    told = np.array(rows) @ weights
    for threshold in np.arange(0.2, 0.85, 0.05):
        cut = told > np.log(threshold / (1 - threshold))
        hit = float((cut * wanted).sum())
        print(f"# threshold {threshold:.2f}: F1 {2 * hit / (cut.sum() + wanted.sum()):.4f}")


def examples(found: Sequence[Paper], shelf: Shelf, sorter: Sorter, count: int) -> Iterator[tuple[list[Evidence], bool]]:
    """All that spoke at each page but the first of its packet, and whether a document begins there."""
    chance = random.Random(SEED)
    for packet in packets(found, shelf, count=count, seed=SEED):
        yield from _weighed(harder(sheets_of(packet, shelf, sorter), chance))
    for _ in range(round(MADE_UP * count)):
        yield from _weighed(harder([made_up(chance, sorter) for _ in range(chance.randint(LEAST, MOST))], chance))


def _weighed(documents: Sequence[Sequence[Sheet]]) -> Iterator[tuple[list[Evidence], bool]]:
    part: PartSoFar | None = None
    for document in documents:
        for place, sheet in enumerate(_shown(document)):
            page = traits_of(sheet)
            if part:
                yield evidence_at(part, page), place == 0
            part = part.with_page(page) if part and place else PartSoFar.begun(page, part)


def _shown(document: Sequence[Sheet]) -> list[Sheet]:
    return [sheet for sheet in document if sheet.page.status == "done"]


def _row(said: Sequence[Evidence]) -> list[float]:
    values = {one.feature: one.value for one in said}
    return [*(values.get(name, 0.0) for name in FEATURES), 1.0]


def fit(rows: Array, right: Array) -> Array:
    """Weights by Adam, each step followed by what the signs allow; the last is the bias."""
    least = np.array([AT_LEAST.get(name, 0.0) if name in FOR else -np.inf for name in FEATURES] + [-np.inf])
    most = np.array([AT_LEAST.get(name, 0.0) if name in AGAINST else np.inf for name in FEATURES] + [np.inf])
    weights, mean, spread = (np.zeros(rows.shape[1]) for _ in range(3))
    for step in range(1, STEPS + 1):
        error = 1 / (1 + np.exp(-(rows @ weights))) - right
        slope = rows.T @ error + 2 * PENALTY * np.append(weights[:-1], 0.0)
        mean, spread = 0.9 * mean + 0.1 * slope, 0.999 * spread + 0.001 * slope**2
        move = RATE * (mean / (1 - 0.9**step)) / (np.sqrt(spread / (1 - 0.999**step)) + 1e-8)
        weights = np.clip(weights - move, least, most)
    return np.asarray(weights)


if __name__ == "__main__":
    main()
