"""Submitting to the queue and asking about it, from Python. Needs the ledger and the store; neither a broker nor a worker."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from docpipe import ledger as book
from docpipe import telemetry
from docpipe.allowed import Allowed
from docpipe.artifacts import secret_name, source_name
from docpipe.choosing import read_choice
from docpipe.errors import DeadlineError, FailedError, LedgerError, NotFoundError, QuotaError
from docpipe.ledger import Event, Item, JobSpec, JobView, Ledger, Quota, check_tenant, new_job_id, open_ledger
from docpipe.outbound import Outbound, fetch
from docpipe.passwords import retry_with
from docpipe.preprocess import identify
from docpipe.records import Document, Result
from docpipe.request import Request, job_id
from docpipe.settings import Settings, read_settings
from docpipe.source import readable
from docpipe.splitting import read_plan
from docpipe.store import Store

if TYPE_CHECKING:
    from docpipe.indexing import Indexer
    from docpipe.search import Added

POLL = 0.2  # seconds between two looks while waiting


class Client:
    """The queue as a submitter sees it. Jobs of a tenant other than `tenant` are neither shown nor touched; None stands for all."""

    def __init__(
        self,
        ledger: Ledger,
        store: Store,
        *,
        tenant: str | None = None,
        allowed: Allowed | None = None,
        outbound: Outbound | None = None,
        quota: Quota | None = None,
        free_disk: int = 0,
        seconds: float | None = None,
        index: str | None = None,
    ) -> None:
        """`seconds` is the most a job may take, where `submit` says nothing else; `free_disk` the bytes that the store keeps free;
        `index` is the URL of the search index that a dropped job's document is dropped from."""
        self._ledger = ledger
        self._store = store
        self._tenant = tenant if tenant is None else check_tenant(tenant)
        self._allowed = allowed or Allowed()
        self._outbound = outbound or Outbound()
        self._quota = quota or Quota()
        self._free_disk = free_disk
        self._seconds = seconds
        self._index = index

    @classmethod
    def from_settings(cls, settings: Settings | None = None, *, tenant: str | None = None) -> Self:
        """The queue that the settings name, for their tenant. Raises SettingsError or LedgerError."""
        settings = settings or read_settings()
        return cls(
            open_ledger(settings.ledger),
            Store(settings.store),
            tenant=tenant or settings.tenant,
            allowed=Allowed(packages=settings.packages, folder=settings.plugins),
            outbound=Outbound(allowed=settings.outbound_allowed, plain_http=settings.outbound_http, largest=settings.max_bytes),
            quota=Quota(tenant_jobs=settings.tenant_jobs, jobs=settings.backlog),
            free_disk=settings.free_disk,
            seconds=settings.job_seconds,
            index=settings.index,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ledger.close()

    def submit(
        self,
        source: str | Path,
        request: Request,
        *,
        key: str | None = None,
        webhook: str | None = None,
        password: str | None = None,
        seconds: float | None = None,
    ) -> str:
        """Put a file, or what lies at an http(s) URL, into the queue; returns the job's id. Once this returns nothing gets lost.

        The same `key` (else: the same document, schema and options) is the same job, however often it is submitted. Raises DocumentError
        where the file is none that docpipe reads, SchemaError where workers may not load what the request names, OutboundError for a
        URL, QuotaError where the backlog or the disk is full, ConflictError.
        """
        tenant = self._tenant or read_settings().tenant
        with telemetry.doing("submit", {"tenant": tenant}, role="PRODUCER"), self._local(source) as (path, name):
            document = identify(path, request.limits, formats=self._allowed.options(request.options).formats)
            document = document.model_copy(update={"name": name})
            job = self._submit(tenant, path, document, request, key, webhook, password, seconds or self._seconds)
            telemetry.tell(job=job)
            return job

    def _submit(
        self,
        tenant: str,
        path: Path,
        document: Document,
        request: Request,
        key: str | None,
        webhook: str | None,
        password: str | None,
        seconds: float | None,
    ) -> str:
        job = new_job_id()
        self._check_disk(path.stat().st_size)
        ref = read_choice(self._allowed.reference(request.schema_name)).ref
        read_plan(request.options.split)
        self._allowed.options(request.options)
        spec = JobSpec(
            key=job_id(document, ref, request.options),
            source=source_name(tenant, job),
            document=document,
            schema_ref=ref,
            options=request.options,
            limits=request.limits,
            locked=password is not None,
            webhook=webhook,
        )
        try:
            with path.open("rb") as content:
                self._store.put(spec.source, content)
            if password is not None:
                self._store.put(secret_name(tenant, job), password.encode(), private=True)
            found = book.submit(
                self._ledger,
                spec,
                job=job,
                tenant=tenant,
                key=key,
                seconds=seconds,
                quota=self._quota,
                traceparent=telemetry.traceparent(),
            )
        except BaseException:
            if not self._may_exist(job):
                self._store.delete(f"{tenant}/{job}")
            raise
        if found != job:
            self._store.delete(f"{tenant}/{job}")
        return found

    # ---- asking ------------------------------------------------------------------------------------------------------

    def job(self, job: str) -> JobView:
        """How the job stands. Raises NotFoundError."""
        return book.view(self._ledger, job, tenant=self._tenant)

    def jobs(self, *, most: int = 100, unfinished: bool = False) -> list[JobView]:
        """The tenant's jobs, the newest first; parts of packets are not among them."""
        return book.views(self._ledger, tenant=self._tenant, unfinished=unfinished, most=most)

    def parts(self, job: str) -> list[JobView]:
        """The parts of a packet, in order: jobs of their own. Of any other job there are none. Raises NotFoundError."""
        return book.parts(self._ledger, self.job(job).id)

    def items(self, job: str) -> list[Item]:
        """All that was or is to be done for the job. Raises NotFoundError."""
        self.job(job)
        return book.items(self._ledger, job)

    def given_up(self, *, most: int = 100) -> list[tuple[str, Item]]:
        """Items of the tenant's jobs that were given up, with their job."""
        return book.given_up(self._ledger, tenant=self._tenant, most=most)

    def watch(self, job: str, *, after: int = 0, seconds: float | None = None) -> Iterator[Event]:
        """What happens to the job, as it happens, from the event after `after` on until the job ends. Raises NotFoundError, and
        DeadlineError after `seconds`."""
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            ended = self.job(job).ended
            for event in book.events(self._ledger, job, after=after):
                after = event.seq
                yield event
            if ended and not book.events(self._ledger, job, after=after, most=1):
                return
            if until is not None and time.monotonic() > until:
                raise DeadlineError("the job has not ended yet", file=job, hint="docpipe watch goes on waiting")
            time.sleep(POLL)

    def wait(self, job: str, *, seconds: float | None = None) -> Result[Any]:
        """The result, once it is there. Raises FailedError where the job ended without one, DeadlineError after `seconds`."""
        for _ in self.watch(job, seconds=seconds):
            pass
        return self.result(job)

    def result(self, job: str) -> Result[Any]:
        """The result of a job that has one. Raises NotFoundError, and FailedError where there is none."""
        found = self.job(job)
        if found.result is None:
            said = f"{found.error_code}: {found.error}" if found.error_code else f"the job is {found.state}"
            raise FailedError(f"there is no result: {said}", file=found.name, hint="docpipe status tells more")
        return Result[Any].model_validate_json(self._store.read(found.result))

    # ---- changing ----------------------------------------------------------------------------------------------------

    def cancel(self, job: str) -> bool:
        """Stop the job and its parts; False where it has ended already. Raises NotFoundError."""
        found = self.job(job)
        cancelled = book.cancel(self._ledger, found.id)
        if not found.packet:
            self._store.delete(secret_name(found.tenant, found.id))
        return cancelled

    def retry(self, job: str, *, pages: Sequence[int] = (), password: str | None = None) -> int:
        """Read again what was given up, or these pages; returns how many. A locked document needs its password again. Raises NotFoundError
        and UsageError."""
        found = self.job(job)
        if password is not None:
            return retry_with(password, self._ledger, self._store, found, pages=pages)
        return book.retry(self._ledger, found.id, pages=pages)

    def redeliver(self, job: str) -> bool:
        """Call the job's webhook again with its outcome; False where it has none. Raises NotFoundError and UsageError."""
        return book.redeliver(self._ledger, self.job(job).id)

    def finished(self, *, most: int = 100_000) -> list[JobView]:
        """The tenant's jobs that have a result, the newest first."""
        return [job for job in self.jobs(most=most) if job.result is not None]

    def index(self, job: JobView, indexer: Indexer) -> Added:
        """Put the job's document into a search index. Raises what `Indexer.add_job` does."""
        return indexer.add_job(job, self._ledger, self._store, allowed=self._allowed)

    def drop(self, job: str) -> None:
        """Delete the job, its document, and all that was read off it, in the search index too; of a packet its parts as well. Raises
        NotFoundError, UsageError where it is at work or a part of a packet, and SearchIndexError where the index does not answer."""
        found = self.job(job)
        if found.ended and not found.packet:
            self._drop_indexed(found)
        book.forget(self._ledger, found.id)
        self._store.delete(f"{found.tenant}/{found.id}")

    def drop_ended(self, seconds: float) -> int:
        """Delete every job of the tenant that ended longer than so many seconds ago; returns how many."""
        count = 0
        while jobs := book.ended(self._ledger, seconds=seconds, tenant=self._tenant):
            for job in jobs:
                self.drop(job)
            count += len(jobs)
        return count

    # ---- inside ------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _local(self, source: str | Path) -> Iterator[tuple[Path, str]]:
        """The document as a file, and the name that it goes by."""
        if not str(source).lower().startswith(("http://", "https://")):
            with readable(Path(source)) as path:
                yield path, path.name
            return
        with tempfile.TemporaryDirectory(prefix="docpipe-fetch-") as folder:
            fetched = fetch(str(source), Path(folder) / "document", rules=self._outbound)
            yield Path(folder) / "document", fetched.name

    def _drop_indexed(self, job: JobView) -> None:
        """First of all, so that a drop that is cut short can be repeated: the job still names what is left."""
        from docpipe.search import open_index

        if self._index is None:
            return
        try:
            index = open_index(self._index, create=False)
        except NotFoundError:
            return
        with contextlib.closing(index):
            index.drop_job(job.id, tenant=job.tenant)

    def _may_exist(self, job: str) -> bool:
        """Whether a job whose submission failed was written down all the same: the answer to a commit can get lost."""
        try:
            book.view(self._ledger, job)
        except NotFoundError:
            return False
        except LedgerError:
            pass
        return True

    def _check_disk(self, size: int) -> None:
        free = self._store.free_bytes()
        if free is not None and free - size < self._free_disk:
            raise QuotaError("the store's disk is full", hint="try again later, or make room")
