"""The ledger's statements one by one, on both databases: submitting, fairness, quotas, waiting, giving up, retrying, migrating."""

import subprocess
import sys
import threading
import time

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from ledgers import SLOTS, WEBHOOK, drain, outcome, send, spec, step

from docpipe.errors import ConflictError, LedgerError, MismatchError, NotFoundError, QuotaError, SettingsError, UsageError
from docpipe.ledger import (
    Hint,
    Ledger,
    Quota,
    Stored,
    Terms,
    cancel,
    claim,
    crashed,
    dispatch,
    events,
    forget,
    forget_sent,
    give_up,
    given_up,
    is_alive,
    items,
    new_job_id,
    open_ledger,
    read_hint,
    release,
    renew,
    retry,
    say_alive,
    say_goodbye,
    settle,
    submit,
    sweep,
    view,
    views,
    wake,
)
from docpipe.ledger.claim import MOST_SECONDS
from docpipe.ledger.phases import enter
from docpipe.ledger.schema import HEAD, upgrade, version
from docpipe.ledger.tables import metadata

pytestmark = pytest.mark.queue


def begin(ledger: Ledger, kind: str, **wishes):
    """Claim the first item of this kind that is handed out."""
    sent = next(one for one in dispatch(ledger, slots=SLOTS, **wishes) if one.hint.kind == kind)
    item = claim(ledger, sent.hint, owner="worker")
    assert item is not None
    return item


def opened(ledger: Ledger, pages: int, **wishes) -> str:
    """A job whose document was opened; its pages are pending."""
    job = send(ledger, **wishes)
    item = begin(ledger, "prepare")
    assert settle(ledger, item, outcome(pages)(item))
    return job


def test_a_job_goes_its_way(ledger):
    job = send(ledger, webhook=WEBHOOK)
    kinds = [item.kind for item in drain(ledger, outcome(3))]
    assert kinds == ["prepare", "words", "words", "words", "merge", "deliver"]
    found = view(ledger, job)
    assert (found.state, found.status, found.pages, found.done, found.lost) == ("done", "review", 3, 3, 0)
    assert (found.result, found.result_sha256, found.error_code) == ("result.json", "2" * 64, None)
    told = [(event.type, event.page) for event in events(ledger, job)]
    assert told == [("submitted", None), ("words", 1), ("words", 2), ("words", 3), ("concluded", None), ("delivered", None), ("done", None)]
    assert events(ledger, job, after=events(ledger, job)[-2].seq)[0].type == "done"


def test_a_document_without_pages_is_merged_at_once(ledger):
    job = send(ledger)
    assert [item.kind for item in drain(ledger, outcome(0))] == ["prepare", "merge"]
    assert view(ledger, job).state == "done"


def test_the_same_key_is_the_same_job_and_never_another_document(ledger):
    first = send(ledger, key="order 7")
    assert send(ledger, key="order 7") == first
    assert send(ledger, key="order 7", tenant="bolt") != first
    with pytest.raises(ConflictError):
        submit(ledger, spec("b.pdf"), job=new_job_id(), tenant="acme", key="order 7")
    by_content = submit(ledger, spec(), job=new_job_id(), tenant="acme")
    assert submit(ledger, spec(), job=new_job_id(), tenant="acme") == by_content
    assert submit(ledger, spec(webhook=WEBHOOK), job=new_job_id(), tenant="acme") != by_content
    assert len(views(ledger)) == 4


def test_many_submit_the_same_at_once(ledger_url):
    open_ledger(ledger_url).close()
    ledger, found, start = Ledger(ledger_url), [], threading.Barrier(8)

    def one():
        start.wait()
        found.append(send(ledger, key="the same"))

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1
    assert [item.kind for item in items(ledger, found[0])] == ["prepare"]
    ledger.close()


def test_a_full_backlog_refuses_and_says_when_to_come_back(ledger):
    quota = Quota(tenant_jobs=2, jobs=3)
    for _ in range(2):
        send(ledger, quota=quota)
    with pytest.raises(QuotaError, match="tenant acme has 2 unfinished jobs") as refused:
        send(ledger, quota=quota)
    assert refused.value.retryable and "later" in refused.value.hint
    send(ledger, tenant="bolt", quota=quota)
    with pytest.raises(QuotaError, match="there are 3"):
        send(ledger, tenant="core", quota=quota)
    cancel(ledger, views(ledger, tenant="acme")[0].id)
    send(ledger, tenant="core", quota=quota)


@pytest.mark.parametrize("name", ["", "../up", "a/b", "x" * 65, ".hidden", "é"])
def test_a_tenant_has_a_plain_name(ledger, name):
    with pytest.raises(UsageError, match="cannot be a tenant"):
        send(ledger, tenant=name)


def test_tenants_take_turns_and_so_do_jobs(ledger):
    big = opened(ledger, 40)
    other = opened(ledger, 40)
    small = opened(ledger, 1, tenant="bolt")
    forget_sent(ledger)
    sent = [one.hint.job for one in dispatch(ledger, slots={"prepare": 4})]
    assert len(sent) == 8 and sent.index(small) <= 1
    assert sorted((sent.count(big), sent.count(other))) == [3, 4]
    pages = [item.page for item in items(ledger, big, states=["enqueued"])]
    assert pages == list(range(1, sent.count(big) + 1)), "in a job, its pages in order"


def test_no_more_is_handed_out_than_the_lane_takes(ledger):
    opened(ledger, 40)
    assert len(dispatch(ledger, slots={"prepare": 3})) == 6
    assert dispatch(ledger, slots={"prepare": 3}) == []
    assert dispatch(ledger, slots={"gpu": 3}) == []
    assert dispatch(ledger, slots={"prepare": 5}, closed=frozenset({"prepare"})) == []


def test_slots_are_those_of_the_live_workers(ledger, clock):
    opened(ledger, 40)
    assert dispatch(ledger) == [], "nobody is there"
    say_alive(ledger, "one", lanes=["prepare", "merge"], slots=2, version="1")
    say_alive(ledger, "one", lanes=["prepare", "merge"], slots=3, version="1")
    assert len(dispatch(ledger)) == 6
    say_alive(ledger, "two", lanes=["prepare"], slots=1, version="1")
    assert len(dispatch(ledger)) == 2
    say_goodbye(ledger, "two")
    clock[0] += 31
    say_alive(ledger, "three", lanes=["prepare"], slots=5, version="1")
    assert len(dispatch(ledger)) == 2, "the first has not been heard of"


def test_what_has_to_wait_waits_and_takes_no_slot(ledger, clock):
    job = opened(ledger, 1)
    item = begin(ledger, "words")
    assert release(ledger, item, delay=30.0, code="rate")
    assert not settle(ledger, item, Stored(artifact="late")), "it is no longer held"
    clock[0] += 29
    assert dispatch(ledger, slots=SLOTS) == []
    clock[0] += 2
    (again,) = [one.hint for one in dispatch(ledger, slots=SLOTS)]
    assert (again.job, again.fence) == (job, item.fence + 1)


def test_who_is_woken_waits_no_longer(ledger, clock):
    job = opened(ledger, 2)
    for sent in dispatch(ledger, slots=SLOTS):
        item = claim(ledger, sent.hint, owner="worker")
        assert release(ledger, item, delay=3600.0, code="rate" if item.idx == 2 else "busy", counts=False)
    assert dispatch(ledger, slots=SLOTS) == [] and wake(ledger, [], code="busy") == 0
    assert wake(ledger, [job], code="busy") == 1 and wake(ledger, [job], code="busy") == 0
    assert [(one.hint.job, one.hint.idx) for one in dispatch(ledger, slots=SLOTS)] == [(job, 1)], "and no other"


def test_what_waits_too_often_is_given_up(ledger):
    job = opened(ledger, 1)
    for _ in range(3):
        assert release(ledger, begin(ledger, "words"), code="rate", message="slow down", terms=Terms(transients=3))
    (item,) = items(ledger, job, kinds=["words"])
    assert (item.state, item.error_code, item.error) == ("quarantined", "rate", "slow down")


def test_waiting_for_what_is_busy_is_no_try_however_often(ledger):
    """A page that a rate limit or an open circuit kept waiting is not given up for the first error that it then meets."""
    terms, job = Terms(transients=3), opened(ledger, 1)
    for code, counts in [*[("busy", False)] * 30, ("outbound", True), *[("busy", False)] * 5, ("outbound", True)]:
        assert release(ledger, begin(ledger, "words"), code=code, terms=terms, counts=counts)
    (item,) = items(ledger, job, kinds=["words"])
    assert (item.state, item.transients) == ("pending", 37)
    assert release(ledger, begin(ledger, "words"), code="outbound", terms=terms)
    assert items(ledger, job, kinds=["words"])[0].state == "quarantined", "the third try that counts"


def test_a_page_that_kills_its_process_is_tried_alone_and_then_given_up(ledger):
    job = opened(ledger, 2)
    first = begin(ledger, "words")
    assert crashed(ledger, first.hint, reason="died")
    assert not crashed(ledger, first.hint, reason="told twice")
    for _ in range(2):
        sent = next(one for one in dispatch(ledger, slots=SLOTS) if one.hint[:3] == first.hint[:3])
        assert sent.lane == "alone"
        assert claim(ledger, sent.hint, owner="alone") and crashed(ledger, sent.hint, reason="died")
    assert [(owner, item.page, item.error_code, item.crashes) for owner, item in given_up(ledger)] == [(job, first.page, "crash", 3)]
    forget_sent(ledger)
    drain(ledger, outcome(2))
    found = view(ledger, job)
    assert (found.state, found.status, found.done, found.lost) == ("done", "review", 1, 1)


def test_an_error_in_preparing_is_a_named_failure_that_is_delivered(ledger):
    job = send(ledger, webhook=WEBHOOK)
    assert give_up(ledger, begin(ledger, "prepare").hint, code="damaged", message="cannot be opened")
    assert view(ledger, job).state == "delivering"
    drain(ledger, outcome(1))
    found = view(ledger, job)
    assert (found.state, found.status, found.error_code, found.error) == ("done", "failed", "damaged", "cannot be opened")


def test_a_dead_delivery_leaves_the_result_and_can_be_sent_again(ledger):
    job = send(ledger, webhook=WEBHOOK)
    while not [one for one in items(ledger, job, kinds=["deliver"])]:
        step(ledger, outcome(1))
    assert give_up(ledger, begin(ledger, "deliver").hint, code="dead", message="410")
    assert (view(ledger, job).state, view(ledger, job).status) == ("done", "review")
    assert given_up(ledger)[0][1].kind == "deliver"


def test_claims_are_kept_while_they_may_be_and_then_run_out(ledger, clock):
    opened(ledger, 1)
    item = begin(ledger, "words")
    for _ in range(int(MOST_SECONDS["words"] // 100)):
        clock[0] += 100
        assert renew(ledger, "worker") == {item.hint}
        assert renew(ledger, "somebody else") == set()
        assert sweep(ledger).claims == 0
    clock[0] += 121
    assert renew(ledger, "worker") == set(), "it has run for too long"
    assert sweep(ledger).claims == 1
    assert not settle(ledger, item, Stored(artifact="late"))


def test_a_job_has_its_time(ledger, clock):
    job = send(ledger, seconds=60.0)
    item = begin(ledger, "prepare")
    clock[0] += 61
    assert sweep(ledger).jobs == 1
    assert sweep(ledger).jobs == 0
    assert (view(ledger, job).status, view(ledger, job).error_code) == ("failed", "deadline")
    assert not settle(ledger, item, outcome(1)(item))


def test_cancelling_stops_everything_once(ledger):
    job = opened(ledger, 3)
    item = begin(ledger, "words")
    assert cancel(ledger, job) and not cancel(ledger, job)
    assert not settle(ledger, item, Stored(artifact="late"))
    assert view(ledger, job).state == "cancelled" and dispatch(ledger, slots=SLOTS) == []


def test_cancelling_a_delivery_keeps_the_outcome(ledger):
    job = send(ledger, webhook=WEBHOOK)
    while view(ledger, job).state != "delivering":
        step(ledger, outcome(1))
    assert cancel(ledger, job)
    assert (view(ledger, job).state, view(ledger, job).status) == ("done", "review")
    assert dispatch(ledger, slots=SLOTS) == []


def test_retrying_reads_what_was_lost_and_merges_anew(ledger):
    job = opened(ledger, 3)
    with pytest.raises(UsageError, match="still at work"):
        retry(ledger, job)
    lost = begin(ledger, "words")
    give_up(ledger, lost.hint, code="engine", message="")
    forget_sent(ledger)
    drain(ledger, outcome(3))
    assert view(ledger, job).lost == 1
    assert retry(ledger, job) == 1
    assert view(ledger, job).status is None
    done = drain(ledger, outcome(3))
    assert [(item.kind, item.page) for item in done] == [("words", lost.page), ("merge", None)]
    assert done[0].fence > lost.fence, "who still holds the lost one can settle nothing"
    assert view(ledger, job).lost == 0
    assert retry(ledger, job, pages=[2]) == 1
    assert [(item.kind, item.page) for item in drain(ledger, outcome(3))] == [("words", 2), ("merge", None)]
    with pytest.raises(UsageError, match="no page 9"):
        retry(ledger, job, pages=[9])
    assert retry(ledger, job) == 0
    assert [item.kind for item in drain(ledger, outcome(3))] == ["merge"]


def test_retrying_what_could_not_be_opened_opens_it_again(ledger):
    job = send(ledger)
    first = begin(ledger, "prepare")
    give_up(ledger, first.hint, code="resource", message="disk full")
    assert retry(ledger, job) == 0
    assert [item.kind for item in drain(ledger, outcome(1))] == ["prepare", "words", "merge"]
    assert view(ledger, job).status == "review" and view(ledger, job).error_code is None


def test_forgetting_leaves_nothing(ledger):
    job = send(ledger)
    with pytest.raises(UsageError, match="still at work"):
        forget(ledger, job)
    drain(ledger, outcome(2))
    assert forget(ledger, job) == "source/a.pdf"
    with pytest.raises(NotFoundError):
        view(ledger, job)
    with ledger.read() as tx:
        for table in ("job", "work", "event"):
            assert tx.scalar(sa.select(sa.func.count()).select_from(metadata.tables[table])) == 0


def test_what_was_handed_out_is_taken_back_whatever_its_lease(ledger, clock):
    opened(ledger, 3)
    dispatch(ledger, slots=SLOTS)
    first = Hint(*_enqueued(ledger)[0])
    assert forget_sent(ledger, lanes=["gpu"]) == 0
    assert forget_sent(ledger, waited=10.0) == 0
    clock[0] += 11
    assert forget_sent(ledger, lanes=["prepare"], waited=10.0, only=[first]) == 1
    with ledger.write() as tx:  # as a version with a longer lease leaves it
        tx.run(metadata.tables["work"].update().where(metadata.tables["work"].c.state == "enqueued").values(lease_until=clock[0] + 10_000))
    assert forget_sent(ledger, waited=10.0) == 0
    assert forget_sent(ledger) == 2


def _enqueued(ledger):
    work = metadata.tables["work"]
    with ledger.read() as tx:
        return tx.all(sa.select(work.c.job, work.c.kind, work.c.idx, work.c.fence).where(work.c.state == "enqueued").order_by(work.c.idx))


def test_the_last_two_pages_end_at_once(ledger_url):
    open_ledger(ledger_url).close()
    ledger = Ledger(ledger_url)
    for _ in range(30):
        job = opened(ledger, 2)
        held = [claim(ledger, one.hint, owner="w") for one in dispatch(ledger, slots=SLOTS)]
        start, answers = threading.Barrier(2), []

        def end(item, start=start, answers=answers):
            start.wait()
            answers.append(settle(ledger, item, Stored(artifact="x")))

        threads = [threading.Thread(target=end, args=(item,)) for item in held]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [True, True]
        assert [item.idx for item in items(ledger, job, kinds=["merge"])] == [0]
        assert [item.kind for item in drain(ledger, outcome(2))] == ["merge"]
    ledger.close()


def test_two_dispatchers_hand_nothing_out_twice(ledger_url):
    open_ledger(ledger_url).close()
    ledger, sent = Ledger(ledger_url), []
    for _ in range(6):
        send(ledger)

    def hand_out():
        for _ in range(10):
            sent.extend(one.hint for one in dispatch(ledger, slots={"prepare": 4}))

    threads = [threading.Thread(target=hand_out) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent) == len(set(sent)) == 6
    ledger.close()


@pytest.mark.parametrize(
    "parts",
    [
        ("0" * 31, "words", 1, 1),
        ("g" * 32, "words", 1, 1),
        ("0" * 32, "shell", 1, 1),
        ("0" * 32, "words", -1, 1),
        ("0" * 32, "words", 1, 0),
        ("0" * 32, "words", True, 1),
        ("0" * 32, "words", "1", 1),
        ("0" * 32, "words", 1, 1, 1),
        (None, None, None, None),
        (),
    ],
)
def test_a_message_is_four_scalars(parts):
    with pytest.raises(UsageError, match="not a message"):
        read_hint(*parts)
    assert read_hint("0" * 32, "words", 1, 1) == Hint("0" * 32, "words", 1, 1)


def test_the_migrations_make_these_very_tables(ledger_url):
    ledger = open_ledger(ledger_url)
    assert version(ledger) == HEAD
    with ledger.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    ledger.close()
    open_ledger(ledger_url).close()


def test_jobs_of_an_older_docpipe_go_on(ledger_url):
    old = Ledger(ledger_url)
    upgrade(old, "0001")
    past = sa.MetaData()
    with old.write() as tx:
        past.reflect(tx.connection)
        row = {"id": "a" * 32, "tenant": "acme", "key": "k", "spec": spec().model_dump_json(), "spec_sha256": "0" * 64, "round": 0}
        state = {"state": "preparing", "unfinished": 0, "lane": "prepare", "served_at": 0.0, "created_at": 1.0}
        tx.run(past.tables["job"].insert().values(**row, **state))
        tx.run(past.tables["tenant"].insert().values(name="acme", served_at=0.0))
        enter(tx, "a" * 32, "preparing", kind="prepare", items={0: None}, lane="prepare", round=0)
    old.close()
    ledger = open_ledger(ledger_url)
    assert version(ledger) == HEAD
    (item, *_) = drain(ledger, outcome(1))
    assert item.traceparent is None and view(ledger, "a" * 32).state == "done"
    ledger.close()


def test_a_ledger_of_a_newer_docpipe_is_left_alone(ledger_url):
    ledger = open_ledger(ledger_url)
    with ledger.write() as tx:
        tx.run(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(MismatchError, match="newer docpipe"):
        open_ledger(ledger_url)
    assert version(ledger) == "9999"
    ledger.close()


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "sqlite"])
def test_a_url_that_is_none(url):
    with pytest.raises(SettingsError):
        Ledger(url)


def test_a_database_that_does_not_answer_is_said_to_be_so():
    with pytest.raises(LedgerError, match="does not answer") as problem, Ledger("postgresql+psycopg://u:secret@127.0.0.1:1/x").read():
        pass
    assert problem.value.retryable and "secret" not in str(problem.value)


def test_patience_outlasts_what_one_wait_does_not(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    book, patient, hurried = open_ledger(url), open_ledger(url, patience=30), open_ledger(url, patience=0.1)
    said = {"lanes": (), "slots": 1, "version": "1"}
    with book.write():
        waiting = threading.Thread(target=say_alive, args=(patient, "patient"), kwargs=said)
        waiting.start()
        with pytest.raises(LedgerError, match="locked"):
            say_alive(hurried, "hurried", **said)
        time.sleep(1)
    waiting.join(10)
    assert is_alive(book, "patient") and not is_alive(book, "hurried")
    for ledger in (book, patient, hurried):
        ledger.close()


FORK = """
import os, sys, threading
from docpipe.ledger import open_ledger, say_alive
book = open_ledger(sys.argv[1])
inside, go = threading.Event(), threading.Event()
def hold():
    with book.write():
        inside.set()
        go.wait(0.5)
threading.Thread(target=hold).start()
inside.wait()
child = os.fork()
if not child:
    say_alive(book, "child", lanes=[], slots=1, version="1")
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_child_forked_while_another_thread_writes_can_write(ledger_url):
    """SQLite's locks are in memory too: such a child would find the ledger locked for good."""
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", FORK, ledger_url], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
