"""The documents that a rendering process keeps open once they were read, as their next page is often asked for soon. Knows no format.

The queue asks for one page at a time. Opened anew for each, a file costs what grows with its length, and its fonts are loaded again.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

from docpipe.preprocess.formats import load_format
from docpipe.preprocess.mark import Mark, mark_of
from docpipe.preprocess.sheet import Bounds

MOST_KEPT = 8  # documents
KEPT_SECONDS = 30.0  # so long after it was last read, a file that was deleted may still take up the disk
MOST_RESIDENT = 320 * 1024 * 1024  # bytes of memory, above which a process keeps none, and is replaced if that does not help


class Way(NamedTuple):
    """All that opening depends on: of two that are equal, one document will do."""

    path: str
    format: str
    password: str | None
    bounds: Bounds
    mark: Mark

    @classmethod
    def of(cls, request: dict[str, Any]) -> Way:
        """As a request names it, and the file as it is now. Raises OSError."""
        bounds = Bounds(pages=request["pages"], pixels=request["pixels"])
        return cls(request["path"], request["format"], request["password"], bounds, mark_of(Path(request["path"]).stat()))


class Opened:
    """An open document. `repaired` is what was true when it was opened; `failed` is set where something went wrong with it."""

    def __init__(self, way: Way) -> None:
        """Raises DocumentError."""
        self.way = way
        self.document = load_format(way.format)(Path(way.path), password=way.password, bounds=way.bounds)
        self.repaired = self.document.repaired
        self.failed = False
        self.has_einvoice: bool | None = None  # None: nobody has looked

    def is_as_new(self) -> bool:
        """Opening it again would give the same: its file has not changed, nothing went wrong, nothing was repaired on the way."""
        try:
            return not self.failed and self.document.repaired == self.repaired and mark_of(Path(self.way.path).stat()) == self.way.mark
        except OSError:
            return False


class Kept:
    """Open documents at rest, few and for a short time."""

    def __init__(self, *, most: int = MOST_KEPT, seconds: float = KEPT_SECONDS) -> None:
        self._most = most
        self._seconds = seconds
        self._resting: dict[Way, tuple[float, Opened]] = {}  # the one that has rested longest comes first

    def take(self, way: Way) -> Opened | None:
        """The document that was opened in this way, if it is here; it is no longer."""
        _, opened = self._resting.pop(way, (0.0, None))
        return opened

    def put(self, opened: Opened) -> None:
        """Keep it if it is as new, else close it; close what has rested too long and what is too many."""
        if opened.is_as_new():
            self._resting[opened.way] = time.monotonic(), opened
        else:
            opened.document.close()
        while self._resting and (len(self._resting) > self._most or self._is_over(next(iter(self._resting.values()))[0])):
            self._close_first()

    def clear(self) -> None:
        """Close all."""
        while self._resting:
            self._close_first()

    def _is_over(self, since: float) -> bool:
        return time.monotonic() - since > self._seconds

    def _close_first(self) -> None:
        _, opened = self._resting.pop(next(iter(self._resting)))
        opened.document.close()
