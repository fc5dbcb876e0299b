"""Which documents a batch has, where the result of each lies, and which are done. Knows files and hashes; reads no document.

OUT/a/b.pdf.json               the result of DIR/a/b.pdf
OUT/.docpipe/a/b.pdf.json      what it was made from: the hashes that resuming compares
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from docpipe.errors import NotFoundError, UsageError
from docpipe.output import write_file, writing
from docpipe.records import Record, Result, SchemaRef
from docpipe.sinks.json_file import json_name

NOTES = ".docpipe"


class Item(Record):
    """One file of the batch. `name` is its path below the batch's folder, printable whatever the file is called."""

    name: str
    path: Path
    result: Path
    note: Path


class Note(Record):
    """What a result was made from."""

    document: str
    schema_sha256: str
    request: str


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

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Only one batch writes here at a time; the lock ends with the process. Raises UsageError."""
        with writing(self.out):
            (self.out / NOTES).mkdir(parents=True, exist_ok=True)
            file = (self.out / NOTES / "lock").open("wb")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as problem:
                raise UsageError(
                    "another batch is writing there", file=self.out.name, hint="wait for it, or name another --out"
                ) from problem
            yield

    def items(self) -> Iterator[Item]:
        """Every file that is not hidden, in order of name; folders that cannot be listed come as items too, to fail by name."""
        for path in sorted(self._paths(), key=os.fsencode):
            below = path.relative_to(self.folder)
            where = below.with_name(json_name(below.name))
            name = os.fsencode(below.as_posix()).decode(errors="backslashreplace")
            yield Item(name=name, path=path, result=self.out / where, note=self.out / NOTES / where)

    def _paths(self) -> Iterator[Path]:
        unlisted: list[OSError] = []
        for folder, folders, files in os.walk(self.folder, onerror=unlisted.append):
            here = Path(folder)
            folders[:] = [name for name in folders if not name.startswith(".") and (here / name).resolve() not in self._skip]
            yield from (here / name for name in files if not name.startswith(".") and self._wanted(here / name))
        yield from (Path(os.fsdecode(problem.filename)) for problem in unlisted)

    def _wanted(self, path: Path) -> bool:
        names = (path.name, path.relative_to(self.folder).as_posix())
        return not self._only or any(fnmatch(name, pattern) for name in names for pattern in self._only)


def is_done(item: Item, schema: SchemaRef, request: str) -> bool:
    """A complete result lies there, made of this very file with this schema and these options."""
    try:
        note = Note.model_validate_json(item.note.read_bytes())
        if (note.schema_sha256, note.request) != (schema.sha256, request):
            return False
        result = json.loads(item.result.read_bytes())
        claimed = (result["document"]["sha256"], result["schema"]["sha256"])
        if claimed != (note.document, note.schema_sha256):
            return False
        with item.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == note.document
    except (OSError, ValidationError, ValueError, KeyError, TypeError):
        return False


def keep(item: Item, result: Result[Any], request: str) -> None:
    """Store the result, then the note that makes it count as done. Raises ResourceError or UsageError."""
    write_file(item.result, (result.to_json() + "\n").encode())
    note = Note(document=result.document.sha256, schema_sha256=result.schema_ref.sha256, request=request)
    write_file(item.note, note.model_dump_json().encode())


def forget(item: Item) -> None:
    """Remove the result of an earlier version of the file."""
    with writing(item.result):
        item.note.unlink(missing_ok=True)
        item.result.unlink(missing_ok=True)
