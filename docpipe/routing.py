"""Which documents a file holds and with which schema each is read; then reading them. Knows the order of the steps, no sign of anything.

words -> what each page is -> where documents begin -> for each its schema -> the pipeline, as if that had been named
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from docpipe import pipeline
from docpipe.api import Reader
from docpipe.bundle import put_together, routed
from docpipe.choosing import Choice, read_choice
from docpipe.classify import UNKNOWN, Classifier, PageVerdict, Verdict, vote_document
from docpipe.extract import Engine
from docpipe.extract.einvoice import reads
from docpipe.fields import DEFAULT_SCHEMA, is_auto
from docpipe.limits import Limits
from docpipe.preprocess import preprocess
from docpipe.preprocess.stage import EINVOICE
from docpipe.records import Classified, Issue, Job, Page, Part, ReadOptions, Result, Route, SchemaRef
from docpipe.request import Request, job_id
from docpipe.sorting import PageJudge, load_classifiers
from docpipe.splitting import SEPARATORS, Sheet, cut, read_plan
from docpipe.stopwatch import Stopwatch
from docpipe.words import OcrEngine
from docpipe.workspace import Workspace

UNKNOWN_DOCUMENT, SEVERAL = "unknown_document", "several_documents"


class Sorter:
    """Tells what pages are, and which documents they make. Made once per process; knows one choice of schemas and one way to cut."""

    def __init__(self, choice: Choice, options: ReadOptions, classifiers: Sequence[Classifier]) -> None:
        """Raises UsageError where the way to cut makes no sense."""
        self.choice = choice
        self._plan = read_plan(options.split)
        separators = SEPARATORS if self._plan.kind == "auto" else ()
        self.judge = PageJudge(choice.classes, classifiers, separators=separators, reads=True)

    def routes(self, sheets: Iterable[Sheet], *, einvoice: bool = False) -> list[Route]:
        """The documents of a file, in order; one without a part is the whole file. One that carries an `einvoice` is cut only where the
        plan says so: what looks like several is for a person. Each sheet is looked at once, so that few are in memory."""
        verdicts: list[PageVerdict] = []

        def noted() -> Iterator[Sheet]:
            for sheet in sheets:
                verdicts.append(sheet.verdict)
                yield sheet

        split = cut(noted(), self._plan)
        if einvoice and not verdicts:
            return [self._unprinted()]
        if len(split.parts) <= 1 and (self._plan.kind != "pages" or not split.between):
            return [self._route(verdicts)]
        if einvoice and self._plan.kind == "auto":
            return [_undivided(self._route(verdicts), len(split.parts))]
        return [self._route([one for one in verdicts if one.page in part.pages], part) for part in split.parts]

    def again(self, sheets: Iterable[Sheet], part: Part | None) -> Route:
        """The route of a part that is sorted a second time, as pages of it were read anew; it keeps its pages. Without one, the file's."""
        return self._route([sheet.verdict for sheet in sheets], part)

    def _unprinted(self) -> Route:
        """An e-invoice without a page: its class is the one whose schema has a place for what it says."""
        name = next((one.name for one in self.choice.classes if one.schema and reads(one.schema)), UNKNOWN)
        verdict = Verdict(choice=name, score=1.0, scores={UNKNOWN: 0.0, name: 1.0})
        return self._route_of(verdict, ())

    def _route(self, verdicts: Sequence[PageVerdict], part: Part | None = None) -> Route:
        return self._route_of(vote_document(verdicts), verdicts, part)

    def _route_of(self, verdict: Verdict, verdicts: Sequence[PageVerdict], part: Part | None = None) -> Route:
        if self.choice.named:
            return Route(schema_ref=self.choice.ref, part=part)
        said = {"classified": _classified(verdict, verdicts), "issues": (*_issues(verdict), *_failures(verdicts))}
        return Route(schema_ref=self.choice.ref_of(verdict.choice), part=part, **said)


class Router:
    """Reads one file after the other, each document in it with the schema of its class. Made once per process, as a Reader is."""

    def __init__(self, reference: str | type[BaseModel], request: Request) -> None:
        """Raises UsageError where a schema, a classifier or the way to cut does not exist, and what a Reader raises."""
        self._reader: Reader[Any] = Reader(DEFAULT_SCHEMA, request)
        classifiers = load_classifiers(request.options.classifiers, request, contextlib.ExitStack())
        self._sorter = Sorter(read_choice(reference), request.options, classifiers)

    def read(self, path: str | Path, *, password: str | None = None, work: str | Path | None = None) -> Result[Any]:
        """The document's result with the schema of its class, and what it was taken for in `classified`; of a file that holds several, the
        results of its `parts`. What is of no class is read as a transcript, for `review` with the issue `unknown_document`. Raises what a
        Reader does."""
        reader = self._reader
        with reader.begun(path, self._sorter.choice.ref, work=work) as (job, space):
            return read_sorted(
                job, self._sorter, engines=reader.engines, ocr=reader.ocr, space=space, limits=reader.limits, password=password
            )


def read_sorted(
    job: Job,
    sorter: Sorter,
    *,
    engines: Sequence[Engine],
    ocr: OcrEngine,
    space: Workspace,
    limits: Limits,
    password: str | None = None,
) -> Result[Any]:
    """Sort the pages of a file, and read each document of it in this process. Raises what `pipeline.run` does."""
    watch, pages = Stopwatch(), dict[int, Page]()
    how: dict[str, Any] = {"ocr": ocr, "space": space, "limits": limits, "password": password}
    with watch.stage("preprocess"):
        job, prepared = preprocess(job, space=space, limits=limits, password=password)
    with watch.stage("words"):
        prepared = [pipeline.read_page_words(page, job=job, ocr=ocr, space=space) for page in prepared]

    def sheets() -> Iterator[Sheet]:
        for page in prepared:
            sheet = sorter.judge.look(page, job=job, **how)
            pages[page.number] = sheet.page
            yield sheet

    def read(route: Route) -> Result[Any]:
        mine = [to_read(pages[number], sorter.choice.ref) for number in (route.part.pages if route.part else pages)]
        schema = sorter.choice.schema(route.schema_ref)
        return routed(pipeline.run(routed_job(job, route), schema, engines=engines, pages=mine, **how), route)

    with watch.stage("classify"):
        routes = sorter.routes(sheets(), einvoice=space.has(EINVOICE))
    if routes[0].part is None:
        result = read(routes[0])
    else:
        space.path(EINVOICE).unlink(missing_ok=True)  # it is about one of the parts, and nothing says which
        parts = []
        for number, route in enumerate(routes, 1):
            parts.append(read(route))
            space.path("readings.json").rename(space.path(f"readings-{number}.json"))  # else the next part would replace them
        taken = {page.number for part in parts for page in part.pages}
        left = [pipeline.summarize(page, space) for number, page in pages.items() if number not in taken]
        result = put_together(job.document, job.schema_ref, parts, left=left)
    timing = {name: round(result.timing.get(name, 0.0) + watch.seconds.get(name, 0.0), 4) for name in {**watch.seconds, **result.timing}}
    return result.model_copy(update={"timing": timing, "job": job.id})


def routed_job(job: Job, route: Route) -> Job:
    """The job as if the route's schema and pages had been asked for."""
    told = {"split": "never", "classifiers": ReadOptions().classifiers}
    pages = {"pages": route.part.pages} if route.part else {}
    options = job.options.model_copy(update={**told, **pages})
    return job.model_copy(
        update={"schema_ref": route.schema_ref, "options": options, "id": job_id(job.document, route.schema_ref, options)}
    )


def to_read(page: Page, ref: SchemaRef) -> Page:
    """The page as an engine gets it, where `ref` is what the job named as its schema. Unless that is `auto`, every page counts as content:
    a schema that is named is looked for on covers and conditions too."""
    return page if is_auto(ref.name) else page.model_copy(update={"kind": "content"})


def _undivided(route: Route, parts: int) -> Route:
    """The whole file, which somebody has to look at."""
    message = f"its pages look like {parts} documents, and nobody knows which of them the XML in the file is about"
    issue = Issue(code=SEVERAL, severity="error", message=message, suggestion="say where to cut, as in --split pages:1-2,3")
    return route.model_copy(update={"issues": (*route.issues, issue)})


def _issues(verdict: Verdict) -> Iterator[Issue]:
    if verdict.choice == UNKNOWN:
        likeliest = max((score, name) for name, score in {**verdict.scores, UNKNOWN: 0.0}.items())
        rather = f"; the likeliest is {likeliest[1]} with {likeliest[0]:.2f}" if likeliest[0] else ""
        message = f"the document is none of the classes it was looked at for{rather}"
        yield Issue(code=UNKNOWN_DOCUMENT, severity="error", message=message, suggestion="read it with the schema that fits")
    elif verdict.others:
        message = f"pages are of another class: {', '.join(verdict.others)}"
        yield Issue(code=SEVERAL, severity="error", message=message, suggestion="read them apart: --split auto, or --pages")


def _failures(verdicts: Sequence[PageVerdict]) -> Iterator[Issue]:
    """What kept classifiers from having a vote. A page that no classifier was shown has an error of its own, which the result names."""
    for verdict in verdicts:
        reasons = [*verdict.failed, verdict.error if verdict.classifier else None]
        for reason in filter(None, reasons):
            yield Issue(code="classifier_failed", page=verdict.page, message=f"no vote on what the page is: {reason}")


def _classified(verdict: Verdict, pages: Sequence[PageVerdict]) -> Classified:
    """The signs are those of the page that decided: the first of the chosen class, or the first that has any."""
    decided = next((page for page in pages if page.page in verdict.pages or (not verdict.pages and page.signs)), None)
    return Classified(choice=verdict.choice, score=verdict.score, scores=verdict.scores, signs=decided.signs if decided else ())
