"""What the queue costs: CPU per page of the ledger beside plain Celery, how it grows with the backlog, and what it keeps in Redis.

    python benchmarks/ledger.py --ledger sqlite:///LEDGER.sqlite --redis redis://127.0.0.1:PORT/0 [--pages 2000] [--jobs 10000]

The pages do nothing, so that all that is measured is the queue. Celery is measured with the same app and broker: a message published, taken
and acknowledged. Needs an empty ledger and an empty Redis, which it fills.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable

from docpipe.ledger import (
    JobSpec,
    Ledger,
    Merged,
    Opened,
    Stored,
    claim,
    dispatch,
    new_job_id,
    open_ledger,
    say_alive,
    settle,
    submit,
    view,
)
from docpipe.records import Document, SchemaRef
from docpipe.settings import Settings

SLOTS = {"prepare": 16, "merge": 4}
OWNER = "benchmark"
NOOP = """
from docpipe.settings import Settings
from workers.app import make_app

app = make_app(Settings(broker={url!r}))
app.conf.include = []


@app.task(name="benchmark.noop")
def noop():
    pass


app.worker_main(["worker", "-P", "prefork", "-c", "1", "-Q", "docpipe.merge", "-l", "ERROR", "--without-gossip", "--without-mingle"])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ledger", required=True)
    parser.add_argument("--redis", required=True)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=10_000)
    options = parser.parse_args()
    ledger = open_ledger(options.ledger)
    page = measured(lambda: read_pages(ledger, options.pages)) / options.pages
    print(
        f"ledger, one document of {options.pages} pages: {1e3 * page:.2f} ms CPU per page (handed out, claimed, settled, merged at the end)"
    )
    print(
        f"plain Celery, no-op: {1e3 * plain_celery(options.redis, options.pages):.2f} ms CPU per message (published, taken, acknowledged)"
    )
    grow(ledger, options.jobs)
    wait_in_redis(ledger, options.redis)


def measured(work: Callable[[], object]) -> float:
    """CPU seconds of this process."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def put(ledger: Ledger, number: int, tenant: str = "acme") -> str:
    document = Document(name=f"{number}.pdf", sha256="0" * 64, media_type="application/pdf")
    spec = JobSpec(key="k", source="source", document=document, schema_ref=SchemaRef(name="invoice", sha256="1" * 64))
    job = new_job_id()
    return submit(ledger, spec, job=job, tenant=tenant, key=job)


def work_off(ledger: Ledger, pages: int) -> int:
    """Do all that is due; every document has so many pages."""
    done = 0
    while sent := dispatch(ledger, slots=SLOTS):
        for one in sent:
            item = claim(ledger, one.hint, owner=OWNER)
            if item is None:
                continue
            answers = {"prepare": Opened(document_pages=pages, pages=tuple(range(1, pages + 1))), "words": Stored(artifact="x")}
            settle(ledger, item, answers.get(item.kind, Merged(result="r", sha256="0" * 64, status="review")))
            done += 1
    return done


def read_pages(ledger: Ledger, pages: int) -> None:
    job = put(ledger, 0)
    work_off(ledger, pages)
    if view(ledger, job).state != "done":
        raise SystemExit("the job did not end")


def plain_celery(url: str, count: int) -> float:
    """CPU seconds per no-op message: of the publisher, and of a worker with one process that takes them all."""
    from celery import group

    from workers.app import make_app

    app = make_app(Settings(broker=url))
    noop = app.signature("benchmark.noop", queue="docpipe.merge", args=())
    publish = measured(lambda: group([noop.clone() for _ in range(count)]).apply_async())
    script = NOOP.format(url=url)
    import redis

    client = redis.Redis.from_url(url)
    idle = _worker(script, until=lambda begin: time.monotonic() - begin > 5)
    busy = _worker(script, until=lambda _: not client.llen("docpipe:docpipe.merge") and not client.hlen("docpipe:unacked"))
    return (publish + max(0.0, busy - idle)) / count


def _worker(script: str, *, until: Callable[[float], bool]) -> float:
    """CPU seconds of a worker that runs for 5 seconds, or until the queue is empty."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process, begin = subprocess.Popen([sys.executable, "-c", script]), time.monotonic()
    while not until(begin) and time.monotonic() - begin < 120:
        time.sleep(0.1)
    process.terminate()
    process.wait(60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def grow(ledger: Ledger, jobs: int) -> None:
    """The cost of one more job and one more hand-out as the backlog grows."""
    for tenth in range(1, 11):
        cost = measured(lambda: [put(ledger, number, f"t{number % 20}") for number in range(jobs // 10)]) / (jobs // 10)
        if tenth not in (1, 5, 10):
            continue
        hand_out = measured(lambda: dispatch(ledger, slots={"prepare": 4}))
        again = measured(lambda: [dispatch(ledger, slots={"prepare": 4}) for _ in range(20)]) / 20
        look = measured(lambda: [view(ledger, put(ledger, 0)) for _ in range(20)]) / 20
        print(
            f"{tenth * jobs // 10} waiting jobs: submit {1e3 * cost:.2f} ms, first hand-out {1e3 * hand_out:.1f} ms, "
            f"idle round {1e3 * again:.2f} ms, submit and status {1e3 * look:.2f} ms CPU"
        )


def wait_in_redis(ledger: Ledger, url: str) -> None:
    """Redis's memory while 100,000 pages wait and 16 slots are alive, none of which takes anything."""
    import redis

    from workers.app import make_app
    from workers.broker import Broker
    from workers.dispatcher import Dispatcher

    client = redis.Redis.from_url(url)
    client.flushall()
    for number in range(50):
        put(ledger, number, "big")
    say_alive(ledger, OWNER, lanes=["prepare"], slots=16, version="0")
    while any(claimed for claimed in _open_big(ledger)):
        pass
    before = client.info("memory")["used_memory"]
    dispatcher = Dispatcher(ledger, Broker(make_app(Settings(broker=url)), url=url, prefix="docpipe:"))
    for _ in range(50):
        dispatcher.round()
    waiting = client.llen("docpipe:docpipe.prepare")
    grown = (client.info("memory")["used_memory"] - before) / 1024
    print(f"Redis with 100,000 pages pending: {waiting} messages, {grown:.0f} KiB above empty")


def _open_big(ledger: Ledger) -> list[bool]:
    """Open documents of 2,000 pages each, those of the benchmark's big tenant only."""
    opened = []
    for one in dispatch(ledger, slots={"prepare": 64}):
        if one.hint.kind == "prepare" and (item := claim(ledger, one.hint, owner=OWNER)) and item.tenant == "big":
            opened.append(settle(ledger, item, Opened(document_pages=2000, pages=tuple(range(1, 2001)))))
    return opened


if __name__ == "__main__":
    main()
