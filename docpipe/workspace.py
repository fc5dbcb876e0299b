"""Where a job's files lie: one folder, every intermediate a named file that a person can `ls`. Knows names and atomic writes, no stage."""

from __future__ import annotations

import contextlib
import errno
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TypeVar

from pydantic import BaseModel

from docpipe.errors import MismatchError, UsageError
from docpipe.records import Job

R = TypeVar("R", bound=BaseModel)
REMOVALS, REMOVAL_WAIT = 10, 0.05  # tries to remove a folder that is still written into, and seconds between them
_UNUSABLE = frozenset({errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP})
_DRAFT_NAME = 60  # characters of the name a draft keeps: with 4 bytes each it stays under the 255 bytes a file name may have


class Workspace:
    """A folder of a job. Writes are temp + rename, so a file that exists is whole."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder where it is missing. Raises UsageError where it cannot be one."""
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            if problem.errno not in _UNUSABLE:
                raise
            said = f"{folder} cannot be the folder for a run's files: {problem.strerror}"
            raise UsageError(said, file=folder.name, hint="choose another place with --work") from problem

    def path(self, name: str) -> Path:
        """Where `name` lies; it need not exist."""
        return self.folder / name

    def page(self, number: int, what: str) -> Path:
        """Where a page's file lies: `page-0001.words.json`."""
        return self.folder / f"page-{number:04d}.{what}"

    def has(self, name: str) -> bool:
        return self.path(name).exists()

    def write(self, path: Path, content: bytes) -> Path:
        """Write the whole file or nothing."""
        return write_atomic(path, content)

    def save(self, path: Path, record: BaseModel) -> Path:
        """Write one record as JSON."""
        return self.write(path, record.model_dump_json(by_alias=True).encode())

    def load(self, path: Path, kind: type[R]) -> R:
        """Read one record back; raises FileNotFoundError."""
        return kind.model_validate_json(path.read_bytes())


@contextlib.contextmanager
def temporary() -> Iterator[Workspace]:
    """A workspace that is gone afterwards, also where a thread that nobody waits for is still writing into it."""
    with tempfile.TemporaryDirectory(prefix="docpipe-", ignore_cleanup_errors=True) as name:
        try:
            yield Workspace(Path(name))
        finally:
            _remove(Path(name))


def _remove(folder: Path) -> None:
    for _ in range(REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(REMOVAL_WAIT)


def claimed(work: Path, job: Job) -> Workspace:
    """The workspace in `work`, empty of an earlier run of the same job. Raises MismatchError where another job's files lie there."""
    space = Workspace(work)
    note = space.path("job.json")
    known = None
    with contextlib.suppress(OSError, ValueError):
        known = space.load(note, Job).id
    files = [*work.glob("page-*"), *work.glob("readings.json")]
    if known != job.id and (note.exists() or files):
        raise MismatchError(f"{work} holds the work of another document or of other options", hint="give --work an empty folder")
    for file in files:
        file.unlink()
    space.save(note, job)
    return space


@contextlib.contextmanager
def draft(path: Path, *, mode: int | None = None) -> Iterator[IO[bytes]]:
    """An open temporary file beside `path` that takes its place once the block ends, and is gone where the block raises; a reader
    sees the old file or the new one. The file's mode is `mode` or what the umask says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.parent / f".{path.name[:_DRAFT_NAME]}.{secrets.token_hex(4)}"
    try:
        with unfinished.open("xb") as file:
            if mode is not None:
                unfinished.chmod(mode)
            yield file
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write_atomic(path: Path, content: bytes | IO[bytes], *, mode: int | None = None) -> Path:
    """Write the whole file or nothing. `content` may be an open file, which is copied from where it stands."""
    with draft(path, mode=mode) as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            shutil.copyfileobj(content, file)
    return path
