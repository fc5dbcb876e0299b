"""Which workers are alive, by their own word: each says every few seconds what it serves. Knows no process."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from docpipe.ledger import tables
from docpipe.ledger.ledger import Ledger, Tx
from docpipe.ledger.tables import LANES, Lane

ALIVE = 30.0  # seconds since it was last heard of
FORGOTTEN = 3600.0

worker = tables.worker


def say_alive(ledger: Ledger, owner: str, *, lanes: Sequence[Lane], slots: int, version: str) -> None:
    """The worker `owner` serves these lanes and runs `slots` items at a time."""
    with ledger.write() as tx:
        row = {"lanes": ",".join(lanes), "slots": slots, "seen_at": tx.now, "version": version}
        if not tx.insert_new(worker, owner=owner, **row):
            tx.run(worker.update().where(worker.c.owner == owner).values(**row))
        tx.run(worker.delete().where(worker.c.seen_at < tx.now - FORGOTTEN))


def say_goodbye(ledger: Ledger, owner: str) -> None:
    """The worker stops; its slots no longer count."""
    with ledger.write() as tx:
        tx.run(worker.delete().where(worker.c.owner == owner))


def is_alive(ledger: Ledger, owners: str) -> bool:
    """Whether a worker whose name begins so was heard of a short while ago."""
    with ledger.read() as tx:
        recent = (worker.c.owner.startswith(owners, autoescape=True), worker.c.seen_at > tx.now - ALIVE)
        return bool(tx.scalar(sa.select(sa.func.count()).select_from(worker).where(*recent)))


def live_slots(tx: Tx) -> dict[Lane, int]:
    """How many items each lane runs at a time. A worker that serves several lanes counts in each."""
    slots: dict[Lane, int] = dict.fromkeys(LANES, 0)
    for lanes, count in tx.all(sa.select(worker.c.lanes, worker.c.slots).where(worker.c.seen_at > tx.now - ALIVE)):
        for lane in LANES:
            slots[lane] += count if lane in lanes.split(",") else 0
    return slots
