"""The parent's side of the rendering process: starts it, asks it with a deadline, kills it, tries once more. Knows no format.

A process serves one document at a time and many in a row; idle ones wait in a pool of this process and end with it. What they read
last they keep open for a while (`kept.py`), which changes nothing but the time that opening takes.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docpipe import errors
from docpipe.errors import DamagedError, DeadlineError, DocpipeError, PageError, ResourceError
from docpipe.limits import Limits
from docpipe.preprocess.frames import ClosedError, receive, send
from docpipe.preprocess.kept import MOST_RESIDENT
from docpipe.preprocess.sniff import guess_format

MOST_DOCUMENTS = 500  # a process is replaced after so many, or when it still holds MOST_RESIDENT after one
START_SECONDS = 20.0  # starting counts for the first request only
Message = dict[str, Any]

# The child gets this process's import path as it is, so that both import the same docpipe and the same plug-ins.
_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from docpipe.preprocess.child import main; main(pdf=bool(sys.argv[2]))"


class Renderer:
    """One rendering process."""

    def __init__(self, *, pdf: bool = True) -> None:
        """`pdf` says that a PDF is likely to come, so that the process may get ready for it."""
        # One thread and one arena: the memory limit is on address space, which idle threads and arenas would eat.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, json.dumps(sys.path), "pdf" if pdf else ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self._starting = True
        self.documents = 0

    def ask(self, message: Message, seconds: float) -> Message:
        """The reply; raises the error that it tells of, DeadlineError or ClosedError. After these two the process is dead."""
        if self._process.stdin is None or self._process.stdout is None:
            raise ClosedError
        patience = seconds + (START_SECONDS if self._starting else 0.0)
        try:
            send(self._process.stdin.fileno(), {**message, "seconds": patience})
            reply = receive(self._process.stdout.fileno(), seconds=patience)
        except TimeoutError as problem:
            self.kill()
            raise DeadlineError(f"took longer than {seconds:g} s") from problem
        except (ClosedError, ValueError) as problem:
            self.kill()
            raise ClosedError from problem
        self._starting = False
        if "error" in reply:
            raise _error(reply)
        return reply

    def kill(self) -> None:
        """End the process at once, whatever it does."""
        self._process.kill()
        self._forget(wait=True)

    def stop(self) -> None:
        """Let the process end by itself, as it is idle; kill it if it does not."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._forget(wait=True)

    def _forget(self, *, wait: bool) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        if wait:
            self._process.wait()

    def abandon(self) -> None:
        """Close the pipes of a process that belongs to this process's parent (after a fork)."""
        self._forget(wait=False)
        self._process.returncode = 0  # it is not ours to wait for

    def alive(self) -> bool:
        return self._process.poll() is None


def _error(reply: Message) -> DocpipeError:
    kind = getattr(errors, str(reply["error"]), PageError)
    if not (isinstance(kind, type) and issubclass(kind, DocpipeError)):
        kind = PageError
    return kind(str(reply["message"]), hint=str(reply.get("hint") or ""), page=reply.get("page"))


# ---- the pool ---------------------------------------------------------------------------------------------------------

_idle: list[Renderer] = []


def warm_up(files: Sequence[Path] = ()) -> None:
    """Start a rendering process if none is idle. Returns at once; the process imports while this one does other things.

    `files` are what it will read, where that is known: for pictures alone it need not load what opens PDFs, a quarter of a second.
    """
    if not _idle:
        _idle.append(Renderer(pdf=not files or any(guess_format(file) == "pdf" for file in files)))


def shut_down() -> None:
    """End all idle rendering processes."""
    while _idle:
        _idle.pop().stop()


def _take() -> Renderer:
    while True:
        try:
            renderer = _idle.pop()
        except IndexError:  # asked for it rather than before: threads share the pool
            return Renderer()
        if renderer.alive():
            return renderer
        renderer.kill()


def _abandon_all() -> None:
    while _idle:
        _idle.pop().abandon()


atexit.register(shut_down)
os.register_at_fork(after_in_child=_abandon_all)


# ---- one document -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """What to open and how: the file, its format's reference, where an e-invoice in it is to be stored."""

    path: Path
    format: str
    password: str | None = None
    einvoice: Path | None = None


class OpenDocument:
    """A document that a rendering process holds open. A page that kills the process is asked for once more, in a fresh one.

    Deadlines are counted for the whole document, so that a file of nothing but endless pages ends too: the first such page is tried again
    with half the time, later ones get a tenth of it and one try, and after `MOST_LOST` pages lost in a row the rest are not tried.
    """

    MOST_LOST = 5

    def __init__(self, request: Request, limits: Limits) -> None:
        self._request = request
        self._limits = limits
        self._deadlines = 0
        self._lost_in_a_row = 0
        self._renderer: Renderer | None = None
        self._dropped = False
        try:
            opened = self._open_document()
        except BaseException:
            self.close()
            raise
        self.pages = int(opened["pages"])
        self.einvoice = bool(opened["einvoice"])
        self.repaired = bool(opened["repaired"])

    def sheet(self, number: int, *, layer: Path) -> Message:
        """The facts of a page as `Sheet` has them, less its words, which are in `layer`. Raises PageError, DeadlineError,
        ResourceError."""
        return self._page({"do": "sheet", "number": number, "layer": str(layer)})

    def raster(self, number: int, *, dpi: float, turn: int, target: Path) -> Message:
        """Write a page's pixels to `target` (.npy); returns their `dpi` and whether they are `clean`. Raises as `sheet`."""
        return self._page({"do": "raster", "number": number, "dpi": dpi, "turn": turn, "target": str(target)})

    def copy(self, numbers: Sequence[int], *, target: Path) -> None:
        """Write these pages as a file of their own. Raises DocumentError, PageError, DeadlineError or ResourceError."""
        try:
            self._ask({"do": "copy", "numbers": list(numbers), "target": str(target)}, self._limits.document_seconds)
        except ClosedError as problem:
            self._drop()
            raise DamagedError("copying its pages ended the rendering process") from problem

    def close(self) -> None:
        """Give the process back, or end it where it has grown or grown old."""
        renderer, self._renderer = self._renderer, None
        if renderer is None:
            return
        renderer.documents += 1
        try:
            reply = renderer.ask({"do": "close"}, 5.0)
        except (ClosedError, DocpipeError):
            renderer.kill()
            return
        if renderer.documents >= MOST_DOCUMENTS or reply["rss"] > MOST_RESIDENT or _idle:
            renderer.stop()
        else:
            _idle.append(renderer)

    def _open_document(self) -> Message:
        message: Message = {
            "do": "open",
            "path": str(self._request.path.absolute()),  # not resolved: a link may be there to give an odd name a plain one
            "format": self._request.format,
            "password": self._request.password,
            "einvoice": str(self._request.einvoice) if self._request.einvoice else None,
            "memory": self._limits.memory_bytes,
            "pages": self._limits.pages,
            "pixels": self._limits.pixels,
        }
        try:
            return self._ask(message, self._limits.document_seconds)
        except (ClosedError, ResourceError):
            self._drop()
        try:
            return self._ask(message, self._limits.document_seconds)
        except ClosedError as problem:
            self._drop()
            raise DamagedError("opening it ended the rendering process, twice") from problem

    def _page(self, message: Message) -> Message:
        if self._lost_in_a_row >= self.MOST_LOST:
            raise DeadlineError("not tried: the pages before it took too long", page=message["number"])
        try:
            reply = self._twice(message)
        except DeadlineError:
            self._lost_in_a_row += 1
            raise
        self._lost_in_a_row = 0
        return reply

    def _twice(self, message: Message) -> Message:
        if self._deadlines >= 2:
            return self._once(message, self._limits.page_seconds / 10)
        try:
            return self._once(message, self._limits.page_seconds)
        except DeadlineError:
            return self._once(message, self._limits.page_seconds / 2)
        except ResourceError:
            return self._once(message, self._limits.page_seconds)
        except PageError as problem:
            if not isinstance(problem.__cause__, ClosedError):
                raise
            return self._once(message, self._limits.page_seconds)

    def _once(self, message: Message, seconds: float) -> Message:
        try:
            if self._renderer is None:
                self._open_document()
            return self._ask(message, seconds)
        except DeadlineError as problem:
            self._deadlines += 1
            self._drop()
            raise DeadlineError(problem.message, page=message["number"]) from problem
        except ResourceError:
            self._drop()
            raise
        except ClosedError as problem:
            self._drop()
            raise PageError(f"page {message['number']} ended the rendering process", page=message["number"]) from problem

    def _ask(self, message: Message, seconds: float) -> Message:
        if self._renderer is None:
            # Another try is made in a process that holds nothing else.
            self._renderer = Renderer() if self._dropped else _take()
        return self._renderer.ask(message, seconds)

    def _drop(self) -> None:
        if self._renderer is not None:
            self._renderer.kill()
            self._renderer, self._dropped = None, True


@contextlib.contextmanager
def open_document(request: Request, limits: Limits) -> Iterator[OpenDocument]:
    """The document, open until the block ends. Raises DocumentError, DeadlineError or ResourceError, each naming the file."""
    try:
        document = OpenDocument(request, limits)
    except DocpipeError as problem:
        problem.file = request.path.name
        raise
    try:
        yield document
    finally:
        document.close()
