"""A whole queue for a test: a ledger, a store, a Redis, and the dispatcher and workers as the processes that production runs."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pymupdf
from faces import ROOT
from processes import end, launch, said
from servers import RedisServer

from docpipe.allowed import Allowed
from docpipe.client import Client
from docpipe.ledger import Item, Lane, open_ledger
from docpipe.outbound import Outbound
from docpipe.records import ReadOptions
from docpipe.request import Request
from docpipe.store import Store

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVERYTHING: tuple[Lane, ...] = ("prepare", "gpu", "api", "alone", "merge", "deliver")
LEASE_S = 6.0

OBEYS = '''
"""A schema, and engines of two tiers that do to a page what a file in this folder says: `kill-PAGE`, `hang-PAGE`, `busy-PAGE`, `slow`;
a page whose first word is POISON kills whoever reads it."""
import os, signal, time
from pathlib import Path

from pydantic import BaseModel, Field

from docpipe.annotations import Required
from typing import Annotated
from docpipe.errors import BusyError, EngineError
from docpipe.extract import Engine
from docpipe.records import Candidate, Evidence, Reading
from docpipe.words import load_words

HERE = Path(__file__).parent


class Note(BaseModel):
    title: Annotated[str | None, Required()] = Field(None, description="First word of the first page")
    pages: list[str] = Field(default_factory=list, description="First word of each page")


class First(Engine):
    """Reads the first word of a page, slowly."""

    name = "first"
    scope = "page"

    def read(self, pages, schema, *, job, space):
        (page,) = pages
        with (HERE / "read.log").open("a") as log:
            log.write(f"{self.name} {job.id} {page.number}\\n")
        word = load_words(page, space).words[0]
        if word.text == "POISON" or (HERE / f"kill-{page.number}").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        if (HERE / f"hang-{page.number}").exists():
            time.sleep(600)
        busy = HERE / f"busy-{page.number}"
        if busy.exists():
            left = int(busy.read_text())
            busy.unlink() if left <= 1 else busy.write_text(str(left - 1))
            raise BusyError("slow down", after=1.0)
        slow = HERE / "slow"
        if slow.exists():
            time.sleep(float(slow.read_text()))
        box = (word.x0, word.y0, word.x1, word.y1)
        return Reading(engine=self.name, pages=(page.number,), candidates=tuple(
            Candidate(path=path, raw=word.text, page=page.number, box=box, engine=self.name, score=0.9, evidence=Evidence(fit=1))
            for path in ("title", f"pages[{page.number - 1}]")))


class Second(First):
    """The same once more."""

    name = "second"
    lane = "api"
'''


class Queue:
    """Processes and clients on one ledger. What a test starts ends with it."""

    def __init__(self, folder: Path, redis: RedisServer, ledger_url: str, **settings: str) -> None:
        self.folder = folder
        self.redis = redis
        self.plugins = folder / "plugins"
        self.plugins.mkdir()
        (self.plugins / "obeys.py").write_text(OBEYS)
        self.settings = {
            "DOCPIPE_LEDGER": ledger_url,
            "DOCPIPE_STORE": str(folder / "store"),
            "DOCPIPE_BROKER": redis.url,
            "DOCPIPE_PLUGINS": str(self.plugins),
            "DOCPIPE_LEASE": str(LEASE_S),
            "DOCPIPE_WEBHOOK_SECRETS": json.dumps([SECRET]),
            "DOCPIPE_OUTBOUND_ALLOWED": '["127.0.0.1"]',
            "DOCPIPE_OUTBOUND_HTTP": "true",
            **settings,
        }
        self.ledger = open_ledger(ledger_url)
        self.store = Store(str(folder / "store"))
        self.client = Client(
            self.ledger,
            self.store,
            tenant="acme",
            allowed=Allowed(folder=self.plugins),
            outbound=Outbound(allowed=("127.0.0.1",), plain_http=True),
        )
        self.started: list[subprocess.Popen[bytes]] = []

    # ---- processes ---------------------------------------------------------------------------------------------------

    def dispatcher(self) -> subprocess.Popen[bytes]:
        return self._launch("dispatcher", [sys.executable, "-m", "workers", "dispatcher"])

    def worker(self, *lanes: Lane, pool: str = "prefork", slots: int = 1, wait: bool = True) -> subprocess.Popen[bytes]:
        """A Celery worker on these lanes, or on all; returns once it takes messages."""
        queues = ",".join(f"docpipe.{lane}" for lane in lanes or EVERYTHING)
        name = f"w{len(self.started)}"
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "workers",
            "worker",
            "-n",
            f"{name}@test",
            "-P",
            pool,
            "-c",
            str(slots),
            "-Q",
            queues,
        ]
        stop = {"REMAP_SIGTERM": "SIGQUIT"} if pool == "prefork" else {}
        process = self._launch(name, [*command, "-l", "INFO", "--without-gossip", "--without-mingle"], **stop)
        if wait:
            until(lambda: "ready." in said(self.log(process)), 60, process=process, log=self.log(process))
        return process

    def log(self, process: subprocess.Popen[bytes]) -> Path:
        return self.folder / f"{self.started.index(process)}.log"

    def _launch(self, name: str, command: list[str], **settings: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **self.settings, **settings, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        before = dict(os.environ)
        os.environ.update(environment)
        try:
            process = launch(command, log=self.folder / f"{len(self.started)}.log", on_death=signal.SIGKILL)
        finally:
            os.environ.clear()
            os.environ.update(before)
        self.started.append(process)
        return process

    def children(self, process: subprocess.Popen[bytes]) -> list[psutil.Process]:
        """A worker's pool."""
        return [child for child in psutil.Process(process.pid).children() if "celery" in " ".join(child.cmdline())]

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL the process and all that it started, as a node that is lost."""
        for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
            one.kill()
        process.wait(10)

    def close(self) -> None:
        for process in self.started:
            if process.poll() is None:
                end(process, signal.SIGKILL)
        self.ledger.close()

    # ---- documents ---------------------------------------------------------------------------------------------------

    def obey(self, what: str, text: str = "") -> Path:
        path = self.plugins / what
        path.write_text(text)
        return path

    def readings(self) -> list[str]:
        """What the engines read, in the order they began: `first JOB PAGE`."""
        log = self.plugins / "read.log"
        return log.read_text().splitlines() if log.exists() else []

    def submit(self, *words: str, engines: tuple[str, ...] = ("obeys.py:First",), **wishes) -> str:
        """A document of one page per word, read by engines that obey."""
        path = text_pages(self.folder / f"{words[0]}-{len(words)}.pdf", words)
        return self.client.submit(path, obeying(*engines), **wishes)

    def finished(self, job: str, seconds: float = 60) -> Callable[[], bool]:
        return lambda: self.client.job(job).ended

    def wait(self, *jobs: str, seconds: float = 60) -> None:
        until(lambda: all(self.client.job(job).ended for job in jobs), seconds, about=lambda: [self.client.job(job) for job in jobs])

    def reads(self, job: str) -> list[Item]:
        return [item for item in self.client.items(job) if item.kind == "read"]


def obeying(*engines: str) -> Request:
    """To be read by these engines of OBEYS into its schema."""
    return Request(schema_name="obeys.py:Note", options=ReadOptions(engines=engines))


def text_pages(path: Path, words: tuple[str, ...] | list[str]) -> Path:
    document = pymupdf.open()
    for word in words:
        document.new_page().insert_text((72, 100), f"{word} and some more words of text", fontsize=12)
    document.save(path)
    return path


def until(answers: Callable[[], bool], seconds: float, *, about: Callable[[], object] = lambda: "", process=None, log=None) -> float:
    """Seconds until it is so; an AssertionError after `seconds`."""
    begin = time.monotonic()
    while not answers():
        if process is not None and process.poll() is not None:
            raise AssertionError(f"the process ended: {said(log)}")
        if time.monotonic() - begin > seconds:
            raise AssertionError(f"not within {seconds} s: {about()} {said(log) if log else ''}")
        time.sleep(0.05)
    return time.monotonic() - begin
