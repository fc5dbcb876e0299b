"""The loop that hands out work: sweep, notice lost messages, dispatch, send. Any number may run; one is enough. Knows no document."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import redis.exceptions
from kombu.exceptions import OperationalError

from docpipe.errors import LedgerError
from docpipe.ledger import Lane, Ledger, Sent, Terms, dispatch, forget_sent, sweep, waiting
from docpipe.ledger.claim import TERMS
from workers.broker import Broker

IDLE = 0.1  # seconds between two rounds that found nothing to hand out
BUSY = 0.01
SWEEP = 1.0  # seconds between two looks for what got lost
DRAINED = 10.0  # seconds that a lane is empty while items are handed out to it, until their hints count as lost
LONGEST_PAUSE = 5.0  # while ledger or broker do not answer

BROKER_ERRORS = (redis.exceptions.RedisError, OperationalError, OSError)
log = logging.getLogger(__name__)


class Dispatcher:
    """One loop. `clock` and `sleep` are the process's own, replaced in tests."""

    def __init__(self, ledger: Ledger, broker: Broker, *, terms: Terms = TERMS, drained: float = DRAINED) -> None:
        self._ledger = ledger
        self._broker = broker
        self._terms = terms
        self._drained = drained
        self._looked = 0.0
        self._empty_since: dict[Lane, float] = {}
        self._pause = IDLE

    def run(self, stopped: Callable[[], bool]) -> None:
        """Go on until `stopped`; a ledger or broker that is away is waited for."""
        while not stopped():
            time.sleep(self.round())

    def round(self) -> float:
        """Look for what got lost, hand out and send. Returns the seconds until the next round."""
        try:
            if time.monotonic() - self._looked >= SWEEP:
                self._looked = time.monotonic()
                self._find_lost()
            sent = self._send(dispatch(self._ledger))
        except (LedgerError, *BROKER_ERRORS) as problem:
            self._pause = min(LONGEST_PAUSE, 2 * self._pause)
            log.warning("waiting: %s", type(problem).__name__, extra={"seconds": self._pause})
            return self._pause
        self._pause = IDLE
        return BUSY if sent else IDLE

    def _send(self, hints: list[Sent]) -> int:
        """What could not be sent is pending again at once."""
        unsent = {one.hint for one in hints}
        try:
            for one in self._broker.send(hints) if hints else ():
                unsent.discard(one.hint)
        finally:
            if unsent:
                forget_sent(self._ledger, only=unsent)
        return len(hints)

    def _find_lost(self) -> None:
        swept = sweep(self._ledger, terms=self._terms)
        if swept.claims or swept.hints or swept.jobs:
            log.warning("swept", extra=swept.model_dump())
        if self._broker.has_forgotten():
            log.warning("the broker has lost its memory", extra={"items": forget_sent(self._ledger)})
        elif drained := self._find_drained():
            log.warning("hints got lost", extra={"items": forget_sent(self._ledger, lanes=drained), "lanes": drained})

    def _find_drained(self) -> list[Lane]:
        """Lanes that have had no message for a while although items are handed out to them.

        What the workers hold does not count: one that lives begins it at once, and what one held that was killed stays held for an hour.
        """
        sent, lengths, now = waiting(self._ledger), self._broker.lengths(), time.monotonic()
        self._empty_since = {lane: self._empty_since.get(lane, now) for lane in sent if not lengths[lane]}
        drained = [lane for lane, since in self._empty_since.items() if now - since >= self._drained]
        for lane in drained:
            del self._empty_since[lane]
        return drained
