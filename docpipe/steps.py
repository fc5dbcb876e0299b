"""What is done with an item of work: prepare, words, read, merge, deliver. The pipeline's verbs over the ledger and the store.

Knows what each step needs and leaves behind, and what becomes of an item that fails; no broker, no process, no order of jobs.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from docpipe import ledger as book
from docpipe import pipeline, telemetry
from docpipe.allowed import Allowed
from docpipe.artifacts import Opening, PageWords, artifact_name, secret_name
from docpipe.backends import ModelOptions
from docpipe.bundle import lost, put_together, routed
from docpipe.choosing import is_sorted
from docpipe.delivery import Delivery
from docpipe.errors import BusyError, CrashError, DeadlineError, DocpipeError, LedgerError, MismatchError, is_exhausted
from docpipe.extract import Engine, load_engine
from docpipe.ledger import Hint, JobSpec, Ledger, Terms, Work
from docpipe.ledger.claim import TERMS
from docpipe.preprocess import preprocess, render, survey
from docpipe.preprocess.stage import EINVOICE
from docpipe.records import Account, Document, Failure, Job, Outcome, Page, ReadOptions, Result, Route, SchemaRef
from docpipe.request import Request
from docpipe.routing import Sorter, load_sorter, read_sorted, routed_job
from docpipe.sorting import no_words, unread
from docpipe.splitting import Sheet
from docpipe.store import Store
from docpipe.validate import unsettled
from docpipe.words import OcrEngine, load_ocr, load_words
from docpipe.workspace import Workspace

MOST_COPIES = 64  # documents of a remote store that a worker keeps: more than it ever has items in hand
LONGEST_WAIT = 300.0  # seconds between two tries of an item that has to wait
INTERNAL = "internal"
HUNG = 70  # exit code of a process whose model hangs
_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
log = logging.getLogger(__name__)


def end_at_once() -> None:
    """End this process as if it had been killed."""
    os._exit(HUNG)


class Steps:
    """Does items for one worker; safe to call from several threads. Models are loaded at the first item that needs them."""

    def __init__(
        self,
        ledger: Ledger,
        store: Store,
        *,
        allowed: Allowed | None = None,
        delivery: Delivery | None = None,
        cache: Path | None = None,
        terms: Terms = TERMS,
        whole: int = 0,
        model: ModelOptions | None = None,
        on_hang: Callable[[], None] = end_at_once,
    ) -> None:
        """`cache` is the folder for prepared model files, `model` what backends ask. A document of up to `whole` pages is read through by
        the item that prepares it, all tiers of its cascade in this process; page by page only once that has crashed.

        `on_hang` is called once a model hangs in a call that nobody can end, and has to end the process. By default it does so at once:
        who counts a death as a crash of the item knows enough, where a process does one at a time. Where it returns, each item that waited
        for the model is counted as crashed here."""
        self.ledger = ledger
        self.store = store
        self.terms = terms
        self._allowed = allowed or Allowed()
        self._delivery = delivery or Delivery()
        self._cache = cache
        self._whole = whole
        self._random = random.Random()
        self._lock = threading.Lock()
        self._copies: dict[str, tempfile.TemporaryDirectory[str]] = {}
        self._model = model or ModelOptions()
        self._on_hang = on_hang
        self._hangs = False
        self._engine = lru_cache(maxsize=16)(self._load_engine)
        self._ocr = lru_cache(maxsize=4)(self._load_ocr)
        self._sorter_of = lru_cache(maxsize=16)(self._load_sorter)

    def do(self, hint: Hint, *, owner: str) -> Work | None:
        """Claim the item that the hint is about and do it; None where the hint is stale. Whatever goes wrong is written into the ledger:
        nothing is raised but LedgerError, after which the claim runs out by itself, and what ends the process."""
        item = book.claim(self.ledger, hint, owner=owner, terms=self.terms)
        if item is None:
            log.info("stale", extra=_address(hint))
            return None
        with telemetry.doing(item.kind, _about(item), role="CONSUMER", parent=item.traceparent):
            self._hold(item)
        return item

    def _hold(self, item: Work) -> None:
        """Do the item, and write down what went wrong."""
        log.info("begin")
        try:
            self._do(item)
        except (SystemExit, KeyboardInterrupt):
            self.ledger.patience = 0.0
            with contextlib.suppress(LedgerError):
                book.hand_back(self.ledger, item)
            raise
        except LedgerError:
            raise
        except Exception as problem:
            self._failed(item, problem)
        if item.spec.locked:
            self._forget_secret(item)

    def close(self) -> None:
        """Remove the copies of documents."""
        while self._copies:
            self._copies.popitem()[1].cleanup()

    def _do(self, item: Work) -> None:
        steps: dict[book.Kind, Callable[[Work], book.Done | None]] = {
            "prepare": self._prepare,
            "words": self._words,
            "read": self._read,
            "merge": self._conclude,
            "deliver": self._deliver,
        }
        done = steps[item.kind](item)
        if done is not None and book.settle(self.ledger, item, done):
            log.info("done")

    def _failed(self, item: Work, problem: Exception) -> None:
        """An error that passes is waited for, one that hangs counts as a crash, any other gives the item up."""
        code, message = (problem.code, _advice(problem)) if isinstance(problem, DocpipeError) else (INTERNAL, type(problem).__name__)
        code = "resource" if is_exhausted(problem) else code
        _tell_failure(code, problem if code == INTERNAL else None)
        if isinstance(problem, DeadlineError):
            book.crashed(self.ledger, item.hint, reason=message, terms=self.terms)
        elif is_exhausted(problem) or (isinstance(problem, DocpipeError) and problem.retryable):
            self._wait(item, code=code, message=message)
        else:
            book.give_up(self.ledger, item.hint, code=code, message=message)

    def _forget_secret(self, item: Work) -> None:
        """A password is kept no longer than steps need it that open the document."""
        home = item.packet or item.job
        if book.view(self.ledger, home).state in ("delivering", "done", "cancelled"):
            self.store.delete(secret_name(item.tenant, home))

    def _wait(self, item: Work, *, code: str, message: str, after: float = 0.0) -> None:
        """The item is tried again after the time that was asked for, or after one that doubles with each try, with jitter. What is busy may
        be so for as long as it likes, and says when to come back; what fails is never tried sooner than its tries allow."""
        counts = code != BusyError.code
        doubled = self._random.uniform(0.5, 1.0) * min(LONGEST_WAIT, 2.0 ** (item.tries if counts else item.transients))
        wait = max(after, doubled) if counts else after or doubled
        book.release(self.ledger, item, delay=wait, code=code, message=message, terms=self.terms, counts=counts)

    # ---- the steps ---------------------------------------------------------------------------------------------------

    def _prepare(self, item: Work) -> book.Opened | book.Merged:
        self._check(item)
        with self._space(item) as space:
            job, numbers = survey(self._job(item), space=space, limits=item.spec.limits, password=self._password(item))
            if len(numbers) <= self._whole and not item.crashes:
                return self._read_through(item, job, space)
            opening = Opening(document=_named(job.document, item.spec), einvoice=space.has(EINVOICE))
            if opening.einvoice:
                self.store.put(artifact_name(item, "xml"), space.path(EINVOICE).read_bytes())
        artifact = self._keep(item, opening)
        return book.Opened(artifact=artifact, document_pages=opening.document.pages, pages=tuple(numbers))

    def _read_through(self, item: Work, job: Job, space: Workspace) -> book.Merged:
        how: dict[str, Any] = {"engines": self._engines(job.options), **self._means(item, space)}
        sorter = self._sorter(item)
        result = read_sorted(job, sorter, **how) if sorter else pipeline.run(job, self._schema(item), **how)
        return self._merged(item, result)

    def _words(self, item: Work) -> book.Stored:
        job, number = self._job(item), item.page or 0
        only = job.model_copy(update={"options": job.options.model_copy(update={"pages": (number,)})})
        with self._space(item) as space:
            _, (page,) = preprocess(only, space=space, limits=item.spec.limits, password=self._password(item))
            if sorter := self._sorter(item):
                sheet = sorter.sheet(page, job=job, **self._means(item, space), waits=True)
                read = PageWords(page=sheet.page, words=load_words(page, space), verdict=sheet.verdict, codes=sheet.codes)
            else:
                page = pipeline.read_page_words(page, job=job, ocr=self._ocr(job.options.ocr), space=space)
                read = PageWords(page=page, words=load_words(page, space))
            if shown := self._shown(item, job, read.page, space):
                read = read.model_copy(update={"shown": shown, "image": self._keep_image(item, shown, space)})
            return book.Stored(artifact=self._keep(item, read))

    def _read(self, item: Work) -> book.Stored | None:
        job = self._job(item)
        engine = pipeline.page_engines(self._engines(job.options))[item.tier - 1]
        (words,) = (one for one in self._items(item, "words") if one.page == item.page)
        with self._space(item) as space:
            (outcome,) = pipeline.extract(
                job,
                [self._unpack(words, space, images=engine.needs_image)],
                self._schema(item),
                engine=engine,
                space=space,
                limits=item.spec.limits,
                password=self._password(item),
            )
        if self._hangs and isinstance(outcome, Failure) and outcome.code == DeadlineError.code:
            raise DeadlineError(outcome.message, hint="it is read by another process")
        if isinstance(outcome, Failure) and outcome.retryable:
            _tell_failure(outcome.code)
            self._wait(item, code=outcome.code, message=outcome.message, after=outcome.after)
            return None
        return book.Stored(artifact=self._keep(item, outcome))

    def _conclude(self, item: Work) -> book.Merged | book.Unsettled | book.Routed:
        """What comes of the pages once they are read: what the document is, where that is still to be seen, else what it says."""
        if parts := book.parts(self.ledger, item.job):
            return self._put_together(item, parts)
        sorter = self._sorter(item)
        return self._sort(item, sorter) if sorter and not item.spec.route else self._merge(item)

    def _sort(self, item: Work, sorter: Sorter) -> book.Routed:
        with self._space(item) as space:
            self._opening(item, space)
            routes = sorter.routes(self._sheets(item), einvoice=space.has(EINVOICE))
        return book.Routed(routes=tuple(routes))

    def _put_together(self, item: Work, parts: Sequence[book.JobView]) -> book.Merged:
        """A packet's result: its parts', and the pages that are in none of them."""
        with self._space(item) as space:
            document = _named(self._opening(item, space), item.spec)
            results = [self._result_of(part, document) for part in parts]
            taken = {page.number for result in results for page in result.pages}
            words = [one for one in self._items(item, "words") if one.page not in taken]
            left = [pipeline.summarize(self._unpack(one, space), space) for one in words]
        return self._merged(item, put_together(document, item.spec.schema_ref, results, left=left))

    def _merge(self, item: Work) -> book.Merged | book.Unsettled:
        """The result, or the pages that the next engine of the cascade is to read first."""
        job, schema, read = self._job(item), self._schema(item), self._items(item, "read")
        engines = self._engines(job.options)
        tier = max((one.idx // book.TIER for one in read), default=0)
        with self._space(item) as space:
            job = job.model_copy(update={"document": self._opening(item, space)})
            pages = [self._unpack(one, space) for one in self._items(item, "words")]
            outcomes = pipeline.read_document(job, pages, schema, engines=engines, space=space)
            outcomes += [self._outcome(one, engines) for one in read]
            later = pipeline.page_engines(engines)[tier:]
            if later and (again := unsettled(pipeline.judge(job, pages, outcomes, schema, space=space), schema)):
                return book.Unsettled(pages=again, tier=tier + 1, lane=later[0].lane)
            result = pipeline.conclude(job, pages, outcomes, schema, **self._means(item, space))
        return self._merged(item, routed(result, item.spec.route) if item.spec.route else result)

    def _deliver(self, item: Work) -> book.Delivered | None:
        answer = self._delivery.send(item, book.view(self.ledger, item.job), self.store)
        if answer.code:
            _tell_failure(answer.code)
        if answer.again is not None:
            book.release(self.ledger, item, delay=answer.again, code=answer.code, message=answer.message, terms=self.terms)
        elif answer.code:
            book.give_up(self.ledger, item.hint, code=answer.code, message=answer.message)
        return None if answer.code else book.Delivered()

    # ---- what they work with -----------------------------------------------------------------------------------------

    def _job(self, item: Work) -> Job:
        spec = item.spec
        source = self._source(item)
        options = self._allowed.options(spec.options)
        account = Account(job=item.job, tenant=item.tenant)
        job = Job(id=spec.key, source=source, document=spec.document, schema_ref=spec.schema_ref, options=options, account=account)
        return routed_job(job, spec.route) if spec.route else job

    def _means(self, item: Work, space: Workspace) -> dict[str, Any]:
        """What every verb of the pipeline that opens the document takes."""
        spec = item.spec
        return {"ocr": self._ocr(spec.options.ocr), "space": space, "limits": spec.limits, "password": self._password(item)}

    def _check(self, item: Work) -> None:
        """Raises SchemaError or MismatchError where the schema, or one of those to choose from, is not the one that was submitted."""
        if (sorter := self._sorter(item)) is None:
            self._schema(item)
        elif sorter.choice.ref.sha256 != item.spec.schema_ref.sha256:
            raise MismatchError(f"{item.spec.schema_ref.name} no longer means the same schemas", hint="submit again, or restore them")

    def _schema(self, item: Work) -> type[BaseModel]:
        return self._allowed.load_schema(item.spec.reads)

    def _sorter(self, item: Work) -> Sorter | None:
        """Who tells what the document's pages are; None where that was not asked."""
        spec = item.spec
        if not is_sorted(spec.schema_ref.name, spec.options):
            return None
        with self._lock:
            return self._sorter_of(self._reference(spec.schema_ref), self._allowed.options(spec.options))

    def _reference(self, ref: SchemaRef) -> str:
        return self._allowed.reference(ref.name)

    def _load_sorter(self, reference: str, options: ReadOptions) -> Sorter:
        return load_sorter(reference, Request(options=options, model=self._model))

    def _engines(self, options: ReadOptions) -> list[Engine]:
        with self._lock:
            return [self._engine(name, options.backend) for name in options.engines]

    def _load_engine(self, name: str, backend: str) -> Engine:
        return load_engine(name, backend=backend, model=self._model, on_hang=self._hang)

    def _hang(self) -> None:
        self._hangs = True
        log.error("the model hangs, this process ends")
        self._on_hang()

    def _load_ocr(self, name: str) -> OcrEngine:
        return load_ocr(name, cache=self._cache)

    def _password(self, item: Work) -> str | None:
        return self.store.read(secret_name(item.tenant, item.packet or item.job)).decode() if item.spec.locked else None

    def _items(self, item: Work, kind: book.Kind) -> list[book.Item]:
        """The job's items of a kind that have come to an end; cancelled ones no longer count."""
        return book.items(self.ledger, item.job, kinds=(kind,), states=("done", "quarantined"))

    def _opening(self, item: Work, space: Workspace) -> Document:
        """The document as preparing found it; its e-invoice lies in the space, unless the document is a part: whose it is nobody knows."""
        artifact = book.items(self.ledger, item.packet or item.job, kinds=("prepare",), states=("done",))[-1].artifact or ""
        opening = Opening.model_validate_json(self.store.read(artifact))
        if opening.einvoice and not item.packet:
            space.write(space.path(EINVOICE), self.store.read(artifact.removesuffix("json") + "xml"))
        return opening.document

    def _unpack(self, words: book.Item, space: Workspace, *, images: bool = False) -> Page:
        """A page as its item left it, its words in the space; one that was given up is a failed page."""
        if words.artifact is None or words.state != "done":
            return Page(number=words.page or 0, width=0.0, height=0.0, status="failed", error=words.error_code)
        kept = PageWords.model_validate_json(self.store.read(words.artifact))
        if kept.words is not None:
            space.save(space.page(kept.page.number, "words.json"), kept.words)
        if images and kept.image and kept.shown and kept.shown.image:
            space.write(space.path(kept.shown.image), self.store.read(kept.image))
            return kept.shown
        return kept.page

    def _sheets(self, item: Work) -> Iterator[Sheet]:
        """The document's pages as sorting sees them, one after the other; one that was given up is nothing known."""
        for one in self._items(item, "words"):
            page = Page(number=one.page or 0, width=0.0, height=0.0, status="failed", error=one.error_code)
            read = PageWords(page=page, words=None)
            if one.artifact and one.state == "done":
                read = PageWords.model_validate_json(self.store.read(one.artifact))
            yield Sheet(read.page, read.words or no_words(read.page), read.verdict or unread(read.page), read.codes)

    def _result_of(self, part: book.JobView, document: Document) -> Result[Any]:
        """A part's result, or what stands in for it."""
        if part.result is not None:
            return Result[Any].model_validate_json(self.store.read(part.result))
        spec = book.spec_of(self.ledger, part.id)
        route = spec.route or Route(schema_ref=spec.schema_ref)
        return lost(document, route, code=part.error_code or part.state, message=part.error or f"the job is {part.state}")

    def _outcome(self, read: book.Item, engines: Sequence[Engine]) -> Outcome:
        if read.artifact and read.state == "done":
            return _OUTCOME.validate_json(self.store.read(read.artifact))
        name = pipeline.page_engines(engines)[read.idx // book.TIER - 1].name
        return Failure(engine=name, pages=(read.page or 0,), code=read.error_code or CrashError.code, message=read.error or "")

    def _merged(self, item: Work, result: Result[Any]) -> book.Merged:
        result = result.model_copy(update={"document": _named(result.document, item.spec)})
        artifact = self.store.put(artifact_name(item, "json", kind="result"), result.to_json().encode())
        return book.Merged(result=artifact, sha256=result.sha256(), status=result.status, document_pages=result.document.pages)

    def _keep(self, item: Work, record: BaseModel) -> str:
        return self.store.put(artifact_name(item, "json"), record.model_dump_json().encode())

    def _shown(self, item: Work, job: Job, page: Page, space: Workspace) -> Page | None:
        """The page with its image, where an engine of the cascade wants one. Drawn here, by the workers that open documents; where that
        fails, reading it will say so."""
        if page.status != "done" or not any(engine.needs_image for engine in pipeline.page_engines(self._engines(job.options))):
            return None
        try:
            return render(page, job=job, space=space, limits=item.spec.limits, password=self._password(item))
        except DocpipeError as problem:
            log.warning("the page cannot be drawn", extra={"code": problem.code})
            return None

    def _keep_image(self, item: Work, page: Page, space: Workspace) -> str | None:
        if page.image is None:
            return None
        path = space.path(page.image)
        return self.store.put(artifact_name(item, path.suffix.lstrip(".")), path.read_bytes())

    @contextlib.contextmanager
    def _space(self, item: Work) -> Iterator[Workspace]:
        """Where the item's files lie while it is done."""
        with tempfile.TemporaryDirectory(prefix="docpipe-step-") as folder:
            yield Workspace(Path(folder))

    def _source(self, item: Work) -> Path:
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


def _named(document: Document, spec: JobSpec) -> Document:
    """The document under the name that it came with, which no file of ours has."""
    return document.model_copy(update={"name": spec.document.name})


def _tell_failure(code: str, problem: Exception | None = None) -> None:
    """The code alone: messages stay in the ledger, as they may quote the document."""
    log.log(logging.ERROR if problem else logging.INFO, "failed", extra={"code": code}, exc_info=problem)
    telemetry.failed(code)


def _advice(problem: DocpipeError) -> str:
    """What is wrong and the way out, in one line, for whoever reads the ledger."""
    return f"{problem.message} ({problem.hint})" if problem.hint else problem.message


def _about(item: Work) -> dict[str, Any]:
    """What log lines and the span say of an item."""
    return {"tenant": item.tenant, "page": item.page, **_address(item.hint)}


def _address(hint: Hint) -> dict[str, Any]:
    return {"job": hint.job, "kind": hint.kind, "index": hint.idx, "fence": hint.fence}
