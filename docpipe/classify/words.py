"""What a page is by its words: the titles, labels and phrases of a class that are printed on it, its kinds of values, its shape.

No model, some milliseconds a page. Knows how the parts follow each other; `_words/weights.py` says what counts how much.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from docpipe.classify import UNKNOWN, Classifier, DocumentClass, PageVerdict, chosen, softmax
from docpipe.classify._words.features import Mark, features_of, marks_of
from docpipe.classify._words.kinds import TITLES, kind_of
from docpipe.classify._words.sight import Sight, look
from docpipe.classify._words.vocabulary import vocabulary_of
from docpipe.classify._words.weights import worth
from docpipe.records import Sign, Words

if TYPE_CHECKING:
    from PIL.Image import Image

SIGNS = 12  # told for each of the two likeliest classes
# The features that marks of a sort count towards; their weight together is shared out among the marks.
_FEATURES: Mapping[str, tuple[str, ...]] = {
    "title": ("title",),
    "other_title": ("other_title",),
    "label": ("labels", "short_labels", "share"),
    "phrase": ("phrases",),
    "word": ("words",),
}
# The features of the whole page, and the sort of the sign that each is told as.
_WHOLE: Mapping[str, Literal["value", "shape"]] = {
    "values": "value",
    "no_money": "value",
    "checked": "value",
    "narrow": "shape",
    "wide": "shape",
    "script": "shape",
}


class WordsClassifier(Classifier):
    """The default classifier. Its signs are those of the two likeliest classes."""

    name: ClassVar[str] = "words"

    def judge(self, words: Words, image: Image | None, classes: Sequence[DocumentClass]) -> PageVerdict:
        """Probabilities from a linear model that knows each class only by how well the page fits it."""
        vocabulary = vocabulary_of(tuple(classes), tuple(TITLES.items()))
        sight = look(words, vocabulary)
        marks = marks_of(sight)
        features = {nature.name: features_of(sight, nature, marks.get(nature.name, ())) for nature in vocabulary.natures}
        scores = softmax({name: _logit(numbers) for name, numbers in features.items()}, alone=True)
        choice, score = chosen(scores)
        if choice == UNKNOWN:
            kind, title = kind_of(sight, marks)
            if title is not None:
                sign = Sign(class_name=kind, sort="title", text=sight.text(title.found), page=words.page, box=sight.box(title.found))
                return PageVerdict(page=words.page, choice=UNKNOWN, score=1.0, kind=kind, signs=(sign,), classifier=self.name)
        likeliest = sorted(features, key=lambda name: -scores[name])[:2]
        signs = tuple(sign for name in likeliest for sign in _signs(name, features[name], marks.get(name, ()), sight))
        signs = tuple(sign.model_copy(update={"page": words.page}) for sign in signs)
        return PageVerdict(page=words.page, choice=choice, score=score, scores=scores, signs=signs, classifier=self.name)


def _logit(features: Mapping[str, float]) -> float:
    weights = worth()
    return weights["bias"] + sum(weights[name] * value for name, value in features.items())


def _signs(name: str, features: Mapping[str, float], marks: Iterable[Mark], sight: Sight) -> list[Sign]:
    """What spoke for and against the class, strongest first. A mark has its share of what its sort came to."""
    signs = [*_printed(name, features, list(marks), sight), *_whole(name, features)]
    return sorted((sign for sign in signs if round(sign.weight, 2)), key=lambda sign: -abs(sign.weight))[:SIGNS]


def _printed(name: str, features: Mapping[str, float], marks: Sequence[Mark], sight: Sight) -> Iterator[Sign]:
    weights = worth()
    for sort, parts in _FEATURES.items():
        mine = [mark for mark in marks if mark.meaning.sort == sort and (mark.found.stands_out or "title" not in sort)]
        total, all_values = sum(weights[part] * features[part] for part in parts), sum(mark.value for mark in mine)
        for mark in mine:
            yield Sign(
                class_name=name,
                sort=mark.meaning.sort,
                text=sight.text(mark.found),
                meaning=mark.meaning.owner,
                box=sight.box(mark.found),
                weight=round(total * mark.value / all_values, 3),
            )


def _whole(name: str, features: Mapping[str, float]) -> Iterator[Sign]:
    for feature, sort in _WHOLE.items():
        weight = worth()[feature] * features[feature]
        yield Sign(class_name=name, sort=sort, text="", meaning=feature, weight=round(weight, 3))
