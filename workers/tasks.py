"""The one task, and what the worker's main process does beside it. A message is four scalars; all else is read from the ledger.

The main thread of the main process never touches the ledger: Celery spends a shutdown's 25 s in a signal handler, which Python runs in that
thread whatever it is at, and a transaction that it was in the middle of would keep everybody else's waiting for as long.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import signals
from celery.worker import state

from docpipe import __version__
from docpipe.errors import LedgerError, UsageError
from docpipe.ledger import LANES, Hint, crashed, read_hint, say_alive, say_goodbye
from docpipe.telemetry import stop_tracing
from workers.app import app, queue_name
from workers.logs import log_as_json
from workers.process import ALIVE, Every, hands, ledger, new_owner
from workers.stop import STOPS, Stop, stop_hung

TASK = "docpipe.work"
GOODBYE = 2.0  # seconds that a worker waits for its last word; without it, its slots count for half a minute more
log = logging.getLogger(__name__)


@app.task(name=TASK)  # type: ignore[untyped-decorator]
def work(*parts: Any, **_later: Any) -> None:
    """Do the item that the message is about; a later version may send more, which this one does not know."""
    try:
        hint = read_hint(*parts)
    except UsageError:
        log.warning("not a message of ours, dropped")
        return
    mine = hands(stop_hung)
    mine.steps.do(hint, owner=mine.owner)


@signals.task_failure.connect  # type: ignore[untyped-decorator]
def _lost(args: Any = (), exception: BaseException | None = None, **_: Any) -> None:
    """In the main process: a child died, so that its claim need not run out first."""
    if isinstance(exception, (WorkerLostError, TimeLimitExceeded)):
        threading.Thread(target=_say_crashed, args=(read_hint(*args), type(exception).__name__), name="say crashed", daemon=True).start()


def _say_crashed(hint: Hint, reason: str) -> None:
    try:
        crashed(ledger(), hint, reason=reason)
    except LedgerError:
        log.exception("the claim has to run out")


@signals.worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _child_ends(**_: Any) -> None:
    """A pool's child leaves without what Python does at exit."""
    stop_tracing()


class _Alive:
    """The main process's word to the dispatcher: which lanes it serves, with how many slots."""

    def __init__(self, consumer: Any) -> None:
        self.owner = new_owner()
        self._consumer = consumer
        self._was_deaf = False
        taken = {queue.name for queue in consumer.task_consumer.queues}
        self.lanes = [lane for lane in LANES if queue_name(lane) in taken]
        self.slots = int(consumer.controller.concurrency or 1)
        self.thread = Every(ALIVE, self.say, last=self.say_goodbye, name="say alive")
        self.thread.start()  # a ledger that is locked just now must not keep the worker unheard of for good

    def say(self) -> None:
        say_alive(ledger(), self.owner, lanes=self.lanes, slots=self.slots, version=__version__)
        deaf = self._is_deaf()
        if deaf and self._was_deaf:
            self._consumer.hub.call_soon(_reconnect)
        self._was_deaf = deaf

    def _is_deaf(self) -> bool:
        """It may take no message although it holds none. So ends a broker that went away while every slot was busy: Celery cannot
        acknowledge what was done, counts it as held for ever, and asks for nothing more."""
        return not self._consumer.task_consumer.channel.qos.can_consume() and not state.reserved_requests

    def say_goodbye(self) -> None:
        say_goodbye(ledger(), self.owner)

    def end(self) -> None:
        self.thread.stop()
        self.thread.join(GOODBYE)


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def _logs(loglevel: int = logging.INFO, **_: Any) -> None:
    log_as_json(loglevel)


def _reconnect() -> None:
    """In the consumer's loop, where this ends the connection and begins a new one."""
    raise ConnectionResetError("messages that are done could not be acknowledged")


_alive: list[_Alive] = []


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def _ready(sender: Any = None, **_: Any) -> None:
    _alive.append(_Alive(sender))
    for number in STOPS:
        Stop(sender.hub, number)


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stopping(**_: Any) -> None:
    while _alive:
        _alive.pop().end()
