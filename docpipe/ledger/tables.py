"""The ledger's four tables and the words its columns use. Knows no statement that changes them.

A job is one document to be read with one schema; its work is done in items, each one row of `work`, each in one state:

    pending -> enqueued -> running -> done
       ^__________|___________|           a hint or a worker got lost, or the item has to wait
       every one of the three -> quarantined (given up) or cancelled

An item is addressed by `(job, kind, idx)`; `fence` counts how often it was handed out, so that whoever holds an older number holds nothing.
"""

from __future__ import annotations

from typing import Literal, get_args

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

Kind = Literal["prepare", "words", "read", "merge", "deliver"]
WorkState = Literal["pending", "enqueued", "running", "done", "quarantined", "cancelled"]
JobState = Literal["preparing", "reading", "merging", "parting", "delivering", "done", "cancelled"]
Lane = Literal["prepare", "gpu", "api", "alone", "merge", "deliver"]

KINDS: tuple[Kind, ...] = get_args(Kind)
LANES: tuple[Lane, ...] = get_args(Lane)
UNDER_WAY: tuple[WorkState, ...] = ("enqueued", "running")
UNDONE: tuple[WorkState, ...] = ("pending", *UNDER_WAY)
UNFINISHED: tuple[JobState, ...] = ("preparing", "reading", "merging", "parting", "delivering")
ENDED: tuple[JobState, ...] = ("done", "cancelled")
CONCLUDED: tuple[JobState, ...] = ("delivering", *ENDED)  # nothing opens the document any more

metadata = MetaData()

job = Table(
    "job",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("key", String(128), nullable=False),  # idempotency: the same key of a tenant is the same job
    Column("spec", Text, nullable=False),  # a JobSpec as JSON
    Column("spec_sha256", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("pages", Integer),  # known once the document was opened
    Column("round", Integer, nullable=False),  # of the cascade; a retry begins one more
    Column("unfinished", Integer, nullable=False),  # items of this state of the job that have not ended
    Column("lane", String(16), nullable=False),  # where this state's items go
    Column("due_at", Float),  # the earliest time a pending item may be handed out; NULL: none is pending
    Column("served_at", Float, nullable=False),  # when one was handed out last: the fair order
    Column("created_at", Float, nullable=False),
    Column("deadline_at", Float),
    Column("ended_at", Float),
    Column("status", String(16)),  # the result's, or `failed` where there is an error instead
    Column("result", Text),  # the artifact's name
    Column("result_sha256", String(64)),
    Column("error_code", String(32)),
    Column("error", Text),
    Column("traceparent", String(64)),  # W3C's, of the submission, where it was traced
    Column("packet", String(32)),  # the job whose document it is a part of
    UniqueConstraint("tenant", "key", name="job_key"),
)
_due = job.c.due_at.isnot(None)
Index("job_due", job.c.lane, job.c.tenant, job.c.served_at, sqlite_where=_due, postgresql_where=_due)
Index("job_state", job.c.state, job.c.tenant)
Index("job_deadline", job.c.state, job.c.deadline_at)
Index("job_ended", job.c.ended_at)
Index("job_packet", job.c.packet)

work = Table(
    "work",
    metadata,
    Column("job", String(32), ForeignKey("job.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("idx", Integer, nullable=False),  # unique in the job across rounds
    Column("round", Integer, nullable=False),
    Column("page", Integer),
    Column("lane", String(16), nullable=False),
    Column("alone", Boolean, nullable=False),  # its process crashed: it is run where nothing else is
    Column("state", String(16), nullable=False),
    Column("fence", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),  # times it was begun and not handed back
    Column("crashes", Integer, nullable=False),  # times its process died or hung
    Column("transients", Integer, nullable=False),  # times it had to wait for something else
    Column("refused", Integer, nullable=False, server_default="0"),  # times of these that nothing was tried, as it was busy
    Column("not_before", Float, nullable=False),
    Column("lease_until", Float),
    Column("started_at", Float),
    Column("owner", String(128)),
    Column("artifact", Text),  # what it left behind, once done
    Column("error_code", String(32)),
    Column("error", Text),
    PrimaryKeyConstraint("job", "kind", "idx", name="work_pk"),
)
Index("work_job", work.c.job, work.c.state, work.c.not_before)
Index("work_lane", work.c.state, work.c.alone, work.c.lane, work.c.not_before)
Index("work_lease", work.c.state, work.c.lease_until)
Index("work_owner", work.c.owner, work.c.state)

event = Table(
    "event",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("job", String(32), ForeignKey("job.id", ondelete="CASCADE"), nullable=False),
    Column("at", Float, nullable=False),
    Column("type", String(16), nullable=False),
    Column("page", Integer),
    Column("note", Text),
)
Index("event_job", event.c.job, event.c.seq)

tenant = Table(
    "tenant",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("served_at", Float, nullable=False),
)

worker = Table(
    "worker",
    metadata,
    Column("owner", String(128), primary_key=True),
    Column("lanes", Text, nullable=False),  # comma-separated
    Column("slots", Integer, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("version", String(32), nullable=False),
)
