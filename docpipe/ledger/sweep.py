"""Finding what got lost: claims and hints that ran out, jobs whose time is over. Run every second or so; several at once do no harm."""

from __future__ import annotations

import sqlalchemy as sa

from docpipe.errors import DeadlineError
from docpipe.ledger import tables
from docpipe.ledger.claim import TERMS, Terms, count_crash
from docpipe.ledger.dispatch import HINT_LEASE, forget_sent
from docpipe.ledger.ledger import Ledger
from docpipe.ledger.phases import conclude
from docpipe.ledger.records import Hint
from docpipe.records import Record

MOST = 500  # of a kind in one sweep; the rest waits for the next

job, work = tables.job, tables.work


class Swept(Record):
    """How many claims ran out, hints got lost and jobs took too long."""

    claims: int = 0
    hints: int = 0
    jobs: int = 0


def sweep(ledger: Ledger, *, terms: Terms = TERMS, claims: bool = True) -> Swept:
    """Make lost work pending again, or give up what crashes again and again. `claims` that ran out say nothing of their holders where the
    ledger was away a moment ago."""
    return Swept(claims=_claims(ledger, terms) if claims else 0, hints=forget_sent(ledger, waited=HINT_LEASE), jobs=_jobs(ledger))


def _claims(ledger: Ledger, terms: Terms) -> int:
    columns = (work.c.job, work.c.kind, work.c.idx, work.c.fence)
    with ledger.read() as tx:
        over = (work.c.state == "running", work.c.lease_until < tx.now)
        hints = [Hint(*row) for row in tx.all(sa.select(*columns).where(*over).limit(MOST))]
    found = 0
    for hint in hints:
        with ledger.write() as tx:
            tx.lock_job(hint.job)
            still = (work.c.job == hint.job, work.c.kind == hint.kind, work.c.idx == hint.idx, work.c.lease_until < tx.now)
            if tx.scalar(sa.select(sa.func.count()).select_from(work).where(*still)):
                found += count_crash(tx, hint, reason="its process died or took too long", terms=terms)
    return found


def _jobs(ledger: Ledger) -> int:
    with ledger.read() as tx:
        late = (job.c.state.not_in((*tables.ENDED, "delivering")), job.c.deadline_at < tx.now)
        found = [row.id for row in tx.all(sa.select(job.c.id).where(*late).limit(MOST))]
    for job_id in found:
        with ledger.write() as tx:
            if tx.lock_job(job_id).state not in (*tables.ENDED, "delivering"):
                conclude(tx, job_id, status="failed", error_code=DeadlineError.code, error="the job's time was over")
    return len(found)
