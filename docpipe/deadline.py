"""A point in time that everything about one call over the network must be over by, and a look-up of its host that keeps to it. Knows no
protocol and opens no connection."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence

from docpipe.errors import DeadlineError, OutboundError

Resolve = Callable[[str, int], Sequence[str]]  # host, port -> its addresses; raises OSError


class Deadline:
    """`about` is what the call is to, for messages, and `hint` what to do where it takes too long."""

    def __init__(self, seconds: float, *, about: str = "", hint: str) -> None:
        self.about = about
        self._hint = hint
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left, more than 0. Raises DeadlineError."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.missed()
        return left

    def missed(self) -> DeadlineError:
        return DeadlineError(f"{self.about}: no whole answer within {self._seconds:g} s", hint=self._hint)

    def shorten(self, seconds: float) -> None:
        """Let it be over in `seconds`, where that is sooner."""
        self._end = min(self._end, time.monotonic() + seconds)


def look_up(host: str, port: int, deadline: Deadline, *, resolve: Resolve, hint: str = "") -> Sequence[str]:
    """The host's addresses, at least one. The resolver cannot be interrupted: past the deadline it is left behind. Raises DeadlineError,
    and OutboundError where there is no such host."""
    answers: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

    def look() -> None:
        try:
            answers.put(resolve(host, port))
        except OSError as problem:
            answers.put(problem)

    threading.Thread(target=look, daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise deadline.missed() from None
    if isinstance(answer, OSError) or not answer:
        cause = answer if isinstance(answer, OSError) else None
        raise OutboundError(f"{deadline.about}: the host's name does not resolve", hint=hint or None) from cause
    return answer
