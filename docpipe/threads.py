"""Several things at a time in threads, their outcomes in order. Knows nothing of what is done."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(do: Callable[[T], R], things: Sequence[T], *, together: int) -> Iterator[R]:
    """What `do` gives for each thing, up to `together` of them being done at a time; raises what it raises, and begins no more.

    The threads are daemons: a process that is told to end does not wait for what they are at.
    """
    if min(together, len(things)) <= 1:
        yield from map(do, things)
        return
    outcomes: list[Future[R]] = [Future() for _ in things]
    waiting = iter(zip(things, outcomes, strict=True))
    lock, stopped = threading.Lock(), threading.Event()

    def work() -> None:
        while not stopped.is_set():
            with lock:
                thing, outcome = next(waiting, (None, None))
            if outcome is None:
                return
            try:
                outcome.set_result(do(thing))  # type: ignore[arg-type]
            except BaseException as problem:
                stopped.set()
                outcome.set_exception(problem)

    for number in range(min(together, len(things))):
        threading.Thread(target=contextvars.copy_context().run, args=(work,), name=f"docpipe-{number}", daemon=True).start()
    try:
        for outcome in outcomes:
            yield outcome.result()
    finally:
        stopped.set()
