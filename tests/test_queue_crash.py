"""The crash matrix: whatever is killed, frozen, lost or doubled, every document ends exactly once. Real workers, a real Redis."""

import json
import os
import signal
import time

import pytest
from queues import LEASE_S, Queue, until

from docpipe.ledger import Hint, Terms, claim, dispatch, events, items, settle
from docpipe.ledger import Stored as StoredWork
from docpipe.ledger.ledger import BUSY

pytestmark = [pytest.mark.crash, pytest.mark.queue]
PAGES = [f"w{number}" for number in range(1, 7)]


@pytest.fixture
def queue(tmp_path, redis_server):
    made = Queue(tmp_path, redis_server, f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    yield made
    made.close()


def merges(queue: Queue, job: str) -> int:
    return len([item for item in queue.client.items(job) if item.kind == "merge" and item.state == "done"])


def concluded(queue: Queue, job: str) -> int:
    return len([event for event in events(queue.ledger, job) if event.type == "concluded"])


def check_whole(queue: Queue, job: str, words=PAGES) -> None:
    """The job has its one result, with every page."""
    found = queue.client.job(job)
    assert (found.state, found.lost, found.done) == ("done", 0, len(words)), found
    assert queue.client.result(job).data["pages"] == list(words)
    assert concluded(queue, job) == 1
    assert merges(queue, job) == 2, "once per round"


def test_child_sigkill(queue):
    """A pool's child dies in a page: its page is run again at once, alone, and the others are not touched."""
    queue.dispatcher()
    worker = queue.worker(slots=2)
    queue.obey("slow", "2")
    job = queue.submit(*PAGES)
    until(lambda: len(queue.readings()) >= 1, 60)
    begin = time.monotonic()
    for child in queue.children(worker):
        child.kill()
    queue.obey("slow", "0")
    until(lambda: any(item.crashes for item in queue.reads(job)), 5)
    queue.wait(job)
    assert time.monotonic() - begin < 40
    check_whole(queue, job)
    crashed = [item for item in queue.reads(job) if item.crashes]
    assert 1 <= len(crashed) <= 2 and all(item.alone for item in crashed)


def test_group_sigkill(queue):
    """A whole node is gone: its claims run out, and another worker does the rest."""
    queue.dispatcher()
    worker = queue.worker(slots=2)
    queue.obey("slow", "1")
    job = queue.submit(*PAGES)
    until(lambda: len(queue.readings()) >= 2, 60)
    queue.kill(worker)
    queue.obey("slow", "0")
    queue.worker(slots=2)
    queue.wait(job, seconds=60)
    check_whole(queue, job)


def test_group_sigkill_before_claim(queue):
    """A node is lost with a message that it has taken and not begun, which Redis counts as held for an hour: it is sent again."""
    queue.dispatcher()
    queue.worker("prepare", "merge", "alone")
    doomed = queue.worker("gpu")
    for child in queue.children(doomed):
        child.suspend()
    job, redis = queue.submit(*PAGES), queue.redis.client()
    until(lambda: bool(queue.reads(job)) and (redis.llen("docpipe:docpipe.gpu"), redis.hlen("docpipe:unacked")) == (1, 1), 60)
    queue.kill(doomed)
    queue.worker("gpu")
    queue.wait(job, seconds=60)
    check_whole(queue, job)
    assert all(item.attempts == 1 and item.crashes == 0 for item in queue.reads(job)), "it was never begun"


def test_lost_hint(queue):
    """A message vanishes between Redis and the worker: the dispatcher notices that nothing is on its way."""
    queue.dispatcher()
    worker = queue.worker("merge", "alone")  # alive, but serving no page
    job = queue.submit(*PAGES)
    queue.worker("prepare")
    until(lambda: queue.client.job(job).done == len(PAGES), 60)
    from docpipe.ledger import say_alive

    say_alive(queue.ledger, "nobody", lanes=["gpu"], slots=2, version="1")
    redis = queue.redis.client()
    until(lambda: redis.llen("docpipe:docpipe.gpu") >= 1, 30)
    assert redis.delete("docpipe:docpipe.gpu")
    queue.worker("gpu")
    queue.wait(job, seconds=60)
    check_whole(queue, job)
    assert worker.poll() is None


def test_duplicate_hint(queue):
    """The same message four times: one claim, the rest stale."""
    queue.worker("prepare", slots=2)
    job = queue.submit(*PAGES[:1])
    (sent,) = dispatch(queue.ledger, slots={"prepare": 1})
    from docpipe.settings import Settings
    from workers.app import make_app
    from workers.broker import Broker

    app = make_app(Settings(broker=queue.redis.url))
    broker = Broker(app, url=queue.redis.url, prefix="docpipe:")
    assert len(list(broker.send([sent] * 4))) == 4
    until(lambda: queue.client.job(job).state == "reading", 30)
    until(lambda: broker.held() == 0 and not any(broker.lengths().values()), 30)
    (prepared,) = items(queue.ledger, job, kinds=["prepare"])
    assert (prepared.attempts, prepared.state) == (1, "done")
    app.close()


def test_redis_restart_aof(tmp_path, redis_server):
    """Redis restarts with what it had: nothing is visible."""
    redis_server.stop()
    redis_server.start(aof=True)
    queue = Queue(tmp_path, redis_server, f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    try:
        queue.dispatcher()
        queue.worker(slots=2)
        queue.obey("slow", "0.5")
        job = queue.submit(*PAGES)
        until(lambda: len(queue.readings()) >= 1, 60)
        redis_server.stop()
        redis_server.start(aof=True)
        queue.wait(job, seconds=90)
        check_whole(queue, job)
    finally:
        queue.close()


def test_redis_flush(queue):
    """Redis loses all memory: what was on its way is sent again."""
    queue.dispatcher()
    queue.worker(slots=2)
    queue.obey("slow", "0.5")
    job = queue.submit(*PAGES)
    until(lambda: len(queue.readings()) >= 1, 60)
    queue.redis.kill()
    queue.redis.start()
    queue.wait(job, seconds=90)
    check_whole(queue, job)


def test_redis_down_accepts(queue):
    """Without Redis jobs are accepted, and what was begun ends; all goes on when it is back."""
    queue.dispatcher()
    queue.worker(slots=2)
    queue.obey("slow", "0.5")
    first = queue.submit(*PAGES)
    until(lambda: len(queue.readings()) >= 1, 60)
    queue.redis.kill()
    second = queue.submit("another")
    assert queue.client.job(second).state == "preparing"
    time.sleep(3)
    queue.redis.start()
    queue.wait(first, second, seconds=90)
    check_whole(queue, first)


def test_deploy_no_attempt_burnt(queue):
    """SIGTERM: what is running ends or is handed back; no attempt counts twice."""
    queue.dispatcher()
    worker = queue.worker(slots=2)
    queue.obey("slow", "0.5")
    job = queue.submit(*PAGES)
    until(lambda: len(queue.readings()) >= 1, 60)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(40) is not None
    queue.worker(slots=2)
    queue.wait(job, seconds=60)
    check_whole(queue, job)
    assert all(item.attempts == 1 and item.crashes == 0 for item in queue.client.items(job)), queue.client.items(job)


def test_a_worker_that_is_stopped_while_it_waits_for_the_ledger_does_not_keep_it(queue):
    """SIGTERM comes while a worker waits to write down that its child died: it does not hold the ledger through its 25 s, and needs no more
    of them."""
    queue.dispatcher()
    worker = queue.worker()
    queue.obey("slow", "20")
    job = queue.submit("only")
    until(lambda: len(queue.readings()) == 1, 60)
    with queue.ledger.write():
        for child in queue.children(worker):
            child.kill()
        until(lambda: "SIGKILL" in queue.log(worker).read_text(), 10)
        time.sleep(1)
        worker.send_signal(signal.SIGTERM)
        time.sleep(1)
    stopped = time.monotonic()
    until(lambda: any(item.crashes for item in queue.reads(job)), 5)
    while time.monotonic() < stopped + 5:
        begin = time.monotonic()
        with queue.ledger.write():
            assert time.monotonic() - begin < 5
        time.sleep(0.3)
    queue.obey("slow", "0")
    queue.worker()
    queue.wait(job, seconds=60)
    (page,) = queue.reads(job)
    assert (page.crashes, page.alone) == (1, True)
    assert worker.wait(40) is not None


def test_a_ledger_that_is_away_costs_no_work(queue):
    """For longer than a lease and than one wait for it: no claim counts as lost, as nobody could renew any; no hint and no page that was
    read meanwhile is lost."""
    queue.dispatcher()
    queue.worker(slots=2)
    queue.obey("slow", "1")
    job = queue.submit(*PAGES)
    until(lambda: len(queue.readings()) >= 2, 60)
    with queue.ledger.write():
        time.sleep(BUSY + 2)
    queue.obey("slow", "0")
    queue.wait(job, seconds=60)
    check_whole(queue, job)
    assert all((item.attempts, item.crashes) == (1, 0) for item in queue.client.items(job)), queue.client.items(job)
    assert len(queue.readings()) == len(PAGES)


def test_a_claim_that_ran_out_while_the_ledger_was_not_asked_is_no_crash_yet(queue):
    """Its holder has half a lease to say that it lives; then it is one."""
    from docpipe.settings import Settings
    from workers.app import make_app
    from workers.broker import Broker
    from workers.dispatcher import Dispatcher

    terms = Terms(lease=2.0)
    with make_app(Settings(broker=queue.redis.url)) as app:
        dispatcher = Dispatcher(queue.ledger, Broker(app, url=queue.redis.url, prefix="docpipe:"), terms=terms)
        job = queue.submit("only")
        (sent,) = dispatch(queue.ledger, slots={"prepare": 1})
        assert claim(queue.ledger, sent.hint, owner="me", terms=terms)
        dispatcher.round()
        time.sleep(terms.lease + 0.1)
        dispatcher.round()
        assert [item.state for item in queue.client.items(job)] == ["running"]
        until(lambda: bool(dispatcher.round()) and queue.client.items(job)[0].crashes == 1, 5)


def test_a_worker_ends_while_the_ledger_is_locked(queue):
    """Its last word is not worth waiting for."""
    worker = queue.worker("deliver", pool="threads")
    with queue.ledger.write():
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(15) is not None


def test_dispatcher_gap(queue):
    """The dispatcher dies between commit and send: the items are handed out again."""
    job = queue.submit(*PAGES)
    assert len(dispatch(queue.ledger, slots={"prepare": 1})) == 1, "committed, and never sent"
    queue.dispatcher()
    queue.worker(slots=2)
    queue.wait(job, seconds=60)
    check_whole(queue, job)


def test_two_dispatchers(queue):
    """Two at once: nothing is handed out twice."""
    queue.dispatcher()
    queue.dispatcher()
    queue.worker(slots=2)
    jobs = [queue.submit(f"j{number}", *PAGES) for number in range(4)]
    queue.wait(*jobs, seconds=90)
    for number, job in enumerate(jobs):
        check_whole(queue, job, [f"j{number}", *PAGES])
        assert all(item.attempts == 1 for item in queue.client.items(job))


def test_zombie_fence(queue):
    """A worker is frozen for longer than its lease and wakes up: the other's work stands."""
    queue.dispatcher()
    queue.worker("prepare", "merge", "alone")
    frozen = queue.worker("gpu")
    queue.obey("slow", "3")
    job = queue.submit("only")
    until(lambda: len(queue.readings()) == 1, 60)
    group = [*queue.children(frozen)]
    for one in group:
        one.suspend()
    os.kill(frozen.pid, signal.SIGSTOP)
    queue.obey("slow", "0")
    queue.wait(job, seconds=60)
    (before,) = queue.reads(job)
    for one in group:
        one.resume()
    os.kill(frozen.pid, signal.SIGCONT)
    time.sleep(4)
    (after,) = queue.reads(job)
    assert after == before and after.crashes == 1
    assert len(queue.readings()) == 2
    check_whole(queue, job, ["only"])


def test_poison(queue):
    """A page that kills its process every time is given up alone; its neighbours and the other documents are read."""
    queue.dispatcher()
    queue.worker(slots=2)
    queue.obey("kill-3")
    job = queue.submit(*PAGES)
    other = queue.submit("one", "two")
    queue.wait(job, other, seconds=90)
    found = queue.client.result(job)
    assert found.status == "review"
    lost = [item for item in queue.reads(job) if item.state == "quarantined"]
    assert [(item.page, item.crashes, item.error_code) for item in lost] == [(3, 3, "crash")]
    assert queue.client.job(job).lost == 1
    assert all(item.crashes <= 1 for item in queue.reads(job) if item.page != 3)
    assert [word for word in found.data["pages"] if word] == [word for word in PAGES if word != "w3"]
    assert any(issue.page == 3 for issue in found.issues), found.issues
    check_whole(queue, other, ["one", "two"])
    (queue.plugins / "kill-3").unlink()
    assert queue.client.retry(job) == 1
    queue.wait(job)
    assert queue.client.result(job).data["pages"] == PAGES


def test_busy_waits_and_takes_no_slot(queue):
    """An engine that cannot take more is asked again later; the time is the ledger's to keep, no process sleeps."""
    queue.dispatcher()
    queue.worker(slots=1)
    queue.obey("busy-2", "3")
    job = queue.submit(*PAGES)
    queue.wait(job, seconds=60)
    check_whole(queue, job)
    (page,) = [item for item in queue.reads(job) if item.page == 2]
    assert (page.transients, page.crashes) == (3, 0)
    order = [line.split()[-1] for line in queue.readings()]
    assert order.index("6") < len(order) - 1 - order[::-1].index("2"), "the others were read meanwhile"


def test_forged_hint(queue):
    """Nonsense in the queue: dropped, and nothing happens."""
    from docpipe.settings import Settings
    from workers.app import make_app

    queue.dispatcher()
    queue.worker(slots=1)
    app = make_app(Settings(broker=queue.redis.url))
    job = queue.submit(*PAGES[:2])
    for parts in (
        (),
        ("../../etc", "words", 1, 1),
        ("0" * 32, "words", 1, 1),
        (job, "merge", 0, 1),
        (job, "words", 1, 99),
        ({"a": 1},) * 4,
    ):
        app.send_task("docpipe.work", parts, queue="docpipe.merge")
    queue.redis.client().lpush("docpipe:docpipe.merge", json.dumps({"body": "bm9uc2Vuc2U=", "headers": {}, "properties": {}}))
    queue.wait(job, seconds=60)
    check_whole(queue, job, PAGES[:2])
    app.close()


def test_a_claim_that_was_lost_settles_nothing(queue):
    """What a test can do by hand: settle with a fence that is not one's own."""
    job = queue.submit("x")
    (sent,) = dispatch(queue.ledger, slots={"prepare": 1})
    item = claim(queue.ledger, sent.hint, owner="me")
    assert item is not None
    assert not settle(queue.ledger, item.model_copy(update={"fence": item.fence + 1}), StoredWork(artifact="x"))
    assert claim(queue.ledger, Hint(job, "prepare", 0, item.fence), owner="you") is None
    assert LEASE_S < 10
