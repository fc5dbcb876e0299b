"""What the trained model says of pages that it has never seen."""

import random
from pathlib import Path

import pymupdf
from PIL import Image

from docpipe.calibration import Judged
from docpipe.classify import ClassifierOptions, PageVerdict
from docpipe.classify.clip import ClipClassifier
from docpipe.records import Words
from looks.pages import CLASSES, OTHER_FACES, TRUTH, classes, draw, picture
from looks.train import CHECKPOINT, OWN_PHRASE

BLANK = Words(page=1, width=595, height=842, source="none")
UNSEEN = 1_000_003  # the seed of pages that the training does not draw


def trained(folder: Path = CHECKPOINT) -> ClipClassifier:
    """The classifier."""
    return ClipClassifier(ClassifierOptions(checkpoints={"clip": str(folder)}))


def sideways(count: int, *, seed: int) -> list[Judged]:
    """Pages that lie on their side, `count` of each class and of each unknown kind: the model has seen none so, and is often wrong. Those
    that it takes for another kind than content are left out."""
    clip, chance, kinds = trained(), random.Random(seed), [*CLASSES, *OWN_PHRASE] * count
    said = [(clip.judge(BLANK, _turned(kind, chance), classes()), kind) for kind in kinds]
    return [(verdict.scores, TRUTH[kind]) for verdict, kind in said if verdict.kind == "content"]


def _turned(kind: str, chance: random.Random) -> Image.Image:
    return picture(draw(pymupdf.open(), kind, chance, faces=OTHER_FACES)).rotate(90, expand=True)


def answer(verdict: PageVerdict) -> str:
    """What a page was taken for."""
    return verdict.choice if verdict.kind == "content" else verdict.kind
