"""Choose the schema of each document by what it is, then read it. Knows the order of the two; a document of no class goes to review."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from docpipe import pipeline
from docpipe.api import Reader
from docpipe.classify import UNKNOWN, DocumentClass, PageVerdict, Verdict, load_classes, vote_document
from docpipe.classify.words import WordsClassifier
from docpipe.errors import UsageError
from docpipe.fields import DEFAULT_SCHEMA, schema_ref
from docpipe.preprocess import preprocess
from docpipe.records import Classified, Issue, Job, Page, Result, SchemaRef
from docpipe.request import Request, job_id
from docpipe.sorting import judge_pages
from docpipe.stopwatch import Stopwatch
from docpipe.workspace import Workspace

UNKNOWN_DOCUMENT, SEVERAL = "unknown_document", "several_documents"


class Router:
    """Reads one document after the other, each with the schema of its class. Made once per process, as a Reader is."""

    def __init__(self, reference: str, request: Request) -> None:
        """`reference` is `auto`, or `auto:A,B` with the schemas to choose from. Raises UsageError where one of them does not exist."""
        listed = [part.strip() for part in reference.partition(":")[2].split(",")] if ":" in reference else []
        if not all(listed):
            raise UsageError(f"{reference!r} has an empty part", hint="for example auto:invoice,receipt")
        self.classes = load_classes(listed)
        if undescribed := next((one.name for one in self.classes if one.schema is None), None):
            raise UsageError(f"{undescribed!r} has no schema to read with", hint="name schemas only")
        self.schema_ref = _reference(reference, self.classes)
        self._reader: Reader[Any] = Reader(DEFAULT_SCHEMA, request)
        self._classifier = WordsClassifier()

    def read(self, path: str | Path, *, password: str | None = None, work: str | Path | None = None) -> Result[Any]:
        """The document's result with the schema of its class, and what it was taken for in `classified`. Where that is unknown, it is the
        transcript, for `review` with the issue `unknown_document`. Raises what a Reader does."""
        reader = self._reader
        with reader.begun(path, self.schema_ref, work=work) as (job, space):
            watch = Stopwatch()
            with watch.stage("preprocess"):
                job, pages = preprocess(job, space=space, limits=reader.limits, password=password)
            with watch.stage("words"):
                pages = [pipeline.read_page_words(page, job=job, ocr=reader.ocr, space=space) for page in pages]
            with watch.stage("classify"):
                verdicts = self._judge(job, pages, space, password)
            verdict = vote_document(verdicts)
            schema, ref = self._schema(verdict.choice)
            job = job.model_copy(update={"schema_ref": ref, "id": job_id(job.document, ref, reader.options)})
            result: Result[Any] = pipeline.run(
                job,
                schema,
                engines=reader.engines,
                ocr=reader.ocr,
                space=space,
                limits=reader.limits,
                password=password,
                pages=pages,
            )
        return routed(result.model_copy(update={"timing": {**result.timing, **watch.seconds}}), verdict, verdicts)

    def _judge(self, job: Job, pages: Sequence[Page], space: Workspace, password: str | None) -> list[PageVerdict]:
        ocr, limits = self._reader.ocr, self._reader.limits
        return judge_pages(job, pages, self.classes, [self._classifier], ocr=ocr, space=space, limits=limits, password=password)

    def _schema(self, choice: str) -> tuple[type[BaseModel], SchemaRef]:
        schema = next((one.schema for one in self.classes if one.name == choice), None)
        if schema is None:
            return self._reader.schema, self._reader.schema_ref
        return schema, schema_ref(schema, choice)


def routed(result: Result[Any], verdict: Verdict, pages: Sequence[PageVerdict]) -> Result[Any]:
    """The result with what the document was taken for. An unknown document, and one with pages of another class, is never accepted."""
    issues = list(_issues(verdict))
    status = "review" if issues and result.status == "accepted" else result.status
    return result.model_copy(update={"status": status, "issues": (*result.issues, *issues), "classified": _classified(verdict, pages)})


def _issues(verdict: Verdict) -> list[Issue]:
    if verdict.choice == UNKNOWN:
        likeliest = max((score, name) for name, score in {**verdict.scores, UNKNOWN: 0.0}.items())
        rather = f"; the likeliest is {likeliest[1]} with {likeliest[0]:.2f}" if likeliest[0] else ""
        message = f"the document is none of the classes it was looked at for{rather}"
        return [Issue(code=UNKNOWN_DOCUMENT, severity="error", message=message, suggestion="read it with the schema that fits")]
    if verdict.others:
        message = f"pages are of another class: {', '.join(verdict.others)}"
        return [Issue(code=SEVERAL, severity="error", message=message, suggestion="read them apart, with --pages")]
    return []


def _classified(verdict: Verdict, pages: Sequence[PageVerdict]) -> Classified:
    """The signs are those of the page that decided: the first of the chosen class, or the first that has any."""
    decided = next((page for page in pages if page.page in verdict.pages or (not verdict.pages and page.signs)), None)
    return Classified(choice=verdict.choice, score=verdict.score, scores=verdict.scores, signs=decided.signs if decided else ())


def _reference(reference: str, classes: Sequence[DocumentClass]) -> SchemaRef:
    """The same classes that say the same are the same choice."""
    said = [schema_ref(one.schema, one.name).sha256 for one in classes if one.schema is not None]
    return SchemaRef(name=reference.partition(":")[0], sha256=hashlib.sha256("\n".join(said).encode()).hexdigest())
