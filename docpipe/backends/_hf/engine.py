"""One thread that owns a model: questions of any thread wait for it, are answered in batches, and never for longer than they may take.
Knows no model: `load` gives it the function that answers."""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from docpipe.backends import Question, Reply
from docpipe.backends._hf.errors import typed
from docpipe.errors import DeadlineError, DocpipeError, EngineError, ResourceError

Outcome = Reply | DocpipeError
Answer = Callable[[Sequence[Question]], Sequence[Outcome]]

LOOK = 0.25  # seconds between two looks at whether the thread still gets on
GRACE = 5.0  # seconds that a batch may take beyond its deadline, since decoding looks at the clock between two tokens only
NEWS = 10.0  # seconds between two words of a model that is still loading
log = logging.getLogger("docpipe.progress")


@dataclass(frozen=True)
class _Call:
    """A call that the thread is in and that nobody can end: `hangs` says what is the matter where it has not come back after `patience`
    seconds."""

    doing: Literal["loading", "answering"]
    patience: float
    since: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.since

    def hangs(self) -> DeadlineError:
        done = "load" if self.doing == "loading" else "answer"
        hint = "raise DOCPIPE_MODEL__LOADING, or give a folder on a faster disk" if self.doing == "loading" else "this process has to end"
        return DeadlineError(f"the model did not {done} within {self.patience:.0f} s and cannot be stopped", hint=hint)


@dataclass
class _Waiting:
    question: Question
    weight: int
    future: Future[Reply] = field(default_factory=Future)

    def settle(self, outcome: Outcome) -> None:
        with suppress(InvalidStateError):  # given up meanwhile
            if isinstance(outcome, DocpipeError):
                self.future.set_exception(outcome)
            else:
                self.future.set_result(outcome)


class Engine:
    """Made at once, loads on the first question. A batch that fails is halved until it is clear which question it fails for; where memory
    ran out, later batches stay as small as what went through."""

    def __init__(
        self,
        load: Callable[[], Answer],
        *,
        weigh: Callable[[Question], int],
        batch: int,
        window: float,
        seconds: float,
        hang: Callable[[], None],
        loading: float = math.inf,
        grace: float = GRACE,
        news: float = NEWS,
    ) -> None:
        """`weigh` estimates a question's tokens, so that like is batched with like. `load` should come back within `loading`, `answer`
        within `seconds`; where one has not after `grace` more, `hang` is called, once, and then all that wait are given up."""
        self._load = load
        self._weigh = weigh
        self._batch = batch
        self._window = window
        self._patience = seconds + grace
        self._loading = loading + grace
        self._hang = hang
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._turn = threading.Lock()
        self._open: dict[int, _Waiting] = {}
        self._call: _Call | None = None
        self._news = news
        self._told = 0.0
        self._hung: _Call | None = None
        self._answer: Answer | None = None

    def ask(self, question: Question) -> Reply:
        """The answer. Raises what `load` and the answering raise, and DeadlineError where the thread hangs."""
        item = _Waiting(question, self._weigh(question))
        with self._lock:
            if self._hung:
                raise self._hung.hangs()
            self._open[id(item)] = item
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="docpipe-model", daemon=True)
                self._thread.start()
            self._waiting.put(item)
        try:
            return self._result(item)
        finally:
            item.future.cancel()
            with self._lock:
                self._open.pop(id(item), None)

    def close(self) -> None:
        """Answer what waits, then let go of the model; later questions load it again. Waits no longer than an answer may take."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is None or not thread.is_alive():
                return
            self._waiting.put(None)
        thread.join(self._patience)

    def _result(self, item: _Waiting) -> Reply:
        while True:
            try:
                return item.future.result(LOOK)
            except NotYet:
                self._watch()

    def _watch(self) -> None:
        """Every waiting thread is the watchdog: the first to see that the batch hangs ends the waiting of all."""
        with self._lock:
            call = self._call
            if self._hung or call is None:
                return
            if call.seconds <= call.patience:
                return self._tell(call)
            self._hung = call
            given_up = list(self._open.values())
        try:
            self._hang()  # before anybody hears of it, so that who owns the process knows what the errors mean
        finally:
            for item in given_up:
                item.settle(call.hangs())

    def _tell(self, call: _Call) -> None:
        if call.doing == "loading" and call.seconds - self._told >= self._news:
            self._told = call.seconds
            log.info("the model is still loading: %.0f s", call.seconds)

    # ---- the thread ----

    def _work(self) -> None:
        with self._turn:  # one thread at a time, also where one is asked for while another closes
            try:
                more = True
                while more and not self._hung:
                    items, more = self._collect()
                    for batch in self._batches(items):
                        self._settle(batch)
            except Exception as problem:
                log.exception("the thread that asks the model failed")
                self._give_up(EngineError(f"{type(problem).__name__}: {problem}, in the thread that asks the model"))
            finally:
                self._answer = None

    def _give_up(self, problem: EngineError) -> None:
        """Nobody waits for a thread that ends; the next question begins another."""
        with self._lock:
            if self._thread is threading.current_thread():
                self._thread = None
            self._waiting = queue.SimpleQueue()
            given_up = list(self._open.values())
        for item in given_up:
            item.settle(problem)

    def _collect(self) -> tuple[list[_Waiting], bool]:
        """What waits: the first, and what comes within the window after it, until a batch is full. False where it is time to go."""
        items: list[_Waiting] = []
        until = 0.0
        while True:
            try:
                rest = max(0.0, until - time.monotonic()) if len(items) < self._batch else 0.0
                item = self._waiting.get(timeout=rest) if items else self._waiting.get()
            except queue.Empty:
                return items, True
            if item is None:
                return items, False
            until = until or time.monotonic() + self._window
            items.append(item)

    def _batches(self, items: list[_Waiting]) -> list[list[_Waiting]]:
        """Like with like: a row is padded to the longest of its batch."""
        items = sorted((item for item in items if item.future.set_running_or_notify_cancel()), key=lambda item: item.weight)
        return [items[start : start + self._batch] for start in range(0, len(items), self._batch)]

    def _settle(self, items: list[_Waiting]) -> None:
        if self._hung:
            return
        outcome = self._try(items)
        if isinstance(outcome, DocpipeError) and len(items) > 1 and self._answer:
            return self._halve(items, outcome)
        for item, one in zip(items, [outcome] * len(items) if isinstance(outcome, DocpipeError) else outcome, strict=True):
            item.settle(one)

    def _halve(self, items: list[_Waiting], problem: DocpipeError) -> None:
        half = len(items) // 2
        if isinstance(problem, ResourceError):
            self._batch = min(self._batch, len(items) - half)
        self._settle(items[:half])
        self._settle(items[half:])

    def _try(self, items: list[_Waiting]) -> Sequence[Outcome] | DocpipeError:
        try:
            with typed("asking the model"):
                if self._answer is None:
                    self._call, self._told = _Call("loading", self._loading), 0.0
                    self._answer = self._load()
                self._call = _Call("answering", self._patience)
                return self._answer([item.question for item in items])
        except DocpipeError as problem:
            if isinstance(problem, ResourceError):  # its frames hold the tensors that the next try needs the memory of
                problem.__cause__ = problem.__context__ = problem.__traceback__ = None
            return problem
        finally:
            self._call = None
