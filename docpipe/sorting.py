"""What a document is and what each of its pages is: pages and their words, shown to the classifiers. Knows the order of the steps."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from docpipe.backends import Backend, ModelOptions, load_backend
from docpipe.classify import (
    THRESHOLD,
    UNKNOWN,
    Classifier,
    ClassifierOptions,
    DocumentClass,
    PageVerdict,
    Verdict,
    classifier_class,
    vote,
    vote_document,
)
from docpipe.errors import DocpipeError, UsageError
from docpipe.extract.vlm.image import page_image
from docpipe.extract.vlm.shown import shown
from docpipe.limits import Limits
from docpipe.pipeline import read_page_words
from docpipe.preprocess import identify, preprocess, render
from docpipe.records import Document, Job, Page, Record, SchemaRef, Words
from docpipe.request import Request
from docpipe.source import readable
from docpipe.words import OcrEngine, load_ocr, load_words
from docpipe.workspace import Workspace, temporary

if TYPE_CHECKING:
    from PIL.Image import Image

DEFAULT_CLASSIFIERS = ("words",)


class Sorted(Record):
    """What a document is, and each page of it."""

    document: Document
    verdict: Verdict
    pages: tuple[PageVerdict, ...]


def sort_document(
    path: Path,
    request: Request,
    classes: Sequence[DocumentClass],
    *,
    classifiers: Sequence[str] = DEFAULT_CLASSIFIERS,
    threshold: float = THRESHOLD,
    password: str | None = None,
) -> Sorted:
    """What the document is of these classes. Of `request` count the pages, the dpi, the OCR engine, the limits and the model.

    A page that fails is a verdict with an error. Raises UsageError where a classifier cannot be had, and DocumentError where the document
    cannot be opened.
    """
    with contextlib.ExitStack() as stack:
        return sort_by(request_classifiers(classifiers, request, stack), path, request, classes, threshold=threshold, password=password)


def sort_by(
    classifiers: Sequence[Classifier],
    path: Path,
    request: Request,
    classes: Sequence[DocumentClass],
    *,
    threshold: float = THRESHOLD,
    password: str | None = None,
) -> Sorted:
    """The same, by classifiers that are loaded already: for one document after the other."""
    with readable(path) as source, temporary() as space:
        document = identify(source, request.limits, formats=request.options.formats)
        job = Job(id="sort", source=source, document=document, schema_ref=SchemaRef(name="", sha256=""), options=request.options)
        job, pages = preprocess(job, space=space, limits=request.limits, password=password)
        ocr = load_ocr(request.options.ocr, cache=request.cache)
        judged = judge_pages(
            job, pages, classes, classifiers, ocr=ocr, space=space, limits=request.limits, threshold=threshold, password=password
        )
        named = job.document.model_copy(update={"name": path.name})
        return Sorted(document=named, verdict=vote_document(judged, threshold=threshold), pages=tuple(judged))


def request_classifiers(references: Sequence[str], request: Request, stack: contextlib.ExitStack) -> list[Classifier]:
    """The classifiers named, with the model and the checkpoints of the request. Raises what `load_classifiers` does."""
    backend, model, checkpoints = request.options.backend, request.model, request.checkpoints
    return load_classifiers(references, backend=backend, model=model, checkpoints=checkpoints, stack=stack)


def load_classifiers(
    references: Sequence[str], *, backend: str, model: ModelOptions, checkpoints: Mapping[str, str], stack: contextlib.ExitStack
) -> list[Classifier]:
    """The classifiers named, ready to judge. One backend serves all that ask a model, and is closed with the stack; `checkpoints` says
    where the others' models lie. Raises UsageError, MissingError and EngineError."""
    if not references:
        raise UsageError("no classifier is named", hint="the default is words")
    kinds = [classifier_class(reference) for reference in references]
    asked: Backend | None = None
    if any(kind.needs_backend for kind in kinds):
        asked = stack.enter_context(contextlib.closing(load_backend(backend, model)))
    return [kind(ClassifierOptions(backend=asked if kind.needs_backend else None, checkpoints=checkpoints)) for kind in kinds]


def judge_pages(
    job: Job,
    pages: Sequence[Page],
    classes: Sequence[DocumentClass],
    classifiers: Sequence[Classifier],
    *,
    ocr: OcrEngine,
    space: Workspace,
    limits: Limits,
    threshold: float = THRESHOLD,
    password: str | None = None,
    waits: bool = False,
) -> list[PageVerdict]:
    """What each page is, by the vote of the classifiers. Reads a page's words where they are not read yet, and draws it only for those
    that look at pictures. Who `waits` is raised what another try may not meet; else that classifier has no vote."""

    def words_of(page: Page) -> tuple[Page, Words]:
        page = read_page_words(page, job=job, ocr=ocr, space=space)
        return page, load_words(page, space) or no_words(page)

    def picture_of(page: Page, words: Words, backend: Backend | None) -> Image:
        drawn = render(page, job=job, space=space, limits=limits, password=password)
        if backend is None:
            return page_image(drawn, space)
        options = job.options
        return shown(drawn, words, backend, dpi=drawn.dpi or options.dpi, hint=False, redact=options.redact, space=space).image

    return [
        _judge(
            *(words_of(page) if _reads(classifiers, job) else (page, no_words(page))), classes, classifiers, picture_of, threshold, waits
        )
        for page in pages
    ]


def _reads(classifiers: Sequence[Classifier], job: Job) -> bool:
    """Whether anybody needs the words: a classifier, or who blacks out what must not leave this machine."""
    return any(one.needs_words for one in classifiers) or bool(job.options.redact)


def no_words(page: Page) -> Words:
    """Of a page that was not read."""
    return Words(page=page.number, width=page.width, height=page.height, source="none")


def _judge(
    page: Page,
    words: Words,
    classes: Sequence[DocumentClass],
    classifiers: Sequence[Classifier],
    picture_of: Callable[[Page, Words, Backend | None], Image],
    threshold: float,
    waits: bool,
) -> PageVerdict:
    if page.status == "blank":
        return PageVerdict(page=page.number, choice=UNKNOWN, score=1.0, kind="blank")
    if page.status == "failed":
        return unread(page)
    verdicts = []
    for one in classifiers:
        try:
            image = picture_of(page, words, one.backend) if one.needs_image else None
            verdicts.append(one.judge(words, image, classes))
        except UsageError:
            raise
        except DocpipeError as problem:
            if waits and problem.retryable:
                raise
            error = f"{problem.code}: {problem.message}"
            verdicts.append(PageVerdict(page=page.number, choice=UNKNOWN, score=0.0, classifier=one.name, error=error))
    return vote(verdicts, threshold=threshold)


def unread(page: Page) -> PageVerdict:
    """Of a page that failed before anybody could look at it."""
    return PageVerdict(page=page.number, choice=UNKNOWN, score=0.0, error=page.error)
