"""What sorting makes of a job: the way it is read, or a packet whose parts are jobs of their own. Knows no page's content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from docpipe.ledger import tables
from docpipe.ledger.ledger import Tx
from docpipe.ledger.phases import cancel_rest, enter
from docpipe.ledger.records import JobSpec
from docpipe.ledger.submit import new_job_id
from docpipe.records import Route

job, work = tables.job, tables.work


def parts_of(tx: Tx, packet: str) -> list[str]:
    """The packet's parts in order; none for any other job."""
    rows = tx.all(sa.select(job.c.id, job.c.key).where(job.c.packet == packet))
    return [row.id for row in sorted(rows, key=lambda row: _number(row.key))]


def send_on(tx: Tx, row: Any, routes: Sequence[Route]) -> None:
    """Read the job, whose row this is, as it was found to be: merge it again, or make each part of it a job and wait for them all. A part
    has no parts."""
    spec = JobSpec.model_validate_json(row.spec)
    if row.packet or (len(routes) == 1 and routes[0].part is None):
        routed = spec.model_copy(update={"route": routes[0]})
        tx.run(job.update().where(job.c.id == row.id).values(spec=routed.model_dump_json()))
        enter(tx, row.id, "merging", kind="merge", items={row.round: None}, lane="merge", round=row.round)
        return
    tx.tell(row.id, "parted", note=f"{len(routes)} parts")
    tx.run(job.update().where(job.c.id == row.id).values(state="parting", unfinished=0, due_at=None))
    for number, route in enumerate(routes, 1):
        _make(tx, row, spec.model_copy(update={"route": route}), number)


def reopen(tx: Tx, packet: str) -> None:
    """A part of the packet is at work again: wait for it, and forget what the packet came to without it."""
    tx.lock_job(packet)
    cancel_rest(tx, packet)
    outcome = dict.fromkeys(("status", "result", "result_sha256", "error_code", "error", "ended_at", "deadline_at"))
    tx.run(job.update().where(job.c.id == packet).values(**outcome, state="parting", unfinished=0, due_at=None))
    tx.tell(packet, "retried")


def _make(tx: Tx, packet: Any, spec: JobSpec, number: int) -> None:
    """A part as a job that is about to be merged: its pages' words were read for the packet. Pages that were given up are given up once, in
    the part."""
    part = spec.route.part if spec.route else None
    pages = part.pages if part else ()
    columns = {name: getattr(packet, name) for name in ("tenant", "spec_sha256", "deadline_at", "traceparent", "round")}
    new = {**columns, "id": new_job_id(), "key": f"{packet.id}/{number}", "packet": packet.id, "spec": spec.model_dump_json()}
    state = {"state": "merging", "lane": "merge", "unfinished": 0, "served_at": 0.0, "created_at": tx.now, "pages": len(pages)}
    tx.run(job.insert().values(**new, **state))
    tx.tell(new["id"], "submitted", note=f"part {number} of {packet.id}")
    mine = (work.c.job == packet.id, work.c.kind == "words", work.c.page.in_(pages))
    others = [column for column in work.c if column.name != "job"]
    read = sa.select(sa.literal(new["id"]), *others).where(*mine)
    tx.run(work.insert().from_select(["job", *(column.name for column in others)], read))
    tx.run(work.delete().where(*mine, work.c.state == "quarantined"))
    enter(tx, new["id"], "merging", kind="merge", items={packet.round: None}, lane="merge", round=packet.round)


def _number(key: str) -> int:
    return int(key.rpartition("/")[2])
