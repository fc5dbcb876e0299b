"""Submitting, asking, retrying and delivering, from the command line and from Python; the work is done here, without a broker."""

import contextlib
import http.server
import json
import stat

import pymupdf
import pytest
from faces import ROOT, docpipe, last_line, pdf
from queues import OBEYS, SECRET, text_pages
from serving import serving

from docpipe import run
from docpipe.allowed import Allowed
from docpipe.client import Client
from docpipe.delivery import Delivery
from docpipe.errors import EngineError, FailedError, LedgerError, MismatchError, NotFoundError, QuotaError, SchemaError, UsageError
from docpipe.ledger import LANES, Ledger, Quota, dispatch, open_ledger, sweep, views
from docpipe.ledger.tables import job as jobs
from docpipe.ledger.tables import metadata
from docpipe.outbound import Outbound
from docpipe.records import ReadOptions
from docpipe.request import Request
from docpipe.steps import Steps
from docpipe.store import Store
from docpipe.webhook import Receiver, Secret, SeenInMemory

pytestmark = pytest.mark.queue
LOCAL = Outbound(allowed=("127.0.0.1",), plain_http=True)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "obeys.py").write_text(OBEYS)
    return tmp_path


@pytest.fixture
def ledger(place):
    ledger = open_ledger(f"sqlite:///{place / 'ledger.sqlite'}")
    yield ledger
    ledger.close()


@pytest.fixture
def client(place, ledger):
    return Client(ledger, Store(str(place / "store")), tenant="acme", allowed=Allowed(folder=place / "plugins"), outbound=LOCAL)


@pytest.fixture
def steps(place, ledger):
    delivery = Delivery(secrets=[Secret(SECRET)], rules=LOCAL)
    return Steps(ledger, Store(str(place / "store")), allowed=Allowed(folder=place / "plugins"), delivery=delivery)


def work(ledger, steps) -> int:
    """Do all that is due."""
    done = 0
    while sent := dispatch(ledger, slots=dict.fromkeys(LANES, 4)):
        done += sum(steps.do(one.hint, owner="test") is not None for one in sent)
    return done


def environment(place, **more) -> dict[str, str]:
    return {
        "DOCPIPE_LEDGER": f"sqlite:///{place / 'ledger.sqlite'}",
        "DOCPIPE_STORE": str(place / "store"),
        "DOCPIPE_TENANT": "acme",
        "DOCPIPE_PLUGINS": str(place / "plugins"),
        **more,
    }


def note(client, place, *words, **wishes) -> str:
    path = text_pages(place / f"{words[0]}.pdf", words)
    return client.submit(path, Request(schema_name="obeys.py:Note", options=ReadOptions(engines=("obeys.py:First",))), **wishes)


def test_the_command_line_from_submit_to_result(place, ledger, steps, tmp_path):
    folder = tmp_path / "in"
    pdf(folder / "a.pdf", "Alpha and a few words")
    pdf(folder / "deep" / "b.pdf", "Beta and a few words")
    (folder / "no.pdf").write_text("no PDF")
    call = lambda *words: docpipe(*words, **environment(place))  # noqa: E731
    done = call("submit", folder)
    assert done.returncode == 11 and last_line(done.stderr).startswith("docpipe: error: unsupported: no.pdf")
    lines = dict(line.split(" ", 1)[::-1] for line in done.stdout.decode().splitlines())
    assert set(lines) == {"a.pdf", "b.pdf"}
    again = call("submit", folder / "a.pdf")
    assert again.stdout.decode() == f"{lines['a.pdf']} a.pdf\n", "the same document is the same job"
    assert b"preparing" in call("status", lines["a.pdf"]).stdout
    refused = call("result", lines["a.pdf"])
    assert refused.returncode == FailedError.exit_code and b"the job is preparing" in refused.stderr
    work(ledger, steps)
    assert [line.split()[1] for line in call("status").stdout.decode().splitlines()] == ["accepted", "accepted"]
    assert "Alpha" in json.loads(call("result", lines["a.pdf"]).stdout)["data"]["text"]
    assert len(call("result", "--sink", "jsonl").stdout.splitlines()) == 2
    told = call("watch", lines["b.pdf"]).stdout.decode()
    assert "submitted" in told and "page 1" in told and told.splitlines()[-1].split()[1] == "accepted"
    assert json.loads(call("status", "--json", lines["b.pdf"]).stdout)["pages"] == 1
    assert call("retry", lines["b.pdf"], "--pages", "1").stdout.decode().endswith("1 pages again\n")
    assert b"cancelled" in call("cancel", lines["b.pdf"]).stdout
    assert b"had ended" in call("cancel", lines["b.pdf"]).stdout
    assert call("quarantine", "drop", lines["b.pdf"]).returncode == 0
    missing = call("status", lines["b.pdf"])
    assert missing.returncode == NotFoundError.exit_code and b"no such job" in missing.stderr
    assert docpipe("status", lines["a.pdf"], "--tenant", "bolt", **environment(place)).returncode == NotFoundError.exit_code
    one_key = call("submit", folder, "--idempotency-key", "k")
    assert one_key.returncode == UsageError.exit_code


def test_what_ended_long_ago_is_deleted_with_its_files(client, place, ledger, steps, tmp_path):
    old, new = (client.submit(pdf(tmp_path / name, name), Request()) for name in ("old.pdf", "new.pdf"))
    work(ledger, steps)
    waits = client.submit(pdf(tmp_path / "waits.pdf", "waits"), Request())
    with ledger.write() as tx:
        tx.run(jobs.update().where(jobs.c.id == old).values(ended_at=tx.now - 2 * 86_400))
        tx.run(jobs.update().where(jobs.c.id == waits).values(created_at=tx.now - 2 * 86_400))
    call = lambda *words: docpipe("drop", *words, "--tenant", "acme", **environment(place))  # noqa: E731
    assert docpipe("drop", "--ended-days", "1", "--tenant", "bolt", **environment(place)).stdout == b"0 deleted\n"
    assert call("--ended-days", "1").stdout == b"1 deleted\n"
    assert {job.id for job in client.jobs()} == {new, waits}
    assert {path.name for path in (place / "store" / "acme").iterdir()} == {new, waits}
    assert call(waits).returncode == UsageError.exit_code, "what is at work is not deleted"
    assert call().returncode == call(new, "--ended-days", "1").returncode == UsageError.exit_code
    assert call(new).returncode == 0 and {job.id for job in client.jobs()} == {waits}


def test_a_document_that_cannot_be_opened_is_a_named_failure(client, ledger, steps, tmp_path):
    damaged = tmp_path / "damaged.pdf"
    damaged.write_bytes(b"%PDF-1.7\n" + b"nonsense " * 200)
    job = client.submit(damaged, Request())
    work(ledger, steps)
    found = client.job(job)
    assert (found.state, found.status, found.error_code) == ("done", "failed", "damaged")
    with pytest.raises(FailedError, match="damaged"):
        client.wait(job, seconds=5)
    assert [(owner, item.kind) for owner, item in client.given_up()] == [(job, "prepare")]


def test_a_password_is_in_no_row_and_no_message(client, place, ledger, steps, tmp_path):
    path = tmp_path / "locked.pdf"
    document = pymupdf.open()
    document.new_page().insert_text((72, 72), "Secret words on a page of a document")
    document.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="open sesame", owner_pw="owner")
    wrong = client.submit(path, Request(), password="wrong")
    right = client.submit(path, Request(), key="right", password="open sesame")
    secret = place / "store" / "acme" / right / "password"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    work(ledger, steps)
    assert client.job(wrong).error_code == "password"
    assert "Secret words" in client.result(right).data["text"]
    with ledger.read() as tx:
        rows = [str(row) for table in metadata.tables.values() for row in tx.all(table.select())]
    assert not any("sesame" in row for row in rows)
    assert not secret.exists(), "it is gone with the last step that needs it"


def test_a_locked_document_is_retried_with_its_password(client, place, ledger, steps, tmp_path):
    path = tmp_path / "locked.pdf"
    document = pymupdf.open()
    document.new_page().insert_text((72, 72), "Secret words on a page of a document")
    document.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="open sesame", owner_pw="owner")
    job = client.submit(path, Request(), password="wrong")
    work(ledger, steps)
    assert client.job(job).error_code == "password"
    client.retry(job, password="open sesame")
    work(ledger, steps)
    assert "Secret words" in client.result(job).data["text"]


def locked(path):
    document = pymupdf.open()
    document.new_page().insert_text((72, 72), "Secret words on a page of a document")
    document.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="open sesame", owner_pw="owner")
    return path


def test_a_document_that_was_submitted_without_its_password_is_retried_with_it(client, place, ledger, steps, tmp_path):
    job = client.submit(locked(tmp_path / "locked.pdf"), Request())
    work(ledger, steps)
    assert client.job(job).error_code == "password"
    client.retry(job, password="open sesame")
    work(ledger, steps)
    assert "Secret words" in client.result(job).data["text"]
    assert not (place / "store" / "acme" / job / "password").exists()


def test_a_retry_that_is_refused_changes_no_password(client, place, ledger, steps, tmp_path):
    job = client.submit(locked(tmp_path / "locked.pdf"), Request(), password="open sesame")
    secret = place / "store" / "acme" / job / "password"
    with pytest.raises(UsageError, match="at work"):
        client.retry(job, password="wrong")
    assert secret.read_text() == "open sesame"
    work(ledger, steps)
    with pytest.raises(UsageError, match="no page 9"):
        client.retry(job, pages=[9], password="open sesame")
    assert not secret.exists()


def test_code_never_travels(client, place, ledger, steps):
    path = text_pages(place / "x.pdf", ["word"])
    for name in ("os:path", "nowhere.py:Thing", "../obeys.py:Thing"):
        with pytest.raises(SchemaError):
            client.submit(path, Request(schema_name=name))
    with pytest.raises(SchemaError, match="no package that jobs may name"):
        client.submit(path, Request(options=ReadOptions(engines=("os:path",))))
    assert views(ledger) == []
    assert not list((place / "store").rglob("source"))
    job = note(client, place, "word")
    changed = OBEYS.replace("First word of the first page", "Something else")
    (place / "plugins2").mkdir()
    (place / "plugins2" / "obeys.py").write_text(changed)
    other = Steps(ledger, Store(str(place / "store")), allowed=Allowed(folder=place / "plugins2"))
    work(ledger, other)
    assert client.job(job).error_code == MismatchError.code


def test_a_full_disk_or_backlog_refuses_before_anything_is_stored(place, ledger):
    path, store = text_pages(place / "x.pdf", ["word"]), Store(str(place / "store"))
    full = Client(ledger, store, tenant="acme", free_disk=2**62)
    with pytest.raises(QuotaError, match="disk is full"):
        full.submit(path, Request())
    busy = Client(ledger, store, tenant="acme", quota=Quota(tenant_jobs=1))
    busy.submit(path, Request(), key="1")
    with pytest.raises(QuotaError):
        busy.submit(path, Request(), key="2")
    assert len(list((place / "store").rglob("source"))) == 1, "what was refused left nothing"


def test_what_is_submitted_twice_is_stored_once(client, place):
    path = text_pages(place / "x.pdf", ["word"])
    first = client.submit(path, Request())
    assert client.submit(path, Request()) == first
    assert len(list((place / "store").rglob("source"))) == 1


class Deaf(Ledger):
    """A ledger whose connection breaks once it has written, before it says so."""

    @contextlib.contextmanager
    def write(self, **wishes):
        with super().write(**wishes) as tx:
            yield tx
        raise LedgerError("the ledger does not answer")


def test_a_submission_whose_answer_got_lost_keeps_its_document(place, client, ledger, steps):
    path, deaf = text_pages(place / "x.pdf", ["word"]), Deaf(str(ledger.url))
    with pytest.raises(LedgerError):
        Client(deaf, Store(str(place / "store")), tenant="acme").submit(path, Request(), key="1")
    deaf.close()
    job = client.submit(path, Request(), key="1")
    assert len(views(ledger)) == 1
    work(ledger, steps)
    assert client.result(job).status == "accepted"


class Receiving(http.server.BaseHTTPRequestHandler):
    """Answers as its server's `answers` say, the last one for ever; keeps what it got."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((dict(self.headers), body))
        answers = self.server.answers
        self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def receiver():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiving)
    server.got, server.answers = [], [200]
    with serving(server):
        yield server


def url(server) -> str:
    return f"http://127.0.0.1:{server.server_port}/hook?token=secret"


def test_a_webhook_hears_of_the_result_under_one_id(client, place, ledger, steps, receiver):
    receiver.answers = [500, 200]
    job = note(client, place, "alpha", webhook=url(receiver))
    work(ledger, steps)
    assert client.job(job).state == "delivering" and len(receiver.got) == 1
    (waiting,) = [item for item in client.items(job) if item.kind == "deliver"]
    assert (waiting.state, waiting.transients) == ("pending", 1)
    with ledger.write() as tx:  # the 5 s until the next try
        tx.run(metadata.tables["work"].update().where(metadata.tables["work"].c.kind == "deliver").values(not_before=0.0))
        tx.run(jobs.update().values(due_at=0.0))
    work(ledger, steps)
    assert client.job(job).state == "done"
    ids = {headers["webhook-id"] for headers, _ in receiver.got}
    assert len(receiver.got) == 2 and len(ids) == 1
    seen = Receiver([Secret(SECRET)], seen=SeenInMemory())
    event = seen.receive(*receiver.got[1])
    assert event is not None
    seen.done(event)
    assert seen.receive(*receiver.got[0]) is None, "dropped as seen"
    said = event.data()
    assert said["type"] == "document.review" and said["data"]["job"] == job
    assert said["data"]["result"]["data"]["pages"] == ["alpha"]
    assert client.redeliver(job)
    work(ledger, steps)
    assert {headers["webhook-id"] for headers, _ in receiver.got} == ids


def test_a_webhook_that_is_gone_is_dead_and_the_result_stays(client, place, ledger, steps, receiver):
    receiver.answers = [410]
    job = note(client, place, "alpha", webhook=url(receiver))
    work(ledger, steps)
    assert (client.job(job).state, client.result(job).status) == ("done", "review")
    ((owner, item),) = client.given_up()
    assert (owner, item.kind, item.error_code) == (job, "deliver", "dead")


def test_a_webhook_to_a_private_address_is_refused(client, place, ledger):
    strict = Steps(
        ledger, Store(str(place / "store")), allowed=Allowed(folder=place / "plugins"), delivery=Delivery(secrets=[Secret(SECRET)])
    )
    job = note(client, place, "alpha", webhook="https://169.254.169.254/latest/meta-data")
    work(ledger, strict)
    ((owner, item),) = client.given_up()
    assert (owner, item.kind, item.error_code) == (job, "deliver", "forbidden_address")


def test_a_document_is_fetched_by_its_url_under_the_same_rules(client, place, ledger, steps, tmp_path):
    (tmp_path / "www").mkdir()
    pdf(tmp_path / "www" / "far.pdf", "From far away and some words")
    handler = lambda *parts: http.server.SimpleHTTPRequestHandler(*parts, directory=str(tmp_path / "www"))  # noqa: E731
    with serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)) as server:
        job = client.submit(f"http://127.0.0.1:{server.server_port}/far.pdf", Request())
    work(ledger, steps)
    assert client.result(job).document.name == "far.pdf"
    assert "From far away" in client.result(job).data["text"]


def test_an_object_store_serves_as_well(ledger):
    """fsspec's memory stands for S3: no path, one conditional put."""
    store = Store("memory://bucket/docpipe")
    steps, client = Steps(ledger, store), Client(ledger, store, tenant="acme")
    sample = ROOT / "samples" / "facturx.pdf"
    job = client.submit(sample, Request(schema_name="invoice"))
    work(ledger, steps)
    assert client.result(job).canonical_json() == run(sample, "invoice").canonical_json()
    assert store.put(f"acme/{job}/source", b"another") and store.read(f"acme/{job}/source") == sample.read_bytes(), "written once"
    steps.close()
    client.drop(job)
    assert not store.has(f"acme/{job}/source")


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a/../b", "a//b", ".hidden", "", "a b"])
def test_a_name_in_the_store_is_plain(place, name):
    with pytest.raises(UsageError, match="cannot be a name"):
        Store(str(place / "store")).put(name, b"x")


def test_the_doctor_says_what_is_not_well_and_what_to_do(place, redis_server):
    call = lambda **more: docpipe("doctor", "--json", **environment(place, DOCPIPE_BROKER=redis_server.url, **more))  # noqa: E731
    well = call()
    found = {row["part"]: row for row in map(json.loads, well.stdout.splitlines())}
    assert well.returncode == 0, well.stdout
    assert found["store"]["well"] and found["ledger"]["said"] == "sqlite, 0 items to do, 0 given up"
    assert not found["workers"]["well"] and "prepare" in found["workers"]["said"] and not found["workers"]["needed"]
    redis_server.stop()
    down = call(DOCPIPE_FREE_DISK="1000TB")
    assert down.returncode == EngineError.exit_code
    sick = {row["part"]: row["hint"] for row in map(json.loads, down.stdout.splitlines()) if not row["well"] and row["needed"]}
    assert set(sick) == {"store", "broker"} and "DOCPIPE_BROKER" in sick["broker"]


def test_a_bug_in_a_step_is_a_named_failure(client, place, ledger, steps):
    job = note(client, place, "alpha")
    dispatched = dispatch(ledger, slots=dict.fromkeys(LANES, 1))
    (place / "store" / "acme" / job / "source").unlink()
    steps.do(dispatched[0].hint, owner="test")
    assert client.job(job).error_code == "not_found"
    assert sweep(ledger).claims == 0
