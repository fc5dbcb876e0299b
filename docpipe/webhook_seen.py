"""Which webhook events were seen before: in memory, or in a file that outlives the process. Knows ids and times only."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

KEEP = 30 * 86_400.0  # seconds; the retries are over after two days, a dead delivery may be sent again by hand later


class Seen(Protocol):
    """Remembers ids. Used from several threads, a file's also from several processes."""

    def has(self, id: str) -> bool:
        """Whether the id was added before."""

    def add(self, id: str, at: float) -> None:
        """Remember the id, seen `at` seconds since 1970; a second time is no error."""


class SeenInMemory:
    """Forgets everything with its process."""

    def __init__(self, *, keep: float = KEEP) -> None:
        """Ids are forgotten `keep` seconds after they were added."""
        self._keep = keep
        self._ids: dict[str, float] = {}
        self._lock = threading.Lock()

    def has(self, id: str) -> bool:
        with self._lock:
            return id in self._ids

    def add(self, id: str, at: float) -> None:
        with self._lock:
            self._ids.setdefault(id, at)
            while self._ids[oldest := next(iter(self._ids))] < at - self._keep:
                del self._ids[oldest]


class SeenFile:
    """An SQLite file on a local disk."""

    def __init__(self, path: Path, *, keep: float = KEEP) -> None:
        """Makes the file where it is missing; raises sqlite3.Error where it cannot be used, as both methods do. Ids are forgotten
        `keep` seconds after they were added."""
        self._path = path
        self._keep = keep
        with self._transaction() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID")
            connection.execute("CREATE INDEX IF NOT EXISTS seen_at ON seen (at)")

    def has(self, id: str) -> bool:
        with self._transaction() as connection:
            return connection.execute("SELECT 1 FROM seen WHERE id = ?", (id,)).fetchone() is not None

    def add(self, id: str, at: float) -> None:
        with self._transaction() as connection:
            connection.execute("DELETE FROM seen WHERE at < ?", (at - self._keep,))
            connection.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (id, at))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own, so that threads and processes share nothing but the file; on disk when the block ends."""
        with contextlib.closing(sqlite3.connect(self._path, timeout=30)) as connection, connection:
            yield connection
