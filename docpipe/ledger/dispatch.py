"""Which pending items are handed out next: fairly, and never more than the lanes can take. Knows no broker; it returns hints to send.

What is handed out and not yet begun is kept to a small window per lane, so that whoever comes next waits for a few items at the most and
the broker's memory does not grow with the backlog. Tenants take turns, in a tenant its jobs do, in a job its pages go in order.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from docpipe.ledger import tables
from docpipe.ledger.ledger import Ledger, Tx
from docpipe.ledger.records import Hint
from docpipe.ledger.tables import LANES, Kind, Lane
from docpipe.ledger.workers import live_slots

HINT_LEASE = 300.0  # seconds until an item that was handed out and not begun is pending again; a hint that comes later does no harm
DEPTH = 2  # items handed out and not begun, per slot of a lane
MOST_TENANTS = 200  # looked at in one call; the least recently served come first

job, work = tables.job, tables.work


_ADDRESS = (work.c.job, work.c.kind, work.c.idx)
_SENT_TO = sa.case((work.c.alone, sa.literal_column("'alone'")), else_=work.c.lane)


class _Address(NamedTuple):
    job: str
    kind: Kind
    idx: int


class Sent(NamedTuple):
    """A hint and the lane to send it to."""

    hint: Hint
    lane: Lane


def dispatch(
    ledger: Ledger, *, slots: Mapping[Lane, int] | None = None, closed: frozenset[Lane] = frozenset(), depth: int = DEPTH
) -> list[Sent]:
    """Hand out what fits: the items are `enqueued` when this returns, and a hint of each is to be sent. A crash in between costs the time
    until their hint's lease is over.

    `slots`: how many items each lane runs at a time, else what the live workers say; `closed` lanes get nothing. `depth` items per slot may
    be handed out and not begun.
    """
    with ledger.write() as tx:
        room = {lane: count for lane, count in _room(tx, slots or live_slots(tx), depth).items() if count > 0 and lane not in closed}
        return [sent for lane in _in_demand(tx, list(room)) for sent in _hand_out(tx, lane, room[lane])]


def forget_sent(ledger: Ledger, *, only: Collection[Hint] | None = None, lanes: Collection[Lane] | None = None, waited: float = 0.0) -> int:
    """Make what was handed out and not begun pending again, as its hints are lost: all of it, or `only` these, or what was sent to these
    `lanes`, and has `waited` for so many seconds. Returns how many items.

    A hint that was not lost after all does no harm: its fence is out of date.
    """
    lost = [work.c.state == "enqueued", _SENT_TO.in_(LANES if lanes is None else lanes)]
    with ledger.write() as tx:
        if waited:  # else whatever its lease, which another version may have given it
            lost.append(work.c.lease_until <= tx.now - waited + HINT_LEASE)
        rows = tx.all(sa.select(*_ADDRESS, work.c.fence).where(*lost).order_by(work.c.job))
        hints = [hint for row in rows if (hint := Hint(*row)) and (only is None or hint in only)]
        return sum(_take_back(tx, hint) for hint in hints)


def _take_back(tx: Tx, hint: Hint) -> int:
    tx.lock_job(hint.job)
    mine = (work.c.job == hint.job, work.c.kind == hint.kind, work.c.idx == hint.idx, work.c.fence == hint.fence)
    back = work.update().where(*mine, work.c.state == "enqueued").values(state="pending", not_before=tx.now, lease_until=None)
    count = tx.run(back).rowcount
    if count:
        tx.run(job.update().where(job.c.id == hint.job).values(due_at=tx.now))
    return count


def _room(tx: Tx, slots: Mapping[Lane, int], depth: int) -> dict[Lane, int]:
    counts = sa.select(_SENT_TO, sa.func.count()).where(work.c.state == "enqueued").group_by(_SENT_TO)
    waiting: Counter[Lane] = Counter({lane: count for lane, count in tx.all(counts)})
    return {lane: depth * count - waiting[lane] for lane, count in slots.items()}


def _in_demand(tx: Tx, lanes: Sequence[Lane]) -> list[Lane]:
    """Those of the lanes in which something is due, at the price of one look."""
    if not lanes:
        return []
    found = tx.one(sa.select(*(sa.exists().where(_is_due(tx, lane)) for lane in lanes)))
    return [lane for lane, is_due in zip(lanes, found, strict=True) if is_due]


def _is_due(tx: Tx, lane: Lane) -> sa.ColumnElement[bool]:
    if lane == "alone":
        return sa.and_(work.c.state == "pending", work.c.alone, work.c.not_before <= tx.now)
    return sa.and_(job.c.lane == lane, job.c.due_at.isnot(None), job.c.due_at <= tx.now)


def _hand_out(tx: Tx, lane: Lane, room: int) -> Iterator[Sent]:
    if lane == "alone":
        yield from _alone(tx, room)
        return
    taken = list(_in_turn(_queues(tx, lane, room), room))
    for item in taken:
        yield from _mark(tx, item, lane)
    for job_id in dict.fromkeys(item.job for item in taken):
        _served(tx, job_id)


def _alone(tx: Tx, room: int) -> Iterator[Sent]:
    """Items that were in a process that crashed. They are few, so their jobs are not asked for."""
    for row in tx.all(sa.select(*_ADDRESS).where(_is_due(tx, "alone")).order_by(work.c.not_before).limit(room)):
        tx.lock_job(row.job)
        yield from _mark(tx, _Address(*row), "alone")


def _queues(tx: Tx, lane: Lane, room: int) -> Iterator[deque[deque[_Address]]]:
    """For each tenant that has something due, least recently served first, its jobs' items, each job's in order."""
    for (tenant,) in tx.all(sa.select(tables.tenant.c.name).order_by(tables.tenant.c.served_at, tables.tenant.c.name).limit(MOST_TENANTS)):
        jobs = (
            sa.select(job.c.id)
            .where(_is_due(tx, lane), job.c.tenant == tenant)
            .order_by(job.c.served_at, job.c.created_at)
            .limit(room)
            .with_for_update(skip_locked=True)
        )
        queues = deque(filter(None, (_pending(tx, job_id, room) for (job_id,) in tx.all(jobs))))
        if queues:
            tx.run(tables.tenant.update().where(tables.tenant.c.name == tenant).values(served_at=tx.now))
            yield queues


def _pending(tx: Tx, job_id: str, room: int) -> deque[_Address]:
    ready = (work.c.job == job_id, work.c.state == "pending", ~work.c.alone, work.c.not_before <= tx.now)
    rows = tx.all(sa.select(*_ADDRESS).where(*ready).order_by(work.c.idx).limit(room))
    if not rows:
        _served(tx, job_id)
    return deque(_Address(*row) for row in rows)


def _in_turn(tenants: Iterator[deque[deque[_Address]]], room: int) -> Iterator[_Address]:
    """One item of each tenant in turn, within a tenant one of each job in turn."""
    turns = deque(tenants)
    while turns and room > 0:
        jobs = turns.popleft()
        items = jobs.popleft()
        yield items.popleft()
        room -= 1
        if items:
            jobs.append(items)
        if jobs:
            turns.append(jobs)


def _mark(tx: Tx, item: _Address, lane: Lane) -> Iterator[Sent]:
    mine = (work.c.job == item.job, work.c.kind == item.kind, work.c.idx == item.idx, work.c.state == "pending")
    sent = work.update().where(*mine).values(state="enqueued", fence=work.c.fence + 1, lease_until=tx.now + HINT_LEASE)
    for (fence,) in tx.all(sent.returning(work.c.fence)):
        yield Sent(Hint(*item, fence), lane)


def _served(tx: Tx, job_id: str) -> None:
    """Put the job at the end of its tenant's line, and note when it next has something to hand out."""
    pending = (work.c.job == job_id, work.c.state == "pending", ~work.c.alone)
    due = sa.select(sa.func.min(work.c.not_before)).where(*pending).scalar_subquery()
    tx.run(job.update().where(job.c.id == job_id).values(served_at=tx.now, due_at=due))
