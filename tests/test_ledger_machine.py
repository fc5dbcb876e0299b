"""The ledger under a broker that drops, doubles and reorders, workers that die, hang and come back, and people who cancel and retry:
whatever the order, every job ends, once per round, and its counters are true."""

import contextlib
from collections import Counter

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledgers import SLOTS, WEBHOOK, outcome, send

from docpipe.errors import UsageError
from docpipe.ledger import (
    Hint,
    Ledger,
    Merged,
    Terms,
    Unsettled,
    Work,
    cancel,
    claim,
    dispatch,
    forget_sent,
    give_up,
    hand_back,
    release,
    renew,
    retry,
    settle,
    sweep,
    views,
)
from docpipe.ledger.claim import MOST_SECONDS
from docpipe.ledger.dispatch import HINT_LEASE
from docpipe.ledger.records import TIER
from docpipe.ledger.schema import upgrade
from docpipe.ledger.tables import ENDED, UNDONE, metadata
from docpipe.ledger.tables import job as jobs
from docpipe.ledger.tables import work as works

TERMS = Terms(lease=100.0, crashes=3, transients=4)
PAGES = 3
TIERS = 2
FATES = st.sampled_from(["done", "done", "done", "held", "died", "released", "handed back", "given up", "hint lost", "hint doubled"])
ACCIDENTS = st.sampled_from(
    [
        "nothing",
        "a job more",
        "a job more",
        "a second",
        "a minute",
        "a lease",
        "a hint's lease",
        "the broker forgets",
        "the worker renews",
        "a holder wakes up",
        "a holder wakes up",
        "cancelled",
        "retried",
        "a page retried",
    ]
)
SECONDS = {"a second": 1.0, "a minute": 60.0, "a lease": 200.0, "a hint's lease": HINT_LEASE + 1}
STEPS = st.lists(st.tuples(ACCIDENTS, st.integers(0, 999), st.lists(FATES, max_size=12)), min_size=3, max_size=20)


class World:
    """A ledger and what happens to it. `held` are claims of workers that may have lost them since."""

    def __init__(self, ledger: Ledger, clock: list[float]) -> None:
        self.ledger, self.clock = ledger, clock
        with ledger.write() as tx:
            for table in reversed(metadata.sorted_tables):
                tx.run(table.delete())
        self.held: list[Work] = []
        self.fenced: set[Hint] = set()
        self.newest: dict[tuple[str, str, int], int] = {}
        self.settled: set[Hint] = set()
        self.merged: Counter[tuple[str, int]] = Counter()
        self.tiers: dict[str, int] = {}

    def happen(self, accident: str, which: int) -> None:
        """One accident, or one thing that a person does."""
        if accident == "a job more":
            self.submit(which)
        elif accident in SECONDS:
            self.clock[0] += SECONDS[accident]
            sweep(self.ledger, terms=TERMS)
        elif accident == "the broker forgets":
            forget_sent(self.ledger)
        elif accident == "the worker renews":
            assert renew(self.ledger, "worker", terms=TERMS) <= self.fenced
        elif accident == "a holder wakes up" and self.held:
            self.meet(self.held.pop(which % len(self.held)), "done")
        elif accident in ("cancelled", "retried", "a page retried"):
            self.control(list(self.tiers)[which % len(self.tiers)], accident)

    def submit(self, which: int) -> None:
        job = f"{len(self.tiers):032x}"  # not random, so that a failure can be found again
        self.tiers[send(self.ledger, job=job, tenant=f"t{which % 2}", webhook=WEBHOOK if which % 3 else None)] = which % (TIERS + 1)

    def control(self, job: str, wish: str) -> None:
        if wish == "cancelled":
            cancel(self.ledger, job)
            return
        with contextlib.suppress(UsageError):  # it is still at work, or was never opened
            retry(self.ledger, job, pages=(2,) if wish == "a page retried" else ())

    def work(self, fates: list[str]) -> None:
        """Rounds of the dispatcher, and what becomes of each hint, until the fates are used up or nothing is due."""
        fates = fates[:]
        while fates and (hints := self.dispatch()):
            for hint in hints:
                self.follow(hint, fates.pop() if fates else "hint lost")

    def dispatch(self) -> list[Hint]:
        sent = [one.hint for one in dispatch(self.ledger, slots=SLOTS)]
        assert not self.fenced & set(sent), "an item is handed out once per fence"
        self.fenced |= set(sent)
        self.newest |= {hint[:3]: hint.fence for hint in sent}
        return sent

    def follow(self, hint: Hint, fate: str) -> None:
        if fate == "hint lost":
            return
        item = self.claim(hint)
        if fate == "hint doubled":
            assert self.claim(hint) is None, "an item is claimed once per fence"
        if item is not None:
            self.meet(item, fate)

    def claim(self, hint: Hint) -> Work | None:
        return claim(self.ledger, hint, owner="worker", terms=TERMS)

    def meet(self, item: Work, fate: str) -> None:
        if fate == "released":
            release(self.ledger, item, delay=50.0, code="rate", terms=TERMS)
        elif fate == "handed back":
            hand_back(self.ledger, item)
        elif fate == "given up":
            give_up(self.ledger, item.hint, code="bad", message="no use")
        elif fate == "held":
            self.held.append(item)
        elif fate != "died":
            self.finish(item)

    def finish(self, item: Work) -> None:
        done = outcome(PAGES)(item)
        if isinstance(done, Merged) and (tier := self.next_tier(item)):
            done = Unsettled(pages=(1, PAGES), tier=tier, lane="gpu")
        if settle(self.ledger, item, done):
            assert item.hint not in self.settled, "an item is settled once per fence"
            assert item.fence == self.newest[item.hint[:3]], "whoever lost a claim settles nothing"
            self.settled.add(item.hint)
            self.merged[item.job, item.round] += item.kind == "merge"

    def next_tier(self, item: Work) -> int:
        """The tier that this merge asks for; 0 where the job has no more."""
        with self.ledger.read() as tx:
            read = (works.c.job == item.job, works.c.kind == "read", works.c.state.in_(("done", "quarantined")))
            last = (tx.scalar(sa.select(sa.func.max(works.c.idx)).where(*read)) or 0) // TIER
        return last + 1 if last < self.tiers[item.job] else 0

    def check(self) -> None:
        """What is true at any moment."""
        assert not [where for where, times in self.merged.items() if times > 1], "merged once per round"
        with self.ledger.read() as tx:
            undone = sa.select(sa.func.count()).where(works.c.job == jobs.c.id, works.c.state.in_(UNDONE)).scalar_subquery()
            for row in tx.all(sa.select(jobs, undone.label("undone"))):
                assert row.unfinished == row.undone, row
                assert (row.state in ENDED) == (row.unfinished == 0), row

    def come_to_an_end(self) -> None:
        """Nothing happens any more but honest work: every job ends."""
        for _ in range(100):
            self.clock[0] += 2 * max(*MOST_SECONDS.values(), HINT_LEASE)
            sweep(self.ledger, terms=TERMS)
            for hint in self.dispatch():
                self.follow(hint, "done")
            self.check()
            if all(view.ended for view in views(self.ledger, most=10_000)):
                break
        for view in views(self.ledger, most=10_000):
            assert view.ended, view
            assert (view.status is not None) == (view.state == "done"), view
            assert view.result or view.error_code or view.state == "cancelled", view


@pytest.mark.queue
def test_any_order_of_accidents(ledger_url):
    clock = [1_000_000.0]
    ledger = Ledger(ledger_url, clock=lambda: clock[0])
    upgrade(ledger)

    @settings(max_examples=25 if ledger.is_sqlite else 10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=STEPS)
    def play(steps):
        world = World(ledger, clock)
        world.submit(len(steps))
        for accident, which, fates in steps:
            world.happen(accident, which)
            world.work(fates)
            world.check()
        world.come_to_an_end()

    play()
    ledger.close()
