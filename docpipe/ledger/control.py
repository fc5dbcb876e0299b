"""What a person does to jobs: cancel them, try them again. Each is one transaction; asking twice does no more than asking once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from docpipe.errors import UsageError
from docpipe.ledger import tables
from docpipe.ledger.ledger import Ledger, Tx
from docpipe.ledger.parts import parts_of, reopen
from docpipe.ledger.phases import cancel_rest, enter, finish
from docpipe.ledger.records import TIER, JobSpec
from docpipe.records import Route

job, work = tables.job, tables.work
_PAGES = ("words", "read")


def cancel(ledger: Ledger, job_id: str) -> bool:
    """Stop the job and its parts; False where it has ended already. One that has its outcome keeps it, and is only not delivered. Raises
    NotFoundError."""
    with ledger.write() as tx:
        _cancel_parts(tx, job_id)
        if not _cancel(tx, job_id):
            return False
    with ledger.write() as tx:  # those that were made while the packet's row was waited for; now there will be no more
        _cancel_parts(tx, job_id)
    return True


def _cancel_parts(tx: Tx, packet: str) -> None:
    for part in parts_of(tx, packet):
        _cancel(tx, part)


def _cancel(tx: Tx, job_id: str) -> bool:
    row = tx.lock_job(job_id)
    if row.state in tables.ENDED:
        return False
    cancel_rest(tx, job_id)
    finish(tx, job_id, "done" if row.state == "delivering" else "cancelled")
    return True


def retry(ledger: Ledger, job_id: str, *, pages: Sequence[int] = (), locked: bool = False) -> int:
    """Do again what was given up or cancelled, or these pages whatever became of them, and what follows from it. Returns how many pages.

    A document that could not be opened, or was read through in one go, is opened again; where nothing is missing its pages are
    merged again. Of a packet it is the parts that are tried again. `locked`: a password lies beside the document now. Raises
    NotFoundError, and UsageError where the job is still at work or has no such page.
    """
    with ledger.write() as tx:
        parts = [part for part in parts_of(tx, job_id) if _to_retry(tx, part, pages)]
        if parts and (beyond := set(pages).difference(*(_of(tx, part, pages) for part in parts))):
            raise UsageError(f"page {min(beyond)} is in no part of the packet", file=job_id, hint="retry it by itself")
        rows = [_ended_row(tx, one) for one in (*parts, job_id)]
        if locked:
            _lock(tx, rows[-1])
        return sum(_retry(tx, row, _of(tx, row.id, pages)) for row in rows[:-1]) if parts else _retry(tx, rows[-1], pages)


def _to_retry(tx: Tx, part: str, pages: Sequence[int]) -> bool:
    """Some of these pages are the part's; where none are named, something of it is missing."""
    if pages:
        return bool(_of(tx, part, pages))
    row = tx.one(sa.select(job.c.state, job.c.status).where(job.c.id == part))
    return row.state == "cancelled" or row.status == "failed" or bool(_lost(tx, part, ()))


def _ended_row(tx: Tx, job_id: str) -> Any:
    row = tx.lock_job(job_id)
    if row.state not in tables.ENDED:
        raise UsageError("the job is still at work", file=job_id, hint="docpipe cancel stops it")
    return row


def _retry(tx: Tx, row: Any, pages: Sequence[int]) -> int:
    kind, items, lane = _to_do(tx, row.id, pages)
    opened, round = _was_opened(tx, row.id), row.round + 1
    if not items and pages and opened:
        raise UsageError(f"it has no page {pages[0]} that was read", file=row.id)
    outcome = dict.fromkeys(("status", "result", "result_sha256", "error_code", "error", "ended_at", "deadline_at"))
    tx.run(job.update().where(job.c.id == row.id).values(outcome))
    tx.tell(row.id, "retried", note=f"{len(items)} pages" if items else None)
    if items:
        enter(tx, row.id, "reading", kind=kind, items=items, lane=lane, round=round)
    elif not opened:
        enter(tx, row.id, "preparing", kind="prepare", items={round: None}, lane="prepare", round=round)
    else:
        enter(tx, row.id, "merging", kind="merge", items={round: None}, lane="merge", round=round)
    if row.packet:
        reopen(tx, row.packet)
    if kind == "words" and (items or not opened):
        _sort_again(tx, row)
    return len(items)


def _lock(tx: Tx, row: Any) -> None:
    """The document may have been submitted without its password."""
    spec = JobSpec.model_validate_json(row.spec)
    tx.run(job.update().where(job.c.id == row.id).values(spec=spec.model_copy(update={"locked": True}).model_dump_json()))


def _sort_again(tx: Tx, row: Any) -> None:
    """What its pages say may be another thing this time; a part keeps its pages."""
    spec = JobSpec.model_validate_json(row.spec)
    if spec.route:
        route = Route(schema_ref=spec.schema_ref, part=spec.route.part) if row.packet else None
        tx.run(job.update().where(job.c.id == row.id).values(spec=spec.model_copy(update={"route": route}).model_dump_json()))


def _of(tx: Tx, job_id: str, pages: Sequence[int]) -> list[int]:
    """Those of the pages that are the job's."""
    mine = (work.c.job == job_id, work.c.kind == "words", work.c.page.in_(pages))
    return [page for (page,) in tx.all(sa.select(work.c.page).where(*mine))]


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
    """Delete the job, its parts and all that is written about them; returns its document's name in the store. Raises NotFoundError, and
    UsageError where it is still at work or a part of another."""
    with ledger.write(durable=True) as tx:
        parts = parts_of(tx, job_id)
        row = [_ended_row(tx, one) for one in (*parts, job_id)][-1]
        if row.packet:
            raise UsageError("the job is a part of a packet", file=job_id, hint=f"docpipe drop {row.packet}")
        tx.run(job.delete().where(job.c.id.in_([*parts, job_id])))
    return JobSpec.model_validate_json(row.spec).source


def _was_opened(tx: Tx, job_id: str) -> bool:
    """Its pages have items of their own; a document that was read through while it was prepared has none."""
    mine = (work.c.job == job_id, work.c.kind == "words")
    return bool(tx.scalar(sa.select(sa.func.count()).select_from(work).where(*mine)))


def _to_do(tx: Tx, job_id: str, pages: Sequence[int]) -> tuple[tables.Kind, dict[int, int | None], tables.Lane]:
    """The pages' items of the earliest tier that is to be done again. What later tiers made of it no longer counts."""
    mine = [work.c.job == job_id, work.c.kind.in_(_PAGES)]
    rows = _lost(tx, job_id, pages)
    if not rows:
        return "words", {}, "prepare"
    tier = (rows[-1] if pages else rows[0]).idx // TIER
    tx.run(work.update().where(*mine, work.c.idx >= (tier + 1) * TIER).values(state="cancelled"))
    items = {row.idx: row.page for row in rows if row.idx // TIER == tier}
    return rows[0].kind if tier == 0 else "read", items, next(row.lane for row in rows if row.idx in items)


def _lost(tx: Tx, job_id: str, pages: Sequence[int]) -> Sequence[Any]:
    """The items of these pages, else those that were given up or cancelled."""
    mine = [work.c.job == job_id, work.c.kind.in_(_PAGES)]
    lost = work.c.page.in_(pages) if pages else work.c.state.in_(("quarantined", "cancelled"))
    return tx.all(sa.select(work.c.kind, work.c.idx, work.c.page, work.c.lane).where(*mine, lost).order_by(work.c.idx))
