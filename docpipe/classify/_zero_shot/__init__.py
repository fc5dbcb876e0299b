"""Classifiers that lay a page's picture beside texts, with no training on any class. Knows how log-odds become a verdict; the models are
`docpipe.looks`."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from docpipe.calibration import Calibration, load_calibration
from docpipe.classify import KINDS, NO_OPTIONS, UNKNOWN, Classifier, ClassifierOptions, DocumentClass, PageVerdict, chosen, softmax
from docpipe.classify._zero_shot.prompts import Option, options_of, prompts
from docpipe.errors import EngineError, UsageError
from docpipe.looks._towers import Towers, unit
from docpipe.records import PageKind, Words

if TYPE_CHECKING:
    from PIL.Image import Image

# From here on a page is taken for one that needs no extraction: what is wrongly taken for one is lost. Chosen, not measured.
CERTAIN = 0.9
SETS = 8  # of classes, whose texts' vectors are kept


class ZeroShot(Classifier):
    """Lays the page's picture beside phrases for every class. `alone`: the log-odds of an option hold without the others, so that a page
    may be none of them."""

    needs_image: ClassVar[bool] = True
    needs_words: ClassVar[bool] = False
    alone: bool = False

    def __init__(self, options: ClassifierOptions = NO_OPTIONS) -> None:
        super().__init__(options)
        path = options.checkpoints.get(f"{self.name}_calibration")
        self.calibration = load_calibration(path) if path else Calibration()

    def check_calibration(self, identity: str) -> None:
        """Raises UsageError where the calibration is another model's."""
        if self.calibration.identity not in ("", identity):
            hint = (
                f"it is of {self.calibration.identity}; calibrate this one, or unset DOCPIPE_CHECKPOINTS__{self.name.upper()}_CALIBRATION"
            )
            raise UsageError(f"the calibration of {self.name} was found for another model than {identity}", hint=hint)

    def judge(self, words: Words, image: Image | None, classes: Sequence[DocumentClass]) -> PageVerdict:
        """The likeliest of the classes, the kinds of page and unknown, by the picture."""
        if image is None:
            raise EngineError(f"page {words.page} has no picture to look at", page=words.page)
        shares = softmax(self.logits(words, image, tuple(classes)), alone=self.alone)
        if kind := _kind(shares):
            return PageVerdict(page=words.page, choice=UNKNOWN, score=1.0, kind=kind, classifier=self.name)
        scores = {one.name: shares[one.name] for one in classes}
        scores = self.calibration.applied(scores | {UNKNOWN: max(0.0, 1 - sum(scores.values()))}, rest=UNKNOWN)
        choice, score = chosen(scores)
        return PageVerdict(page=words.page, choice=choice, score=score, scores=scores, classifier=self.name)

    @abstractmethod
    def logits(self, words: Words, image: Image, classes: tuple[DocumentClass, ...]) -> dict[str, float]:
        """Of each class, and of what else a page may be; with `alone` they are natural log-odds. Raises EngineError."""


class Contrastive(ZeroShot):
    """By the vectors of `embedder`: the page's, and those of the classes' texts."""

    embedder: ClassVar[type[Towers]]

    def __init__(self, options: ClassifierOptions = NO_OPTIONS) -> None:
        super().__init__(options)
        self.looks = self.embedder(options.checkpoint(self.name))
        self.alone = self.looks.alone
        self.check_calibration(self.looks.identity)
        self._texts = functools.lru_cache(maxsize=SETS)(self._embedded)

    def logits(self, words: Words, image: Image, classes: tuple[DocumentClass, ...]) -> dict[str, float]:
        """An option's is that of its best phrase."""
        options, texts = self._texts(classes)
        return best_of_phrases(options, self.looks.log_odds(self.looks.images([image]), texts)[0])

    def _embedded(self, classes: tuple[DocumentClass, ...]) -> tuple[tuple[Option, ...], np.ndarray]:
        """The options, and a vector for each of their phrases in turn: the mean of its templates'."""
        options = options_of(classes)
        written = [prompts(phrase) for option in options for phrase in option.phrases]
        vectors = self.looks.texts([text for texts in written for text in texts])
        return options, unit(vectors.reshape(len(written), -1, self.looks.size).mean(1))


def best_of_phrases(options: Sequence[Option], odds: Sequence[float] | np.ndarray) -> dict[str, float]:
    """Of each option the highest log-odds of its phrases; `odds` has those of all phrases, in the order of the options."""
    left = iter(float(one) for one in odds)
    return {option.name: max(next(left) for _ in option.phrases) for option in options}


def _kind(shares: Mapping[str, float]) -> PageKind | None:
    """Which kind of page without content it is, for certain."""
    return next((kind for kind in KINDS if kind != "content" and shares.get(kind, 0.0) >= CERTAIN), None)
