"""Pages of numbers that nobody has seen, read through the whole pipeline by the trained reader; and how well it did."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import ImageFilter

from digits.pages import Drawn, Slip, as_stored, draw
from digits.train import CHECKPOINT, answer, question
from docpipe.api import Reader
from docpipe.backends import ModelOptions, load_backend
from docpipe.request import make_request
from docpipe.settings import Settings

MODEL = ModelOptions(model=str(CHECKPOINT), offline=True)
UNSEEN = 1_000_003  # the seed of pages that the training does not draw
BLUR = (1.0, 3.0)  # pixels
OVERLAP = 0.5  # intersection over union from which a box is the right one


class Read(NamedTuple):
    """What became of a page: whether the number is right, whether its box is (None: has none), and what the result says."""

    right: bool
    boxed: bool
    confidence: float
    status: str


def pages(count: int, *, blurred: bool = False) -> list[Drawn]:
    """Always the same pages."""
    chance = random.Random(f"{UNSEEN} {blurred}")
    drawn = [draw(chance) for _ in range(count)]
    if not blurred:
        return drawn
    return [page._replace(image=page.image.filter(ImageFilter.GaussianBlur(chance.uniform(*BLUR)))) for page in drawn]


def reader(*engines: str, batch: int = MODEL.batch) -> Reader[Slip]:
    """The pipeline with these engines, which loads the model once."""
    settings = Settings(backend="qwen_vl", model=MODEL.model_copy(update={"batch": batch}))
    return Reader(Slip, make_request(settings, engines=engines))


def read(reading: Reader[Slip], drawn: Iterable[Drawn], folder: Path) -> list[Read]:
    """Each page as a PNG file, read."""
    return [_read(reading, page, folder / "page.png") for page in drawn]


def _read(reading: Reader[Slip], page: Drawn, path: Path) -> Read:
    page.image.save(path)
    result = reading.read(path)
    field = next((field for field in result.fields if field.path == "number"), None)
    if field is None or field.value is None:
        return Read(False, False, 0.0, result.status)
    boxed = field.box is not None and overlap(field.box, page.box) >= OVERLAP
    return Read(field.value == page.number, boxed, field.confidence, result.status)


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union. A point is a pixel here: the pages have no resolution."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(0.0, width) * max(0.0, height)
    return common / (_area(one) + _area(other) - common)


def _area(box: Sequence[float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def own(drawn: Iterable[Drawn]) -> list[tuple[float, bool]]:
    """What the model says by itself, without words and rules: the probability of its least likely token, and whether it is right."""
    backend = load_backend("qwen_vl", MODEL)
    asked = [(page, backend.ask(question(as_stored(page.image)))) for page in drawn]
    return [(min(token.probability for token in reply.tokens), reply.text == answer(page.number)) for page, reply in asked]


def separation(judged: Iterable[tuple[float, bool]]) -> float:
    """AUROC: how often a right answer is surer than a wrong one; a tie counts half."""
    judged = list(judged)
    pairs = [(right, wrong) for right, is_right in judged if is_right for wrong, too in judged if not too]
    return sum(1.0 if right > wrong else 0.5 if right == wrong else 0.0 for right, wrong in pairs) / len(pairs)


def share(found: Iterable[Any]) -> float:
    """Of all, those that are true."""
    said = [bool(one) for one in found]
    return sum(said) / len(said)
