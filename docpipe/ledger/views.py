"""Reading the ledger: jobs, their items, events and counts. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from docpipe.errors import NotFoundError
from docpipe.ledger import tables
from docpipe.ledger.ledger import Ledger, Tx
from docpipe.ledger.records import Event, Item, JobSpec, JobView, Known
from docpipe.ledger.tables import Kind, WorkState

job, work, event = tables.job, tables.work, tables.event


def view(ledger: Ledger, job_id: str, *, tenant: str | None = None) -> JobView:
    """One job as its submitter sees it. Raises NotFoundError, also for the job of another tenant."""
    with ledger.read() as tx:
        row = tx.one(sa.select(job).where(job.c.id == job_id))
        if row is None or tenant not in (None, row.tenant):
            raise NotFoundError("no such job", file=job_id, hint="docpipe status lists the jobs")
        return _view(tx, row)


def views(
    ledger: Ledger, *, tenant: str | None = None, unfinished: bool = False, most: int = 100, before: float | None = None
) -> list[JobView]:
    """Jobs, the newest first, and no parts of packets; `before` goes on where an earlier call ended."""
    wanted = sa.select(job).where(job.c.packet.is_(None)).order_by(job.c.created_at.desc(), job.c.id).limit(most)
    if tenant is not None:
        wanted = wanted.where(job.c.tenant == tenant)
    if unfinished:
        wanted = wanted.where(job.c.state.not_in(tables.ENDED))
    if before is not None:
        wanted = wanted.where(job.c.created_at < before)
    with ledger.read() as tx:
        return [_view(tx, row) for row in tx.all(wanted)]


def parts(ledger: Ledger, packet: str) -> list[JobView]:
    """The parts of a packet, in order; none of any other job."""
    with ledger.read() as tx:
        rows = [_view(tx, row) for row in tx.all(sa.select(job).where(job.c.packet == packet))]
    return sorted(rows, key=lambda part: part.number or 0)


def ended(ledger: Ledger, *, seconds: float, tenant: str | None = None, most: int = 1000) -> list[str]:
    """Jobs that ended longer than so many seconds ago, the oldest first, and no parts of packets."""
    with ledger.read() as tx:
        wanted = sa.select(job.c.id).where(job.c.ended_at < tx.now - seconds, job.c.packet.is_(None)).order_by(job.c.ended_at).limit(most)
        if tenant is not None:
            wanted = wanted.where(job.c.tenant == tenant)
        return [row.id for row in tx.all(wanted)]


def known(ledger: Ledger, *, tenant: str) -> dict[str, Known]:
    """Idempotency key -> job, of all jobs of the tenant."""
    columns = (job.c.id, job.c.spec_sha256.label("meaning"), job.c.state, job.c.status, job.c.result)
    with ledger.read() as tx:
        rows = tx.all(sa.select(job.c.key, *columns).where(job.c.tenant == tenant))
    return {
        key: Known(id=id, meaning=meaning, state=state, status=status, result=result) for key, id, meaning, state, status, result in rows
    }


def spec_of(ledger: Ledger, job_id: str) -> JobSpec:
    """What was submitted. Raises NotFoundError."""
    with ledger.read() as tx:
        found = tx.scalar(sa.select(job.c.spec).where(job.c.id == job_id))
    if found is None:
        raise NotFoundError("no such job", file=job_id, hint="docpipe status lists the jobs")
    return JobSpec.model_validate_json(found)


def items(ledger: Ledger, job_id: str, *, kinds: Sequence[Kind] = tables.KINDS, states: Sequence[WorkState] = ()) -> list[Item]:
    """A job's items, in order."""
    columns = [work.c[name] for name in Item.model_fields]
    wanted = sa.select(*columns).where(work.c.job == job_id, work.c.kind.in_(kinds)).order_by(work.c.idx)
    if states:
        wanted = wanted.where(work.c.state.in_(states))
    with ledger.read() as tx:
        return [Item(**row._asdict()) for row in tx.all(wanted)]


def given_up(ledger: Ledger, *, tenant: str | None = None, most: int = 100) -> list[tuple[str, Item]]:
    """Items that were given up, with their job."""
    columns = [work.c[name] for name in Item.model_fields]
    wanted = sa.select(work.c.job, *columns).where(work.c.state == "quarantined").order_by(work.c.job, work.c.idx).limit(most)
    if tenant is not None:
        wanted = wanted.join(job, job.c.id == work.c.job).where(job.c.tenant == tenant)
    with ledger.read() as tx:
        rows = tx.all(wanted)
    return [(row.job, Item(**{name: getattr(row, name) for name in Item.model_fields})) for row in rows]


def events(ledger: Ledger, job_id: str, *, after: int = 0, most: int = 1000) -> list[Event]:
    """What happened to a job since the event `after`, in order."""
    columns = [event.c[name] for name in Event.model_fields]
    with ledger.read() as tx:
        return [Event(**row._asdict()) for row in tx.all(sa.select(*columns).where(event.c.job == job_id, event.c.seq > after).limit(most))]


def counts(ledger: Ledger) -> dict[tuple[Kind, WorkState], int]:
    """How many items there are, by kind and state. Done ones are left out, so that the cost does not grow with the past."""
    with ledger.read() as tx:
        return count_items(tx)


def count_items(tx: Tx) -> dict[tuple[Kind, WorkState], int]:
    """As `counts`, in a transaction."""
    group = (work.c.kind, work.c.state)
    wanted = sa.select(*group, sa.func.count()).where(work.c.state.in_((*tables.UNDONE, "quarantined"))).group_by(*group)
    return {(kind, state): count for kind, state, count in tx.all(wanted)}


def _view(tx: Tx, row: Any) -> JobView:
    """Pages are counted by their words, which each of them has read once, unless the document was read through in one go; lost ones also
    by what engines of the cascade had to read of them."""
    group = (work.c.kind, work.c.state)
    mine = (work.c.job == row.id, work.c.kind.in_(("words", "read")))
    counts = {(kind, state): count for kind, state, count in tx.all(sa.select(*group, sa.func.count()).where(*mine).group_by(*group))}
    spec = JobSpec.model_validate_json(row.spec)
    columns = {name: getattr(row, name) for name in JobView.model_fields if hasattr(row, name)}
    done = counts.get(("words", "done"), 0) if counts or row.result is None else row.pages or 0
    lost = counts.get(("words", "quarantined"), 0) + counts.get(("read", "quarantined"), 0)
    number = spec.route.part.number if spec.route and spec.route.part else None
    return JobView(**columns, name=spec.document.name, done=done, lost=lost, number=number)
