"""Questions that wait for a provider's batch, and what came of them: a folder which those who ask share with the one who sends. Knows no
server and no question.

rows/AB/KEY.json      a question that is to be sent, as a line of a batch's file; empty while it is on its way
answers/AB/KEY.json   what was answered
errors/AB/KEY.json    what was said instead, in the end; gone with the next call, so that who asks again is heard again
waiters/AB/KEY/JOB    a job that waits for what comes of it
batches/NAME.json     a batch that is on its way, as a Note; NAME.jsonl, what is uploaded, until it is

Whoever asks writes rows and reads the rest; all else is done by one process.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from docpipe.backends._api.answers import write_private
from docpipe.errors import ResourceError, UsageError, is_exhausted
from docpipe.records import Record


class Said(Record):
    """What the server said of one question: a chat completion with status 200, else an error; 0 where it says no status."""

    status: int
    body: dict[str, Any]


class Note(Record):
    """A batch: the `keys` of its questions, since when (Unix time), and the server's ids of the uploaded file and of the batch, once they
    are known. What was `begun` and has no id yet may have come through all the same. Once all is `filed`, the server's files `left` are
    to be deleted."""

    name: str
    keys: tuple[str, ...]
    since: float
    begun: Literal["", "upload", "create"] = ""
    file: str | None = None
    batch: str | None = None
    filed: bool = False
    left: tuple[str, ...] = ()


class Spool:
    """The folder for one server. Raises ResourceError or UsageError where it cannot be written."""

    def __init__(self, folder: Path, *, server: str) -> None:
        """`server` is any text that tells it from others."""
        self.folder = folder / hashlib.sha256(server.encode()).hexdigest()[:16]

    # ---- for who asks ------------------------------------------------------------------------------------------------

    def said(self, key: str) -> Said | None:
        """What came of the question, if that is known."""
        for kind in ("answers", "errors"):
            with contextlib.suppress(FileNotFoundError, ValidationError):  # damaged, it is as if it had never come
                return Said.model_validate_json(self._path(kind, key).read_bytes())
        return None

    def put(self, key: str, row: Callable[[], bytes], *, job: str) -> None:
        """A question to be sent, as a line without its end, where it is not known already; and who is to be called once it is answered."""
        with _typed():
            if not self._path("rows", key).exists():
                write_private(self._path("rows", key), row())
            if job:
                waiters = self._waiters(key)
                waiters.mkdir(parents=True, exist_ok=True, mode=0o700)
                (waiters / job).touch()

    # ---- for who sends -----------------------------------------------------------------------------------------------

    def notes(self) -> list[Note]:
        """The batches that are on their way. Raises UsageError for a note that cannot be read."""
        return [_read(path) for path in sorted(self._batches.glob("*.json"))]

    def begin(self, notes: Sequence[Note]) -> None:
        """A call's begin: of what earlier ones left there are answers, these batches and their questions; the rest is asked anew."""
        on_the_way = {key for note in notes if not note.filed for key in note.keys}
        with _typed():
            for kind in ("errors", "waiters"):
                if (self.folder / kind).exists():
                    shutil.rmtree(self.folder / kind)
            for path in self.folder.glob("rows/*/*"):
                if path.stem not in on_the_way:
                    path.unlink(missing_ok=True)
            for path in self._batches.glob("*.jsonl"):
                if path.stem not in {note.name for note in notes}:
                    path.unlink(missing_ok=True)
            self._mark(on_the_way)

    def waiting(self, on_the_way: Collection[str]) -> list[tuple[str, int]]:
        """The questions that are to be sent, and their bytes."""
        found = []
        for path in self.folder.glob("rows/??/*.json"):
            size = path.stat().st_size
            if size and path.stem not in on_the_way and self.said(path.stem) is None:
                found.append((path.stem, size))
        return found

    def bind(self, note: Note) -> None:
        """From now on these questions are this batch's."""
        with _typed():
            self._batches.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self.upload(note).open("wb") as file:
                for key in note.keys:
                    file.write(self._path("rows", key).read_bytes() + b"\n")
            self.save(note)
            self._mark(note.keys)

    def save(self, note: Note) -> None:
        """Keep the note, whatever happens to this machine."""
        with _typed():
            write_private(self._batches / f"{note.name}.json", note.model_dump_json().encode(), durable=True)

    def upload(self, note: Note) -> Path:
        """The batch's file."""
        return self._batches / f"{note.name}.jsonl"

    def file(self, key: str, said: Said) -> None:
        """What came of a question, for good."""
        with _typed():
            write_private(self._path("answers" if said.status == 200 else "errors", key), said.model_dump_json().encode())
            self.free(key)

    def free(self, key: str) -> None:
        """The question is on its way no longer: who still waits for an answer puts it again."""
        self._path("rows", key).unlink(missing_ok=True)

    def called(self, key: str) -> set[str]:
        """The jobs that wait for what comes of the question, which are called by this."""
        found = list(self._waiters(key).glob("*"))
        for path in found:
            path.unlink(missing_ok=True)
        return {path.name for path in found}

    def waiters(self) -> set[str]:
        """All jobs that wait."""
        return {path.name for path in self.folder.glob("waiters/*/*/*")}

    def drop(self, note: Note) -> None:
        """The batch is over."""
        self.upload(note).unlink(missing_ok=True)
        (self._batches / f"{note.name}.json").unlink(missing_ok=True)

    def remove(self) -> None:
        """All of it."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.folder)

    @property
    def _batches(self) -> Path:
        return self.folder / "batches"

    def _path(self, kind: str, key: str) -> Path:
        return self.folder / kind / key[:2] / f"{key}.json"

    def _waiters(self, key: str) -> Path:
        return self.folder / "waiters" / key[:2] / key

    def _mark(self, keys: Collection[str]) -> None:
        for key in keys:
            write_private(self._path("rows", key), b"")


def _read(path: Path) -> Note:
    try:
        return Note.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as problem:
        raise UsageError("what is known of a batch cannot be read", file=path.name, hint="look for that batch in your account") from problem


@contextlib.contextmanager
def _typed() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        said = f"what waits for a provider's batch cannot be written: {problem.strerror}"
        file = os.path.basename(problem.filename) if isinstance(problem.filename, str) else None  # noqa: PTH119
        raise ResourceError(said, file=file) if is_exhausted(problem) else UsageError(said, file=file) from problem
