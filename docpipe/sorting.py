"""What a document is and what each of its pages is: pages and their words, shown to the classifiers. Knows the order of the steps."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from docpipe.backends import Backend, load_backend
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
from docpipe.classify._words.sight import prints_sums
from docpipe.errors import DocpipeError, UsageError
from docpipe.extract.vlm.image import page_image
from docpipe.extract.vlm.shown import shown
from docpipe.limits import Limits
from docpipe.pipeline import read_page_words
from docpipe.preprocess import identify, preprocess, render
from docpipe.records import NO_SCHEMA, Document, Job, Page, PageKind, Record, Words
from docpipe.request import Request
from docpipe.source import readable
from docpipe.splitting import Code, Sheet, codes_of, separator_of, wants_codes
from docpipe.words import OcrEngine, load_ocr, load_words
from docpipe.workspace import Workspace, temporary

if TYPE_CHECKING:
    from PIL.Image import Image

DEFAULT_CLASSIFIERS = ("words",)
log = logging.getLogger(__name__)


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
        judge = PageJudge(classes, load_classifiers(classifiers, request, stack), threshold=threshold)
        return sort_by(judge, path, request, password=password)


def sort_by(judge: PageJudge, path: Path, request: Request, *, password: str | None = None) -> Sorted:
    """`sort_document` with classifiers that are loaded already, for one document after the other."""
    with readable(path) as source, temporary() as space:
        job, pages = preprocess(sorting_job(source, request), space=space, limits=request.limits, password=password)
        ocr = load_ocr(request.options.ocr, cache=request.cache)
        judged = [judge.look(page, job=job, ocr=ocr, space=space, limits=request.limits, password=password).verdict for page in pages]
        named = job.document.model_copy(update={"name": path.name})
        return Sorted(document=named, verdict=vote_document(judged, threshold=judge.threshold), pages=tuple(judged))


def sorting_job(source: Path, request: Request) -> Job:
    """A job without a schema, for a document that is looked at and not read. Raises DocumentError."""
    document = identify(source, request.limits, formats=request.options.formats)
    return Job(id="sort", source=source, document=document, schema_ref=NO_SCHEMA, options=request.options)


def load_classifiers(references: Sequence[str], request: Request, stack: contextlib.ExitStack) -> list[Classifier]:
    """The classifiers named, with the model and the checkpoints of the request. One backend serves all that ask a model, and is closed with
    the stack. Raises UsageError, MissingError and EngineError."""
    if not references:
        raise UsageError("no classifier is named", hint="the default is words")
    kinds = [classifier_class(reference) for reference in references]
    asked: Backend | None = None
    if any(kind.needs_backend for kind in kinds):
        asked = stack.enter_context(contextlib.closing(load_backend(request.options.backend, request.model)))
    return [kind(ClassifierOptions(backend=asked if kind.needs_backend else None, checkpoints=request.checkpoints)) for kind in kinds]


@dataclass(frozen=True)
class PageJudge:
    """Says of pages which of the `classes` they are, by the vote of the `classifiers`, or unknown where none reaches the `threshold`. Codes
    that say one of the `separators` make a page a separator sheet; where there are none, no code is looked for. With `reads` the words of
    every page are read, also where no classifier needs them."""

    classes: Sequence[DocumentClass]
    classifiers: Sequence[Classifier]
    threshold: float = THRESHOLD
    separators: Collection[str] = ()
    reads: bool = False

    def look(
        self,
        page: Page,
        *,
        job: Job,
        ocr: OcrEngine,
        space: Workspace,
        limits: Limits,
        password: str | None = None,
        waits: bool = False,
    ) -> Sheet:
        """The page with its kind, its words where anybody needs them, and what it is. It is drawn only for those that look at pictures, and
        where it may be a separator sheet. One with sums on it is content, whoever or whatever code says otherwise: a total that is passed
        over is a rival that nobody sees. An error that another try may not meet is raised to a caller that `waits`; any other costs the
        classifier that met it its vote. Raises UsageError."""

        @cache
        def drawn() -> Page:
            return render(page, job=job, space=space, limits=limits, password=password)

        def picture(backend: Backend | None) -> Image:
            if backend is None:
                return page_image(drawn(), space)
            dpi, redact = drawn().dpi or job.options.dpi, job.options.redact
            return shown(drawn(), words, backend, dpi=dpi, hint=False, redact=redact, space=space).image

        words = Words.none(page)
        if self._reads(job):
            page = read_page_words(page, job=job, ocr=ocr, space=space)
            words = load_words(page, space) or words
        verdict = self._verdict(page, words, picture, waits)
        codes = _codes(drawn, job, space) if self.separators and wants_codes(page, words) else ()
        kind: PageKind = "separator" if separator_of(codes, self.separators) else verdict.kind
        if kind != "content" and prints_sums(words.words):
            kind, codes, verdict = "content", (), verdict.model_copy(update={"kind": "content"})
        return Sheet(page=page.model_copy(update={"kind": kind}), words=words, verdict=verdict, codes=codes)

    def _reads(self, job: Job) -> bool:
        """Whether anybody needs the words: the caller, a classifier, or who blacks out what must not leave this machine."""
        return self.reads or any(one.needs_words for one in self.classifiers) or bool(job.options.redact)

    def _verdict(self, page: Page, words: Words, picture: Callable[[Backend | None], Image], waits: bool) -> PageVerdict:
        if page.status == "blank":
            return PageVerdict(page=page.number, choice=UNKNOWN, score=1.0, kind="blank")
        if page.status == "failed":
            return unread(page)
        verdicts = []
        for one in self.classifiers:
            try:
                verdicts.append(one.judge(words, picture(one.backend) if one.needs_image else None, self.classes))
            except UsageError:
                raise
            except DocpipeError as problem:
                if waits and problem.retryable:
                    raise
                error = f"{problem.code}: {problem.message}"
                verdicts.append(PageVerdict(page=page.number, choice=UNKNOWN, score=0.0, classifier=one.name, error=error))
        return vote(verdicts, threshold=self.threshold)


def _codes(drawn: Callable[[], Page], job: Job, space: Workspace) -> tuple[Code, ...]:
    """A page that cannot be drawn shows no code, and is no separator."""
    try:
        page = drawn()
        return codes_of(page_image(page, space), dpi=page.dpi or job.options.dpi)
    except DocpipeError as problem:
        log.warning("not looked at for codes: %s", problem.message)
        return ()


def unread(page: Page) -> PageVerdict:
    """The verdict on a page that failed before any classifier was shown it."""
    return PageVerdict(page=page.number, choice=UNKNOWN, score=0.0, error=page.error)
