"""Processes that tests start: each a group of its own that ends with the tests, however those end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

START_S = 30.0  # a loaded machine takes seconds, a broken server says so at once
STOP_S = 10.0


class ServerError(Exception):
    """A server that is not installed, did not start or did not stop; says what it printed."""


def launch(
    command: Iterable[str | Path], *, log: Path, on_death: signal.Signals, owner: tuple[int, int] = (-1, -1)
) -> subprocess.Popen[bytes]:
    """A process group of its own whose leader gets `on_death` when this thread ends; prints into `log`."""
    owner = owner if os.getuid() == 0 else (-1, -1)
    leash: list[str | Path] = [
        sys.executable,
        "-I",
        "-S",
        Path(__file__).with_name("leash.py"),
        *map(str, (os.getpid(), int(on_death), *owner)),
    ]
    with log.open("wb") as output:
        return subprocess.Popen(
            [*leash, *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd=log.parent
        )


def running(process: subprocess.Popen[bytes] | None) -> subprocess.Popen[bytes]:
    if process is None:
        raise ServerError("the server is not running")
    return process


def wait_until(answers: Callable[[], bool], *, process: subprocess.Popen[bytes], log: Path, seconds: float = START_S) -> None:
    """Wait until the server answers. ServerError when it ends first, or at the deadline."""
    deadline = time.monotonic() + seconds
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerError(f"the server did not start: {said(log)}")
        time.sleep(0.02)


def end(process: subprocess.Popen[bytes], *signals: signal.Signals) -> None:
    """Send the signals one after the other until the process is gone; at last SIGKILL to its whole group."""
    for how in signals:
        process.send_signal(how)
        try:
            process.wait(STOP_S)
            break
        except subprocess.TimeoutExpired:
            continue
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait(STOP_S)


def said(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2000:]
