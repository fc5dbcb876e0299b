"""How a worker stops: at a signal, heard between two callbacks of Celery's loop instead of in the middle of one; and by itself, where its
model hangs. Knows no task and no ledger.

Celery shuts down in the signal handler itself, which Python runs in the main thread whatever it is at. In the middle of reading a child's
result, for one, that result is lost, and the shutdown waits for it until the item's time limit.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
import time
from queue import SimpleQueue
from typing import Any

from billiard import current_process

from docpipe.steps import end_at_once
from docpipe.telemetry import stop_tracing

STOPS = (signal.SIGTERM, signal.SIGQUIT)
HEARD = 2.0  # seconds that the loop has to come by; while it waits for a broker that is away it does not
LEAVE = 30.0  # seconds that a worker whose model hangs has to write down what waited for it


class Stop:
    """From now on the first signal of this number calls the handler that it has now, in the main thread: from the loop, or after HEARD
    seconds wherever that thread is. To be made in the main thread."""

    def __init__(self, hub: Any, number: signal.Signals) -> None:
        self._hub = hub
        self._number = number
        self._asked: SimpleQueue[None] = SimpleQueue()  # putting is safe in a signal handler
        self._late = False
        self._begun = threading.Lock()
        self._handler: Any = signal.signal(number, self._ask)
        threading.Thread(target=self._pass_on, name="stop", daemon=True).start()

    def _ask(self, *_: object) -> None:
        if self._late:
            self._stop()
        else:
            self._asked.put(None)

    def _pass_on(self) -> None:
        self._asked.get()
        self._hub.call_soon(self._stop)
        time.sleep(HEARD)
        if not self._begun.locked():
            self._late = True
            os.kill(os.getpid(), self._number)

    def _stop(self) -> None:
        if self._begun.acquire(blocking=False):
            self._handler(self._number, None)


def stop_hung(*, seconds: float = LEAVE) -> None:
    """End this process, whose model hangs, with the exit code HUNG. A pool's child ends at once, and its worker counts the crash of the one
    item that it did. A worker of threads stops as at SIGTERM, so that what its threads did is written down, within so many `seconds`."""
    if current_process().name != "MainProcess":
        end_at_once()
    atexit.register(_end)  # what Python and CUDA do at exit could wait for the call that hangs
    late = threading.Timer(seconds, end_at_once)
    late.daemon = True
    late.start()
    os.kill(os.getpid(), signal.SIGTERM)


def _end() -> None:
    stop_tracing()
    end_at_once()
