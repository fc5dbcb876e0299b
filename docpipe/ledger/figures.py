"""The ledger in figures, for whoever watches it. They cost what is under way or given up, never what is done: the past does not count."""

from __future__ import annotations

import sqlalchemy as sa

from docpipe.ledger import tables
from docpipe.ledger.ledger import Ledger, Tx
from docpipe.ledger.tables import LANES, JobState, Kind, Lane, WorkState
from docpipe.ledger.views import count_items
from docpipe.ledger.workers import live_slots
from docpipe.records import Record

RECENT = 600.0  # seconds

job, work = tables.job, tables.work


class Figures(Record):
    """One moment's. What there is none of may be missing.

    `items` that are not done, `jobs` that have not ended, and live `slots`; `waited` is the seconds that each lane's oldest item which is
    due waits to be handed out. `given_up` counts items by kind and error code, `ended` the jobs of the last `RECENT` seconds by status,
    `cancelled` where they have none.
    """

    items: dict[tuple[Kind, WorkState], int]
    jobs: dict[JobState, int]
    waited: dict[Lane, float]
    slots: dict[Lane, int]
    given_up: dict[tuple[Kind, str], int]
    ended: dict[str, int]


def figures(ledger: Ledger) -> Figures:
    """What there is to do and what became of it. Raises LedgerError."""
    with ledger.read() as tx:
        return Figures(
            items=count_items(tx),
            jobs=_jobs(tx),
            waited={lane: _waited(tx, lane) for lane in LANES},
            slots=live_slots(tx),
            given_up=_given_up(tx),
            ended=_ended(tx),
        )


def _jobs(tx: Tx) -> dict[JobState, int]:
    return dict(tx.all(sa.select(job.c.state, sa.func.count()).where(job.c.state.in_(tables.UNFINISHED)).group_by(job.c.state)))


def _waited(tx: Tx, lane: Lane) -> float:
    where = work.c.alone if lane == "alone" else sa.and_(~work.c.alone, work.c.lane == lane)
    since = tx.scalar(sa.select(sa.func.min(work.c.not_before)).where(work.c.state == "pending", where))
    return 0.0 if since is None else max(0.0, tx.now - since)


def _given_up(tx: Tx) -> dict[tuple[Kind, str], int]:
    group = (work.c.kind, work.c.error_code)
    rows = tx.all(sa.select(*group, sa.func.count()).where(work.c.state == "quarantined").group_by(*group))
    return {(kind, code): count for kind, code, count in rows}


def _ended(tx: Tx) -> dict[str, int]:
    status = sa.func.coalesce(job.c.status, "cancelled")
    return dict(tx.all(sa.select(status, sa.func.count()).where(job.c.ended_at > tx.now - RECENT).group_by(status)))
