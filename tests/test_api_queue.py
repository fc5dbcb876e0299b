"""A model behind a server, asked by the queue: more workers than the server allows requests, and a server that goes away."""

import json
import statistics
from datetime import datetime
from pathlib import Path

import pytest
from limited import Limited
from queues import Queue, until
from test_vlm import PRINT, draw, said
from test_vlm_queue import SLIP, TOTALS

from docpipe.backends._api.breaker import Fuse
from docpipe.records import ReadOptions
from docpipe.request import Request

pytestmark = [pytest.mark.api, pytest.mark.queue]
WORKERS = 16
WISH = Request(schema_name="slip.py:Slip", options=ReadOptions(engines=("vlm",), backend="openai_api", dpi=72))


def start(folder: Path, redis_server, server: Limited, **api: str) -> Queue:
    queue = Queue(
        folder,
        redis_server,
        f"sqlite:///{folder / 'ledger.sqlite'}",
        DOCPIPE_BACKEND="openai_api",
        DOCPIPE_MODEL__MODEL="m",
        DOCPIPE_MODEL__SECONDS="20",
        DOCPIPE_MODEL__API__URL=server.url,
        DOCPIPE_MODEL__API__LOGPROBS="false",
        **{f"DOCPIPE_MODEL__API__{name}": value for name, value in api.items()},
    )
    (queue.plugins / "slip.py").write_text(SLIP)
    queue.dispatcher()
    queue.worker("prepare", "merge", "alone", slots=2)
    return queue


def tries(log: Path) -> list[tuple[float, str]]:
    """Of each time that a slot held a page: the seconds, and `done`, or why it has to wait."""
    begun: dict[tuple, datetime] = {}
    found = []
    for line in log.read_text(errors="replace").splitlines():
        if not line.startswith("{") or "fence" not in (entry := json.loads(line)):
            continue
        item, at = (entry["job"], entry["index"], entry["fence"]), datetime.fromisoformat(entry["time"])
        if entry["message"] == "begin":
            begun[item] = at
        elif item in begun and (entry["message"] == "done" or "code" in entry):
            found.append(((at - begun.pop(item)).total_seconds(), entry.get("code", "done")))
    return found


@pytest.mark.parametrize("known", [{"REQUESTS": "300"}, {}], ids=["known", "unknown"])
def test_more_workers_than_the_server_allows_requests(known, tmp_path, redis_server):
    """Five requests a second for sixteen slots: every page is read, and nobody sleeps in a slot."""
    pages, server = 60, Limited(said(TOTALS), per_second=5)
    queue = start(tmp_path, redis_server, server, **known)
    try:
        worker = queue.worker("api", pool="threads", slots=WORKERS)
        job = queue.client.submit(draw(tmp_path / "slips.pdf", *[PRINT] * pages), WISH)
        queue.wait(job, seconds=150)
        assert {read.state for read in queue.reads(job)} == {"done"} and len(server.answered) == pages
        assert server.rate() >= 0.5 * 5, "how much of the rate is used is measured in benchmarks/api.py"
        held = [seconds for seconds, why in tries(queue.log(worker)) if why == "busy"]
        assert held and statistics.median(held) < 0.5, "who is refused leaves the slot at once"
        if known:
            assert server.refused <= pages / 2, "the server's own limit is met now and then, where a machine is slow to send"
    finally:
        queue.close()
        server.stop()


def test_a_server_that_goes_away_is_waited_for(tmp_path, redis_server):
    server = Limited(said(TOTALS), per_second=100)
    queue = start(tmp_path, redis_server, server)
    try:
        worker = queue.worker("api", pool="threads", slots=4)
        job = queue.client.submit(draw(tmp_path / "slips.pdf", *[PRINT] * 30), WISH)
        until(lambda: len(server.answered) >= 5, 60, about=lambda: queue.reads(job))
        server.stop()
        until(lambda: "lanes are closed" in queue.log(queue.started[0]).read_text(), 60, about=lambda: tries(queue.log(worker)))
        server.start()
        queue.wait(job, seconds=120)
        assert {read.state for read in queue.reads(job)} == {"done"} and len(server.answered) >= 30
        assert queue.client.job(job).status == "review", "a model alone is not enough, but every page was read"
        in_vain = [why for _, why in tries(queue.log(worker)) if why == "outbound"]
        assert Fuse().failures <= len(in_vain) <= 15, "the circuit opened, and then only what was on its way or tried it out was sent"
    finally:
        queue.close()
        server.stop()
