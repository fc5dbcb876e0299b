"""What is done with an item of work: prepare, words, read, merge, deliver. The pipeline's verbs over the ledger and the store.

Knows what each step does and what becomes of an item that fails; no broker, no process, no order of jobs.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from docpipe import ledger as book
from docpipe import pipeline, telemetry
from docpipe.allowed import Allowed
from docpipe.artifacts import Opening, PageWords, artifact_name, secret_name
from docpipe.backends import ModelOptions
from docpipe.bundle import put_together, routed
from docpipe.delivery import Delivery
from docpipe.errors import BusyError, DeadlineError, DocpipeError, LedgerError, is_exhausted
from docpipe.fields import is_auto
from docpipe.ledger import Hint, Ledger, Terms, Work
from docpipe.ledger.claim import TERMS
from docpipe.materials import Materials, named
from docpipe.preprocess import preprocess, survey
from docpipe.preprocess.stage import EINVOICE
from docpipe.records import Failure, Job
from docpipe.routing import Sorter, read_sorted, to_read
from docpipe.store import Store
from docpipe.validate import unsettled
from docpipe.words import load_words
from docpipe.workspace import Workspace

LONGEST_WAIT = 300.0  # seconds between two tries of an item that has to wait
INTERNAL = "internal"
HUNG = 70  # exit code of a process whose model hangs
log = logging.getLogger(__name__)


def end_at_once() -> None:
    """End this process as if it had been killed."""
    os._exit(HUNG)


class Steps(Materials):
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
        checkpoints: Mapping[str, str] | None = None,
        on_hang: Callable[[], None] = end_at_once,
    ) -> None:
        """`cache` is the folder for prepared model files, `model` what backends ask, `checkpoints` where the models of classifiers lie. A
        document of up to `whole` pages is read through by the item that prepares it, all tiers of its cascade in this process; page by page
        only once that has crashed.

        `on_hang` is called once a model hangs in a call that nobody can end, and has to end the process. By default it does so at once:
        who counts a death as a crash of the item knows enough, where a process does one at a time. Where it returns, each item that waited
        for the model is counted as crashed here."""
        super().__init__(ledger, store, allowed=allowed, cache=cache, model=model, checkpoints=checkpoints, on_hang=on_hang)
        self.terms = terms
        self._delivery = delivery or Delivery()
        self._whole = whole
        self._random = random.Random()

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
        if book.view(self.ledger, home).state in book.CONCLUDED:
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
        self.check(item)
        with self.space(item) as space:
            job, numbers = survey(self.job(item), space=space, limits=item.spec.limits, password=self.password(item))
            if len(numbers) <= self._whole and not item.crashes:
                return self._read_through(item, job, space)
            opening = Opening(document=named(job.document, item.spec), einvoice=space.has(EINVOICE))
            if opening.einvoice:
                self.store.put(artifact_name(item, "xml"), space.path(EINVOICE).read_bytes())
        artifact = self.keep(item, opening)
        return book.Opened(artifact=artifact, document_pages=opening.document.pages, pages=tuple(numbers))

    def _read_through(self, item: Work, job: Job, space: Workspace) -> book.Merged:
        how: dict[str, Any] = {"engines": self.engines(job.options), **self.means(item, space)}
        sorter = self.sorter(item)
        result = read_sorted(job, sorter, **how) if sorter else pipeline.run(job, self.schema(item), **how)
        return self.merged(item, result)

    def _words(self, item: Work) -> book.Stored:
        job, number = self.job(item), item.page or 0
        only = job.model_copy(update={"options": job.options.model_copy(update={"pages": (number,)})})
        with self.space(item) as space:
            _, (page,) = preprocess(only, space=space, limits=item.spec.limits, password=self.password(item))
            if sorter := self.sorter(item):
                sheet = sorter.judge.look(page, job=job, **self.means(item, space), waits=True)
                read = PageWords(page=sheet.page, words=load_words(page, space), verdict=sheet.verdict, codes=sheet.codes)
            else:
                page = pipeline.read_page_words(page, job=job, ocr=self.ocr(job.options.ocr), space=space)
                read = PageWords(page=page, words=load_words(page, space))
            if shown := self.shown(item, job, read.page, space):
                read = read.model_copy(update={"shown": shown, "image": self.keep_image(item, shown, space)})
            return book.Stored(artifact=self.keep(item, read))

    def _read(self, item: Work) -> book.Stored | None:
        job = self.job(item)
        engine = pipeline.page_engines(self.engines(job.options))[item.tier - 1]
        (words,) = (one for one in self.items(item, "words") if one.page == item.page)
        with self.space(item) as space:
            (outcome,) = pipeline.extract(
                job,
                [to_read(self.unpack(words, space, images=engine.needs_image), item.spec.schema_ref)],
                self.schema(item),
                engine=engine,
                space=space,
                limits=item.spec.limits,
                password=self.password(item),
            )
        if self.hangs and isinstance(outcome, Failure) and outcome.code == DeadlineError.code:
            raise DeadlineError(outcome.message, hint="it is read by another process")
        if isinstance(outcome, Failure) and outcome.retryable:
            _tell_failure(outcome.code)
            self._wait(item, code=outcome.code, message=outcome.message, after=outcome.after)
            return None
        return book.Stored(artifact=self.keep(item, outcome))

    def _conclude(self, item: Work) -> book.Merged | book.Unsettled | book.Routed:
        """What comes of the pages once they are read: what the document is, where that is still to be seen, else what it says."""
        if parts := book.parts(self.ledger, item.job):
            return self._put_together(item, parts)
        sorter = self.sorter(item)
        has_schema = item.spec.route and not is_auto(item.spec.reads.name)
        return self._sort(item, sorter) if sorter and not has_schema else self._merge(item)

    def _sort(self, item: Work, sorter: Sorter) -> book.Routed:
        with self.space(item) as space:
            self.opening(item, space)
            sheets, route = self.sheets(item), item.spec.route
            routes = [sorter.again(sheets, route.part)] if route else sorter.routes(sheets, einvoice=space.has(EINVOICE))
        return book.Routed(routes=tuple(routes))

    def _put_together(self, item: Work, parts: Sequence[book.JobView]) -> book.Merged:
        """A packet's result: its parts', and the pages that are in none of them."""
        with self.space(item) as space:
            document = named(self.opening(item, space), item.spec)
            results = [self.result_of(part, document) for part in parts]
            taken = {page.number for result in results for page in result.pages}
            words = [one for one in self.items(item, "words") if one.page not in taken]
            left = [pipeline.summarize(self.unpack(one, space), space) for one in words]
        return self.merged(item, put_together(document, item.spec.schema_ref, results, left=left))

    def _merge(self, item: Work) -> book.Merged | book.Unsettled:
        """The result, or the pages that the next engine of the cascade is to read first."""
        job, schema, read = self.job(item), self.schema(item), self.items(item, "read")
        engines = self.engines(job.options)
        tier = max((one.idx // book.TIER for one in read), default=0)
        with self.space(item) as space:
            job = job.model_copy(update={"document": self.opening(item, space)})
            pages = [to_read(self.unpack(one, space), item.spec.schema_ref) for one in self.items(item, "words")]
            outcomes = pipeline.read_document(job, pages, schema, engines=engines, space=space)
            outcomes += [self.outcome(one, engines) for one in read]
            later = pipeline.page_engines(engines)[tier:]
            if later and (again := unsettled(pipeline.judge(job, pages, outcomes, schema, space=space), schema)):
                return book.Unsettled(pages=again, tier=tier + 1, lane=later[0].lane)
            result = pipeline.conclude(job, pages, outcomes, schema, **self.means(item, space))
        return self.merged(item, routed(result, item.spec.route) if item.spec.route else result)

    def _deliver(self, item: Work) -> book.Delivered | None:
        answer = self._delivery.send(item, book.view(self.ledger, item.job), self.store)
        if answer.code:
            _tell_failure(answer.code)
        if answer.again is not None:
            book.release(self.ledger, item, delay=answer.again, code=answer.code, message=answer.message, terms=self.terms)
        elif answer.code:
            book.give_up(self.ledger, item.hint, code=answer.code, message=answer.message)
        return None if answer.code else book.Delivered()


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
