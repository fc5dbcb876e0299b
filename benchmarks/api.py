"""A model behind a server, asked by the queue on this machine: a limit of 5 requests a second, a server that is away for a minute, and what
200 pages at a time cost. The servers are the tests' own, on loopback.

    python benchmarks/api.py storm|outage|many
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import psutil
from limited import Limited
from queues import Queue, until
from servers import RedisServer
from test_api_queue import WISH, WORKERS, start, tries
from test_vlm import PRINT, draw, said
from test_vlm_queue import TOTALS

from docpipe.ledger import counts


@contextmanager
def running(server: Limited, **api: str) -> Iterator[tuple[Queue, Path]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "redis").mkdir()
        redis = RedisServer(folder / "redis")
        redis.start()
        queue = start(folder, redis, server, **api)
        try:
            yield queue, folder
        finally:
            queue.close()
            redis.stop()
            server.stop()


def storm(pages: int = 150) -> None:
    for known in ({"REQUESTS": "300"}, {}):
        server = Limited(said(TOTALS), per_second=5)
        with running(server, **known) as (queue, folder):
            worker = queue.worker("api", pool="threads", slots=WORKERS)
            job = queue.client.submit(draw(folder / "slips.pdf", *[PRINT] * pages), WISH)
            queue.wait(job, seconds=400)
            held = sorted(seconds for seconds, why in tries(queue.log(worker)) if why == "busy")
            failed = sum(read.state != "done" for read in queue.reads(job))
            print(
                f"{'limit set' if known else 'limit not set'}: {server.rate() / 5:.0%} of the rate, {server.refused} times 429, "
                f"{failed} of {pages} pages failed; a refused page held its slot {statistics.median(held) * 1000:.0f} ms "
                f"(95 %: {held[int(0.95 * len(held))] * 1000:.0f}), {len(held)} times"
            )


def outage(pages: int = 200, seconds: float = 60.0) -> None:
    server = Limited(said(TOTALS), per_second=20)
    with running(server) as (queue, folder):
        worker = queue.worker("api", pool="threads", slots=WORKERS)
        job = queue.client.submit(draw(folder / "slips.pdf", *[PRINT] * pages), WISH)
        until(lambda: len(server.answered) >= pages // 4, 120)
        server.stop()
        away, before = time.monotonic(), len(tries(queue.log(worker)))
        time.sleep(seconds)
        during = len(tries(queue.log(worker))) - before
        server.start()
        back = time.monotonic()
        queue.wait(job, seconds=400)
        states = [read.state for read in queue.reads(job)]
        first = min(at for at in server.answered if at > back) - back
        print(
            f"away for {back - away:.0f} s: {during} tries meanwhile, answered again {first:.1f} s after it was back, "
            f"{states.count('done')} of {pages} read, {sum(state == 'quarantined' for _, state in counts(queue.ledger))} given up, "
            f"done {time.monotonic() - back:.0f} s after it was back"
        )


def many(slots: int = 200, pages: int = 1000, takes: float = 30.0) -> None:
    server = Limited(said(TOTALS), per_second=100_000, takes=takes)
    with running(server) as (queue, folder):
        job = queue.client.submit(draw(folder / "slips.pdf", *[PRINT] * pages), WISH)
        until(lambda: queue.client.job(job).state == "reading", 400)
        queue.settings["DOCPIPE_MODEL__SECONDS"] = str(4 * takes)
        worker = psutil.Process(queue.worker("api", pool="threads", slots=slots).pid)
        until(lambda: len(server.answered) >= slots // 2, 200)
        begin, cpu, done, sizes = time.monotonic(), sum(worker.cpu_times()[:2]), len(server.answered), []
        while len(server.answered) < pages and time.monotonic() - begin < 600:
            sizes.append(worker.memory_info().rss / 1e6)
            time.sleep(0.5)
        cpu, done = sum(worker.cpu_times()[:2]) - cpu, len(server.answered) - done
        print(
            f"{slots} slots, {takes:.0f} s a page: {done / (time.monotonic() - begin):.1f} pages/s, at most {server.most} at a time, "
            f"{cpu / done * 1000:.0f} ms CPU a page in the worker; memory {sizes[0]:.0f} MB at first, {max(sizes):.0f} at the most"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("storm", "outage", "many"))
    {"storm": storm, "outage": outage, "many": many}[parser.parse_args().what]()
