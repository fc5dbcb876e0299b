"""Holding an item: claiming it with a hint, keeping the claim, giving it up in one of four ways. Knows no message and no document.

Every change is a compare-and-set on the item's fence and state, so that who lost a claim, by whatever accident, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from docpipe.errors import CrashError
from docpipe.ledger import tables
from docpipe.ledger.ledger import Ledger, Tx
from docpipe.ledger.parts import send_on
from docpipe.ledger.phases import advance, at, conclude, end_item, enter, read_again
from docpipe.ledger.records import Delivered, Done, Hint, JobSpec, Merged, Opened, Routed, Stored, Unsettled, Work
from docpipe.ledger.tables import Kind
from docpipe.records import Record

LEASE = 120.0  # seconds a claim lasts unless it is renewed
MOST_CRASHES = 3  # of an item, then it is given up
MOST_TRANSIENTS = 20
# The most an item may run, in seconds; a claim is not renewed beyond it, so that a hanging process loses it.
MOST_SECONDS: dict[Kind, float] = {"prepare": 330.0, "words": 330.0, "read": 900.0, "merge": 630.0, "deliver": 60.0}

work = tables.work


class Terms(Record):
    """For how long an item may be held, and how often it may fail. Tests shorten it."""

    lease: float = LEASE
    crashes: int = MOST_CRASHES
    transients: int = MOST_TRANSIENTS


TERMS = Terms()


def claim(ledger: Ledger, hint: Hint, *, owner: str, terms: Terms = TERMS) -> Work | None:
    """The item, now the owner's; None for a stale hint, which is not an error: messages get lost, doubled and late."""
    mine = (at(hint), work.c.fence == hint.fence, work.c.state == "enqueued")
    with ledger.write() as tx:
        taken = tx.one(
            work.update()
            .where(*mine)
            .values(state="running", attempts=work.c.attempts + 1, started_at=tx.now, owner=owner, lease_until=tx.now + terms.lease)
            .returning(work.c.round, work.c.page, work.c.attempts, work.c.crashes, work.c.transients, work.c.refused)
        )
        if taken is None:
            return None
        job = tables.job.c
        whose = tx.one(sa.select(job.spec, job.tenant, job.traceparent, job.packet).where(job.id == hint.job))
    if whose is None:
        return None
    return Work(**hint._asdict(), **taken._asdict(), **{**whose._asdict(), "spec": JobSpec.model_validate_json(whose.spec)})


def renew(ledger: Ledger, owner: str, *, terms: Terms = TERMS) -> set[Hint]:
    """Keep every claim of the owner that has not run for longer than its kind may; returns those that it still holds."""
    held = (work.c.owner == owner, work.c.state == "running")
    with ledger.write() as tx:
        in_time = (sa.and_(work.c.kind == kind, work.c.started_at > tx.now - seconds) for kind, seconds in MOST_SECONDS.items())
        tx.run(work.update().where(*held, sa.or_(*in_time)).values(lease_until=tx.now + terms.lease))
        rows = tx.all(sa.select(work.c.job, work.c.kind, work.c.idx, work.c.fence).where(*held, work.c.lease_until > tx.now))
    return {Hint(*row) for row in rows}


def settle(ledger: Ledger, item: Work, done: Done) -> bool:
    """The item is done: what it left behind is part of the job, which moves on. All in one transaction; False, and nothing has happened,
    where the claim was lost."""
    with ledger.write() as tx:
        row = tx.lock_job(item.job)
        artifact = done.artifact if isinstance(done, Stored | Opened) else None
        if not end_item(tx, item.hint, "done", artifact=artifact):
            return False
        match done:
            case Opened(document_pages=count, pages=pages):
                tx.run(tables.job.update().where(tables.job.c.id == item.job).values(pages=count))
                enter(tx, item.job, "reading", kind="words", items={page: page for page in pages}, lane="prepare", round=item.round)
            case Stored():
                tx.tell(item.job, item.kind, page=item.page)
            case Unsettled(pages=pages, tier=tier, lane=lane):
                read_again(tx, item.job, pages, tier=tier, lane=lane)
            case Routed(routes=routes):
                send_on(tx, row, routes)
            case Merged(document_pages=count):
                if count is not None and not row.packet:
                    tx.run(tables.job.update().where(tables.job.c.id == item.job).values(pages=count))
                conclude(tx, item.job, status=done.status, result=done.result, result_sha256=done.sha256)
            case Delivered():
                tx.tell(item.job, "delivered")
        advance(tx, item.job)
    return True


def release(
    ledger: Ledger, item: Work, *, delay: float = 0.0, code: str, message: str = "", terms: Terms = TERMS, counts: bool = True
) -> bool:
    """The item has to wait for something that is not its fault, and is pending again in `delay` seconds. After too many such times it is
    given up; one that does not count, as nothing was tried, is none of them. False where the claim was lost."""
    with ledger.write() as tx:
        tx.lock_job(item.job)
        if counts and item.tries + 1 >= terms.transients:
            return _given_up(tx, item.hint, code, message)
        waits = {"transients": work.c.transients + 1, "refused": work.c.refused + int(not counts)}
        return _pending(tx, item.hint, delay=delay, error_code=code, error=message, **waits)


def wake(ledger: Ledger, jobs: Iterable[str], *, code: str) -> int:
    """Items of these jobs that wait with this error code need wait no longer. Returns how many. Raises NotFoundError."""
    return sum(_wake(ledger, job_id, code) for job_id in jobs)


def _wake(ledger: Ledger, job_id: str, code: str) -> int:
    with ledger.write() as tx:
        tx.lock_job(job_id)
        waits = (work.c.job == job_id, work.c.state == "pending", work.c.error_code == code, work.c.not_before > tx.now)
        count = tx.run(work.update().where(*waits).values(not_before=tx.now)).rowcount
        if count:
            make_due(tx, job_id, tx.now)
        return count


def hand_back(ledger: Ledger, item: Work) -> bool:
    """The holder has to stop, as in a deploy: the item is pending again and the attempt does not count. False where the claim was lost."""
    with ledger.write() as tx:
        tx.lock_job(item.job)
        return _pending(tx, item.hint, attempts=work.c.attempts - 1)


def give_up(ledger: Ledger, hint: Hint, *, code: str, message: str) -> bool:
    """Trying the item again would not help. A page becomes a hole in the result; without its preparing or merging the job fails; a delivery
    is dead, and its job done all the same. False where the claim was lost."""
    with ledger.write() as tx:
        tx.lock_job(hint.job)
        return _given_up(tx, hint, code, message)


def crashed(ledger: Ledger, hint: Hint, *, reason: str, terms: Terms = TERMS) -> bool:
    """The process that ran the item died or hung: it is tried again alone, so that it takes nothing else along, and given up after
    `terms.crashes` times. False where it was not running with this fence."""
    with ledger.write() as tx:
        tx.lock_job(hint.job)
        return count_crash(tx, hint, reason=reason, terms=terms)


def count_crash(tx: Tx, hint: Hint, *, reason: str, terms: Terms) -> bool:
    """As `crashed`, in a transaction that has the job locked."""
    before = tx.scalar(sa.select(work.c.crashes).where(at(hint), work.c.fence == hint.fence, work.c.state == "running"))
    if before is None:
        return False
    if before + 1 >= terms.crashes:
        tx.run(work.update().where(at(hint)).values(crashes=before + 1))
        return _given_up(tx, hint, CrashError.code, reason)
    tx.tell(hint.job, CrashError.code, note=f"{hint.kind} {hint.idx}: {reason}")
    return _pending(tx, hint, alone=True, crashes=before + 1, error_code=CrashError.code, error=reason)


def _pending(tx: Tx, hint: Hint, *, delay: float = 0.0, **columns: object) -> bool:
    held = (at(hint), work.c.fence == hint.fence, work.c.state == "running")
    when = tx.now + delay
    if not tx.run(work.update().where(*held).values(state="pending", not_before=when, lease_until=None, owner=None, **columns)).rowcount:
        return False
    make_due(tx, hint.job, when)
    return True


def make_due(tx: Tx, job_id: str, when: float) -> None:
    """The dispatcher looks at the job at this time, if not before."""
    job = tables.job
    later = sa.or_(job.c.due_at.is_(None), job.c.due_at > when)
    tx.run(job.update().where(job.c.id == job_id, later).values(due_at=when))


def _given_up(tx: Tx, hint: Hint, code: str, message: str) -> bool:
    if not end_item(tx, hint, "quarantined", error_code=code, error=message):
        return False
    page = tx.scalar(sa.select(work.c.page).where(at(hint)))
    tx.tell(hint.job, "quarantined", page=page, note=f"{hint.kind}: {code}")
    if hint.kind in ("prepare", "merge"):
        conclude(tx, hint.job, status="failed", error_code=code, error=message)
    else:
        advance(tx, hint.job)
    return True
