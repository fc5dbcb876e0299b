"""The durable state of jobs and their work: the truth that messages are only hints of. Knows no broker, no page and no engine.

submit -> dispatch -> claim -> settle, and sweep for what got lost; each is one transaction. SQLAlchemy Core on SQLite (one machine) or
PostgreSQL (several).
"""

from __future__ import annotations

from docpipe.ledger.claim import Terms, claim, crashed, give_up, hand_back, release, renew, settle, wake
from docpipe.ledger.control import cancel, forget, redeliver, retry
from docpipe.ledger.dispatch import Sent, dispatch, forget_sent
from docpipe.ledger.figures import Figures, figures
from docpipe.ledger.ledger import Ledger
from docpipe.ledger.records import (
    TIER,
    Delivered,
    Done,
    Event,
    Hint,
    Item,
    JobSpec,
    JobView,
    Known,
    Merged,
    Opened,
    Routed,
    Stored,
    Unsettled,
    Work,
    check_tenant,
    read_hint,
)
from docpipe.ledger.schema import open_ledger
from docpipe.ledger.submit import Quota, meaning, new_job_id, submit
from docpipe.ledger.sweep import sweep
from docpipe.ledger.tables import CONCLUDED, LANES, Kind, Lane
from docpipe.ledger.views import counts, ended, events, given_up, items, known, parts, spec_of, view, views
from docpipe.ledger.workers import is_alive, say_alive, say_goodbye

__all__ = [
    "CONCLUDED",
    "LANES",
    "TIER",
    "Delivered",
    "Done",
    "Event",
    "Figures",
    "Hint",
    "Item",
    "JobSpec",
    "JobView",
    "Kind",
    "Known",
    "Lane",
    "Ledger",
    "Merged",
    "Opened",
    "Quota",
    "Routed",
    "Sent",
    "Stored",
    "Terms",
    "Unsettled",
    "Work",
    "cancel",
    "check_tenant",
    "claim",
    "counts",
    "crashed",
    "dispatch",
    "ended",
    "events",
    "figures",
    "forget",
    "forget_sent",
    "give_up",
    "given_up",
    "hand_back",
    "is_alive",
    "items",
    "known",
    "meaning",
    "new_job_id",
    "open_ledger",
    "parts",
    "read_hint",
    "redeliver",
    "release",
    "renew",
    "retry",
    "say_alive",
    "say_goodbye",
    "settle",
    "spec_of",
    "submit",
    "sweep",
    "view",
    "views",
    "wake",
]
