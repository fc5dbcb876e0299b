"""Which documents a batch has, and where the result of each lies. Knows files; reads no document.

OUT/a/b.pdf.json      the result of DIR/a/b.pdf
OUT/.docpipe          the batch's own: its lock, its ledger and what the documents' items leave for one another

What has no place there is an item all the same, with the reason in `blocked`: a file in a folder that is called like another file's
result, or like a file that the batch itself writes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections import deque
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from docpipe.errors import NotFoundError, UsageError
from docpipe.output import writing
from docpipe.records import Record
from docpipe.sinks.json_file import json_name
from docpipe.source import printable

_OURS = ".docpipe"
_OWN = ("errors.jsonl", "results.jsonl", "results.csv", "results.*.csv", "results.xlsx")  # what a batch writes beside the results


class Item(Record):
    """One file of the batch. `name` is its path below the batch's folder, printable whatever the file is called. `blocked` says why its
    result can lie nowhere; such a file is not to be read."""

    name: str
    path: Path
    result: Path
    blocked: str = ""


class Shelf:
    """The files of `folder` and their results in `out`."""

    def __init__(self, folder: Path, out: Path, *, skip: Sequence[Path] = (), only: Sequence[str] = ()) -> None:
        """`skip` are further folders that hold no documents; `only` are patterns such as `*.pdf`, one of which a file's name or path must
        match. Raises NotFoundError or UsageError."""
        if not folder.is_dir():
            raise NotFoundError("not a folder" if folder.exists() else "no such folder", file=folder.name)
        if out.resolve() == folder.resolve():
            raise UsageError("--out is the folder of the documents", file=out.name, hint="name another folder")
        self.folder = folder
        self.out = out
        self._only = only
        self._skip = {path.resolve() for path in (out, *skip)}

    @property
    def ours(self) -> Path:
        """The folder for what the batch has to remember."""
        return self.out / _OURS

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Only one batch writes here at a time; the lock ends with the process. Raises UsageError."""
        with writing(self.out):
            self.ours.mkdir(parents=True, exist_ok=True)
            file = (self.ours / ".lock").open("wb")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as problem:
                raise UsageError(
                    "another batch is writing there", file=self.out.name, hint="wait for it, or name another --out"
                ) from problem
            yield

    def items(self) -> Iterator[Item]:
        """Every file that is not hidden, in order of name; folders that cannot be listed or followed come as items too, to fail by name."""
        places = [(path, _place(path.relative_to(self.folder))) for path in sorted(self._paths(), key=os.fsencode)]
        taken = {where for _, where in places}
        for path, where in places:
            name = printable(path.relative_to(self.folder))
            yield Item(name=name, path=path, result=self.out / where, blocked=_blocked(where, taken))

    def _paths(self) -> Iterator[Path]:
        """Real folders first, then what links lead to: every folder once, under its own name where it has one here."""
        seen: set[str] = set()
        links = deque([self.folder])
        while links:
            top = links.popleft()
            real = os.path.realpath(top)
            if top == self.folder or not Path(os.path.realpath(self.folder)).is_relative_to(real):
                yield from self._below(top, seen, links)
            elif real not in seen:
                yield top  # leads up and out of the folder: not followed, and not passed over without a word

    def _below(self, top: Path, seen: set[str], links: deque[Path]) -> Iterator[Path]:
        """The files of a folder and of its real folders; the links to folders go into `links`."""
        unlisted: list[OSError] = []
        for folder, folders, files in os.walk(top, onerror=unlisted.append):
            real = os.path.realpath(folder)
            if real in seen or Path(real) in self._skip:
                folders.clear()
                continue
            seen.add(real)
            here = Path(folder)
            folders[:] = [name for name in folders if not name.startswith(".")]
            links.extend(sorted(here / name for name in folders if (here / name).is_symlink()))
            yield from (here / name for name in files if not name.startswith(".") and self._wanted(here / name))
        yield from (Path(os.fsdecode(problem.filename)) for problem in unlisted)

    def _wanted(self, path: Path) -> bool:
        names = (path.name, path.relative_to(self.folder).as_posix())
        return not self._only or any(fnmatch(name, pattern) for name in names for pattern in self._only)


def _place(below: Path) -> Path:
    """Where the result of the file lies, below the folder of results."""
    return below.with_name(json_name(below.name))


def _blocked(where: Path, taken: set[Path]) -> str:
    """Why nothing can be written there, or nothing. The folder gives way to the file, so that each call says the same."""
    if any(fnmatch(where.parts[0], own) for own in _OWN):
        return f"its result would lie in {where.parts[0]!r}, a file that the batch itself writes"
    other = next((folder for folder in where.parents if folder in taken), None)
    return f"its result would lie in {os.fspath(other)!r}, which is the result of another file" if other else ""
