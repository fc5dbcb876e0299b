"""What a person does to jobs: cancel them, try them again. Each is one transaction; asking twice does no more than asking once."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from docpipe.errors import UsageError
from docpipe.ledger import tables
from docpipe.ledger.ledger import Ledger, Tx
from docpipe.ledger.phases import cancel_rest, enter, finish
from docpipe.ledger.records import TIER, JobSpec

job, work = tables.job, tables.work
_PAGES = ("words", "read")


def cancel(ledger: Ledger, job_id: str) -> bool:
    """Stop the job; False where it has ended already. One that has its outcome keeps it, and is only not delivered. Raises
    NotFoundError."""
    with ledger.write() as tx:
        row = tx.lock_job(job_id)
        if row.state in tables.ENDED:
            return False
        cancel_rest(tx, job_id)
        finish(tx, job_id, "done" if row.state == "delivering" else "cancelled")
    return True


def retry(ledger: Ledger, job_id: str, *, pages: Sequence[int] = ()) -> int:
    """Do again what was given up or cancelled, or these pages whatever became of them, and what follows from it. Returns how many pages.

    A document that could not be opened, or was read through in one go, is opened again; where nothing is missing its pages are
    merged again. Raises NotFoundError, and
    UsageError where the job is still at work or has no such page.
    """
    with ledger.write() as tx:
        row = tx.lock_job(job_id)
        if row.state not in tables.ENDED:
            raise UsageError("the job is still at work", file=job_id, hint="docpipe cancel stops it")
        kind, items, lane = _to_do(tx, job_id, pages)
        opened = _was_opened(tx, job_id)
        if not items and pages and opened:
            raise UsageError(f"it has no page {pages[0]} that was read", file=job_id)
        outcome = dict.fromkeys(("status", "result", "result_sha256", "error_code", "error", "ended_at", "deadline_at"))
        tx.run(job.update().where(job.c.id == job_id).values(outcome))
        tx.tell(job_id, "retried", note=f"{len(items)} pages" if items else None)
        if items:
            enter(tx, job_id, "reading", kind=kind, items=items, lane=lane, round=row.round + 1)
        elif not opened:
            enter(tx, job_id, "preparing", kind="prepare", items={row.round + 1: None}, lane="prepare", round=row.round + 1)
        else:
            enter(tx, job_id, "merging", kind="merge", items={row.round + 1: None}, lane="merge", round=row.round + 1)
    return len(items)


def redeliver(ledger: Ledger, job_id: str) -> bool:
    """Deliver the job's outcome once more; False where nobody asked for that. Raises NotFoundError, and UsageError where there
    is no outcome yet."""
    with ledger.write() as tx:
        row = tx.lock_job(job_id)
        if row.state != "done":
            raise UsageError(f"the job is {row.state}", file=job_id, hint="there is no outcome to deliver")
        if not JobSpec.model_validate_json(row.spec).webhook:
            return False
        tx.tell(job_id, "redelivered")
        tx.run(job.update().where(job.c.id == job_id).values(ended_at=None))
        enter(tx, job_id, "delivering", kind="deliver", items={row.round: None}, lane="deliver", round=row.round)
    return True


def forget(ledger: Ledger, job_id: str) -> str:
    """Delete the job and all that is written about it; returns its document's name in the store. Raises NotFoundError, and UsageError where
    it is still at work."""
    with ledger.write(durable=True) as tx:
        row = tx.lock_job(job_id)
        if row.state not in tables.ENDED:
            raise UsageError("the job is still at work", file=job_id, hint="docpipe cancel stops it")
        tx.run(job.delete().where(job.c.id == job_id))
    return JobSpec.model_validate_json(row.spec).source


def _was_opened(tx: Tx, job_id: str) -> bool:
    """Its pages have items of their own; a document that was read through while it was prepared has none."""
    mine = (work.c.job == job_id, work.c.kind == "words")
    return bool(tx.scalar(sa.select(sa.func.count()).select_from(work).where(*mine)))


def _to_do(tx: Tx, job_id: str, pages: Sequence[int]) -> tuple[tables.Kind, dict[int, int | None], tables.Lane]:
    """The pages' items of the earliest tier that is to be done again. What later tiers made of it no longer counts."""
    mine = [work.c.job == job_id, work.c.kind.in_(_PAGES)]
    lost = work.c.page.in_(pages) if pages else work.c.state.in_(("quarantined", "cancelled"))
    rows = tx.all(sa.select(work.c.kind, work.c.idx, work.c.page, work.c.lane).where(*mine, lost).order_by(work.c.idx))
    if not rows:
        return "words", {}, "prepare"
    tier = (rows[-1] if pages else rows[0]).idx // TIER
    tx.run(work.update().where(*mine, work.c.idx >= (tier + 1) * TIER).values(state="cancelled"))
    items = {row.idx: row.page for row in rows if row.idx // TIER == tier}
    return rows[0].kind if tier == 0 else "read", items, next(row.lane for row in rows if row.idx in items)
