"""A document's way into the ledger: once per idempotency key, and only while there is room for it."""

from __future__ import annotations

import hashlib
import uuid

import sqlalchemy as sa

from docpipe.errors import ConflictError, QuotaError
from docpipe.ledger import tables
from docpipe.ledger.ledger import Ledger, Tx
from docpipe.ledger.phases import enter
from docpipe.ledger.records import JobSpec, check_tenant
from docpipe.records import Record

MAJOR = 1  # of the pipeline: a newer one reads the same document again


class Quota(Record):
    """How many unfinished jobs there may be, of one tenant and of all."""

    tenant_jobs: int = 10_000
    jobs: int = 100_000


def new_job_id() -> str:
    """A name for a job that is about to be submitted; its files are stored under it first."""
    return uuid.uuid4().hex


def default_key(tenant: str, spec: JobSpec) -> str:
    """The idempotency key where the submitter gives none: the same document read in the same way for the same tenant is one job."""
    return hashlib.sha256("\n".join((tenant, str(MAJOR), _wishes(spec))).encode()).hexdigest()


def meaning(spec: JobSpec) -> str:
    """The hash of all that can change what becomes of a document, wherever it lies."""
    return hashlib.sha256(_wishes(spec).encode()).hexdigest()


def _wishes(spec: JobSpec) -> str:
    return spec.model_dump_json(exclude={"source", "route"})


def submit(
    ledger: Ledger,
    spec: JobSpec,
    *,
    job: str,
    tenant: str,
    key: str | None = None,
    seconds: float | None = None,
    quota: Quota | None = None,
    traceparent: str | None = None,
) -> str:
    """Write the job down, durably; its document must be stored already. Returns the job's id: `job`, or that of the earlier job with the
    same key.

    `seconds` is the most it may take until it has an outcome, `traceparent` (W3C) the trace that its items join. Raises ConflictError where
    the key stands for another reading, QuotaError where the backlog is full, UsageError for a tenant's name that cannot be one.
    """
    check_tenant(tenant)
    key, said = key or default_key(tenant, spec), meaning(spec)
    with ledger.write(durable=True) as tx:
        earlier = tx.one(sa.select(tables.job.c.id, tables.job.c.spec_sha256).where(tables.job.c.tenant == tenant, tables.job.c.key == key))
        if earlier is None:
            _check_room(tx, tenant, quota or Quota())
            deadline = None if seconds is None else tx.now + seconds
            if _insert(tx, spec, said, id=job, tenant=tenant, key=key, deadline_at=deadline, traceparent=traceparent):
                return job
            earlier = tx.one(
                sa.select(tables.job.c.id, tables.job.c.spec_sha256).where(tables.job.c.tenant == tenant, tables.job.c.key == key)
            )
    if earlier is None or earlier.spec_sha256 != said:
        raise ConflictError("this idempotency key stands for another document or other options", hint="use a new key")
    return str(earlier.id)


def _insert(tx: Tx, spec: JobSpec, meaning: str, *, id: str, tenant: str, **columns: str | float | None) -> bool:
    new = tx.insert_new(
        tables.job,
        id=id,
        tenant=tenant,
        spec=spec.model_dump_json(),
        spec_sha256=meaning,
        state="preparing",
        round=0,
        unfinished=0,
        lane="prepare",
        served_at=0.0,
        created_at=tx.now,
        **columns,
    )
    if new:
        tx.insert_new(tables.tenant, name=tenant, served_at=0.0)
        tx.tell(id, "submitted")
        enter(tx, id, "preparing", kind="prepare", items={0: None}, lane="prepare", round=0)
    return new


def _check_room(tx: Tx, tenant: str, quota: Quota) -> None:
    """Counting stops at the limit, so that a full ledger costs no more than a filling one."""
    waiting = tables.job.c.state.in_(tables.UNFINISHED)
    for most, mine, whose in ((quota.tenant_jobs, [tables.job.c.tenant == tenant], f"tenant {tenant} has"), (quota.jobs, [], "there are")):
        rows = sa.select(sa.literal(1)).select_from(tables.job).where(waiting, *mine).limit(most).subquery()
        if tx.scalar(sa.select(sa.func.count()).select_from(rows)) >= most:
            raise QuotaError(f"{whose} {most} unfinished jobs already")
