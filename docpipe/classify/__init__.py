"""What a page is: one of several classes, or unknown. The seam that every classifier fills, and what comes out of it.

A class is a schema, or a name with a description. Knows records and schemas, no way to tell them apart.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, get_args

from pydantic import BaseModel, Field

from docpipe import plugins
from docpipe.backends import Backend
from docpipe.errors import UsageError
from docpipe.fields import BUILT_IN, load_schema
from docpipe.records import PageKind, Record, Sign, Usage, Words

if TYPE_CHECKING:
    from PIL.Image import Image

HOME = Path(__file__).resolve().parent
UNKNOWN = "unknown"
THRESHOLD = 0.5  # a class that is less likely than not is no answer
KINDS: tuple[PageKind, ...] = get_args(PageKind)
# Built-in schemas that anything can be read with: they are no class of document.
_ANYTHING = frozenset({"form", "transcript"})


@dataclass(frozen=True)
class DocumentClass:
    """What a document may be. `name` is how verdicts call it: a schema's reference without its folder."""

    name: str
    description: str
    schema: type[BaseModel] | None = None


class PageVerdict(Record):
    """What one classifier says of one page. `scores` are probabilities, of `unknown` too, and add up to 1; `choice` is the likeliest where
    it reaches the threshold, else unknown; `score` is its probability. A page of another `kind` than content belongs to no class: its
    choice is unknown with a score of 1. `error` says why there is no verdict; `failed` names classifiers that had no vote while others had,
    and why; `usage` is what models were asked for it."""

    page: int
    choice: str
    score: float
    scores: dict[str, float] = Field(default_factory=dict)
    kind: PageKind = "content"
    signs: tuple[Sign, ...] = ()
    classifier: str = ""
    error: str | None = None
    failed: tuple[str, ...] = ()
    usage: Usage = Usage()


class Verdict(Record):
    """What a document is. `pages` are those that bear the choice out: the others are of another kind, unknown, or of another class."""

    choice: str
    score: float
    scores: dict[str, float] = Field(default_factory=dict)
    pages: tuple[int, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClassifierOptions:
    """What a classifier may need beside the page: the backend, for those that ask one, and where files lie that it loads by itself, by the
    name that the classifier gives them, such as its own."""

    backend: Backend | None = None
    checkpoints: Mapping[str, str] = field(default_factory=dict)

    def checkpoint(self, name: str) -> str:
        """A folder, or a repository pinned to a commit, `owner/name@commit`. Raises UsageError where there is none of that name."""
        if not (found := self.checkpoints.get(name)):
            variable = f"DOCPIPE_CHECKPOINTS__{name.upper()}"
            raise UsageError(f"no checkpoint {name!r} is named", hint=f"{variable} is a folder, or owner/name@commit; see docs/classify.md")
        return found


NO_OPTIONS = ClassifierOptions()


class Classifier(ABC):
    """One way to tell what a page is. Made once per process, safe to call from several threads.

    `needs_image` and `needs_words` say what it looks at. With `needs_backend` it gets one, and is shown what that may see.
    """

    name: ClassVar[str]
    needs_image: ClassVar[bool] = False
    needs_words: ClassVar[bool] = True
    needs_backend: ClassVar[bool] = False

    def __init__(self, options: ClassifierOptions = NO_OPTIONS) -> None:
        """Loads what it needs. Raises UsageError where that is not named, and MissingError and EngineError where it cannot be had."""
        self.backend = options.backend

    @abstractmethod
    def judge(self, words: Words, image: Image | None, classes: Sequence[DocumentClass]) -> PageVerdict:
        """What the page is. `image` is RGB. Raises EngineError and what a backend raises."""


def classifier_class(reference: str) -> type[Classifier]:
    """The class that `reference` names: a bare name, module:Class or path.py:Class. Raises UsageError where there is none."""
    return plugins.load(reference, Classifier, HOME)  # type: ignore[type-abstract]


def load_classes(references: Sequence[str]) -> tuple[DocumentClass, ...]:
    """The classes named: schemas as `--schema` takes them, or `name=description` for what has no schema; none named is every built-in
    schema of a certain kind of document. Raises SchemaError, and UsageError for a name that stands twice."""
    names = references or [name for name in plugins.names(BUILT_IN) if name not in _ANYTHING]
    classes = tuple(map(_class, names))
    if twice := sorted({one.name for one in classes if sum(one.name == other.name for other in classes) > 1}):
        raise UsageError(f"two classes are called {twice[0]!r}", hint="name each class once")
    if reserved := next((one.name for one in classes if one.name in (UNKNOWN, *KINDS)), None):
        raise UsageError(f"no class can be called {reserved!r}", hint="it is an answer already")
    return classes


def _class(reference: str) -> DocumentClass:
    name, equals, description = reference.partition("=")
    if equals:
        if not name.strip() or not description.strip():
            raise UsageError(f"{reference!r} is not NAME=DESCRIPTION", hint="for example: payslip='Pay of an employee for a month'")
        return DocumentClass(name.strip(), description.strip())
    schema, ref = load_schema(reference)
    return DocumentClass(ref.name, (schema.__doc__ or "").strip(), schema)


def softmax(logits: Mapping[str, float], *, alone: bool) -> dict[str, float]:
    """Probabilities of the options and of `unknown`; they add up to 1. With `alone` each option has log-odds of its own, and at most one is
    true: then `unknown` stands for none of them, with log-odds of 0."""
    top = max(0.0, *logits.values()) if alone else max(logits.values())
    shares = {name: math.exp(logit - top) for name, logit in logits.items()}
    shares[UNKNOWN] = shares.get(UNKNOWN, 0.0) + (math.exp(-top) if alone else 0.0)
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}


def chosen(scores: dict[str, float], *, threshold: float = THRESHOLD) -> tuple[str, float]:
    """The likeliest class and its probability; unknown where no class reaches the threshold."""
    best = max(scores, key=lambda name: (scores[name], name))
    if best == UNKNOWN or scores[best] < threshold:
        return UNKNOWN, scores.get(UNKNOWN, 0.0)
    return best, scores[best]


def vote(verdicts: Sequence[PageVerdict], *, threshold: float = THRESHOLD) -> PageVerdict:
    """What several classifiers say of one page: the mean of their probabilities, and all their signs. There has to be one. One that failed
    has no vote; where all failed, it is the first one's verdict."""
    said = [verdict for verdict in verdicts if verdict.error is None]
    if not said:
        return verdicts[0]
    kinds = [verdict.kind for verdict in said]
    kind = max(kinds, key=lambda kind: (kinds.count(kind), kind == "content"))
    agreed = [verdict for verdict in said if verdict.kind == kind]
    names = dict.fromkeys(name for verdict in agreed for name in verdict.scores)
    scores = {name: sum(verdict.scores.get(name, 0.0) for verdict in agreed) / len(agreed) for name in names}
    choice, score = chosen(scores, threshold=threshold) if kind == "content" else (UNKNOWN, 1.0)
    return PageVerdict(
        page=said[0].page,
        choice=choice,
        score=score,
        scores=scores,
        kind=kind,
        signs=tuple(sign for verdict in agreed for sign in verdict.signs),
        classifier="+".join(verdict.classifier for verdict in said),
        failed=tuple(f"{verdict.classifier}: {verdict.error}" for verdict in verdicts if verdict.error is not None),
        usage=Usage.total(verdict.usage for verdict in verdicts),
    )


def vote_document(pages: Sequence[PageVerdict], *, threshold: float = THRESHOLD) -> Verdict:
    """What the document is, by its pages: what its first page of content says, else the first later page that is known. Its later pages
    may be unknown, as continued tables and instructions are; where they are of another class, the document is several in one and the
    score is the share of the pages that are known."""
    content = [verdict for verdict in pages if verdict.kind == "content" and verdict.error is None]
    known = [verdict for verdict in content if verdict.choice != UNKNOWN]
    if not known:
        scores = content[0].scores if content else {}
        unread = any(verdict.error for verdict in pages)
        return Verdict(choice=UNKNOWN, score=scores.get(UNKNOWN, 0.0 if unread else 1.0), scores=scores)
    first = known[0]
    same = [verdict for verdict in known if verdict.choice == first.choice]
    share = len(same) / len(known)
    scores = {name: score * share for name, score in first.scores.items()}
    scores[UNKNOWN] = 1.0 - sum(score for name, score in scores.items() if name != UNKNOWN)
    choice, score = chosen(scores, threshold=threshold)
    others = tuple(dict.fromkeys(verdict.choice for verdict in known if verdict.choice != first.choice))
    return Verdict(choice=choice, score=score, scores=scores, pages=tuple(verdict.page for verdict in same), others=others)
