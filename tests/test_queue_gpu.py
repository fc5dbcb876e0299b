"""The worker that owns a model: a page that kills it, a call that never returns, memory that runs out, and the tiny Qwen models. Real
workers of threads, a real Redis, the real vlm engine and the real thread that owns the model."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from checkpoints import checkpoint
from faces import environment
from queues import Queue, text_pages, until

import docpipe
from docpipe.ledger import Item, claim, crashed, dispatch
from docpipe.records import ReadOptions
from docpipe.request import Request
from docpipe.steps import HUNG

pytestmark = [pytest.mark.crash, pytest.mark.queue, pytest.mark.vlm]
BATCH = 4
SECONDS = 1.0  # that an answer may take
GRACE = 1.0
PAGES = ["w1", "w2", "w3", "w4", "w5", "w6"]
POISONED = [*PAGES[:2], "POISON", *PAGES[3:]]
MODEL = f'''
"""A schema, and a model that copies a page's first word; POISON makes it do what the file `does` in this folder says: `die` or `hang`. With
the file `small` beside it, memory is enough for one question at a time."""
import json, os, re, signal, time
from pathlib import Path

from pydantic import BaseModel, Field

from docpipe.backends import Ability, Backend, Reply
from docpipe.backends._hf.engine import Engine
from docpipe.records import Usage

HERE = Path(__file__).parent


class Note(BaseModel):
    """A note."""

    words: list[str] = Field(default_factory=list, description="The first word of each page")


class Copier(Backend):
    name = "copier"
    ability = Ability(grade="document")

    def __init__(self, options):
        super().__init__(options)
        self._engine = Engine(
            lambda: self._answer,
            weigh=lambda question: len(question.text),
            batch=options.batch,
            window=options.window,
            seconds=options.seconds,
            hang=lambda: self.on_hang(),
            grace={GRACE},
        )

    def fit(self, width, height):
        return width, height

    def image_tokens(self, width, height):
        return 1

    def ask(self, question):
        return self._engine.ask(question)

    def _answer(self, questions):
        words = [re.search(r"<words>\\n(\\w+)", question.text)[1] for question in questions]
        with (HERE / "batches.log").open("a") as log:
            log.write(" ".join([str(os.getpid()), *words]) + "\\n")
        if "POISON" in words and (HERE / "does").read_text() == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if "POISON" in words and (HERE / "does").read_text() == "hang":
            time.sleep(600)
        if len(words) > 1 and (HERE / "small").exists():
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return [Reply(text=json.dumps({{"words": [word]}}), stop="end", model="copier", usage=Usage(calls=1)) for word in words]
'''
SLIP = '''
from typing import Literal

from pydantic import BaseModel, Field


class Slip(BaseModel):
    """A slip."""

    kind: Literal["slip", "letter", "poem"] | None = Field(None, description="What it is")
    paid: bool | None = Field(None, description="Whether it is paid")
    hand: Literal["written", "typed"] | None = Field(None, description="How it was written")
'''


class GpuQueue(Queue):
    """A queue whose lane `gpu` a worker of threads serves, enough for a full batch."""

    def __init__(self, folder: Path, redis, **settings: str) -> None:
        super().__init__(folder, redis, f"sqlite:///{folder / 'ledger.sqlite'}", **settings)
        (self.plugins / "copier.py").write_text(MODEL)
        (self.plugins / "slip.py").write_text(SLIP)

    def gpu(self) -> subprocess.Popen[bytes]:
        return self.worker("gpu", pool="threads", slots=BATCH)

    def batches(self) -> list[tuple[int, list[str]]]:
        """What the model was asked: the process, and the words of the pages."""
        log = self.plugins / "batches.log"
        lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        return [(int(process), words) for process, *words in lines]

    def give(self, words: list[str]) -> str:
        """A document of these pages, to be read by the model that copies."""
        options = ReadOptions(engines=("vlm",), backend="copier.py:Copier", hint=True)
        path = text_pages(self.folder / "note.pdf", words)
        return self.client.submit(path, Request(schema_name="copier.py:Note", options=options))


@pytest.fixture
def queue(tmp_path, redis_server):
    made = GpuQueue(
        tmp_path,
        redis_server,
        DOCPIPE_MODEL__BATCH=str(BATCH),
        DOCPIPE_MODEL__WINDOW="1",
        DOCPIPE_MODEL__SECONDS=str(SECONDS),
    )
    made.dispatcher()
    yield made
    made.close()


def check_hole(queue: GpuQueue, job: str) -> None:
    """The poisoned page is given up after three crashes, each of its neighbours is read, and at most once more than it had to be."""
    result, reads = queue.client.result(job), queue.reads(job)
    assert result.status == "review"
    assert result.data["words"] == [word for word in POISONED if word != "POISON"]
    assert [(item.page, item.crashes, item.error_code) for item in reads if item.state != "done"] == [(3, 3, "crash")]
    assert all(item.crashes <= 1 and item.transients == 0 for item in reads if item.page != 3), reads
    assert [issue.page for issue in result.issues if issue.code == "engine_failed"] == [3], result.issues


def of(reads: list[Item], words: list[str]) -> list[Item]:
    return [item for item in reads if POISONED[(item.page or 0) - 1] in words]


def test_poison_in_a_batch(queue):
    """A page kills the process that owns the model, with the rest of its batch: each is read again alone, and only the page is given up."""
    queue.obey("does", "die")
    queue.worker("prepare", "merge")
    job = queue.give(POISONED)
    until(lambda: len(queue.reads(job)) == len(POISONED), 60)
    first = queue.gpu()
    assert first.wait(60) == -9
    *_, (process, batch) = queue.batches()
    assert "POISON" in batch and len(batch) > 1
    queue.worker("alone")
    queue.gpu()
    queue.wait(job, seconds=90)
    check_hole(queue, job)
    assert all(item.crashes and item.alone for item in of(queue.reads(job), batch)), "they were in the process that died"
    later = [words for other, words in queue.batches() if other != process]
    assert [words for words in later if "POISON" in words] == [["POISON"]] * 2


def test_hung_generate(queue):
    """A call of the model never returns: who waits is told within bounds, the process ends by itself, and another one reads the rest."""
    queue.obey("does", "hang")
    queue.worker("prepare", "merge")
    job = queue.give(POISONED)
    until(lambda: len(queue.reads(job)) == len(POISONED), 60)
    first = queue.gpu()
    until(lambda: bool(queue.batches()), 60)
    assert first.wait(30) == HUNG, "by itself, and not with the code of one that was told to stop"
    *_, (process, batch) = queue.batches()
    assert "POISON" in batch and len(batch) > 1
    reads = queue.reads(job)
    waited = of(reads, batch)
    assert all((item.crashes, item.alone, item.state) == (1, True, "pending") for item in waited), "without waiting for a lease"
    assert all(item.crashes == 0 for item in reads if item not in waited), "what came later is not blamed"
    queue.worker("alone")
    queue.gpu()
    queue.wait(job, seconds=90)
    check_hole(queue, job)
    later = [words for other, words in queue.batches() if other != process]
    assert [words for words in later if "POISON" in words] == [["POISON"]] * 2


def test_a_process_that_cannot_stop_is_gone_in_time():
    """What keeps a worker from ending, as a thread that no signal reaches, keeps it no longer than it may."""
    script = (
        "import signal, threading, time\n"
        "from workers.stop import stop_hung\n"
        "signal.signal(signal.SIGTERM, lambda *_: None)\n"
        "threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "stop_hung(seconds=1)\n"
    )
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], env=environment(), timeout=60)
    assert done.returncode == HUNG
    assert time.monotonic() - begin < 30


def test_out_of_memory(queue):
    """Memory runs out for more than one page at a time: batches get smaller, and nobody notices."""
    queue.obey("small")
    queue.worker("prepare", "merge")
    job = queue.give(PAGES)
    until(lambda: len(queue.reads(job)) == len(PAGES), 60)
    gpu = queue.gpu()
    queue.wait(job, seconds=60)
    result, reads = queue.client.result(job), queue.reads(job)
    assert result.data["words"] == PAGES
    assert all((item.state, item.attempts, item.crashes, item.transients) == ("done", 1, 0, 0) for item in reads), reads
    assert not [issue for issue in result.issues if issue.code == "engine_failed"]
    sizes = [len(words) for _, words in queue.batches()]
    assert max(sizes) > 1 and sizes.count(1) == len(PAGES), sizes
    assert gpu.poll() is None


def test_a_batch_of_files_outlives_a_model_that_hangs(queue, tmp_path):
    """Without a broker: the child ends by itself, and the batch counts that as the page's crash."""
    queue.obey("does", "hang")
    folder = tmp_path / "inbox"
    folder.mkdir()
    text_pages(folder / "bad.pdf", ["w1", "POISON"])
    text_pages(folder / "good.pdf", ["w2"])
    copier, out = queue.plugins / "copier.py", tmp_path / "out"
    options = ["--schema", f"{copier}:Note", "--engine", "vlm", "--backend", f"{copier}:Copier", "--jobs", "1"]
    command("batch", folder, "--out", out, *options, DOCPIPE_HINT="true", **queue.settings)
    read = {name: docpipe.Result[Any].model_validate_json((out / f"{name}.json").read_bytes()) for name in ("bad.pdf", "good.pdf")}
    assert {name: result.data["words"] for name, result in read.items()} == {"bad.pdf": ["w1"], "good.pdf": ["w2"]}
    assert [issue.page for issue in read["bad.pdf"].issues if issue.code == "engine_failed"] == [2]


@pytest.mark.parity
@pytest.mark.parametrize("family", ["qwen2_vl", "qwen2_5_vl", "qwen3_vl"])
def test_qwen_through_the_queue(family, tmp_path, redis_server):
    """From a document to a result with a tiny model of the family, as in one process: a page by the worker of the lane `gpu`, and one whose
    process died by the worker `alone`, in a pool's child."""
    model = {
        "DOCPIPE_MODEL__MODEL": str(checkpoint(family, spread=0.6)),
        "DOCPIPE_MODEL__BATCH": "1",  # what random weights say could hang on the last digit of a sum, and that on who is in the batch
    }
    queue = GpuQueue(tmp_path, redis_server, **model)
    try:
        queue.dispatcher()
        queue.worker("prepare", "merge")
        path = text_pages(tmp_path / "slip.pdf", ["first", "second"])
        options = ReadOptions(engines=("einvoice", "vlm"), backend="qwen_vl")
        job = queue.client.submit(path, Request(schema_name="slip.py:Slip", options=options))
        until(lambda: len(queue.reads(job)) == 2, 60)
        (sent,) = dispatch(queue.ledger, slots={"gpu": 1}, depth=1)
        assert claim(queue.ledger, sent.hint, owner="who dies") and crashed(queue.ledger, sent.hint, reason="died")
        queue.worker("alone", wait=False)
        queue.gpu()
        queue.wait(job, seconds=120)
        found, reads = queue.client.result(job), queue.reads(job)
    finally:
        queue.close()
    assert [(item.state, item.attempts, item.crashes, item.alone) for item in reads] == [("done", 2, 1, True), ("done", 1, 0, False)]
    here = command("run", path, "--schema", f"{queue.plugins / 'slip.py'}:Slip", "--engine", "vlm", "--backend", "qwen_vl", **model)
    assert found.canonical_json() == docpipe.Result[Any].model_validate_json(here).canonical_json()
    assert found.usage.by_engine["vlm"].calls >= 2
    assert [issue for issue in found.issues if issue.suggestion], "it says something, if without any confidence"
    assert not [issue for issue in found.issues if issue.code == "engine_failed"]


def command(*arguments: object, **settings: str) -> str:
    """What `docpipe` printed in a process of its own, which computes with one thread as workers do."""
    done = subprocess.run(
        [sys.executable, "-m", "docpipe", *map(str, arguments)],
        env=environment(**settings, OMP_NUM_THREADS="1"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode in (0, 21), done.stderr
    return done.stdout
