"""A signal to stop, heard between two callbacks of Celery's loop instead of in the middle of one. Knows no task and no ledger.

Celery shuts down in the signal handler itself, which Python runs in the main thread whatever it is at. In the middle of reading a child's
result, for one, that result is lost, and the shutdown waits for it until the item's time limit.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from queue import SimpleQueue
from typing import Any

STOPS = (signal.SIGTERM, signal.SIGQUIT)
HEARD = 2.0  # seconds that the loop has to come by; while it waits for a broker that is away it does not


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
