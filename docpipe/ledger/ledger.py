"""The connection to the ledger: transactions on SQLite (one machine) or PostgreSQL (several). Knows no rule of the queue.

Lock order, on both: whoever changes a job or takes an item out of `running` or `enqueued` locks the job's row first. SQLite has one writer
at a time anyway.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from docpipe.errors import LedgerError, NotFoundError, SettingsError
from docpipe.ledger import tables

BUSY = 30.0  # seconds that a transaction waits for another to end
BREATH = 2.0  # the same where there is patience: no signal is heard while SQLite waits
AGAIN = 0.2  # seconds between two tries to begin
_BEGIN = "docpipe_begin"
_AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError)


class Tx:
    """One transaction. `now` is the time on the ledger's own clock, in seconds since 1970, so that no two machines disagree."""

    def __init__(self, connection: sa.Connection, now: float) -> None:
        self.connection = connection
        self.now = now

    def run(self, statement: sa.Executable, rows: Sequence[dict[str, Any]] | None = None) -> sa.CursorResult[Any]:
        """Run a statement, or the same one for many rows; none for no rows is the caller's business."""
        return self.connection.execute(statement, rows)

    def one(self, statement: sa.Executable) -> Any:
        """The first row, or None."""
        return self.run(statement).first()

    def all(self, statement: sa.Executable) -> Sequence[Any]:
        """Every row."""
        return self.run(statement).all()

    def scalar(self, statement: sa.Executable) -> Any:
        """The first column of the first row."""
        return self.run(statement).scalar()

    def insert_new(self, table: sa.Table, **values: Any) -> bool:
        """Insert a row; False where one with its key is there already."""
        make = postgresql.insert if self.is_postgresql else sqlite.insert
        key = table.primary_key.columns
        return self.one(make(table).values(**values).on_conflict_do_nothing().returning(*key)) is not None

    def lock_job(self, job: str) -> Any:
        """The job's row, nobody else's until the transaction ends. Raises NotFoundError."""
        row = self.one(sa.select(tables.job).where(tables.job.c.id == job).with_for_update())
        if row is None:
            raise NotFoundError("no such job", file=job, hint="docpipe status lists the jobs")
        return row

    def tell(self, job: str, type: str, *, page: int | None = None, note: str | None = None) -> None:
        """Write down that something happened to a job. No text of the document belongs in a note."""
        self.run(tables.event.insert().values(job=job, at=self.now, type=type, page=page, note=note))

    def has_table(self, name: str) -> bool:
        """Whether there is such a table."""
        return sa.inspect(self.connection).has_table(name)

    @property
    def is_postgresql(self) -> bool:
        return self.connection.dialect.name == "postgresql"


class Ledger:
    """The durable state of jobs and their work, at an SQLAlchemy URL. Safe to share between threads; a forked child makes its own
    connections.

    `patience` are the seconds for which a transaction that cannot begin is tried again; it may be changed at any time.
    """

    def __init__(self, url: str, *, patience: float = 0.0, clock: Callable[[], float] | None = None) -> None:
        """Opens nothing yet. `clock` replaces the ledger's clock in tests. Raises SettingsError for a URL that cannot be one."""
        try:
            self.url = sa.make_url(url)
        except sa.exc.ArgumentError as problem:
            raise SettingsError(
                "the ledger's URL cannot be read", hint="sqlite:///path/to/ledger.db or postgresql+psycopg://..."
            ) from problem
        if self.url.get_backend_name() not in ("sqlite", "postgresql"):
            raise SettingsError(f"a ledger cannot lie in {self.url.get_backend_name()}", hint="use sqlite or postgresql+psycopg")
        self.patience = patience
        self._clock = clock
        self.engine = sa.create_engine(self.url, **self._options())
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        _opened.add(self)

    @property
    def is_sqlite(self) -> bool:
        """The ledger is a file on this machine."""
        return self.url.get_backend_name() == "sqlite"

    @contextlib.contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Tx]:
        """A transaction that changes something: all of it happens, or nothing. Raises LedgerError.

        A power cut may undo the last ones on SQLite, which every caller can repeat; `durable` ones it cannot undo.
        """
        with self._transaction("BEGIN IMMEDIATE", durable=durable) as tx:
            yield tx

    @contextlib.contextmanager
    def read(self) -> Iterator[Tx]:
        """A look at one moment's state. Raises LedgerError."""
        with self._transaction("BEGIN") as tx:
            yield tx

    def close(self) -> None:
        """Close every connection of this process."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _transaction(self, begin: str, *, durable: bool = False) -> Iterator[Tx]:
        try:
            with contextlib.ExitStack() as stack:
                yield self._begin(stack, begin, durable)
        except _AWAY as problem:
            raise LedgerError(f"the ledger does not answer: {_said(problem)}") from problem
        except sa.exc.DatabaseError as problem:
            if type(problem) is not sa.exc.DatabaseError:  # which SQLite raises for a file that is none of its own
                raise
            raise LedgerError(
                f"the ledger is damaged: {_said(problem)}", hint="restore a back-up; the one in a batch's .docpipe may be deleted"
            ) from problem

    def _begin(self, stack: contextlib.ExitStack, begin: str, durable: bool) -> Tx:
        """A transaction that ends with the stack. Between two tries a fork may happen."""
        tired = time.monotonic() + self.patience
        while True:
            try:
                with contextlib.ExitStack() as attempt:
                    attempt.enter_context(_no_fork())
                    connection = attempt.enter_context(self.engine.connect()).execution_options(**{_BEGIN: begin})
                    attempt.enter_context(_synchronous(connection, durable and self.is_sqlite))
                    attempt.enter_context(connection.begin())
                    tx = Tx(connection, self._now(connection))
                    stack.enter_context(attempt.pop_all())
                    return tx
            except _AWAY:
                if time.monotonic() > tired:
                    raise
            time.sleep(AGAIN)

    def _now(self, connection: sa.Connection) -> float:
        if self._clock is not None:
            return self._clock()
        if self.is_sqlite:
            return time.time()
        return float(connection.scalar(sa.select(sa.func.extract("epoch", sa.func.clock_timestamp()))) or 0.0)

    def _options(self) -> dict[str, Any]:
        if self.url.get_backend_name() == "sqlite":
            return {"connect_args": {"timeout": BREATH if self.patience else BUSY}, "pool_size": 2, "max_overflow": 64}
        waits = int(BUSY * 1000)
        arguments = {"connect_timeout": 10, "options": f"-c lock_timeout={waits} -c statement_timeout={2 * waits}"}
        return {"connect_args": arguments, "pool_size": 2, "max_overflow": 64, "pool_pre_ping": True}


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours to say
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


@contextlib.contextmanager
def _synchronous(connection: sa.Connection, full: bool) -> Iterator[None]:
    """Commits inside reach the disk before they return, where `full`."""
    if not full:
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA synchronous=FULL")
    try:
        yield
    finally:
        driver.execute("PRAGMA synchronous=NORMAL")


def _said(problem: sa.exc.SQLAlchemyError) -> str:
    """The database's own words, in one line; SQLAlchemy's would add the statement and its values."""
    cause = getattr(problem, "orig", None)
    return " ".join(str(cause or type(problem).__name__).split())


_opened: weakref.WeakSet[Ledger] = weakref.WeakSet()


_open: Counter[int] = Counter()  # transactions of this process, by thread
_turn = threading.Condition()


@contextlib.contextmanager
def _no_fork() -> Iterator[None]:
    """A fork waits for the end of this. SQLite keeps its locks in the process's memory too: a child that is made while another thread holds
    one inherits it for good, and finds the ledger locked as long as it lives."""
    thread = threading.get_ident()
    with _turn:
        _open[thread] += 1
    try:
        yield
    finally:
        with _turn:
            _open[thread] -= 1
            if not _open[thread]:
                del _open[thread]
            _turn.notify_all()


def _before_fork() -> None:
    """Nobody begins a transaction until the fork is over; what the forking thread itself has open it cannot wait for."""
    _turn.acquire()
    mine = threading.get_ident()
    _turn.wait_for(lambda: not set(_open) - {mine}, timeout=2 * BUSY)


def _after_fork() -> None:
    """A connection belongs to the process that made it; the child forgets it without closing it."""
    global _turn
    _turn = threading.Condition()
    _open.clear()
    for ledger in list(_opened):
        ledger.engine.dispose(close=False)


os.register_at_fork(before=_before_fork, after_in_parent=lambda: _turn.release(), after_in_child=_after_fork)
