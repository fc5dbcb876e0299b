"""What items of work need and leave behind: the document, its pages, the schema, the engines, the store's files. Knows no step.

All that is loaded is loaded once per process, at the first item that needs it, and shared by its threads.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from docpipe import ledger as book
from docpipe import pipeline
from docpipe.allowed import Allowed
from docpipe.artifacts import Opening, PageWords, artifact_name, secret_name
from docpipe.backends import ModelOptions
from docpipe.bundle import failed_part
from docpipe.choosing import is_sorted, read_choice
from docpipe.classify import Classifier
from docpipe.errors import CrashError, DocpipeError, MismatchError
from docpipe.extract import Engine, load_engine
from docpipe.ledger import JobSpec, Ledger, Work
from docpipe.preprocess import render
from docpipe.preprocess.stage import EINVOICE
from docpipe.records import Account, Document, Failure, Job, Outcome, Page, ReadOptions, Result, Route, SchemaRef, Words
from docpipe.request import Request
from docpipe.routing import Sorter, routed_job
from docpipe.sorting import load_classifiers, unread
from docpipe.splitting import Sheet
from docpipe.store import Store
from docpipe.words import OcrEngine, load_ocr
from docpipe.workspace import Workspace

MOST_COPIES = 64  # documents of a remote store that a worker keeps: more than it ever has items in hand
_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
log = logging.getLogger(__name__)


class Materials:
    """What one worker has at hand; safe to share between threads."""

    def __init__(
        self,
        ledger: Ledger,
        store: Store,
        *,
        allowed: Allowed | None = None,
        cache: Path | None = None,
        model: ModelOptions | None = None,
        checkpoints: Mapping[str, str] | None = None,
        on_hang: Callable[[], None],
    ) -> None:
        """`cache` is the folder for prepared model files, `model` what backends ask, `checkpoints` where the models of classifiers lie;
        `on_hang` is called once a model hangs in a call that nobody can end."""
        self.ledger = ledger
        self.store = store
        self.hangs = False
        self.ocr = lru_cache(maxsize=4)(self._load_ocr)
        self._allowed = allowed or Allowed()
        self._cache = cache
        self._model = model or ModelOptions()
        self._checkpoints = dict(checkpoints or {})
        self._on_hang = on_hang
        self._lock = threading.Lock()
        self._copies: dict[str, tempfile.TemporaryDirectory[str]] = {}
        self._engine = lru_cache(maxsize=16)(self._load_engine)
        self._sorter = lru_cache(maxsize=16)(self._load_sorter)
        self._classifiers = lru_cache(maxsize=4)(self._load_classifiers)

    def close(self) -> None:
        """Remove the copies of documents."""
        while self._copies:
            self._copies.popitem()[1].cleanup()

    def job(self, item: Work) -> Job:
        """The item's document, to be read as its job says."""
        spec = item.spec
        source = self.source(item)
        options = self._allowed.options(spec.options)
        account = Account(job=item.job, tenant=item.tenant)
        job = Job(id=spec.key, source=source, document=spec.document, schema_ref=spec.schema_ref, options=options, account=account)
        return routed_job(job, spec.route) if spec.route else job

    def means(self, item: Work, space: Workspace) -> dict[str, Any]:
        """What every verb of the pipeline that opens the document takes."""
        spec = item.spec
        return {"ocr": self.ocr(spec.options.ocr), "space": space, "limits": spec.limits, "password": self.password(item)}

    def check(self, item: Work) -> None:
        """Raises SchemaError or MismatchError where the schema, or one of those to choose from, is not the one that was submitted."""
        if (sorter := self.sorter(item)) is None:
            self.schema(item)
        elif sorter.choice.ref.sha256 != item.spec.schema_ref.sha256:
            raise MismatchError(f"{item.spec.schema_ref.name} no longer means the same schemas", hint="submit again, or restore them")

    def schema(self, item: Work) -> type[BaseModel]:
        """The schema that the item's document is read with. Raises SchemaError and MismatchError."""
        return self._allowed.load_schema(item.spec.reads)

    def sorter(self, item: Work) -> Sorter | None:
        """Who tells what the document's pages are; None where that was not asked."""
        spec = item.spec
        if not is_sorted(spec.schema_ref.name, spec.options):
            return None
        return self.sorter_for(self.reference(spec.schema_ref), self._allowed.options(spec.options))

    def sorter_for(self, reference: str, options: ReadOptions) -> Sorter:
        """Who sorts for jobs of that schema and these options. Raises what `Sorter` and its classifiers raise."""
        with self._lock:
            return self._sorter(reference, options.split, options.classifiers, options.backend)

    def reference(self, ref: SchemaRef) -> str:
        """What a job calls its schema, as it is to be loaded. Raises SchemaError."""
        return self._allowed.reference(ref.name)

    def _load_sorter(self, reference: str, split: str, classifiers: tuple[str, ...], backend: str) -> Sorter:
        return Sorter(read_choice(reference), ReadOptions(split=split), self._classifiers(classifiers, backend))

    def _load_classifiers(self, names: tuple[str, ...], backend: str) -> list[Classifier]:
        request = Request(options=ReadOptions(backend=backend), model=self._model, checkpoints=self._checkpoints)
        return load_classifiers(names, request, contextlib.ExitStack())

    def engines(self, options: ReadOptions) -> list[Engine]:
        """The cascade, in order."""
        with self._lock:
            return [self._engine(name, options.backend) for name in options.engines]

    def _load_engine(self, name: str, backend: str) -> Engine:
        return load_engine(name, backend=backend, model=self._model, on_hang=self._hang)

    def _hang(self) -> None:
        self.hangs = True
        log.error("the model hangs, this process ends")
        self._on_hang()

    def _load_ocr(self, name: str) -> OcrEngine:
        return load_ocr(name, cache=self._cache)

    def password(self, item: Work) -> str | None:
        """The document's, where it has one; a part's is that of its packet."""
        return self.store.read(secret_name(item.tenant, item.packet or item.job)).decode() if item.spec.locked else None

    def items(self, item: Work, kind: book.Kind) -> list[book.Item]:
        """The job's items of a kind that have come to an end; cancelled ones no longer count."""
        return book.items(self.ledger, item.job, kinds=(kind,), states=("done", "quarantined"))

    def opening(self, item: Work, space: Workspace) -> Document:
        """The document as preparing found it; its e-invoice lies in the space, unless the document is a part: the XML is about one of the
        parts, and nothing says which."""
        artifact = book.items(self.ledger, item.packet or item.job, kinds=("prepare",), states=("done",))[-1].artifact or ""
        opening = Opening.model_validate_json(self.store.read(artifact))
        if opening.einvoice and not item.packet:
            space.write(space.path(EINVOICE), self.store.read(artifact.removesuffix("json") + "xml"))
        return opening.document

    def unpack(self, words: book.Item, space: Workspace, *, images: bool = False) -> Page:
        """A page as its item left it, its words in the space; one that was given up is a failed page."""
        kept = self._page_words(words)
        if kept.words is not None:
            space.save(space.page(kept.page.number, "words.json"), kept.words)
        if images and kept.image and kept.shown and kept.shown.image:
            space.write(space.path(kept.shown.image), self.store.read(kept.image))
            return kept.shown
        return kept.page

    def sheets(self, item: Work) -> Iterator[Sheet]:
        """The document's pages as sorting sees them, one after the other; of one that was given up nothing is known."""
        for one in self.items(item, "words"):
            read = self._page_words(one)
            yield Sheet(read.page, read.words or Words.none(read.page), read.verdict or unread(read.page), read.codes)

    def _page_words(self, item: book.Item) -> PageWords:
        """What an item of the kind `words` left; a failed page without words where it was given up."""
        if item.artifact is None or item.state != "done":
            return PageWords(page=Page(number=item.page or 0, width=0.0, height=0.0, status="failed", error=item.error_code), words=None)
        return PageWords.model_validate_json(self.store.read(item.artifact))

    def result_of(self, part: book.JobView, document: Document) -> Result[Any]:
        """A part's result, or what stands in for it."""
        if part.result is not None:
            return Result[Any].model_validate_json(self.store.read(part.result))
        spec = book.spec_of(self.ledger, part.id)
        route = spec.route or Route(schema_ref=spec.schema_ref)
        return failed_part(document, route, code=part.error_code or part.state, message=part.error or f"the job is {part.state}")

    def outcome(self, read: book.Item, engines: Sequence[Engine]) -> Outcome:
        """What an engine of the cascade read off a page, or that it was given up."""
        if read.artifact and read.state == "done":
            return _OUTCOME.validate_json(self.store.read(read.artifact))
        name = pipeline.page_engines(engines)[read.idx // book.TIER - 1].name
        return Failure(engine=name, pages=(read.page or 0,), code=read.error_code or CrashError.code, message=read.error or "")

    def merged(self, item: Work, result: Result[Any]) -> book.Merged:
        """The result, stored."""
        result = result.model_copy(update={"document": named(result.document, item.spec)})
        artifact = self.store.put(artifact_name(item, "json", kind="result"), result.to_json().encode())
        return book.Merged(result=artifact, sha256=result.sha256(), status=result.status, document_pages=result.document.pages)

    def keep(self, item: Work, record: BaseModel) -> str:
        """Store what the item leaves for others; returns the artifact's name."""
        return self.store.put(artifact_name(item, "json"), record.model_dump_json().encode())

    def shown(self, item: Work, job: Job, page: Page, space: Workspace) -> Page | None:
        """The page with its image, where an engine of the cascade wants one. Drawn here, by the workers that open documents; where that
        fails, reading it will say so."""
        if page.status != "done" or not any(engine.needs_image for engine in pipeline.page_engines(self.engines(job.options))):
            return None
        try:
            return render(page, job=job, space=space, limits=item.spec.limits, password=self.password(item))
        except DocpipeError as problem:
            log.warning("the page cannot be drawn", extra={"code": problem.code})
            return None

    def keep_image(self, item: Work, page: Page, space: Workspace) -> str | None:
        """Store the page's image; returns the artifact's name."""
        if page.image is None:
            return None
        path = space.path(page.image)
        return self.store.put(artifact_name(item, path.suffix.lstrip(".")), path.read_bytes())

    @contextlib.contextmanager
    def space(self, item: Work) -> Iterator[Workspace]:
        """Where the item's files lie while it is done."""
        with tempfile.TemporaryDirectory(prefix="docpipe-step-") as folder:
            yield Workspace(Path(folder))

    def source(self, item: Work) -> Path:
        """The job's document as a local file: the store's own, or a copy that the job's next pages find again."""
        if self.store.is_local:
            return self.store.fetch(item.spec.source, Path())
        with self._lock:
            if (found := self._copies.pop(item.job, None)) is None:
                folder = tempfile.TemporaryDirectory(prefix="docpipe-source-")
                self.store.fetch(item.spec.source, Path(folder.name) / "source")
                found = folder
            self._copies[item.job] = found
            while len(self._copies) > MOST_COPIES:
                self._copies.pop(next(iter(self._copies))).cleanup()
            return Path(found.name) / "source"


def named(document: Document, spec: JobSpec) -> Document:
    """The document under the name that it came with, which no file of ours has."""
    return document.model_copy(update={"name": spec.document.name})
