"""What Prometheus is told: the truth, at a price that the past does not raise, and something also when ledger or broker do not answer."""

import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from faces import ROOT, environment
from ledgers import NOW, SLOTS, WEBHOOK, drain, outcome, send, step
from prometheus_client.parser import text_string_to_metric_families
from queues import Queue, until
from servers import free_port

from docpipe.errors import SettingsError
from docpipe.ledger import (
    Ledger,
    cancel,
    claim,
    crashed,
    dispatch,
    figures,
    forget_sent,
    give_up,
    new_job_id,
    open_ledger,
    release,
    say_alive,
)
from docpipe.ledger.figures import RECENT
from docpipe.ledger.tables import job as jobs
from docpipe.ledger.tables import work
from docpipe.settings import Settings, read_settings
from workers.app import make_app
from workers.broker import Broker
from workers.dispatcher import Dispatcher
from workers.metrics import PATIENCE, Metrics

pytestmark = pytest.mark.queue


def broker_at(url: str) -> Broker:
    return Broker(make_app(Settings(broker=url)), url=url, prefix="docpipe:")


def read(metrics: Metrics) -> dict[str, float]:
    """Sample by its name and labels' values, of those that are not 0."""
    found = {" ".join((sample.name, *sample.labels.values())): sample.value for family in metrics.collect() for sample in family.samples}
    return {name: value for name, value in found.items() if value}


def scrape(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {" ".join((one.name, *one.labels.values())): one.value for family in families for one in family.samples}


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_is_the_truth(ledger, clock, redis_server):
    done, dead = send(ledger), send(ledger, webhook=WEBHOOK)
    while step(ledger, outcome(2)):
        if figures(ledger).jobs == {"delivering": 1}:
            break
    (delivery,) = dispatch(ledger, slots=SLOTS)
    give_up(ledger, claim(ledger, delivery.hint, owner="w").hint, code="dead", message="gone")
    assert delivery.hint.job == dead != done
    cancel(ledger, send(ledger))
    say_alive(ledger, "w", lanes=["prepare", "merge"], slots=3, version="1")
    clock[0] += 100
    say_alive(ledger, "x", lanes=["prepare"], slots=2, version="1")  # the other has not been heard of for a while
    send(ledger), send(ledger)
    broker = broker_at(redis_server.url)
    (sent,) = dispatch(ledger, slots={"prepare": 1})[:1]
    list(broker.send([sent]))
    claim(ledger, sent.hint, owner="x")
    forget_sent(ledger)
    clock[0] += 7
    metrics = Metrics(ledger, broker, Dispatcher(ledger, broker))
    expected = {
        "docpipe_up ledger": 1,
        "docpipe_up broker": 1,
        "docpipe_items prepare running": 1,
        "docpipe_items prepare pending": 1,
        "docpipe_items deliver quarantined": 1,
        "docpipe_jobs preparing": 2,
        "docpipe_oldest_due_seconds prepare": 7,
        "docpipe_slots prepare": 2,
        "docpipe_given_up deliver dead": 1,
        "docpipe_jobs_ended_10m review": 2,
        "docpipe_jobs_ended_10m cancelled": 1,
        "docpipe_messages_waiting prepare": 1,
    }
    assert read(metrics) == expected
    clock[0] += RECENT
    ended = {name for name in read(metrics) if name.startswith("docpipe_jobs_ended")}
    assert not ended, "long ago"


def test_the_documentation_names_each_and_no_other(ledger, redis_server):
    broker = broker_at(redis_server.url)
    families = list(Metrics(ledger, broker, Dispatcher(ledger, broker)).collect())
    told = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    written = (ROOT / "docs" / "operations.md").read_text()
    assert told == set(re.findall(r"^\| `(docpipe_\w+)` \| (?:gauge|counter) ", written, re.MULTILINE))
    assert set(re.findall(r"\bdocpipe_\w+", written)) <= told


def test_an_item_that_waits_for_its_time_is_not_due_and_one_that_crashed_waits_alone(ledger, clock):
    send(ledger), send(ledger)
    first, second = (claim(ledger, one.hint, owner="w") for one in dispatch(ledger, slots=SLOTS))
    release(ledger, first, delay=60.0, code="busy")
    crashed(ledger, second.hint, reason="killed")
    clock[0] += 5
    assert {lane: seconds for lane, seconds in figures(ledger).waited.items() if seconds} == {"alone": 5.0}
    clock[0] += 60
    assert {lane: seconds for lane, seconds in figures(ledger).waited.items() if seconds} == {"prepare": 5.0, "alone": 65.0}


def multiply(ledger: Ledger, job: str, times: int) -> None:
    """The job and all that was done for it, so many times more."""
    names = [new_job_id() for _ in range(times)]
    with ledger.write() as tx:
        (row,) = tx.all(jobs.select().where(jobs.c.id == job))
        tx.run(jobs.insert(), [{**row._asdict(), "id": name, "key": name} for name in names])
        rows = tx.all(work.select().where(work.c.job == job))
        tx.run(work.insert(), [{**row._asdict(), "job": name} for row in rows for name in names])


def steps_of(ledger: Ledger, ask: Callable[[], object]) -> int:
    """What it costs in steps of SQLite's machine."""
    count = [0]
    with ledger.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(lambda: count.__setitem__(0, count[0] + 1), 1)
    ask()
    driver.set_progress_handler(None, 1)
    return count[0]


def test_the_past_costs_nothing(tmp_path):
    clock = [NOW]
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    open_ledger(url).close()
    ledger = Ledger(url, clock=lambda: clock[0])
    past = send(ledger)
    drain(ledger, outcome(3))
    clock[0] += 2 * RECENT
    send(ledger)
    few = steps_of(ledger, lambda: figures(ledger))
    multiply(ledger, past, 2000)
    many = steps_of(ledger, lambda: figures(ledger))
    assert figures(ledger).items == {("prepare", "pending"): 1}
    ledger.close()
    assert 0 < many <= 1.1 * few, (few, many)


@pytest.mark.parametrize("silent", ["ledger", "broker", "both"])
def test_a_part_that_does_not_answer_is_said_to_be_so_in_time(tmp_path, redis_server, silent):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        place = f"127.0.0.1:{nobody.getsockname()[1]}"
        broker = broker_at(redis_server.url if silent == "ledger" else f"redis://{place}/0")
        url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
        open_ledger(url).close()
        ledger = Ledger(url if silent == "broker" else f"postgresql+psycopg://docpipe@{place}/docpipe")
        metrics = Metrics(ledger, broker, Dispatcher(ledger, broker))
        threads, begin = threading.active_count(), time.monotonic()
        found, again = read(metrics), read(metrics)
        assert time.monotonic() - begin < 2 * PATIENCE + 2
        assert found.keys() == again.keys()
        up = {part for part in ("ledger", "broker") if f"docpipe_up {part}" in found}
        assert up == {"ledger", "broker"} - ({"ledger", "broker"} if silent == "both" else {silent})
        assert threading.active_count() - threads <= 2, "two scrapes ask each part once"
    ledger.close()


def test_a_dispatcher_serves_them(tmp_path, redis_server):
    port = free_port()
    queue = Queue(tmp_path, redis_server, f"sqlite:///{tmp_path / 'ledger.sqlite'}", DOCPIPE_METRICS=f"127.0.0.1:{port}")
    try:
        dispatcher = queue.dispatcher()
        until(lambda: listens(port), 30, process=dispatcher, log=queue.log(dispatcher))
        queue.submit("one")
        until(lambda: scrape(port)["docpipe_broker_memories_lost_total"] == 1, 10)
        found = scrape(port)
        assert (found["docpipe_jobs preparing"], found["docpipe_slots prepare"], found["docpipe_up broker"]) == (1, 0, 1)
        queue.redis.client().flushall()
        until(lambda: scrape(port)["docpipe_broker_memories_lost_total"] == 2, 10)
        queue.redis.pause()
        begin = time.monotonic()
        found = scrape(port)
        assert time.monotonic() - begin < PATIENCE + 3
        assert (found["docpipe_up broker"], found["docpipe_jobs preparing"]) == (0, 1)
        assert "docpipe_messages_held" not in found
        queue.redis.resume()
        until(lambda: scrape(port)["docpipe_up broker"] == 1, 20)
        second = subprocess.run(
            [sys.executable, "-m", "workers", "dispatcher"], capture_output=True, text=True, timeout=60, env=environment(**queue.settings)
        )
        assert second.returncode == 2 and f"DOCPIPE_METRICS: 127.0.0.1:{port}" in second.stderr
    finally:
        queue.redis.resume()
        queue.close()


@pytest.mark.parametrize("address", ["9464", "localhost", "localhost:port", "a b:1"])
def test_an_address_has_a_host_and_a_port(address, monkeypatch):
    monkeypatch.setenv("DOCPIPE_METRICS", address)
    with pytest.raises(SettingsError, match="DOCPIPE_METRICS"):
        read_settings()
