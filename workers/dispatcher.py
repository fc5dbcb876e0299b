"""The loop that hands out work: sweep, notice lost messages, dispatch, send. Any number may run; one is enough. Knows no document."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable

import redis.exceptions
from kombu.exceptions import OperationalError

from docpipe import __version__
from docpipe.errors import LedgerError
from docpipe.ledger import Lane, Ledger, Sent, Terms, dispatch, forget_sent, say_alive, say_goodbye, sweep
from docpipe.ledger.claim import TERMS
from workers.broker import Broker
from workers.process import ALIVE, new_owner

IDLE = 0.1  # seconds between two rounds that found nothing to hand out
BUSY = 0.01
SWEEP = 1.0  # seconds between two looks for what got lost
DRAINED = 10.0  # seconds that a lane is empty while items are handed out to it, until their hints count as lost
LONGEST_PAUSE = 5.0  # while ledger or broker do not answer

BROKER_ERRORS = (redis.exceptions.RedisError, OperationalError, OSError)
log = logging.getLogger(__name__)


class Dispatcher:
    """One loop. `lost` counts what it found lost: `claims`, `hints`, `jobs` whose time was over, and the broker's `memories`."""

    def __init__(
        self,
        ledger: Ledger,
        broker: Broker,
        *,
        terms: Terms = TERMS,
        drained: float = DRAINED,
        closed: Callable[[], frozenset[Lane]] = frozenset,
    ) -> None:
        """`closed` is asked now and then which lanes are to get nothing."""
        self._ledger = ledger
        self._broker = broker
        self._terms = terms
        self._drained = drained
        self._look_closed = closed
        self._closed: frozenset[Lane] = frozenset()
        self._looked = 0.0
        self._owner = new_owner()
        self._said = 0.0
        self._empty_since: dict[Lane, float] = {}
        self._pause = IDLE
        self._answered = float("-inf")
        self._trusts_claims_from = 0.0
        self.lost: Counter[str] = Counter()

    def run(self, stopped: Callable[[], bool]) -> None:
        """Go on until `stopped`; a ledger or broker that is away is waited for."""
        while not stopped():
            time.sleep(self.round())
        with contextlib.suppress(LedgerError):
            say_goodbye(self._ledger, self._owner)

    def round(self) -> float:
        """Look for what got lost, hand out and send. Returns the seconds until the next round."""
        try:
            if time.monotonic() - self._looked >= SWEEP:
                self._looked = time.monotonic()
                self._find_lost()
                self._say_alive()
                self._note_closed()
            hints = dispatch(self._ledger, closed=self._closed)
            self._note_answer()
            sent = self._send(hints)
        except (LedgerError, *BROKER_ERRORS) as problem:
            self._pause = min(LONGEST_PAUSE, 2 * self._pause)
            log.warning("waiting: %s", type(problem).__name__, extra={"seconds": self._pause})
            return self._pause
        self._pause = IDLE
        return BUSY if sent else IDLE

    def _note_answer(self) -> None:
        """The ledger answers. Where it had not for a while, or was not asked, nobody could keep a claim: one that ran out is no crash until
        every holder had a chance to renew, which comes every quarter of a lease."""
        if self._was_away():
            self._trusts_claims_from = time.monotonic() + self._terms.lease / 2
        self._answered = time.monotonic()

    def _was_away(self) -> bool:
        return time.monotonic() - self._answered > self._terms.lease / 4

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

    def _note_closed(self) -> None:
        closed, before = self._look_closed(), self._closed
        if closed != before:
            log.warning("lanes are closed", extra={"lanes": sorted(closed)}) if closed else log.info("no lane is closed")
        self._closed = closed

    def _say_alive(self) -> None:
        """For the health check: a dispatcher takes no work, so it has no lane and no slot."""
        if time.monotonic() - self._said >= ALIVE:
            say_alive(self._ledger, self._owner, lanes=(), slots=0, version=__version__)
            self._said = time.monotonic()

    def _find_lost(self) -> None:
        trusted = not self._was_away() and time.monotonic() >= self._trusts_claims_from
        swept = sweep(self._ledger, terms=self._terms, claims=trusted).model_dump()
        self._note_answer()
        if any(swept.values()):
            log.warning("swept", extra=swept)
            self.lost.update(swept)
        if self._broker.has_forgotten():
            items = forget_sent(self._ledger)
            log.warning("the broker has lost its memory", extra={"items": items})
            self.lost.update(memories=1, hints=items)
        elif items := self._look_into_empty_lanes():
            log.warning("hints got lost", extra={"items": items})
            self.lost.update(hints=items)

    def _look_into_empty_lanes(self) -> int:
        """A lane that has had no message for a while although items were sent to it has lost them: its items are sent again. Those that a
        busy worker holds back are, too; that costs a message and does no harm. What workers have not acknowledged tells nothing, as what
        killed ones held stays on that list for an hour."""
        now = time.monotonic()
        empty = [lane for lane, count in self._broker.lengths().items() if not count]
        self._empty_since = {lane: self._empty_since.get(lane, now) for lane in empty}
        drained = [lane for lane, since in self._empty_since.items() if now - since >= self._drained]
        return forget_sent(self._ledger, lanes=drained, waited=self._drained) if drained else 0
