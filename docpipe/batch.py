"""Many files with one schema: each ends in exactly one of a result or an error row. Knows no stage and no way of showing progress.

A file is a job of a ledger that the batch keeps beside its results; what an earlier call left undone, this one goes on with.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from docpipe import ledger as book
from docpipe.choosing import Choice, read_choice
from docpipe.errors import CrashError, DocpipeError, LedgerError, UsageError, tree
from docpipe.inline import Inline
from docpipe.inplace import IN_PLACE, WHOLE, Place, make_worker, source_of
from docpipe.ledger import JobSpec, JobView, Ledger, Quota, open_ledger
from docpipe.output import write_file, writing
from docpipe.patient import Watch, holding_back
from docpipe.pool import Pool
from docpipe.preprocess import identify
from docpipe.records import Record, Result, SchemaRef, Status
from docpipe.request import Request, job_id
from docpipe.scratch import scratch
from docpipe.shelf import Item, Shelf
from docpipe.sinks import load_sink
from docpipe.source import readable
from docpipe.splitting import read_plan
from docpipe.store import Store
from docpipe.workspace import Workspace

TENANT = "batch"
_UNLIMITED = Quota(tenant_jobs=1_000_000, jobs=1_000_000)


class ErrorRow(Record):
    """A file without a result: a line of `errors.jsonl`."""

    file: str
    code: str
    message: str
    hint: str = ""
    retryable: bool = False

    def __str__(self) -> str:
        return f"{self.code}: {self.file}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class Done(Record):
    """What became of one file: a result's status and pages, or an error."""

    name: str
    status: Status | None = None
    pages: int = 0
    error: ErrorRow | None = None


@dataclass
class Summary:
    """What a batch came to; `new_pages` and `seconds` are of this call only."""

    documents: int = 0
    kept: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    new_pages: int = 0
    seconds: float = 0.0
    failed: list[str] = field(default_factory=list)
    errors: list[ErrorRow] = field(default_factory=list)


class Register:
    """The batch's files as jobs of its ledger: one job for each name, which is another one once the file or the wishes are others."""

    def __init__(self, ledger: Ledger, store: Store, shelf: Shelf, request: Request, ref: SchemaRef) -> None:
        """What an earlier call was at when it was cut short is stopped, to be taken up again by name."""
        self._ledger = ledger
        self._store = store
        self._shelf = shelf
        self._request = request
        self._ref = ref
        self._known = book.known(ledger, tenant=TENANT)
        for job in self._known.values():
            if job.state not in ("done", "cancelled"):
                book.cancel(ledger, job.id)

    def is_done(self, item: Item) -> bool:
        """A complete result lies there, made of this very file with this schema and these options, and trying again would not help it: it
        is not `failed`, and nothing in it failed for a passing reason."""
        job = self._known.get(self._key(item))
        if job is None or job.status not in ("accepted", "review"):
            return False
        try:
            result = json.loads(item.result.read_bytes())
            spec = self._spec(item)
            same = (result["status"], result["document"]["sha256"]) == (job.status, spec.document.sha256)
            return same and not result["retryable"] and job.meaning == book.meaning(spec)
        except (DocpipeError, OSError, ValueError, KeyError, TypeError):
            return False

    def take_up(self, item: Item) -> str:
        """The file's job, about to be done: the earlier one where something of it is left, else a new one. Raises DocpipeError."""
        if item.blocked:
            raise UsageError(item.blocked, hint="rename the folder")
        spec = self._spec(item)
        job = self._known.get(self._key(item))
        if job is not None and job.meaning == book.meaning(spec) and self._store.has(_folder(job.id)):
            book.retry(self._ledger, job.id)
            return job.id
        if job is not None:
            book.forget(self._ledger, job.id)
            self._store.delete(_folder(job.id))
        return book.submit(self._ledger, spec, job=book.new_job_id(), tenant=TENANT, key=self._key(item), quota=_UNLIMITED)

    def hand_over(self, job: JobView, item: Item) -> Done:
        """Put the job's result into its place, or say why there is none; of a file in error no earlier result is left."""
        if job.result is None:
            return _without_result(item, _row_of(item, job))
        try:
            content = self._store.read(job.result)
            write_file(item.result, content + b"\n")
            self._store.delete(_folder(job.id))
        except DocpipeError as problem:
            return _without_result(item, _row(item, problem))
        return Done(name=item.name, status=job.status, pages=len(json.loads(content)["pages"]))

    def _key(self, item: Item) -> str:
        """A file's place in the batch, as an idempotency key."""
        return hashlib.sha256(source_of(item.path, self._shelf.folder).encode()).hexdigest()

    def _spec(self, item: Item) -> JobSpec:
        options = self._request.options
        with readable(item.path) as path:
            document = identify(path, self._request.limits, formats=options.formats)
        return JobSpec(
            key=job_id(document, self._ref, options, self._request.model),
            source=source_of(item.path, self._shelf.folder),
            document=document,
            schema_ref=self._ref,
            options=options,
            limits=self._request.limits,
        )


@dataclass(frozen=True)
class Batch:
    """One call's wishes. `seconds` is the most a document may take in one go; `sinks` get every result at the end, in order of name. With
    `look` the model's provider answers in batches, which are looked at every so many seconds."""

    shelf: Shelf
    request: Request
    jobs: int
    seconds: float | None = None
    work: Path | None = None
    password: str | None = None
    sinks: Sequence[str] = ("jsonl", "table")
    debug: bool = False
    look: float | None = None

    def run(
        self, *, started: Callable[[int, int], None], told: Callable[[Done], None], waits: Callable[[str], None] = lambda where: None
    ) -> Summary:
        """Read what is not done yet. Calls `started(files, files already done)` once, `told` for every file that was read now and `waits`
        with where those are that wait.

        Raises UsageError, ResourceError or LedgerError where nothing can be read or written at all.
        """
        with self.shelf.locked(), scratch() as space:
            begin = time.monotonic()
            choice = read_choice(self.request.schema_name)
            read_plan(self.request.options.split)
            if self.work:
                Workspace(self.work)  # one that cannot be made is nobody's fault but the call's
            place = self._place(space)
            with (
                contextlib.closing(open_ledger(place.ledger)) as ledger,
                contextlib.closing(Watch(place.request, ledger, every=self.look, told=waits)) as watch,
            ):
                register = Register(ledger, Store(str(place.store)), self.shelf, self.request, choice.ref)
                items = list(self.shelf.items())
                missing = [item for item in items if not register.is_done(item)]
                started(len(items), len(items) - len(missing))
                summary = Summary(documents=len(items), kept=len(items) - len(missing))
                with Pool(make_worker, place, size=max(1, min(self.jobs, len(missing))), seconds=self.seconds) as pool:
                    self._read(missing, register, Inline(ledger, pool, terms=IN_PLACE, meanwhile=watch), summary, told)
            summary.seconds = time.monotonic() - begin
            self._deliver(items, summary, choice)
            if not summary.errors and not summary.failed:
                watch.forget()  # else the next call finds those answers that have come
        return summary

    def _place(self, space: Path) -> Place:
        ours = self.shelf.ours.absolute()
        later = self.look is not None
        return Place(
            ledger=f"sqlite:///{ours / 'ledger.sqlite'}",
            store=ours / "store",
            folder=self.shelf.folder.absolute(),
            scratch=space,
            request=holding_back(self.request, ours / "provider") if later else self.request,
            whole=0 if later else WHOLE,
            work=self.work and self.work.absolute(),
            password=self.password,
            debug=self.debug,
        )

    def _read(self, items: Sequence[Item], register: Register, runner: Inline, summary: Summary, told: Callable[[Done], None]) -> None:
        """Read the files; error rows are on disk as they come, so that a cut-short call has them too."""
        path, at_work = self.shelf.out / "errors.jsonl", dict[str, Item]()
        with writing(path), path.open("w", encoding="utf-8") as errors:

            def tell(done: Done) -> None:
                if done.error:
                    errors.write(done.error.model_dump_json() + "\n")
                    errors.flush()
                    summary.errors.append(done.error)
                summary.new_pages += done.pages
                told(done)

            def feed() -> Iterator[str]:
                for item in items:
                    try:
                        job = register.take_up(item)
                    except LedgerError:
                        raise
                    except DocpipeError as problem:
                        tell(_without_result(item, _row(item, problem)))
                    else:
                        at_work[job] = item
                        yield job

            for job in runner.run(feed()):
                tell(register.hand_over(job, at_work.pop(job.id)))
        summary.errors.sort(key=lambda row: row.file)
        write_file(path, "".join(f"{row.model_dump_json()}\n" for row in summary.errors).encode())

    def _deliver(self, items: Sequence[Item], summary: Summary, choice: Choice) -> None:
        """Hand every result to each sink, one sink after the other, so that only one result is in memory."""
        broken = {row.file for row in summary.errors}
        whole = [item for item in items if item.name not in broken]
        for item in whole:
            result = load_result(item.result, choice)
            summary.statuses[result.status] += 1
            summary.pages += len(result.pages)
            if result.status == "failed":
                summary.failed.append(item.name)
        for name in self.sinks:
            with load_sink(name, self.shelf.out) as sink:
                for item in whole:
                    sink.write(load_result(item.result, choice), name=item.name)


def load_result(path: Path, choice: Choice) -> Result[Any]:
    """A stored result, its data as an instance of its schema where it validates; that of each part, where the file held several."""
    result = Result[Any].model_validate_json(path.read_bytes())
    if result.parts:
        return result.model_copy(update={"parts": tuple(_typed(part, choice) for part in result.parts)})
    return _typed(result, choice)


def _typed(result: Result[Any], choice: Choice) -> Result[Any]:
    try:
        return result.model_copy(update={"data": choice.schema(result.schema_ref).model_validate(result.data)})
    except ValidationError:
        return result


def _without_result(item: Item, row: ErrorRow) -> Done:
    """The error once the file's earlier result is gone; where that cannot be removed, the row says so."""
    try:
        with writing(item.result):
            item.result.unlink(missing_ok=True)
    except DocpipeError as problem:
        row = row.model_copy(update={"message": f"{row.message}; nor can an older result go: {problem.message}"})
    return Done(name=item.name, error=row)


def _row(item: Item, problem: DocpipeError) -> ErrorRow:
    return ErrorRow(file=item.name, code=problem.code, message=problem.message, hint=problem.hint, retryable=problem.retryable)


def _row_of(item: Item, job: JobView) -> ErrorRow:
    """What the ledger says of a job without a result; the hint is part of its message."""
    code = job.error_code or CrashError.code
    return ErrorRow(
        file=item.name, code=code, message=job.error or "", retryable=any(kind.retryable for kind in tree() if kind.code == code)
    )


def _folder(job: str) -> str:
    """Where the store has what the job's items left."""
    return f"{TENANT}/{job}"
