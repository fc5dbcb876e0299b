"""A model that answers in a provider's batches, hours later: who looks after those while documents wait. Knows no provider."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from docpipe import ledger as book
from docpipe.backends import Batches, backend_class
from docpipe.errors import BusyError, UsageError
from docpipe.ledger import Ledger
from docpipe.request import WITHOUT_MODEL, Request

LOOK = 30.0  # seconds between two looks at the provider's batches


def holding_back(request: Request, folder: Path) -> Request:
    """The same wishes, but what is asked waits in the folder for a provider's batch. Raises UsageError where no model is asked."""
    if not set(request.options.engines) - WITHOUT_MODEL:
        raise UsageError("--provider-batch, but no engine asks a model", hint="--engine auto, or --engine vlm")
    return request.model_copy(update={"model": request.model.model_copy(update={"spool": folder.absolute()})})


class Watch:
    """Looks at the batches every so many seconds, calls those who wait as answers come, and tells where things stand when that changes."""

    def __init__(self, request: Request, ledger: Ledger, *, every: float | None, told: Callable[[str], None]) -> None:
        """Without `every` there are no batches to look at. Raises UsageError where the backend of these wishes has none."""
        self._batches: Batches | None = None
        if every is not None:
            self._batches = backend_class(request.options.backend).batches(request.model)
        self._ledger, self._every, self._told = ledger, every or LOOK, told
        self._next = 0.0
        self._last = ""

    def __call__(self, idle: bool) -> None:
        """Look, where it is time. Raises what `Batches.look` raises, and LedgerError."""
        if self._batches is None or time.monotonic() < self._next:
            return
        book.wake(self._ledger, self._batches.look(idle=idle), code=BusyError.code)
        self._next = time.monotonic() + self._every
        if self._batches.state != self._last:
            self._last = self._batches.state
            self._told(self._last)

    def forget(self) -> None:
        """Everybody has what was waited for."""
        if self._batches is not None:
            self._batches.forget()

    def close(self) -> None:
        """Let go of connections; what is on its way goes on."""
        if self._batches is not None:
            self._batches.close()
