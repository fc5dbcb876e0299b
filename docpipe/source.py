"""A document's file under a name that every library takes. Knows names, no content."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from docpipe.errors import NotFoundError


def is_plain(path: Path) -> bool:
    """Whether the name is text; a file may be called by any bytes."""
    raw = os.fsencode(path)
    return raw.decode(errors="replace").encode() == raw


def printable(path: Path) -> str:
    """The path as text, escaped where it is none."""
    return os.fsencode(path.as_posix()).decode(errors="backslashreplace")


@contextlib.contextmanager
def readable(path: Path) -> Iterator[Path]:
    """The file under its own name or, where that is no text, by way of a link. Raises NotFoundError for a folder."""
    if path.is_dir():
        raise NotFoundError("a folder, not a file", hint="docpipe batch reads folders")
    if is_plain(path) or not path.exists():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="docpipe-name-") as folder:
        link = Path(folder) / printable(Path(path.name))[-80:]
        link.symlink_to(path.resolve())
        yield link
