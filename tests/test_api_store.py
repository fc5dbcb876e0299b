"""The state that callers of an API share: Python and Lua do the same, nothing stays for ever, and a Redis may come and go."""

import datetime
import logging
import random
import threading
import time
from decimal import Decimal

import pytest
from pytest import approx

from docpipe.backends._api.breaker import Breaker, Fuse
from docpipe.backends._api.budget import MICRO, Budget, job_purse, tenant_purse
from docpipe.backends._api.pace import Limits, Pace
from docpipe.backends._api.store import PREFIX, LocalStore, Operation, RedisStore, open_store
from docpipe.errors import BudgetError, BusyError, DeadlineError, EngineError, UsageError

pytestmark = pytest.mark.api

DAY = datetime.date(2026, 11, 26)
LIMITS = (
    Limits(requests=300, tokens=50_000, calls=4, seconds=7),
    Limits(requests=40),
    Limits(tokens=20_000, window=10),
    Limits(calls=1, seconds=2),
    Limits(),
)


class Walk:
    """One of many random walks through everything that can be asked of a store; `said` is what came of it."""

    def __init__(self, store, ticks, limits, seed):
        self.random, self.ticks, self.said, self.turns, self.permits, self.spendings = random.Random(seed), ticks, [], [], [], []
        self.pace, self.breaker, self.budget = Pace(store, limits), Breaker(store, Fuse(failures=2, first=1.5, longest=5)), Budget(store)
        for _ in range(200):  # so few that nobody is told to wait for a time that is drawn by chance
            ticks[0] += self.random.choice((0, 0, self.random.random() / 7, self.random.random() * 2))
            self.random.choice((self.enter, self.enter, self.leave, self.hold, self.ask, self.note, self.reserve, self.settle))()

    def enter(self):
        try:
            self.turns.append(self.pace.enter("a", tokens=self.random.randrange(900)))
            self.said.append("in")
        except BusyError as busy:
            self.said.append(busy.after)

    def leave(self):
        if self.turns:
            with self.turns.pop(self.random.randrange(len(self.turns))) as turn:
                turn.settle(self.random.randrange(900))

    def hold(self):
        if self.random.random() < 0.1:
            self.pace.hold("a", self.random.random() * 3)

    def ask(self):
        self.said.append(self.breaker.open_for("b"))
        try:
            self.permits.append(self.breaker.enter("b"))
        except BusyError as busy:
            self.said.append(busy.after)

    def note(self):
        if self.permits:
            problem = self.random.choice((None, DeadlineError("late"), DeadlineError("late"), BusyError("429")))
            self.permits.pop(self.random.randrange(len(self.permits))).__exit__(type(problem), problem, None)

    def reserve(self):
        purses = [job_purse("j", Decimal(20), setting="S"), tenant_purse("t", Decimal(15), setting="S", day=DAY)]
        try:
            self.spendings.append(self.budget.reserve(purses, Decimal(self.random.randrange(4_000_000)) / MICRO))
        except BudgetError as problem:
            self.said.append(problem.message)
        self.said.append(float(self.budget.spent(purses[0])))

    def settle(self):
        if self.spendings:
            self.spendings.pop().settle(Decimal(self.random.randrange(3_000_000)) / MICRO)


@pytest.mark.parametrize("limits", LIMITS)
def test_lua_and_python_do_the_same(limits, redis_server):
    def walk(make, seed):
        ticks = [1000.0]
        store = make(lambda: ticks[0])
        said = Walk(store, ticks, limits, seed).said
        store.close()
        return said

    for seed in range(3):
        ours = walk(LocalStore, seed)
        theirs = walk(lambda clock, seed=seed: RedisStore(redis_server.url, prefix=f"{seed}:", clock=clock), seed)
        assert len(set(ours)) > 20
        assert [one if isinstance(one, str) else approx(one, abs=1e-6) for one in ours] == theirs


def test_redis_forgets_what_means_nothing_any_more_and_counts_by_its_own_clock(redis_server):
    store = RedisStore(redis_server.url)
    with Pace(store, Limits(requests=6, calls=3, seconds=20)).enter("a", tokens=5):
        pass
    with pytest.raises(DeadlineError), Breaker(store).enter("b"):
        raise DeadlineError("late")
    Budget(store).reserve([job_purse("j", Decimal(1), setting="S")], Decimal("0.5"))
    client = redis_server.client()
    left = {key.removeprefix(PREFIX): client.ttl(key) for key in client.keys("*")}
    assert set(left) == {"pace:a", "breaker:b", "budget:job:j"}
    assert 3600 <= left["pace:a"] <= 3600 + 21 and 3600 < left["breaker:b"] <= 7200 and 89 * 86400 < left["budget:job:j"] < 91 * 86400
    with pytest.raises(BusyError) as refused:
        Pace(store, Limits(requests=6, calls=3, seconds=20)).enter("a")
    assert 5 < refused.value.after < 11
    store.close()


def test_a_restarted_redis_is_told_everything_anew(redis_server):
    store = RedisStore(redis_server.url)
    pace = Pace(store, Limits(calls=1))
    turn = pace.enter("a")
    redis_server.kill()
    redis_server.start()
    with pace.enter("a"), pytest.raises(BusyError):
        pace.enter("a")
    turn.__exit__(None, None, None)
    redis_server.client().script_flush()
    with pace.enter("a"):
        pass
    store.close()


@pytest.mark.parametrize("gone", ("kill", "pause"))
def test_without_redis_nothing_new_begins_and_nothing_that_was_brought_is_lost(gone, redis_server, caplog):
    store = RedisStore(redis_server.url)
    pace, budget = Pace(store, Limits(calls=3)), Budget(store)
    spending = budget.reserve([job_purse("j", Decimal(1), setting="S")], Decimal("0.5"))
    with caplog.at_level(logging.WARNING), pace.enter("a") as turn:
        getattr(redis_server, gone)()
        begun = time.monotonic()
        with pytest.raises(BusyError, match="Redis") as refused:
            pace.enter("a")
        assert refused.value.after > 0 and time.monotonic() - begun < 20
        turn.hold(3)
        spending.settle(Decimal("0.1"))
    assert caplog.messages == ["not noted: " + refused.value.message] * 3
    store.close()


def test_what_a_process_keeps_for_itself_does_not_grow_for_ever(ticks):
    store = LocalStore(lambda: ticks[0])
    for number in range(3000):
        ticks[0] += 10
        Pace(store, Limits(requests=60, seconds=10)).enter(str(number))
    assert len(store._states) < 1200


def test_a_store_is_named_by_its_address():
    assert isinstance(open_store(None), LocalStore) and isinstance(open_store(""), LocalStore)
    with pytest.raises(UsageError, match="redis://") as problem:
        open_store("http://user:geheim@example.com/")
    assert "geheim" not in str(problem.value)


def count_slowly(states, now, args):
    number = states[0].get("n", 0)
    time.sleep(0)  # lets others run
    states[0]["n"] = number + 1
    return {"n": number + 1}


COUNT = Operation(count_slowly, "states[1].n = (states[1].n or 0) + 1; return {n = states[1].n}")


def test_one_operation_at_a_time(store):
    workers = [threading.Thread(target=lambda: [store.run(COUNT, ["n"]) for _ in range(50)]) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert store.run(COUNT, ["n"])["n"] == 8 * 50 + 1


def test_a_redis_that_refuses_is_no_reason_to_wait(redis_server, caplog):
    redis_server.client().set(PREFIX + "pace:a", "no JSON")
    store = RedisStore(redis_server.url)
    with pytest.raises(EngineError, match="refuses") as problem:
        Pace(store, Limits(calls=1)).enter("a")
    assert not isinstance(problem.value, BusyError)
    Pace(store, Limits(calls=1)).hold("a", 1)
    assert "not noted" in caplog.text
    redis_server.client().config_set("requirepass", "geheim")
    fresh = RedisStore(redis_server.url)
    with pytest.raises(EngineError, match="refuses"):
        fresh.run(COUNT, ["n"])
    fresh.close()
    store.close()
