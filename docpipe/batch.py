"""Many files with one schema: each ends in exactly one of a result or an error row. Knows no stage and no way of showing progress."""

from __future__ import annotations

import logging
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from docpipe.errors import DeadlineError, DocpipeError, ResourceError, UsageError
from docpipe.fields import load_schema
from docpipe.output import write_file, writing
from docpipe.pool import Lost, Pool
from docpipe.records import Record, Result, Status
from docpipe.request import Request
from docpipe.scratch import scratch
from docpipe.shelf import Item, Shelf, forget, is_done, keep
from docpipe.sinks import load_sink
from docpipe.workspace import Workspace

INTERNAL = "internal"


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


class Setup(Record):
    """What every child process needs to know. The password stays in memory."""

    request: Request
    scratch: Path
    work: Path | None = None
    password: str | None = None
    debug: bool = False


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


@dataclass(frozen=True)
class Batch:
    """One call's wishes. `seconds` is the most a document may take; `sinks` get every result at the end, in order of name."""

    shelf: Shelf
    request: Request
    jobs: int
    seconds: float | None = None
    work: Path | None = None
    password: str | None = None
    sinks: Sequence[str] = ("jsonl", "table")
    debug: bool = False

    def run(self, *, started: Callable[[int, int], None], told: Callable[[Done], None]) -> Summary:
        """Read what is not done yet. Calls `started(files, files already done)` once and `told` for every file that was read now.

        Raises UsageError or ResourceError where nothing can be read or written at all.
        """
        with self.shelf.locked(), scratch() as space:
            begin = time.monotonic()
            _, ref = load_schema(self.request.schema_name)
            if self.work:
                Workspace(self.work)  # one that cannot be made is nobody's fault but the call's
            items = list(self.shelf.items())
            missing = [item for item in items if not is_done(item, ref, self.request.sha256())]
            started(len(items), len(items) - len(missing))
            summary = Summary(documents=len(items), kept=len(items) - len(missing))
            setup = Setup(request=self.request, scratch=space, work=self.work, password=self.password, debug=self.debug)
            self._read(missing, setup, summary, told)
            summary.seconds = time.monotonic() - begin
            self._deliver(items, summary)
        return summary

    def _read(self, missing: Sequence[Item], setup: Setup, summary: Summary, told: Callable[[Done], None]) -> None:
        """Read the files; error rows are on disk as they come, so that a cut-short call has them too."""
        path = self.shelf.out / "errors.jsonl"
        with writing(path), path.open("w", encoding="utf-8") as errors:
            pool: Pool[Setup, Item, Done] = Pool(make_reader, setup, size=max(1, min(self.jobs, len(missing))), seconds=self.seconds)
            for done in self._outcomes(pool, missing):
                if done.error:
                    errors.write(done.error.model_dump_json() + "\n")
                    errors.flush()
                    summary.errors.append(done.error)
                summary.new_pages += done.pages
                told(done)
        summary.errors.sort(key=lambda row: row.file)
        write_file(path, "".join(f"{row.model_dump_json()}\n" for row in summary.errors).encode())

    def _outcomes(self, pool: Pool[Setup, Item, Done], missing: Sequence[Item]) -> Iterator[Done]:
        """What became of every file, one of them each; of a file in error no earlier result is left."""
        for item in missing:
            if item.blocked:
                problem = UsageError(item.blocked, hint="rename the folder")
                yield Done(name=item.name, error=_error_row(item, problem))
        for item, answer in pool.run([item for item in missing if not item.blocked]):
            done = _lost(item, answer, self.seconds) if isinstance(answer, Lost) else answer
            yield _without_result(item, done) if done.error else done

    def _deliver(self, items: Sequence[Item], summary: Summary) -> None:
        """Hand every result to each sink, one sink after the other, so that only one result is in memory."""
        schema, _ = load_schema(self.request.schema_name)
        broken = {row.file for row in summary.errors}
        whole = [item for item in items if item.name not in broken]
        for item in whole:
            result = load_result(item.result, schema)
            summary.statuses[result.status] += 1
            summary.pages += len(result.pages)
            if result.status == "failed":
                summary.failed.append(item.name)
        for name in self.sinks:
            with load_sink(name, self.shelf.out) as sink:
                for item in whole:
                    sink.write(load_result(item.result, schema), name=item.name)


def load_result(path: Path, schema: type[BaseModel]) -> Result[Any]:
    """A stored result, its data as an instance of the schema where it validates."""
    result = Result[Any].model_validate_json(path.read_bytes())
    try:
        return result.model_copy(update={"data": schema.model_validate(result.data)})
    except ValidationError:
        return result


def make_reader(setup: Setup) -> Callable[[Item], Done]:
    """In the child: the engines once, then one file after the other. Raises UsageError or EngineError."""
    from docpipe.api import Reader

    # What goes wrong with a page is in its result; lines from many processes at once would only tear the progress bar.
    logging.basicConfig(level=logging.WARNING, format="docpipe: %(process)d: %(message)s")
    logging.getLogger("docpipe").setLevel(logging.DEBUG if setup.debug else logging.CRITICAL)
    tempfile.tempdir = str(setup.scratch)  # a child that is killed leaves its workspace where the parent clears up
    reader = Reader(setup.request.schema_name, setup.request)
    request = setup.request.sha256()

    def read(item: Item) -> Done:
        try:
            work = setup.work / item.name if setup.work else None
            result = reader.read(item.path, password=setup.password, work=work)
            keep(item, result, request)
        except Exception as problem:
            return Done(name=item.name, error=_error_row(item, problem))
        return Done(name=item.name, status=result.status, pages=len(result.pages))

    return read


def _without_result(item: Item, done: Done) -> Done:
    """The error once the file's earlier result is gone; where that cannot be removed, the row says so."""
    try:
        forget(item)
    except DocpipeError as problem:
        row = done.error and done.error.model_copy(
            update={"message": f"{done.error.message}; nor can an older result go: {problem.message}"}
        )
        return done.model_copy(update={"error": row})
    return done


def _error_row(item: Item, problem: Exception) -> ErrorRow:
    if isinstance(problem, DocpipeError):
        return ErrorRow(file=item.name, code=problem.code, message=problem.message, hint=problem.hint, retryable=problem.retryable)
    return ErrorRow(file=item.name, code=INTERNAL, message=f"{type(problem).__name__}: {problem}", hint="docpipe run --debug shows where")


def _lost(item: Item, lost: Lost, seconds: float | None) -> Done:
    problem: DocpipeError
    if lost.late:
        problem = DeadlineError(f"took longer than {seconds:g} seconds", hint="raise --timeout")
    else:
        problem = ResourceError(f"its process died twice (exit code {lost.exit_code})", hint="out of memory? give it more, or fewer --jobs")
    return Done(name=item.name, error=_error_row(item, problem))
