"""Writing what the user asked for: files, devices, standard output. Turns the operating system's errors into ours; knows no result."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from docpipe.errors import DocpipeError, ResourceError, UsageError
from docpipe.workspace import write_atomic

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def write_file(path: Path, content: bytes | IO[bytes]) -> None:
    """Write the whole file or nothing; a device or pipe is written into, a link followed. Raises ResourceError or UsageError."""
    with writing(path):
        path = path.resolve()
        if not path.exists() or path.is_file():
            write_atomic(path, content)
            return
        with path.open("wb") as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                shutil.copyfileobj(content, file)


def write_stdout(content: bytes) -> None:
    """Write to standard output at once. Raises ResourceError; a reader that went away is the caller's BrokenPipeError."""
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as problem:
        drop_stdout()
        raise output_error(problem, "standard output") from problem


def drop_stdout() -> None:
    """Let what is still in the buffer go nowhere, so that the interpreter's end does not stumble over it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def draft_in(folder: Path) -> IO[bytes]:
    """An open file without a name, on the disk that the output goes to; gone when closed. Raises ResourceError or UsageError."""
    with writing(folder):
        return tempfile.TemporaryFile(dir=folder)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Errors of the operating system leave as output_error."""
    try:
        yield
    except OSError as problem:
        raise output_error(problem, path.name) from problem


def output_error(problem: OSError, where: str) -> DocpipeError:
    """What to tell a user whose output could not be written."""
    said = f"cannot be written: {problem.strerror}"
    if problem.errno in _FULL:
        return ResourceError(said, file=where)
    return UsageError(said, file=where, hint="choose another place with --out")
