"""The compose file and the Dockerfile: judged by a parser of the Compose specification, and the services' own commands run as processes.

No container is started: that needs an engine, which the tests' machine may not have.
"""

import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from compose_spec import PyCompose
from faces import ROOT
from processes import end, launch, said
from queues import SECRET, until
from servers import free_port
from serving import serving

from docpipe.backends import ApiOptions, ModelOptions
from docpipe.settings import Settings
from docpipe.webhook import Receiver, Secret, SeenInMemory

TEXT = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OURS = ("dispatcher", "prepare", "alone", "deliver", "api")
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def filled_in(part, given: dict[str, str]):
    """A part of the file as compose reads it: in every text, variables that are not given have their defaults."""
    if isinstance(part, dict):
        return {name: filled_in(value, given) for name, value in part.items()}
    if isinstance(part, list):
        return [filled_in(value, given) for value in part]
    return VARIABLE.sub(lambda found: _value(*found.groups(), given), part) if isinstance(part, str) else part


def _value(name: str, kind: str, default: str, given: dict[str, str]) -> str:
    if kind == "?" and name not in given:
        raise KeyError(name)
    return given.get(name, default if kind == "-" else "")


def services(**given: str) -> dict:
    return filled_in(yaml.safe_load(TEXT), {"POSTGRES_PASSWORD": "secret", **given})["services"]


def check(text: str) -> list[str]:
    """The services' names. Raises ValueError for what the Compose specification does not know or what is not defined."""
    file = PyCompose.from_json(json.dumps(filled_in(yaml.safe_load(text), {"POSTGRES_PASSWORD": "secret"})))
    file.validate()
    return file.service_names()


def test_it_is_a_compose_file() -> None:
    assert set(OURS) < set(check(TEXT))


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        ("store:/var", "stores:/var", "stores"),
        ("[inside]", "[insight]", "insight"),
        ("stop_grace_period", "stop_grace", "stop_grace"),
        ("interval: 10s", "interval: soon", "soon|duration"),
    ],
)
def test_a_mistake_in_it_is_found(right: str, wrong: str, why: str) -> None:
    assert right in TEXT
    with pytest.raises(ValueError, match=why):
        check(TEXT.replace(right, wrong))


def test_no_password_has_a_default() -> None:
    with pytest.raises(KeyError, match="POSTGRES_PASSWORD"):
        filled_in(yaml.safe_load(TEXT), {})


@pytest.mark.parametrize("name", services())
def test_every_service_is_confined(name: str) -> None:
    service = services()[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name != "vllm")
    assert set(service["deploy"]["resources"]["limits"]) >= {"cpus", "memory"}
    assert "ports" not in service, "nothing is published"
    assert not service.get("privileged")
    assert "stop_grace_period" in service
    if name != "docpipe":
        assert service["healthcheck"]["test"][0] == "CMD"
        assert service["restart"] == "unless-stopped"
    if name in ("redis", "postgres"):
        assert service["user"] == name, "their images begin as root"
        assert service["networks"] == ["inside"]


def test_services_wait_for_services_that_have_a_health_check() -> None:
    known = services()
    for service in known.values():
        for other, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert known[other]["healthcheck"]["test"]


def test_every_variable_of_ours_is_a_setting() -> None:
    known = {f"DOCPIPE_{name.upper()}" for name in Settings.model_fields}
    known |= {f"DOCPIPE_MODEL__{name.upper()}" for name in ModelOptions.model_fields}
    known |= {f"DOCPIPE_MODEL__API__{name.upper()}" for name in ApiOptions.model_fields}
    named = {name for service in services().values() for name in service.get("environment", {}) if name.startswith("DOCPIPE_")}
    assert len(named) > 10 and named <= known
    assert set(re.findall(r"\$\{(DOCPIPE_\w+)", TEXT)) <= named, "what a person sets reaches a service"
    assert set(re.findall(r"\b(DOCPIPE_\w+)=", DOCKERFILE)) <= known


def test_every_lane_has_its_worker_and_only_prefork_stops_by_another_signal() -> None:
    """A pool of threads that gets SIGQUIT loses what it holds."""
    from docpipe.ledger import LANES

    served = []
    for name, service in services().items():
        command = service.get("command") or []
        if "-Q" in command:
            served += command[command.index("-Q") + 1].split(",")
            prefork = command[command.index("-P") + 1] == "prefork"
            assert (service["environment"].get("REMAP_SIGTERM") == "SIGQUIT") is prefork, name
    assert sorted(served) == sorted(f"docpipe.{lane}" for lane in LANES)


def test_the_model_behind_the_profile_is_asked_by_the_worker(monkeypatch) -> None:
    given = {"URL": "http://vllm:8000/v1", "SQUARE": "28"}
    model = {"DOCPIPE_MODEL__MODEL": "qwen", **{f"DOCPIPE_MODEL__API__{name}": value for name, value in given.items()}}
    for name in ("api", "alone", "dispatcher"):
        for variable, value in services(**model)[name]["environment"].items():
            monkeypatch.setenv(variable, value)
        settings = Settings()
        assert settings.backend == "openai_api" and settings.model.model == "qwen", name
        assert (settings.model.api.url, settings.model.api.square) == ("http://vllm:8000/v1", 28)
        assert settings.model.api.key is None and settings.model.api.requests is None, "what is empty is not set"


def test_secrets_reach_only_who_signs() -> None:
    holders = {name for name, service in services().items() if "DOCPIPE_WEBHOOK_SECRETS" in service.get("environment", {})}
    assert holders == {"alone", "deliver", "docpipe"}


def test_redis_keeps_and_never_evicts() -> None:
    command = services()["redis"]["command"]
    words = dict(zip(command[1::2], command[2::2], strict=True))
    assert (words["--appendonly"], words["--appendfsync"], words["--maxmemory-policy"]) == ("yes", "everysec", "noeviction")


# ---- the image -------------------------------------------------------------------------------------------------------


def copied() -> list[str]:
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return [word for line in lines for word in line.split()[:-1]]


def test_the_image_runs_as_nobody_and_has_no_build_tools() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER docpipe$", final, re.MULTILINE)
    assert re.search(r"useradd --uid [1-9]\d{3,}", final)
    assert not re.search(r"gcc|build-essential|-dev\b|pip install", final)
    assert {"tesseract-ocr-eng", "tesseract-ocr-kor"} <= set(final.split())
    assert "PYTHONUNBUFFERED=1" in final and "OMP_NUM_THREADS=1" in final


def test_what_the_image_copies_is_enough_to_build_it(tmp_path: Path) -> None:
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(copied()) <= admitted
    for name in copied():
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "out"], cwd=tmp_path, check=True, capture_output=True)
    assert list((tmp_path / "out").glob("docpipe-*.whl"))


# ---- the commands ----------------------------------------------------------------------------------------------------


class Receiving(http.server.ThreadingHTTPServer):
    """Keeps the webhooks that are signed right."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.receiver = Receiver([Secret(SECRET)], seen=SeenInMemory())
        self.events: list = []


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Receiving

    def do_POST(self) -> None:
        event = self.server.receiver.receive(self.headers, self.rfile.read(int(self.headers["content-length"])))
        if event is not None:
            self.server.events.append(event.data())
            self.server.receiver.done(event)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def hook() -> Iterator[Receiving]:
    with serving(Receiving()) as server:
        yield server


class Compose:
    """Runs services of the file as processes: their commands and environments, but for where the servers and folders are."""

    def __init__(self, folder: Path, places: dict[str, str]) -> None:
        self.folder = folder
        self.places = {
            **places,
            "DOCPIPE_STORE": str(folder / "store"),
            "DOCPIPE_CACHE": str(folder / "cache"),
            "DOCPIPE_PLUGINS": str(folder),
        }
        self.services = services(
            DOCPIPE_WEBHOOK_SECRETS=json.dumps([SECRET]),
            DOCPIPE_OUTBOUND_ALLOWED='["127.0.0.1"]',
            DOCPIPE_OUTBOUND_HTTP="true",
            DOCPIPE_METRICS=f"127.0.0.1:{free_port()}",
        )
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def command(self, name: str, words: list[str]) -> list[str]:
        found = self.services[name]["environment"]
        assert set(self.places) <= set(found)
        own = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(self.folder)}
        return ["/usr/bin/env", "-i", *(f"{key}={value}" for key, value in {**own, **found, **self.places}.items()), *words]

    def start(self, name: str, ready: str = "") -> None:
        log = self.folder / f"{name}.log"
        process = launch(self.command(name, self.services[name]["command"]), log=log, on_death=signal.SIGKILL)
        self.running[name] = process
        until(lambda: ready in said(log), 90, process=process, log=log)

    def run(self, name: str, words: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(name, words), capture_output=True, text=True, timeout=240, cwd=self.folder)

    def healthy(self, name: str) -> bool:
        return self.run(name, self.services[name]["healthcheck"]["test"][1:]).returncode == 0

    def stop(self, name: str) -> int:
        """As compose does it: SIGTERM, and the grace that the file gives."""
        self.running[name].send_signal(signal.SIGTERM)
        return self.running[name].wait(int(self.services[name]["stop_grace_period"].removesuffix("s")))

    def close(self) -> None:
        for process in self.running.values():
            if process.poll() is None:
                end(process, signal.SIGKILL)


@pytest.fixture
def compose(tmp_path, redis_server, postgres) -> Iterator[Compose]:
    url = postgres.database()
    made = Compose(tmp_path, {"DOCPIPE_LEDGER": url, "DOCPIPE_BROKER": redis_server.url})
    yield made
    made.close()
    postgres.drop(url)


@pytest.mark.queue
def test_the_services_commands_read_a_document(compose: Compose, hook: Receiving) -> None:
    """On a Redis and a PostgreSQL; the document is submitted with the file's own command and its outcome delivered."""
    assert not compose.healthy("dispatcher")
    compose.start("dispatcher")
    until(lambda: compose.healthy("dispatcher"), 30)
    for name in ("prepare", "alone", "deliver", "api"):
        compose.start(name, ready="ready.")
        assert compose.healthy(name)

    docpipe = compose.services["docpipe"]["entrypoint"]
    address = f"http://127.0.0.1:{hook.server_port}/hook"
    words = ["submit", str(ROOT / "samples" / "invoice.pdf"), "--schema", "invoice", "--webhook", address, "--wait"]
    submitted = compose.run("docpipe", [*docpipe, *words])
    assert submitted.returncode == 0, submitted.stderr
    job = submitted.stdout.split()[0]
    written = compose.run("docpipe", [*docpipe, "result", job])
    assert json.loads(written.stdout)["data"]["gross_total"] == "4385.51", written.stderr
    until(lambda: bool(hook.events), 30)
    assert [event["data"]["job"] for event in hook.events] == [job]

    begin = time.monotonic()
    for name in compose.running:
        assert compose.stop(name) == 0, said(compose.folder / f"{name}.log")
    assert time.monotonic() - begin < 100
    assert not compose.healthy("prepare"), "who has stopped is not alive"


def test_a_machine_is_alive_by_its_own_processes(tmp_path: Path) -> None:
    from docpipe.ledger import is_alive, open_ledger, say_alive

    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    say_alive(ledger, f"{socket.gethostname()}:1:aa", lanes=["prepare"], slots=1, version="1")
    assert is_alive(ledger, f"{socket.gethostname()}:")
    assert not is_alive(ledger, "another:")
    assert not is_alive(ledger, "%:"), "a name is no pattern"
    ledger.close()
