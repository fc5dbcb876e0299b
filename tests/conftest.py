"""Servers as fixtures: Redis per test, PostgreSQL per session (and so per xdist worker), a database and a ledger per test."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from ledgers import NOW
from servers import PostgresServer, RedisServer

from docpipe.backends._api.store import LocalStore, RedisStore, Store
from docpipe.ledger import Ledger, open_ledger


def pytest_configure(config: pytest.Config) -> None:
    """A shell starts what it puts into the background without SIGINT, and so would we what we start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """An empty Redis that runs."""
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def clock() -> list[float]:
    """What a ledger's clock says, to be moved on."""
    return [NOW]


@pytest.fixture
def ledger(ledger_url: str, clock: list[float]) -> Iterator[Ledger]:
    """An empty ledger on each database."""
    open_ledger(ledger_url).close()
    made = Ledger(ledger_url, clock=lambda: clock[0])
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgres"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database: a SQLite file, and one in PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.sqlite'}"
        return
    server = request.getfixturevalue("postgres")
    url = server.database()
    yield url
    server.drop(url)


@pytest.fixture
def ticks() -> list[float]:
    """What a store's clock says, to be moved on."""
    return [NOW]


@pytest.fixture(params=["local", "redis"])
def store(request: pytest.FixtureRequest, ticks: list[float]) -> Iterator[Store]:
    """An empty store of each kind, whose clock is `ticks`."""
    if request.param == "local":
        yield LocalStore(lambda: ticks[0])
        return
    made = RedisStore(request.getfixturevalue("redis_server").url, clock=lambda: ticks[0])
    yield made
    made.close()
