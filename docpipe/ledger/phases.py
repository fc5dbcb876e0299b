"""How a job goes from one state to the next, always inside the transaction that ends an item. Knows the order, no claim and no message.

    preparing -> reading -> merging -> delivering -> done
                    ^__________|  ^   |                       the next round of the cascade
                                  parting                    a packet waits for its parts, then they are put together
    any of them but done -> cancelled

Every function here expects the job's row to be locked. A part is locked before its packet, never after.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from docpipe.ledger import tables
from docpipe.ledger.ledger import Tx
from docpipe.ledger.records import TIER, Hint, JobSpec
from docpipe.ledger.tables import JobState, Kind, Lane, WorkState
from docpipe.records import Status

job, work = tables.job, tables.work


def index(page: int, tier: int) -> int:
    """The index of a page's item: in tier 0 its words are read, in later ones an engine reads the page."""
    return tier * TIER + page


def at(hint: Hint) -> sa.ColumnElement[bool]:
    """The item's row, whatever its fence."""
    return sa.and_(work.c.job == hint.job, work.c.kind == hint.kind, work.c.idx == hint.idx)


def enter(tx: Tx, job_id: str, state: JobState, *, kind: Kind, items: Mapping[int, int | None], lane: Lane, round: int) -> None:
    """Bring the job into a state with these items to do: index -> page. An index that was done before is done again, under a higher fence.
    A state without items is over at once."""
    fresh: dict[str, object] = {"round": round, "lane": lane, "alone": False, "state": "pending", "not_before": tx.now}
    fresh |= {"attempts": 0, "crashes": 0, "transients": 0, "artifact": None, "error_code": None, "error": None}
    mine = (work.c.job == job_id, work.c.kind == kind)
    known = {idx for (idx,) in tx.all(sa.select(work.c.idx).where(*mine))} & set(items)
    if known:
        tx.run(work.update().where(*mine, work.c.idx.in_(known)).values({**fresh, "refused": 0}))
    new = [{**fresh, "job": job_id, "kind": kind, "idx": idx, "page": items[idx], "fence": 0} for idx in items if idx not in known]
    if new:
        tx.run(work.insert(), new)
    due = tx.now if items else None
    tx.run(job.update().where(job.c.id == job_id).values(state=state, round=round, unfinished=len(items), lane=lane, due_at=due))
    if not items:
        advance(tx, job_id)


def end_item(tx: Tx, hint: Hint, state: WorkState, *, was: tuple[WorkState, ...] = ("running",), **columns: str | None) -> bool:
    """Take an item that is held with this fence to its end; False where it is no longer held. The job is not moved on yet."""
    held = (at(hint), work.c.fence == hint.fence, work.c.state.in_(was))
    if not tx.run(work.update().where(*held).values(state=state, lease_until=None, **columns)).rowcount:
        return False
    tx.run(job.update().where(job.c.id == hint.job).values(unfinished=job.c.unfinished - 1))
    return True


def advance(tx: Tx, job_id: str) -> None:
    """Move the job on if nothing of its state is left to do. Of two items that end at once only the last gets here with none left."""
    row = tx.lock_job(job_id)
    if row.unfinished or row.state in tables.ENDED:
        return
    if row.state == "reading":
        enter(tx, job_id, "merging", kind="merge", items={row.round: None}, lane="merge", round=row.round)
    elif row.state == "delivering":
        finish(tx, job_id)


def read_again(tx: Tx, job_id: str, pages: tuple[int, ...], *, tier: int, lane: Lane) -> None:
    """Open the next round: these pages go to the cascade's engine number `tier`, from 1."""
    round = tx.lock_job(job_id).round + 1
    tx.tell(job_id, "round", note=f"{round}: {len(pages)} pages to tier {tier}")
    enter(tx, job_id, "reading", kind="read", items={index(page, tier): page for page in pages}, lane=lane, round=round)


def conclude(tx: Tx, job_id: str, *, status: Status, **columns: str | None) -> None:
    """The job has its outcome, a result or an error: what is left of it is cancelled, and who waits for it is told."""
    row = tx.lock_job(job_id)
    cancel_rest(tx, job_id)
    outcome = {"result": None, "result_sha256": None, "error_code": None, "error": None, **columns}
    tx.run(job.update().where(job.c.id == job_id).values(status=status, **outcome))
    tx.tell(job_id, "concluded", note=columns.get("error_code") or status)
    if JobSpec.model_validate_json(row.spec).webhook:
        enter(tx, job_id, "delivering", kind="deliver", items={row.round: None}, lane="deliver", round=row.round)
    else:
        finish(tx, job_id)


def finish(tx: Tx, job_id: str, state: JobState = "done") -> None:
    """Nothing more happens to the job by itself."""
    ended = job.update().where(job.c.id == job_id).values(state=state, unfinished=0, due_at=None, ended_at=tx.now)
    (packet,) = tx.one(ended.returning(job.c.packet))
    tx.tell(job_id, state)
    if packet:
        _put_together(tx, packet)


def _put_together(tx: Tx, packet: str) -> None:
    """Move the packet on if none of its parts is at work. Of two that end at once the later sees the other's end, as both lock it."""
    row = tx.lock_job(packet)
    at_work = sa.select(job.c.id).where(job.c.packet == packet, job.c.state.not_in(tables.ENDED)).limit(1)
    if row.state == "parting" and tx.one(at_work) is None:
        enter(tx, packet, "merging", kind="merge", items={row.round: None}, lane="merge", round=row.round)


def cancel_rest(tx: Tx, job_id: str) -> None:
    """Whatever the job still has to do is not done; who is at it finds out when settling."""
    undone = (work.c.job == job_id, work.c.state.in_(tables.UNDONE))
    tx.run(work.update().where(*undone).values(state="cancelled", lease_until=None))
