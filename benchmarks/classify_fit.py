"""Fit the weights of the classifier `words` on half 0 of the vendors, and print them for `docpipe/classify/_words/weights.py`.

    python benchmarks/classify_fit.py --truth TRUTH.jsonl ... --data DATA --schemas FOLDER --cache FOLDER [--unknown FOLDER ...]

The arguments are those of `classify.py`. The first page of each document is seen with all classes, with some of them, with the built-in
ones, and without its own, where the answer is unknown. A conditional logit by maximum likelihood, L2 penalty, signs held. Left out is what
has two right answers, such as an order titled `Invoice` where only the class invoice is there.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from classify import Paper, half, parser, prepared
from plain_papers import LEARNT, plain_papers

from docpipe.classify import DocumentClass, load_classes
from docpipe.classify._words.features import features_of, marks_of
from docpipe.classify._words.sight import look
from docpipe.classify._words.vocabulary import vocabulary_of
from docpipe.records import Words

Array = npt.NDArray[np.float64]
PENALTY, STEPS, RATE, SEED = 0.02, 3000, 0.03, 1
# Drawn papers of each kind and language, and what all those of a class count beside the real ones; the other languages measure.
PLAIN, DRAWN = 15, 0.25
# What a feature may say at most: these speak against a class. Nothing in the documents shows `script`.
AGAINST = {"other_title": 0.0, "wide": 0.0, "script": -1.0, "no_money": 0.0, "prose": 0.0}
# Documents of the first may bear a title of the second: without their own class they are no sure unknown.
ALIKE = {("ad_order", "invoice"), ("ad_order", "receipt"), ("receipt", "invoice"), ("invoice", "receipt")}


class Example(NamedTuple):
    """A page seen with some classes: a row of features for each, the place of the right one (their number: unknown), and its weight."""

    rows: Array
    right: int
    weight: float


def main() -> None:
    papers, pages, classes, called = prepared(parser(__doc__).parse_args())
    chance = random.Random(SEED)
    mine = [(paper, seen.pages[0]) for paper, seen in zip(papers, pages, strict=True) if half(paper) == 0 and seen.pages]
    drawn = [(Paper(Path(), plain.schema, "plain"), plain.words) for plain in plain_papers(SEED, PLAIN, LEARNT)]
    often = Counter((paper.schema, paper.vendor == "plain") for paper, _ in [*mine, *drawn])
    examples, names = [], []
    for paper, page in [*mine, *drawn]:
        for some, weight in views(paper, classes, called, chance):
            if not some:
                continue
            numbers = features(page, some)
            names = list(numbers[0])
            right = next((place for place, one in enumerate(some) if called.get(one.name, one.name) == paper.schema), len(some))
            share = weight * (DRAWN if paper.vendor == "plain" else 1.0) / np.sqrt(often[paper.schema, paper.vendor == "plain"])
            examples.append(Example(np.array([[*row.values(), 1.0] for row in numbers]), right, share))
    for name, value in zip([*names, "bias"], fit(examples, names), strict=True):
        print(f"    {name}: float = {value:.2f}")


def views(
    paper: Paper, classes: Sequence[DocumentClass], called: dict[str, str], chance: random.Random
) -> Iterator[tuple[list[DocumentClass], float]]:
    """The sets of classes that the page is seen with, and how much each counts."""
    built_in = list(load_classes([]))
    yield list(classes), 1.0
    yield [*classes, *(one for one in built_in if one.name not in called)], 0.5
    sets = [(built_in, 0.5), ([one for one in classes if called[one.name] != paper.schema], 1.0)]
    sets += [(chance.sample(list(classes), chance.randint(1, 4)), 0.5) for _ in range(2)]
    for some, weight in sets:
        names = {called.get(one.name, one.name) for one in some}
        yield [one for one in some if paper.schema in names or (paper.schema, called.get(one.name, one.name)) not in ALIKE], weight


def features(page: Words, classes: Sequence[DocumentClass]) -> list[dict[str, float]]:
    vocabulary = vocabulary_of(tuple(classes))
    sight = look(page, vocabulary)
    marks = marks_of(sight)
    return [dict(features_of(sight, nature, marks.get(nature.name, ()))) for nature in vocabulary.natures]


def fit(examples: Sequence[Example], names: Sequence[str]) -> Array:
    """Weights by Adam, each step followed by what the signs allow; the last is the bias. `unknown` is a class whose utility is 0."""
    least = np.array([-np.inf if name in AGAINST else 0.0 for name in names] + [-np.inf])
    most = np.array([AGAINST.get(name, np.inf) for name in names] + [np.inf])
    seen = stacked(examples)
    weights, mean, spread = (np.zeros(len(names) + 1) for _ in range(3))
    for step in range(1, STEPS + 1):
        slope = gradient(seen, weights)
        mean, spread = 0.9 * mean + 0.1 * slope, 0.999 * spread + 0.001 * slope**2
        move = RATE * (mean / (1 - 0.9**step)) / (np.sqrt(spread / (1 - 0.999**step)) + 1e-8)
        weights = np.clip(weights - move, least, most)
    return weights


class Stacked(NamedTuple):
    """All examples as one array each. Row 0 of an example is `unknown`, all zeros; `there` is 0 for a row that it has, else -inf."""

    rows: Array
    there: Array
    right: Array
    weights: Array


def stacked(examples: Sequence[Example]) -> Stacked:
    most, width = max(len(example.rows) for example in examples), examples[0].rows.shape[1]
    rows, there = np.zeros((len(examples), most + 1, width)), np.full((len(examples), most + 1), -np.inf)
    right = np.zeros((len(examples), most + 1))
    for place, example in enumerate(examples):
        count = len(example.rows)
        rows[place, 1 : count + 1], there[place, : count + 1] = example.rows, 0.0
        right[place, (example.right + 1) % (count + 1)] = 1.0
    return Stacked(rows, there, right, np.array([example.weight for example in examples]))


def gradient(seen: Stacked, weights: Array) -> Array:
    """Of the negative log-likelihood with the penalty; the bias is not penalized."""
    slope = 2 * PENALTY * weights
    slope[-1] = 0.0
    utility = seen.rows @ weights + seen.there
    share = np.exp(utility - utility.max(axis=1, keepdims=True))
    error = (share / share.sum(axis=1, keepdims=True) - seen.right) * seen.weights[:, None]
    return slope + np.einsum("er,erw->w", error, seen.rows)


if __name__ == "__main__":
    main()
