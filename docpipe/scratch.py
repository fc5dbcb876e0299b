"""A temporary folder that outlives no batch: where its owner was killed, the next one removes it. Knows processes, no document."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "docpipe-batch-"
_OWNED = re.compile(re.escape(_PREFIX) + r"(\d{1,10})-\w+")
_LOCK = ".owner"


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder `docpipe-batch-PID-...`, gone afterwards; folders that dead processes of this user left are removed first."""
    _clear_up(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with (folder / _LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder


def _clear_up(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another user's, or another batch is removing it
            if _is_orphan(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_orphan(folder: Path) -> bool:
    """Its owner is dead, going by both its number and its lock: a number is another process in another container."""
    named, state = _OWNED.fullmatch(folder.name), folder.lstat()
    if not named or folder.is_symlink() or state.st_uid != os.getuid() or _is_alive(int(named[1])):
        return False
    if not (folder / _LOCK).exists():
        return True
    with (folder / _LOCK).open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
