"""The rendering process: answers for the pages of one document at a time. Everything that a hostile file can break breaks here.

It ends when its input ends, and is killed by its own alarm when a request takes longer than its deadline and nobody is left to kill it.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import resource
import select
import signal
from pathlib import Path
from typing import Any

from docpipe.errors import DamagedError, DocpipeError, PageError, ResourceError
from docpipe.preprocess.formats import Format
from docpipe.preprocess.frames import ClosedError, receive, send
from docpipe.preprocess.kept import KEPT_SECONDS, MOST_RESIDENT, Kept, Opened, Way
from docpipe.preprocess.sheet import write_layer, write_raster

ALARM_GRACE = 5.0
_NO_MEMORY = ("malloc", "calloc", "cannot allocate", "out of memory", "failed to map segment")
Message = dict[str, Any]


def main(*, pdf: bool, patience: float = KEPT_SECONDS) -> None:
    """Serve requests from standard input on standard output until the input ends. `pdf` says that a PDF is likely to come. After so many
    seconds of `patience` without a request, no document stays open that was read."""
    answers = os.dup(1)
    os.dup2(2, 1)  # a library that prints must not break the messages
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    if pdf:
        _import_while_idle()
    server = Server()
    with contextlib.suppress(ClosedError):
        while True:
            if not select.select([0], [], [], patience)[0]:
                server.rest()
            send(answers, server.answer(receive(0)))
    os._exit(0)  # no need to tear down what the system frees


def _import_while_idle() -> None:
    """What opens PDFs is imported while the parent is still busy starting, unless it is waiting already."""
    if not select.select([0], [], [], 0)[0]:
        importlib.import_module("docpipe.preprocess.pdf.facts")


class Server:
    """Holds the document that is read, and those that were and are kept open."""

    def __init__(self) -> None:
        self._open: Opened | None = None
        self._kept = Kept()
        self._path = Path()

    def answer(self, request: Message) -> Message:
        """The reply to one request: what was asked for, or `error`, `message`, `hint` and `page`."""
        handlers = {"open": self.open, "sheet": self.sheet, "raster": self.raster, "copy": self.copy, "close": self.close}
        signal.setitimer(signal.ITIMER_REAL, request["seconds"] + ALARM_GRACE)
        try:
            return handlers[request["do"]](request)
        except Exception as problem:
            if self._open is not None:
                self._open.failed = True
            return self._told(problem if isinstance(problem, DocpipeError) else _as_error(problem, request))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def open(self, request: Message) -> Message:
        self.close(request)
        self._path = Path(request["path"])
        _limit_memory(request["memory"])
        way = Way.of(request)
        self._open = self._kept.take(way) or Opened(way)
        return {
            "pages": self._open.document.pages,
            "repaired": self._open.repaired,
            "einvoice": self._save_einvoice(self._open, request["einvoice"]),
        }

    def _save_einvoice(self, opened: Opened, target: str | None) -> bool:
        if target is None or opened.has_einvoice is False:
            return False
        content = opened.document.einvoice()
        opened.has_einvoice = content is not None
        if content is not None:
            Path(target).write_bytes(content)
        return content is not None

    def sheet(self, request: Message) -> Message:
        sheet = self._document().sheet(request["number"])
        if sheet.words or sheet.rulings or sheet.checkboxes:
            write_layer(sheet, request["number"], Path(request["layer"]))
        names = ("width", "height", "rotation", "layer", "reason", "needs_image", "blank", "image_boxes")
        return {name: getattr(sheet, name) for name in names}

    def raster(self, request: Message) -> Message:
        raster = self._document().raster(request["number"], dpi=request["dpi"], turn=request["turn"])
        write_raster(raster, Path(request["target"]))
        return {"dpi": raster.dpi, "clean": raster.clean}

    def copy(self, request: Message) -> Message:
        self._document().copy_pages(request["numbers"], Path(request["target"]))
        return {}

    def close(self, request: Message) -> Message:
        """Memory of what is kept is counted with the rest: one document's must not be what the next one lacks."""
        if self._open is not None:
            opened, self._open = self._open, None
            self._kept.put(opened)
        resident = _resident()
        if resident > MOST_RESIDENT:
            self._kept.clear()
            resident = _resident()
        return {"rss": resident}

    def rest(self) -> None:
        """Close what is kept; a file that hangs even in this ends the process."""
        signal.setitimer(signal.ITIMER_REAL, ALARM_GRACE)
        self._kept.clear()
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _told(self, problem: DocpipeError) -> Message:
        """The error as a message; the file by its name, not by its place on this machine."""
        text = problem.message.replace(str(self._path), self._path.name) if self._path.name else problem.message
        return {"error": type(problem).__name__, "message": text, "hint": problem.hint, "page": problem.page}

    def _document(self) -> Format:
        if self._open is None:
            raise PageError("no document is open")
        return self._open.document


def _as_error(problem: Exception, request: Message) -> DocpipeError:
    """What a library raised, as one of our own: memory is told apart, all else is the document's or the page's fault."""
    text = " ".join(str(problem).split())[:200]
    if isinstance(problem, MemoryError) or any(sign in text.lower() for sign in _NO_MEMORY):
        return ResourceError(f"out of memory ({request['memory'] // 2**20} MB)" if "memory" in request else "out of memory")
    if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.ENOMEM, errno.EDQUOT):
        return ResourceError(text)
    what = f"{type(problem).__name__}: {text}"
    if request["do"] == "open":
        return DamagedError(f"cannot be opened: {what}")
    return PageError(f"page {request.get('number')} cannot be read: {what}", page=request.get("number"))


def _limit_memory(limit: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _resident() -> int:
    """Bytes of memory this process holds now; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


if __name__ == "__main__":
    main(pdf=True)
