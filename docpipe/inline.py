"""A ledger's work done on this machine, without a broker: this process hands out, its children do. Knows no document and no folder.

Claims are not renewed and nothing is swept: children live no longer than their parent, which sees at once when one dies. What was under way
when the parent died is for its next life to cancel and retry.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from docpipe.errors import DeadlineError, LedgerError, ResourceError
from docpipe.ledger import Hint, JobView, Lane, Ledger, Terms, crashed, dispatch, forget_sent, give_up, view
from docpipe.ledger.claim import TERMS
from docpipe.pool import Lost, Pool

TOGETHER: tuple[Lane, ...] = ("merge", "deliver", "api", "gpu", "prepare")  # what is nearly done comes first
POLL = 0.2  # seconds between two looks for items that had to wait
FALSE_STARTS = 5  # children that die before they begin anything, one after the other


class Inline:
    """Does every job that it is fed. The pool's tasks are hints, its answers what is wrong with the ledger, or nothing."""

    def __init__(
        self, ledger: Ledger, pool: Pool[Any, Hint, str], *, terms: Terms = TERMS, meanwhile: Callable[[bool], None] = lambda idle: None
    ) -> None:
        """`meanwhile` is called again and again, and told whether every open job has to wait."""
        self._ledger = ledger
        self._pool = pool
        self._slots = dict.fromkeys(TOGETHER, pool.size)
        self._terms = terms
        self._open: set[str] = set()
        self._handed_out: deque[Hint] = deque()
        self._alone: Hint | None = None
        self._false_starts = 0
        self._meanwhile = meanwhile

    def run(self, feed: Iterator[str]) -> Iterator[JobView]:
        """Every job of `feed`, as it ends. The next ones are asked for when there is nothing else to do, so that few are open at a time,
        and are put into the ledger no sooner. What else lies there is done too, and not told.

        Raises LedgerError, ResourceError where children die before they begin, and what the pool raises.
        """
        self._give(feed)
        while self._open or self._pool.busy:
            self._meanwhile(not self._pool.busy)
            if not self._pool.busy:
                time.sleep(POLL)  # every open job has to wait for something
            else:
                for hint, answer in self._pool.answers(POLL if self._pool.free else None):
                    self._note(hint, answer)
                    yield from self._ended(hint.job)
            self._give(feed)

    def _give(self, feed: Iterator[str]) -> None:
        """Something to do for every child. What was in a process that died waits until nothing else is left, and then runs alone."""
        if self._alone and self._pool.busy:
            return
        self._alone = None
        while self._pool.free and (hint := self._next(feed)):
            self._pool.give(hint)
        if not self._pool.busy:
            for sent in dispatch(self._ledger, slots={"alone": 1}, depth=1):
                self._alone = sent.hint
                self._pool.give(sent.hint)

    def _next(self, feed: Iterator[str]) -> Hint | None:
        while not self._handed_out and not self._hand_out():
            fresh = set(islice(feed, 2 * self._pool.size))  # some at a time: looking into the ledger costs
            if not fresh:
                return None
            self._open |= fresh
        return self._handed_out.popleft()

    def _hand_out(self) -> bool:
        self._handed_out.extend(sent.hint for sent in dispatch(self._ledger, slots=self._slots))
        return bool(self._handed_out)

    def _note(self, hint: Hint, answer: str | Lost) -> None:
        if not isinstance(answer, Lost):
            self._false_starts = 0
            if answer:
                raise LedgerError(answer)
        elif not self._counted(hint, answer):
            self._false_starts += 1
            if self._false_starts >= FALSE_STARTS:
                raise ResourceError(f"processes die before they begin (exit code {answer.exit_code})", hint="out of memory? fewer --jobs")
            forget_sent(self._ledger, only={hint})

    def _counted(self, hint: Hint, lost: Lost) -> bool:
        """Whether the item had been begun, and now counts as crashed, or is given up as its time is over."""
        if lost.late:
            return give_up(self._ledger, hint, code=DeadlineError.code, message="took longer than it may (raise --timeout)")
        return crashed(self._ledger, hint, reason=f"its process died (exit code {lost.exit_code})", terms=self._terms)

    def _ended(self, job: str) -> Iterator[JobView]:
        if job in self._open and (found := view(self._ledger, job)).ended:
            self._open.remove(job)
            yield found
