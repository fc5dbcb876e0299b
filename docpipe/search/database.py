"""The connection to an index: transactions on SQLite or PostgreSQL, and their errors as ours. Knows no table."""

from __future__ import annotations

import contextlib
import importlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy as sa

from docpipe.errors import DocpipeError, MissingError, NotFoundError, ResourceError, SearchIndexError, SettingsError

BUSY = 60.0  # seconds that a transaction waits for another to end: one writes a whole document
MAPPED = 4 * 1024**3  # bytes of a SQLite file that are read without copying them
_BEGIN = "docpipe_search_begin"
_HINT = "sqlite:///path/to/search.sqlite or postgresql+psycopg://..."
_SQLITE_FULL = "database or disk is full"


class Database:
    """Transactions at one URL. Safe to share between threads."""

    def __init__(self, url: str, *, create: bool) -> None:
        """Opens nothing yet; the folder of a new SQLite file is made where `create`. Raises SettingsError for a URL that cannot be one, and
        NotFoundError where there is no file and none is to be made."""
        try:
            self.url = sa.make_url(url)
        except sa.exc.ArgumentError as problem:
            raise SettingsError("the index's URL cannot be read", hint=_HINT) from problem
        if self.url.get_backend_name() not in ("sqlite", "postgresql"):
            raise SettingsError(f"an index cannot lie in {self.url.get_backend_name()}", hint=_HINT)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._has_vectors = False
        if self.is_sqlite:
            _prepare_place(self.url.database, create=create)
        self.engine = sa.create_engine(self.url, **_options(sqlite=self.is_sqlite))
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", self._prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)

    def need_vectors(self) -> None:
        """From now on transactions can compare vectors. Raises MissingError."""
        if self.is_sqlite and not self._has_vectors:
            vectors_of(sqlite_module())
            self._has_vectors = True
            self.engine.dispose()  # what is open cannot yet

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that changes something: all of it happens, or nothing. Raises SearchIndexError or ResourceError."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A look at one moment's state. Raises SearchIndexError."""
        with self._transaction("BEGIN") as connection:
            yield connection

    def close(self) -> None:
        """Close every connection of this process."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sa.Connection]:
        try:
            with self.engine.connect().execution_options(**{_BEGIN: begin}) as connection, connection.begin():
                yield connection
        except sa.exc.DBAPIError as problem:
            raise _translated(problem) from problem

    def _prepare_sqlite(self, connection: Any, record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours to say
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON", f"mmap_size={MAPPED}"):
            connection.execute(f"PRAGMA {pragma}")
        if self._has_vectors:
            connection.enable_load_extension(True)
            vectors_of(sqlite_module()).load(connection)
            connection.enable_load_extension(False)


def sqlite_module() -> ModuleType:
    """Python's own sqlite3 where it can load what compares vectors, else that of the package pysqlite3 where it is installed."""
    if hasattr(sqlite3.Connection, "enable_load_extension"):
        return sqlite3
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return sqlite3


def vectors_of(module: ModuleType) -> Any:
    """The package sqlite-vec. Raises MissingError where it is not installed, or this SQLite cannot load it."""
    hint = "pip install 'docpipe[search]'"
    if not hasattr(module.Connection, "enable_load_extension"):
        raise MissingError("this Python's sqlite3 cannot load extensions, which comparing looks needs", hint=hint)
    try:
        return importlib.import_module("sqlite_vec")
    except ImportError as problem:
        raise MissingError("comparing looks needs the package sqlite-vec", hint=hint) from problem


def _prepare_place(database: str | None, *, create: bool) -> None:
    if not database or database == ":memory:":
        raise SettingsError("an index is a file", hint=_HINT)
    path = Path(database)
    if not create and not path.exists():
        raise NotFoundError("there is no index yet", file=path.name, hint="docpipe index FILE... makes it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise SettingsError(
            f"the index's folder cannot be made: {problem.strerror}", file=path.name, hint="choose another place with DOCPIPE_INDEX"
        ) from problem


def _options(*, sqlite: bool) -> dict[str, Any]:
    if sqlite:
        return {"connect_args": {"timeout": BUSY}, "pool_size": 1, "module": sqlite_module()}
    waits = int(BUSY * 1000)
    return {"connect_args": {"connect_timeout": 10, "options": f"-c lock_timeout={waits}"}, "pool_size": 1, "pool_pre_ping": True}


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


def _translated(problem: sa.exc.DBAPIError) -> DocpipeError:
    """The database's own words, in one line; SQLAlchemy's would add the statement and its values."""
    said = " ".join(str(problem.orig or type(problem).__name__).split())
    if said == _SQLITE_FULL:
        return ResourceError("the index's disk is full")
    if type(problem) is sa.exc.DatabaseError:  # which SQLite raises for a file that is none of its own
        return SearchIndexError(f"the index is damaged: {said}", hint="delete it and index the documents again")
    return SearchIndexError(f"the index does not answer: {said}")
