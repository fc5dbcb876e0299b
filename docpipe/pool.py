"""Tasks done by child processes, one at a time each, where a child may die or hang. Knows nothing of documents.

A child that dies takes only its own task along; what becomes of that task is for whoever gave it to say.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

Setup = TypeVar("Setup")
Task = TypeVar("Task")
Answer = TypeVar("Answer")
Make = Callable[[Setup], Callable[[Task], Answer]]

_SPAWN = multiprocessing.get_context("spawn")  # a forked child would share the parent's threads' locks
_GRACE = 5.0  # seconds a child has to end by itself
_STARTUP = 120.0  # seconds a child may take for its imports, which are not its first task's fault
_RECYCLE = 500  # tasks after which a child is replaced, so that what a library leaks stays small


@dataclass(frozen=True)
class Lost:
    """What stands in for an answer: the child died (with this exit code; negative = by that signal) or took longer than allowed."""

    exit_code: int | None = None

    @property
    def late(self) -> bool:
        """The child was ended because its time was over."""
        return self.exit_code is None


class Child(Generic[Setup, Task, Answer]):
    """One process and the task it is at."""

    def __init__(self, make: Make[Setup, Task, Answer], setup: Setup) -> None:
        self.connection, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=_serve, args=(theirs, make, setup))
        self.process.start()
        theirs.close()
        self.task: Task | None = None
        self.ready = False
        self.done = 0
        self._since = time.monotonic()

    def give(self, task: Task) -> None:
        """Hand over the next task."""
        self.task, self._since = task, time.monotonic()
        with contextlib.suppress(OSError):  # a child that died already shows as lost when it is waited for
            self.connection.send(task)

    def take(self) -> _Answered | Lost | None:
        """What the child has sent: an answer, or None for the news that it is ready; Lost where it died. Raises what the child raised
        while it was being set up."""
        try:
            answer = self.connection.recv()
        except (EOFError, OSError):
            self.process.join(_GRACE)
            self.stop()
            return Lost(self.process.exitcode or -signal.SIGKILL)
        if isinstance(answer, _SetUp):
            if answer.problem:
                self.stop()
                raise answer.problem
            self.ready, self._since = True, time.monotonic()
            return None
        self.task = None
        self.done += 1
        return answer  # type: ignore[no-any-return]

    def time_left(self, seconds: float) -> float:
        """Until the task has taken `seconds`, less than 0 afterwards; the time the child needs to start is not the task's."""
        return self._since + (seconds if self.ready else max(seconds, _STARTUP)) - time.monotonic()

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self.connection.close()
        if self.task is not None:
            self.process.terminate()
        self.process.join(_GRACE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class Pool(Generic[Setup, Task, Answer]):
    """`size` children that each call `make(setup)` once and what it returns for every task. `make` and all that travels are picklable."""

    def __init__(self, make: Make[Setup, Task, Answer], setup: Setup, *, size: int, seconds: float | None = None) -> None:
        """`seconds` is the most a task may take. Children are started as they are needed."""
        self._make = make
        self._setup = setup
        self.size = size
        self._seconds = seconds
        self._children: list[Child[Setup, Task, Answer]] = []

    def __enter__(self) -> Pool[Setup, Task, Answer]:
        return self

    def __exit__(self, *_: object) -> None:
        """End every child, whatever it is doing."""
        for child in self._children:
            child.stop()
        self._children.clear()

    @property
    def busy(self) -> int:
        """Tasks in hand."""
        return len(self._busy())

    @property
    def free(self) -> int:
        """Children that could take a task."""
        return self.size - self.busy

    def give(self, task: Task) -> None:
        """Hand a task to a child that is free."""
        self._idle_child().give(task)

    def answers(self, patience: float | None = None) -> Iterator[tuple[Task, Answer | Lost]]:
        """What has become of tasks in hand: waits for the first, or for `patience` seconds. Raises what `make` raises."""
        for child in self._ready(patience):
            task, answer = child.task, child.take()
            if answer is None:
                continue
            if isinstance(answer, Lost) or child.done >= _RECYCLE:
                self._drop(child)
            yield task, answer.value if isinstance(answer, _Answered) else answer  # type: ignore[misc]
        for child in self._late():
            task = child.task
            self._drop(child)
            yield task, Lost()  # type: ignore[misc]

    def _busy(self) -> list[Child[Setup, Task, Answer]]:
        return [child for child in self._children if child.task is not None]

    def _idle_child(self) -> Child[Setup, Task, Answer]:
        child = next((child for child in self._children if child.task is None), None)
        if child is None:
            child = Child(self._make, self._setup)
            self._children.append(child)
        return child

    def _ready(self, patience: float | None) -> list[Child[Setup, Task, Answer]]:
        by_connection = {child.connection: child for child in self._busy()}
        if self._seconds is not None:
            until_late = (max(0.0, child.time_left(self._seconds)) for child in by_connection.values())
            patience = min([*until_late, *([] if patience is None else [patience])], default=None)
        return [by_connection[connection] for connection in wait(list(by_connection), patience) if isinstance(connection, Connection)]

    def _late(self) -> list[Child[Setup, Task, Answer]]:
        if self._seconds is None:
            return []
        return [child for child in self._busy() if child.time_left(self._seconds) <= 0]

    def _drop(self, child: Child[Setup, Task, Answer]) -> None:
        self._children.remove(child)
        child.stop()


@dataclass(frozen=True)
class _SetUp:
    """The child's first words: `make` returned, or raised this."""

    problem: Exception | None = None


@dataclass(frozen=True)
class _Answered:
    """A task's answer, which may be None."""

    value: Any


def _serve(connection: Connection, make: Callable[[Any], Callable[[Any], Any]], setup: Any) -> None:
    """The child: answers until its parent hangs up. Ctrl-C is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        try:
            work = make(setup)
        except Exception as problem:
            connection.send(_SetUp(problem))
            return
        connection.send(_SetUp())
        while True:
            connection.send(_Answered(work(connection.recv())))
