"""Where the queue keeps files: documents, what was read off their pages, results. A local folder, or an object store by its URL.

Knows names and bytes, no record. A name is written once, by whoever holds the fence that is part of it, and then never changes: a local
file by temp + rename, an object by one conditional put.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path
from typing import IO, Any

from docpipe.errors import MissingError, NotFoundError, ResourceError, SettingsError, UsageError, is_exhausted
from docpipe.workspace import write_atomic

PROTOCOLS = ("file", "s3", "gs", "abfs", "memory")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_PRIVATE = 0o600


class Store:
    """Files by name below one URL or folder. Names are made by docpipe alone; a document's own name is never part of one."""

    def __init__(self, url: str) -> None:
        """A local folder is made where it is missing. Raises SettingsError for a URL that no file system answers to, and MissingError
        where its package is not installed."""
        import fsspec
        from fsspec.core import split_protocol

        protocol, root = split_protocol(url)
        self.protocol = protocol or "file"
        if self.protocol not in PROTOCOLS:
            raise SettingsError(f"a store cannot lie at {self.protocol}://", hint=f"one of: {', '.join(PROTOCOLS)}")
        try:
            self._files: Any = fsspec.filesystem(self.protocol)
        except ImportError as problem:
            raise MissingError(f"{self.protocol}:// needs another package: {problem}", hint="pip install what it names") from problem
        self.root = str(Path(root).absolute()) if self.is_local else root.rstrip("/")
        if self.is_local:
            self._make_folder(Path(self.root))

    @property
    def is_local(self) -> bool:
        """Its files are files of this machine."""
        return self.protocol == "file"

    def put(self, name: str, content: bytes | IO[bytes], *, private: bool = False) -> str:
        """Store the whole content or nothing; returns the name. What lies there already stays: only a repeat of the same work could write
        it again. `private` files of a local store are for their owner's eyes. Raises ResourceError where there is no room."""
        place = self._place(name)
        with _room():
            if self.is_local:
                write_atomic(Path(place), content, mode=_PRIVATE if private else None)
            else:
                self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
                with contextlib.suppress(FileExistsError):
                    self._files.pipe_file(place, content if isinstance(content, bytes) else content.read(), mode="create")
        return name

    def read(self, name: str) -> bytes:
        """The content. Raises NotFoundError."""
        try:
            return bytes(self._files.cat_file(self._place(name)))
        except FileNotFoundError as problem:
            raise NotFoundError("not in the store", file=name, hint="was it deleted?") from problem

    def fetch(self, name: str, target: Path) -> Path:
        """The content as a local file: the store's own where it is one, else a copy at `target`. Raises NotFoundError."""
        place = self._place(name)
        if self.is_local and Path(place).is_file():
            return Path(place)
        try:
            with _room():
                self._files.get_file(place, str(target))
        except FileNotFoundError as problem:
            raise NotFoundError("not in the store", file=name, hint="was it deleted?") from problem
        return target

    def has(self, name: str) -> bool:
        """Whether it was stored."""
        return bool(self._files.exists(self._place(name)))

    def delete(self, name: str) -> None:
        """Remove a file, or all files below a name; nothing there is no error."""
        place = self._place(name)
        with contextlib.suppress(FileNotFoundError):
            if self.is_local and Path(place).is_dir():
                shutil.rmtree(place)  # twice as fast as by fsspec
            else:
                self._files.rm(place, recursive=True)

    def free_bytes(self) -> int | None:
        """The room that is left; None where the store does not say."""
        return shutil.disk_usage(self.root).free if self.is_local else None

    def _place(self, name: str) -> str:
        if not _NAME.fullmatch(name) or ".." in name:
            raise UsageError(f"{name[:80]!r} cannot be a name in the store")
        return f"{self.root}/{name}"

    @staticmethod
    def _make_folder(folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise SettingsError(
                f"the store cannot be made: {problem.strerror}", hint="choose another folder with DOCPIPE_STORE"
            ) from problem


@contextlib.contextmanager
def _room() -> Any:
    """Memory and disk that ran out leave as a ResourceError."""
    try:
        yield
    except (OSError, MemoryError) as problem:
        if not is_exhausted(problem):
            raise
        raise ResourceError("the store is full") from problem
