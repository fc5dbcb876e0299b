"""How sure a classifier may be: its probabilities, made as likely to be right as they say. Knows probabilities, no classifier.

Temperature scaling, as in Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks (2017): one number for all classes, so
that the likeliest class stays the likeliest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import Field, ValidationError

from docpipe.errors import UsageError
from docpipe.records import Record

Judged = tuple[Mapping[str, float], str]  # the probabilities of a page, and what it is
BINS = 10
COOLEST, HOTTEST = 0.02, 50.0  # the temperatures that are tried
LEAST = 1e-12  # the probability of what a classifier holds for impossible
_GOLDEN = (math.sqrt(5) - 1) / 2


class Calibration(Record):
    """`temperature` above 1 makes a classifier less sure, below 1 surer. `floor` is what no page's probabilities give away: it goes to the
    last name, and nothing is surer than 1 - floor. `identity` names the model that it was found for; empty is any."""

    temperature: float = Field(1.0, gt=0, allow_inf_nan=False)
    floor: float = Field(0.0, ge=0, lt=1)
    identity: str = ""

    def applied(self, scores: Mapping[str, float], *, rest: str) -> dict[str, float]:
        """The probabilities of all names, of which `rest` gets the floor; they add up to 1."""
        scaled = tempered(scores, self.temperature)
        return {name: (1 - self.floor) * share + (self.floor if name == rest else 0.0) for name, share in scaled.items()}


def tempered(scores: Mapping[str, float], temperature: float) -> dict[str, float]:
    """The probabilities at that temperature: the softmax of their logarithms, divided by it."""
    logs = {name: math.log(max(share, LEAST)) / temperature for name, share in scores.items()}
    top = max(logs.values())
    shares = {name: math.exp(log - top) for name, log in logs.items()}
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}


def calibrate(judged: Sequence[Judged], *, identity: str = "") -> Calibration:
    """The temperature with which the truth is likeliest, for pages that were judged without one. The floor is Laplace's rule of succession:
    of n pages nobody learns to be surer than (n + 1) / (n + 2). Raises UsageError where there is no page."""
    if not judged:
        raise UsageError("no page to calibrate with", hint="some hundred, of every class and of none")
    best = _golden_section(lambda log: negative_log_likelihood(judged, math.exp(log)), math.log(COOLEST), math.log(HOTTEST))
    return Calibration(temperature=math.exp(best), floor=1 / (len(judged) + 2), identity=identity)


def negative_log_likelihood(judged: Sequence[Judged], temperature: float) -> float:
    """The mean over the pages, in nats, at that temperature."""
    return -sum(math.log(max(tempered(scores, temperature).get(truth, 0.0), LEAST)) for scores, truth in judged) / len(judged)


def calibration_error(judged: Sequence[Judged]) -> float:
    """The expected calibration error: pages by the probability of their likeliest class in ten bins, and in each how far the mean
    probability is from the share that is right, weighed by its pages."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for scores, truth in judged:
        choice = max(scores, key=lambda name: scores[name])
        bins.setdefault(min(int(scores[choice] * BINS), BINS - 1), []).append((scores[choice], choice == truth))
    return sum(abs(sum(sure for sure, _ in pages) - sum(right for _, right in pages)) for pages in bins.values()) / len(judged)


def load_calibration(path: str | Path) -> Calibration:
    """A calibration that was written as JSON. Raises UsageError."""
    path = Path(path).expanduser()
    try:
        return Calibration.model_validate_json(path.read_bytes())
    except OSError as problem:
        raise UsageError(f"the calibration {path.name} cannot be read: {problem.strerror}") from problem
    except ValidationError as problem:
        raise UsageError(f"{path.name} is no calibration: {problem.errors()[0]['msg']}", hint="see docs/classify.md") from problem


def _golden_section(cost: Callable[[float], float], low: float, high: float) -> float:
    """Where the cost is least, to a thousandth. It may have one valley only."""
    while high - low > 1e-3:
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if cost(left) < cost(right):
            high = right
        else:
            low = left
    return (low + high) / 2
