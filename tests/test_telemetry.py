"""What real workers tell of their work: log lines that say which item they are about, and traces from submission to webhook."""

import http.server
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from faces import docpipe, environment
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from queues import Queue, text_pages, until
from serving import serving

from docpipe import telemetry
from docpipe.errors import LedgerError
from docpipe.ledger import Hint, Sent, claim, dispatch, items
from docpipe.settings import Settings

pytestmark = pytest.mark.queue
ABOUT = {"tenant", "job", "kind", "page", "index", "fence"}

QUOTES = '''
"""An engine that fails, and says what it read."""
from docpipe.extract import Engine
from docpipe.words import load_words


class Quotes(Engine):
    """Quotes the page."""

    name = "quotes"
    scope = "page"
    lane = "api"

    def read(self, pages, schema, *, job, space):
        raise ValueError(load_words(pages[0], space).words[0].text)
'''


class Receiver(http.server.ThreadingHTTPServer):
    """Takes spans as OTLP at /v1/traces, and webhooks at /hook."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[bytes] = []
        self.hooks: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> list:
        found = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [span for one in found for resource in one.resource_spans for scope in resource.scope_spans for span in scope.spans]

    def service(self) -> set[str]:
        found = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        resources = [resource.resource for one in found for resource in one.resource_spans]
        return {fields(resource)["service.name"] for resource in resources}


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/hook":
            self.server.hooks.append(self.headers["traceparent"])
        else:
            assert self.path == "/v1/traces"
            self.server.bodies.append(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with serving(Receiver()) as server:
        yield server


@pytest.fixture
def queue(tmp_path, redis_server, receiver):
    sent = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "600000"}
    made = Queue(tmp_path, redis_server, f"sqlite:///{tmp_path / 'ledger.sqlite'}", **sent)
    yield made
    made.close()


def fields(span) -> dict[str, object]:
    """Attributes of a span or a resource."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def test_every_line_about_an_item_says_which(queue):
    """Those of the steps and those of what they call; the words that an error quotes are not among them."""
    queue.obey("quotes.py", QUOTES)
    queue.dispatcher()
    worker = queue.worker()
    job = queue.submit("SECRETWORD", "two", engines=("quotes.py:Quotes",))
    queue.wait(job)
    from workers.app import make_app
    from workers.broker import Broker

    app = make_app(Settings(broker=queue.redis.url))
    list(Broker(app, url=queue.redis.url, prefix="docpipe:").send([Sent(Hint(job, "words", 2, 1), "prepare")]))
    lines = lambda: [json.loads(line) for line in queue.log(worker).read_text().splitlines() if line.startswith("{")]  # noqa: E731
    until(lambda: any(line["message"] == "stale" for line in lines()), 30)
    ours = [line for line in lines() if line["logger"].startswith("docpipe")]
    assert {line["message"] for line in ours} >= {"begin", "done", "stale", "engine quotes failed"}
    for line in ours:
        assert set(line) >= (ABOUT if line["message"] != "stale" else ABOUT - {"tenant", "page"}), line
        assert line["job"] == job and line.get("tenant", "acme") == "acme"
    done = {(line["kind"], line["index"], line["page"]) for line in ours if line["message"] == "done"}
    assert done == {(item.kind, item.idx, item.page) for item in queue.client.items(job)} and ("words", 2, 2) in done
    (stale,) = (line for line in ours if line["message"] == "stale")
    assert "tenant" not in stale and (stale["kind"], stale["index"], stale["fence"]) == ("words", 2, 1)
    failed = [line for line in ours if line["message"] == "engine quotes failed"]
    assert all("quotes.py" in line["traceback"] and line["traceback"].endswith("ValueError\n") for line in failed)
    assert "SECRETWORD" not in queue.log(worker).read_text(), "neither the document's text nor its name"


def test_a_job_is_one_trace_over_all_processes(queue, receiver):
    """Submitted by one process, worked at by others, tried again, delivered; the last spans are sent when a worker stops."""
    queue.settings["DOCPIPE_TENANT"] = "acme"
    queue.settings["OTEL_SERVICE_NAME"] = "reading"
    queue.obey("busy-1", "1")
    path = text_pages(queue.folder / "SECRETNAME.pdf", ["SECRETWORD", "two"])
    words = ["--schema", "obeys.py:Note", "--engine", "obeys.py:First", "--webhook", f"{receiver.url}/hook"]
    submitted = docpipe("submit", path, *words, **queue.settings)
    assert submitted.returncode == 0, submitted.stderr
    job = submitted.stdout.decode().split()[0]
    queue.dispatcher()
    workers = [queue.worker("prepare", "gpu", "merge", slots=2), queue.worker("deliver", pool="threads")]
    queue.wait(job)
    for worker in workers:
        worker.send_signal(signal.SIGINT)
        worker.wait(40)
    spans = receiver.spans()
    (root,) = (span for span in spans if not span.parent_span_id)
    assert root.name == "docpipe submit" and root.kind == root.SPAN_KIND_PRODUCER
    assert fields(root) == {"docpipe.tenant": "acme", "docpipe.job": job}
    others = [span for span in spans if span is not root]
    assert all((span.trace_id, span.parent_span_id) == (root.trace_id, root.span_id) for span in others)
    assert all(fields(span)["docpipe.job"] == job and fields(span)["docpipe.tenant"] == "acme" for span in others)
    told = {(fields(span)["docpipe.kind"], fields(span)["docpipe.index"], fields(span)["docpipe.fence"]) for span in others}
    assert {(kind, idx) for kind, idx, _ in told} == {(item.kind, item.idx) for item in queue.client.items(job)}
    wrong = [span for span in others if span.status.code == span.status.STATUS_CODE_ERROR]
    assert [(span.name, span.status.message, fields(span)["error.type"]) for span in wrong] == [("docpipe read", "busy", "busy")]
    (busy,) = wrong
    again = ("read", fields(busy)["docpipe.index"], fields(busy)["docpipe.fence"] + 1)
    assert again in told and fields(busy)["docpipe.page"] == 1
    (delivery,) = (span for span in others if span.name == "docpipe deliver")
    (sent,) = receiver.hooks
    assert sent is not None and sent.startswith(f"00-{root.trace_id.hex()}-{delivery.span_id.hex()}-")
    assert receiver.service() == {"reading"}
    assert not any(secret in body for body in receiver.bodies for secret in (b"SECRET", b"slow down"))


def test_a_receiver_that_does_not_answer_holds_nobody_up(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        begin = time.monotonic()
        settings = {"DOCPIPE_LEDGER": f"sqlite:///{tmp_path / 'ledger.sqlite'}", "DOCPIPE_STORE": str(tmp_path / "store")}
        text_pages(tmp_path / "a.pdf", ["one"])
        done = docpipe("submit", tmp_path / "a.pdf", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, **settings)
    assert done.returncode == 0
    assert time.monotonic() - begin < telemetry.LAST + 10


@pytest.mark.parametrize(("named", "loaded"), [({}, False), ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, True)])
def test_nothing_is_loaded_unless_a_receiver_is_named(tmp_path, named, loaded):
    script = (
        "import sys\n"
        "from workers.process import hands\n"
        "import workers.tasks\n"
        "hands()\n"
        "print('opentelemetry' in sys.modules, 'prometheus_client' in sys.modules)\n"
    )
    settings = {"DOCPIPE_LEDGER": f"sqlite:///{tmp_path / 'ledger.sqlite'}", "DOCPIPE_STORE": str(tmp_path / "store")}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(**settings, **named), timeout=60, check=True
    )
    assert done.stdout == f"{loaded} False\n", done.stderr


def test_without_the_packages_work_goes_on(tmp_path):
    script = (
        "import sys\n"
        "sys.modules['opentelemetry'] = None\n"
        "from docpipe.telemetry import doing, failed, start_tracing, tell, traceparent\n"
        "start_tracing()\n"
        "with doing('words', {'page': 1}, role='CONSUMER', parent='00-' + 32 * '1' + '-' + 16 * '2' + '-01'):\n"
        "    tell(job='x')\n"
        "    failed('busy')\n"
        "    print(traceparent())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment(), timeout=60, check=True)
    assert done.stdout == "None\n" and "docpipe[otel]" in done.stderr


def test_the_fields_are_those_of_the_item_at_hand():
    assert telemetry.about() == {}
    with telemetry.doing("merge", {"job": "a"}, role="CONSUMER"):
        with pytest.raises(LedgerError), telemetry.doing("words", {"job": "b"}, role="CONSUMER"):
            assert telemetry.about() == {"job": "b"}
            raise LedgerError("away")
        assert telemetry.about() == {"job": "a"}
    assert telemetry.about() == {}


def test_the_trace_is_no_part_of_what_makes_a_job_that_job(queue):
    """Submitted again within another trace it is the same job, in the first one's trace."""
    from ledgers import spec

    from docpipe.ledger import new_job_id, submit

    first, second = (f"00-{32 * digit}-{16 * digit}-01" for digit in "12")
    job = submit(queue.ledger, spec(), job=new_job_id(), tenant="acme", traceparent=first)
    assert submit(queue.ledger, spec(), job=new_job_id(), tenant="acme", traceparent=second) == job
    assert submit(queue.ledger, spec(), job=new_job_id(), tenant="acme") == job
    (sent,) = dispatch(queue.ledger, slots={"prepare": 1})
    item = claim(queue.ledger, sent.hint, owner="me")
    assert item is not None and item.traceparent == first
    assert [one.kind for one in items(queue.ledger, job)] == ["prepare"]
