"""The queue under seeded fire, and that what judges it sees what is wrong."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from chaos_check import Heard, Sown, violations
from faces import ROOT
from ledgers import SLOTS
from queues import Queue

from docpipe.allowed import Allowed
from docpipe.ledger import Ledger, dispatch, forget
from docpipe.ledger.tables import job, work
from docpipe.steps import Steps

WORDS = ("w1", "w2", "w3")
Damage = Callable[[Ledger, str], object]


@pytest.mark.crash
@pytest.mark.queue
def test_a_queue_under_fire_ends_every_job_once():
    chaos = [sys.executable, ROOT / "tests" / "chaos.py", "--seconds", "45", "--seed", "1"]
    ran = subprocess.run(chaos, capture_output=True, text=True, timeout=420)
    sys.stdout.write(ran.stdout + ran.stderr)
    assert ran.returncode == 0
    assert "\nviolations 0\n" in ran.stdout
    for shot in ("deploy", "freeze", "kill child", "kill dispatcher", "kill group", "kill redis"):
        assert f" {shot} " in ran.stdout


@pytest.fixture
def queue(tmp_path, redis_server) -> Iterator[Queue]:
    made = Queue(tmp_path, redis_server, f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    yield made
    made.close()


def read(queue: Queue, *words: str) -> Sown:
    """A job that is done, by this process."""
    sown = Sown(queue.submit(*words), words)
    steps = Steps(queue.ledger, queue.store, allowed=Allowed(folder=queue.plugins))
    while sent := dispatch(queue.ledger, slots=SLOTS):
        for one in sent:
            assert steps.do(one.hint, owner="me") is not None
    return sown


def tell(what: str) -> Damage:
    def damage(ledger: Ledger, name: str) -> None:
        with ledger.write() as tx:
            tx.tell(name, what)

    return damage


def write(table: sa.Table, *where: sa.ColumnElement[bool], **values: object) -> Damage:
    def damage(ledger: Ledger, name: str) -> None:
        mine = (table.c.id if table is job else table.c.job) == name
        with ledger.write() as tx:
            assert tx.run(table.update().where(mine, *where).values(**values)).rowcount == 1

    return damage


DAMAGES: dict[str, tuple[Damage, str]] = {
    "lost": (forget, "the ledger does not know it"),
    "concluded twice": (tell("concluded"), "concluded 2 times, not 1"),
    "done twice": (tell("done"), "done 2 times, not 1"),
    "unfinished": (write(job, state="merging"), "has not ended: merging"),
    "cancelled": (write(job, state="cancelled"), "ended as cancelled"),
    "no outcome": (write(job, result=None), "with result None and error None"),
    "wrong count": (write(job, unfinished=1), "counts 1 unfinished items and has 0"),
    "wrong pages": (write(job, pages=4), "counts 4 pages and has 3"),
    "left over": (write(work, work.c.kind == "read", work.c.page == 2, state="pending"), "counts 0 unfinished items and has 1"),
    "merged out of turn": (write(work, work.c.kind == "merge", work.c.idx == 1, round=0), "merged [(0, 'done'), (0, 'done')] in 2 rounds"),
    "innocent": (
        write(work, work.c.kind == "read", work.c.page == 2, state="quarantined", crashes=3),
        "innocent read 100002 is quarantined",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_ledger_is_found(queue, name):
    other, sown = read(queue, "x1"), read(queue, *WORDS)
    assert violations(queue.ledger, queue.client, [other, sown]) == []
    damage, said = DAMAGES[name]
    damage(queue.ledger, sown.job)
    found = violations(queue.ledger, queue.client, [other, sown])
    assert found and all(line.startswith(sown.job) for line in found)
    assert any(said in line for line in found), found


def test_a_job_that_nobody_works_on_is_found(queue):
    sown = Sown(queue.submit(*WORDS), WORDS)
    assert violations(queue.ledger, queue.client, [sown]) == [f"{sown.job}: has not ended: preparing, prepare 0 pending"]
    assert violations(queue.ledger, queue.client, []) == [f"{sown.job}: in the ledger, and nobody submitted it"]


def test_a_poison_page_that_was_read_and_a_word_that_was_not_are_found(queue):
    job = read(queue, *WORDS).job
    found = violations(queue.ledger, queue.client, [Sown(job, ("w1", "POISON", "w3"))])
    assert f"{job}: poison page 2 was not given up" in found
    assert any("reads ['w1', 'w2', 'w3'] off" in line for line in found), found


@pytest.mark.parametrize("times", [0, 2])
def test_a_webhook_that_was_not_acted_on_once_is_found(queue, times):
    job = read(queue, *WORDS).job
    heard = [Heard(id="e", job=job, status="accepted")] * times
    found = violations(queue.ledger, queue.client, [Sown(job, WORDS, webhook=True)], heard)
    assert any(f"acted {times} times" in line and "not 1 times" in line for line in found), found
