"""Files that hold several documents: parts as jobs of their own, in one transaction, and put together again; here and through the queue."""

import io
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pymupdf
import pytest
import zxingcpp
from faces import ROOT, docpipe
from ledgers import WEBHOOK, drain, outcome, send, step
from PIL import Image
from queues import SECRET, Queue, text_pages, until
from test_classify_looks import FAMILIES, lying

from docpipe import errors, run
from docpipe.allowed import Allowed
from docpipe.artifacts import secret_name
from docpipe.client import Client
from docpipe.delivery import Delivery, message
from docpipe.errors import MismatchError, UsageError
from docpipe.indexing import Indexer
from docpipe.ledger import (
    LANES,
    Merged,
    Routed,
    Stored,
    cancel,
    claim,
    dispatch,
    events,
    forget,
    give_up,
    given_up,
    items,
    open_ledger,
    parts,
    retry,
    settle,
    spec_of,
    sweep,
    view,
    views,
)
from docpipe.ledger.ledger import Ledger
from docpipe.ledger.parts import send_on
from docpipe.records import Part, ReadOptions, Result, Route, SchemaRef
from docpipe.request import Request, make_request
from docpipe.search import open_index, search
from docpipe.settings import Settings, read_settings
from docpipe.steps import Steps
from docpipe.store import Store
from docpipe.webhook import Secret

pytestmark = [pytest.mark.queue, pytest.mark.classify]
SAMPLES = ROOT / "samples"
INVOICE, RECEIPT = (SchemaRef(name=name, sha256="1" * 64) for name in ("invoice", "receipt"))
MERGED = Merged(result="result.json", sha256="2" * 64, status="accepted")


def route(number: int, *pages: int, of: int = 2, schema: SchemaRef = INVOICE) -> Route:
    return Route(schema_ref=schema, part=Part(number=number, of=of, pages=pages))


CLAUSE = "The seller delivers the goods at the place that was agreed, and at no other one."
SMALL_PRINT = "General terms and conditions"
SLIP = '''class Slip(BaseModel):
    """A slip of the harbour master."""

    berth: str | None = Field(None, description="{}")
'''
TWO = Routed(routes=(route(1, 1, 2), route(2, 4, 5, schema=RECEIPT)))


def worker(ledger, found=TWO):
    """What a worker says who finds five pages, and two documents on them."""
    usual = outcome(5)

    def answer(item):
        if item.kind != "merge":
            return usual(item)
        return MERGED if item.packet or parts(ledger, item.job) or item.spec.route else found

    return answer


def parted(ledger, **wishes) -> tuple[str, list[str]]:
    """A packet whose parts are about to be merged."""
    packet = send(ledger, **wishes)
    while view(ledger, packet).state != "parting":
        step(ledger, worker(ledger))
    return packet, [part.id for part in parts(ledger, packet)]


def states(ledger, *jobs: str) -> list[str]:
    return [view(ledger, job).state for job in jobs]


# ---- in the ledger -----------------------------------------------------------------------------------------------------


def test_a_packet_becomes_jobs_and_ends_after_them(ledger):
    packet, (first, second) = parted(ledger, webhook=WEBHOOK)
    assert [one.number for one in parts(ledger, packet)] == [1, 2] and view(ledger, first).packet == packet
    assert spec_of(ledger, second).reads == RECEIPT and spec_of(ledger, packet).route is None
    read = items(ledger, second, kinds=("words",))
    assert [(one.page, one.state, one.artifact) for one in read] == [(4, "done", "words"), (5, "done", "words")]
    assert [one.id for one in views(ledger)] == [packet], "parts are not listed beside it"
    done = drain(ledger, worker(ledger))
    assert [(item.kind, item.job) for item in done if item.job == packet] == [("merge", packet), ("deliver", packet)]
    assert sorted((item.kind, item.packet) for item in done if item.job != packet) == [("deliver", packet)] * 2 + [("merge", packet)] * 2
    assert states(ledger, packet, first, second) == ["done"] * 3 and view(ledger, packet).status == "accepted"
    assert ("parted", "2 parts") in [(event.type, event.note) for event in events(ledger, packet)]


def test_a_page_that_was_given_up_is_given_up_once(ledger):
    packet = send(ledger)
    step(ledger, worker(ledger))
    (lost, *others) = dispatch(ledger, slots={"prepare": 9})
    item = claim(ledger, lost.hint, owner="w")
    assert item is not None and item.page == 1 and give_up(ledger, item.hint, code="crash", message="died")
    for sent in others:
        other = claim(ledger, sent.hint, owner="w")
        assert other is not None and settle(ledger, other, Stored(artifact="words"))
    drain(ledger, worker(ledger))
    first, second = parts(ledger, packet)
    assert [(job, one.page) for job, one in given_up(ledger)] == [(first.id, 1)]
    assert ((first.done, first.lost, first.pages), (second.done, second.lost, second.pages)) == ((1, 1, 2), (2, 0, 2))
    assert retry(ledger, packet) == 1 and states(ledger, packet, second.id) == ["parting", "done"]
    drain(ledger, worker(ledger))
    assert given_up(ledger) == [] and states(ledger, packet, first.id) == ["done", "done"]


def test_a_document_that_fills_its_file_stays_one_job(ledger):
    whole = Routed(routes=(Route(schema_ref=RECEIPT),))
    packet = send(ledger)
    merges = [item for item in drain(ledger, worker(ledger, whole)) if item.kind == "merge"]
    assert [item.spec.reads.name for item in merges] == ["invoice", "receipt"] and parts(ledger, packet) == []
    assert states(ledger, packet) == ["done"] and len(views(ledger)) == 1


def test_who_lost_the_claim_makes_no_parts(ledger):
    packet = send(ledger)
    while view(ledger, packet).state != "merging":
        step(ledger, worker(ledger))
    (sent,) = dispatch(ledger, slots={"merge": 1})
    item = claim(ledger, sent.hint, owner="slow")
    assert item is not None and item.kind == "merge"
    assert settle(ledger, item, TWO) and not settle(ledger, item, TWO), "the answer comes twice"
    assert len(parts(ledger, packet)) == 2


def test_the_last_two_parts_end_at_once(ledger_url):
    open_ledger(ledger_url).close()
    ledger = Ledger(ledger_url)
    packet, _ = parted(ledger)
    held = [claim(ledger, sent.hint, owner="w") for sent in dispatch(ledger, slots={"merge": 2})]
    start = threading.Barrier(2)

    def end(item):
        start.wait()
        assert settle(ledger, item, MERGED)

    threads = [threading.Thread(target=end, args=(item,)) for item in held]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states(ledger, packet) == ["merging"]
    assert [item.job for item in drain(ledger, worker(ledger))] == [packet], "it is put together once"
    ledger.close()


def test_a_part_that_fails_leaves_the_packet_its_end(ledger):
    packet, (first, second) = parted(ledger)
    for sent in dispatch(ledger, slots={"merge": 2}):
        item = claim(ledger, sent.hint, owner="w")
        assert item is not None
        assert give_up(ledger, item.hint, code="crash", message="died") if item.job == second else settle(ledger, item, MERGED)
    drain(ledger, worker(ledger))
    assert states(ledger, packet, first, second) == ["done"] * 3
    assert (view(ledger, second).status, view(ledger, second).error_code) == ("failed", "crash")


def test_cancelling_a_packet_cancels_its_parts_and_retrying_takes_them_up(ledger):
    packet, (first, second) = parted(ledger)
    assert cancel(ledger, packet) and not cancel(ledger, packet)
    assert states(ledger, packet, first, second) == ["cancelled"] * 3 and dispatch(ledger, slots={"merge": 9}) == []
    retry(ledger, packet)
    assert states(ledger, packet, first, second) == ["parting", "merging", "merging"]
    drain(ledger, worker(ledger))
    assert states(ledger, packet, first, second) == ["done"] * 3


def test_parts_that_are_made_while_their_packet_is_cancelled_are_cancelled_too(ledger):
    packet = send(ledger)
    while view(ledger, packet).state != "merging":
        step(ledger, worker(ledger))
    with ThreadPoolExecutor(1) as aside:
        with ledger.write() as tx:
            row = tx.lock_job(packet)
            cancelled = aside.submit(cancel, ledger, packet)
            time.sleep(0.5)  # it has looked for parts, where the database lets it, and waits for the packet
            send_on(tx, row, TWO.routes)
        assert cancelled.result(timeout=30)
    assert states(ledger, packet, *(part.id for part in parts(ledger, packet))) == ["cancelled"] * 3


def test_a_cancelled_part_is_a_hole_of_its_packet(ledger):
    packet, (first, second) = parted(ledger)
    assert cancel(ledger, first)
    drain(ledger, worker(ledger))
    assert states(ledger, packet, first, second) == ["done", "cancelled", "done"]


def test_retrying_a_part_puts_the_packet_together_anew(ledger):
    packet, (first, second) = parted(ledger, webhook=WEBHOOK)
    drain(ledger, worker(ledger))
    assert retry(ledger, second, pages=[5]) == 1
    assert states(ledger, packet, first, second) == ["parting", "done", "reading"] and view(ledger, packet).result is None
    again = drain(ledger, worker(ledger))
    assert [item.kind for item in again if item.job == second] == ["words", "merge", "deliver"]
    assert [item.kind for item in again if item.job == packet] == ["merge", "deliver"]
    assert states(ledger, packet, first, second) == ["done"] * 3


def test_retrying_a_packet_retries_the_parts_that_need_it(ledger):
    packet, (first, second) = parted(ledger)
    drain(ledger, worker(ledger))
    assert retry(ledger, packet, pages=[1, 4]) == 2, "a page of each"
    with pytest.raises(UsageError, match="at work"):
        retry(ledger, packet)
    drain(ledger, worker(ledger))
    assert retry(ledger, packet) == 0 and states(ledger, packet, first, second) == ["merging", "done", "done"]
    drain(ledger, worker(ledger))
    with pytest.raises(UsageError, match="page 3 is in no part"):
        retry(ledger, packet, pages=[1, 3])
    with pytest.raises(UsageError, match="no page 9"):
        retry(ledger, packet, pages=[9])
    assert retry(ledger, packet, pages=[3]) == 1 and states(ledger, packet) == ["reading"], "the packet's own, which is in no part"
    drain(ledger, worker(ledger))
    assert states(ledger, packet) == ["done"]


def test_a_document_is_sorted_again_once_a_lost_page_is_read(ledger):
    whole = Routed(routes=(Route(schema_ref=RECEIPT),))
    job = send(ledger)
    step(ledger, worker(ledger, whole))
    (lost, *others) = dispatch(ledger, slots={"prepare": 9})
    item = claim(ledger, lost.hint, owner="w")
    assert item is not None
    give_up(ledger, item.hint, code="crash", message="died")
    for sent in others:
        other = claim(ledger, sent.hint, owner="w")
        assert other is not None and settle(ledger, other, Stored(artifact="words"))
    drain(ledger, worker(ledger, whole))
    assert spec_of(ledger, job).route is not None and retry(ledger, job) == 1
    assert spec_of(ledger, job).route is None
    assert [one.kind for one in drain(ledger, worker(ledger, whole))] == ["words", "merge", "merge"]


def test_a_packet_is_forgotten_with_its_parts_and_none_of_them_alone(ledger):
    packet, (first, second) = parted(ledger)
    with pytest.raises(UsageError, match="at work"):
        forget(ledger, packet)
    drain(ledger, worker(ledger))
    with pytest.raises(UsageError, match="part of a packet"):
        forget(ledger, first)
    forget(ledger, packet)
    for job in (packet, first, second):
        with pytest.raises(errors.NotFoundError):
            view(ledger, job)


def test_a_packet_whose_time_is_over_fails_with_its_parts(ledger, clock):
    packet, (first, second) = parted(ledger, seconds=100.0)
    clock[0] += 200
    assert sweep(ledger).jobs == 3
    assert states(ledger, packet, first, second) == ["done"] * 3
    assert {view(ledger, job).error_code for job in (packet, first, second)} == {"deadline"}
    assert dispatch(ledger, slots={"merge": 9}) == []


# ---- through the steps -------------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path):
    (tmp_path / "plugins").mkdir()
    return tmp_path


@pytest.fixture
def book(place):
    ledger = open_ledger(f"sqlite:///{place / 'ledger.sqlite'}")
    yield ledger
    ledger.close()


@pytest.fixture
def client(place, book):
    return Client(book, Store(str(place / "store")), tenant="acme", allowed=Allowed(folder=place / "plugins"))


@pytest.fixture
def steps(place, book):
    return Steps(book, Store(str(place / "store")), allowed=Allowed(folder=place / "plugins"), delivery=Delivery(secrets=[Secret(SECRET)]))


def work(ledger, steps) -> None:
    while sent := dispatch(ledger, slots=dict.fromkeys(LANES, 4)):
        for one in sent:
            steps.do(one.hint, owner="test")


@pytest.fixture(scope="module")
def packet(tmp_path_factory):
    """Three invoices, the first of two pages, and a form."""
    path = tmp_path_factory.mktemp("packet") / "post.pdf"
    with pymupdf.open() as pile:
        for name in ("invoice", "rotated", "tax_invoice_kr", "form"):
            with pymupdf.open(SAMPLES / f"{name}.pdf") as one:
                pile.insert_pdf(one)
        pile.save(path)
    return path


def asked(**wishes) -> Request:
    return make_request(read_settings(), **wishes)


def test_the_queue_gives_of_a_packet_what_one_process_gives(client, book, steps, packet):
    request = asked(schema_name="auto", split="pages:1-2,3,4,5-")
    job = client.submit(packet, request)
    work(book, steps)
    here = run(packet, "auto", split="pages:1-2,3,4,5-")
    there = client.result(job)
    assert [part.schema_ref.name for part in there.parts] == ["invoice", "invoice", "tax_invoice_kr", "transcript"]
    assert [part.status for part in there.parts] == ["accepted", "review", "review", "review"] and there.status == "review"
    assert there.canonical_json() == here.canonical_json()
    assert [page.number for page in there.pages] == list(range(1, len(there.pages) + 1))
    for view_, part in zip(client.parts(job), there.parts, strict=True):
        assert client.result(view_.id).canonical_json() == part.canonical_json(), "each part is a job with its own result"
        assert part.part is not None and [page.number for page in part.pages] == list(part.part.pages)
    assert Result.model_validate_json(there.to_json()) == there


def test_each_part_is_what_its_pages_alone_would_be(packet):
    whole = run(packet, "invoice", split="pages:1-2,3")
    for pages, part in zip([(1, 2), (3,)], whole.parts, strict=True):
        alone = run(packet, "invoice", pages=pages)
        assert part.part is not None and part.part.pages == pages
        assert (part.data, part.fields, part.status) == (alone.data, alone.fields, alone.status)
    assert {page.number for page in whole.pages} == set(range(1, whole.document.pages + 1)), "pages in no part are shown all the same"
    assert [(issue.code, issue.severity, issue.page) for issue in whole.issues] == [("page_left_out", "warning", page) for page in (4, 5)]


def test_one_document_in_a_file_is_read_as_if_nobody_had_asked(client, book, steps):
    job = client.submit(SAMPLES / "invoice.pdf", asked(schema_name="auto", split="auto"))
    work(book, steps)
    found, named = client.result(job), run(SAMPLES / "invoice.pdf", "invoice")
    assert found.model_copy(update={"classified": None}).canonical_json() == named.canonical_json()
    assert found.classified is not None and found.classified.choice == "invoice" and client.parts(job) == []


def test_a_named_schema_is_looked_for_on_every_page_of_a_packet_too(client, book, steps, tmp_path):
    """What a cover, small print or a blank page says is lost to who asked for all of it."""
    with pymupdf.open() as pile:
        for lines in (("Fax cover sheet", "To: Nordlicht"), (SMALL_PRINT, *(20 * [CLAUSE])), (), ("A letter", CLAUSE)):
            sheet = pile.new_page()
            for place, line in enumerate(lines):
                sheet.insert_text((72, 80 + 20 * place), line, fontsize=9)
        pile.save(tmp_path / "pile.pdf")
    plain, here = run(tmp_path / "pile.pdf"), run(tmp_path / "pile.pdf", split="every:9")
    assert here.canonical_json() == plain.canonical_json() and CLAUSE in here.data.text and "cover sheet" in here.data.text
    jobs = [client.submit(tmp_path / "pile.pdf", asked(split=plan)) for plan in ("every:9", "pages:1,2-4")]
    work(book, steps)
    assert client.result(jobs[0]).canonical_json() == plain.canonical_json()
    assert [part.data["pages"][0]["text"].splitlines()[0] for part in client.result(jobs[1]).parts] == ["Fax cover sheet", SMALL_PRINT]


def test_a_part_is_sorted_again_once_its_lost_page_is_read(client, book, steps, tmp_path):
    """Else a page that could not be read at first would be of no class for ever."""
    with pymupdf.open(SAMPLES / "rotated.pdf") as pile, pymupdf.open(SAMPLES / "rotated.pdf") as other:
        pile.new_page().insert_text((72, 100), "Trennblatt", fontsize=30)
        pile.insert_pdf(other)
        pile.save(tmp_path / "pile.pdf")
    job = client.submit(tmp_path / "pile.pdf", asked(schema_name="auto", split="auto"))
    (sent,) = dispatch(book, slots={"prepare": 9})
    steps.do(sent.hint, owner="test")
    for sent in dispatch(book, slots={"prepare": 9}):
        if sent.hint.idx == 3:
            assert claim(book, sent.hint, owner="test") and give_up(book, sent.hint, code="crash", message="died")
        else:
            steps.do(sent.hint, owner="test")
    work(book, steps)
    lost = client.result(job).parts[1]
    assert (lost.status, lost.schema_ref.name) == ("failed", "transcript")
    assert client.retry(job) == 1
    work(book, steps)
    first, second = client.result(job).parts
    assert second.part is not None and second.part.pages == (3,) and second.part.number == 2
    assert (second.schema_ref, second.data, second.status) == (first.schema_ref, first.data, first.status)
    assert second.classified is not None and second.classified.choice == "invoice"
    assert [issue.code for issue in second.issues] == [issue.code for issue in first.issues]
    assert client.retry(client.parts(job)[1].id, pages=[3]) == 1, "as often as one likes"
    work(book, steps)
    assert client.result(job).parts[1].canonical_json() == second.canonical_json() and len(client.parts(job)) == 2


def test_a_file_that_carries_an_einvoice_is_that_invoice(client, book, steps):
    job = client.submit(SAMPLES / "facturx.pdf", asked(schema_name="auto", split="auto"))
    work(book, steps)
    found = client.result(job)
    assert not found.parts and "einvoice" in {field.engine for field in found.fields}


def test_a_page_with_sums_is_never_dropped_as_a_separator(tmp_path):
    with pymupdf.open(SAMPLES / "rotated.pdf") as pile, pymupdf.open(SAMPLES / "tax_invoice_kr.pdf") as other:
        sheet, code = pile.new_page(), zxingcpp.create_barcode("PATCHT", zxingcpp.BarcodeFormat.QRCode)
        bill = ("Invoice 4711", "Total 1,190.00 EUR")
        for place, line in enumerate(bill):
            sheet.insert_text((72, 100 + 30 * place), line, fontsize=14)
        image = Image.fromarray(np.array(zxingcpp.write_barcode_to_image(code, scale=8))).convert("RGB")
        with io.BytesIO() as png:
            image.save(png, "png")
            sheet.insert_image((300, 300, 500, 500), stream=png.getvalue())
        pile.insert_pdf(other)
        pile.save(tmp_path / "coded.pdf")
        sheet = pile[1]
        sheet.add_redact_annot((60, 80, 400, 145))
        sheet.apply_redactions()
        pile.save(tmp_path / "separator.pdf")
    found = run(tmp_path / "coded.pdf", split="auto")
    read = {page.number for part in found.documents() for page in part.pages}
    assert read == {1, 2, 3} and {page.kind for page in found.pages} == {"content"}
    assert any("1,190.00" in str(part.data) for part in found.documents())
    divided = run(tmp_path / "separator.pdf", split="auto")
    assert [page.kind for page in divided.pages] == ["content", "separator", "content"], "the same code alone is a separator sheet"
    assert [(issue.code, issue.page) for issue in divided.issues] == [("page_skipped", 2)], "a sheet that is in no part is named"
    assert [part.part.pages for part in divided.parts if part.part] == [(1,), (3,)]


def test_an_einvoice_with_another_document_behind_it_is_for_a_person(tmp_path):
    with pymupdf.open(SAMPLES / "facturx.pdf") as pile, pymupdf.open(SAMPLES / "rotated.pdf") as other:
        pile.insert_pdf(other)
        pile.save(tmp_path / "two.pdf")
    found = run(tmp_path / "two.pdf", "invoice", split="auto")
    assert (found.status, found.parts) == ("review", ()) and "several_documents" in {issue.code for issue in found.issues}
    whole = run(SAMPLES / "facturx.pdf", "invoice", split="pages:1")
    assert whole.part is None and "einvoice" in {field.engine for field in whole.fields}, "a plan that leaves nothing out cuts nothing"


def test_a_packet_that_was_read_is_found_by_the_fields_of_its_parts(client, book, steps, packet, place):
    job = client.submit(packet, asked(schema_name="auto", split="pages:1-2,3,4,5"))
    work(book, steps)
    index = open_index(f"sqlite:///{place / 'search.sqlite'}")
    indexer = Indexer(index, asked(), tenant="acme")
    (finished,) = client.finished()
    assert client.index(finished, indexer) == "added" and indexer.is_done(finished, index.jobs(tenant="acme"))
    assert [answer.page for answer in search(index, "invoice_number=F25-0392", tenant="acme")] == [3]
    assert {answer.page for answer in search(index, "schema=invoice", tenant="acme")} == {1, 2, 3}
    assert [answer.jobs for answer in search(index, "schema:tax_invoice_kr", tenant="acme")] == [(job,)]
    index.close()


def test_webhooks_say_which_part_of_which_packet_it_is(client, book, steps, packet, place):
    job = client.submit(packet, asked(schema_name="invoice", split="pages:1-2,3"))
    work(book, steps)
    store = Store(str(place / "store"))
    whole = json.loads(message(client.job(job), store))["data"]
    assert "packet" not in whole and [one["part"]["number"] for one in whole["result"]["parts"]] == [1, 2]
    for number, part in enumerate(client.parts(job), 1):
        said = json.loads(message(part, store))["data"]
        assert (said["packet"], said["part"], said["result"]["part"]["number"]) == (job, number, number)


def test_a_part_never_gets_the_einvoice_of_its_file(client, book, steps, tmp_path):
    with pymupdf.open(SAMPLES / "facturx.pdf") as pile, pymupdf.open(SAMPLES / "rotated.pdf") as other:
        pile.insert_pdf(other)
        pile.save(tmp_path / "two.pdf")
    job = client.submit(tmp_path / "two.pdf", asked(schema_name="invoice", split="every:1"))
    work(book, steps)
    found = client.result(job)
    assert len(found.parts) == 2 and {field.engine for part in found.parts for field in part.fields} == {"labels"}
    assert found.canonical_json() == run(tmp_path / "two.pdf", "invoice", split="every:1").canonical_json()


def test_a_locked_packet_keeps_its_password_until_its_parts_are_read(client, book, steps, packet, tmp_path, place):
    with pymupdf.open(packet) as pile:
        pile.save(tmp_path / "locked.pdf", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="sesame", owner_pw="open")
    job = client.submit(tmp_path / "locked.pdf", asked(schema_name="auto", split="pages:1-2,3,4"), password="sesame")
    store = Store(str(place / "store"))
    assert store.has(secret_name("acme", job))
    work(book, steps)
    assert [part.status for part in client.result(job).parts] == ["accepted", "review", "review"]
    assert not store.has(secret_name("acme", job)), "it is gone once nobody needs it"


def test_schemas_that_are_not_what_was_submitted_read_nothing(client, book, place, packet):
    text = "from pydantic import BaseModel, Field\n\n\n" + SLIP
    (place / "plugins" / "slip.py").write_text(text.format("Number of the berth"))
    job = client.submit(packet, asked(schema_name="auto:invoice,slip.py:Slip"))
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "slip.py").write_text(text.format("Another thing"))
    work(book, Steps(book, Store(str(place / "store")), allowed=Allowed(folder=place / "elsewhere")))
    assert client.job(job).error_code == MismatchError.code


def test_dropping_a_packet_leaves_no_file_of_its_parts(client, book, steps, packet, place):
    job = client.submit(packet, asked(schema_name="auto", split="every:1"))
    work(book, steps)
    part = client.parts(job)[0]
    with pytest.raises(UsageError):
        client.drop(part.id)
    client.drop(job)
    assert [path for path in (place / "store").rglob("*") if path.is_file()] == []


# ---- with real processes -----------------------------------------------------------------------------------------------


@pytest.fixture
def queue(tmp_path, redis_server):
    made = Queue(tmp_path, redis_server, f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    yield made
    made.close()


def test_workers_give_of_a_packet_what_one_process_gives(queue, packet):
    queue.dispatcher()
    queue.worker(slots=2)
    job = queue.client.submit(packet, asked(schema_name="auto", split="auto"))
    queue.wait(job, seconds=120)
    found = queue.client.result(job)
    assert [part.part.pages for part in found.parts if part.part] == [(1, 2), (3,), (4,), (5,)]
    assert found.canonical_json() == run(packet, "auto", split="auto").canonical_json()


@pytest.mark.parametrize("families", [*((family,) for family in FAMILIES), ("words", "clip")], ids="+".join)
def test_models_that_look_at_pages_choose_in_the_queue_what_they_choose_here(client, book, place, families):
    settings = Settings(checkpoints=lying(*(family for family in families if family != "words")))
    wishes = {"schema_name": "auto:invoice,receipt", "classifiers": families}
    job = client.submit(SAMPLES / "rotated.pdf", make_request(settings, **wishes))
    work(book, Steps(book, Store(str(place / "store")), allowed=Allowed(), checkpoints=settings.checkpoints))
    found = client.result(job)
    assert found.classified is not None and sum(found.classified.scores.values()) == pytest.approx(1)
    here = run(SAMPLES / "rotated.pdf", "auto:invoice,receipt", classifiers=families, settings=settings)
    assert found.canonical_json() == here.canonical_json()


def test_workers_find_the_checkpoints_of_all_families(tmp_path, redis_server):
    where = lying(*FAMILIES)
    variables = {f"DOCPIPE_CHECKPOINTS__{name.upper()}": folder for name, folder in where.items()}
    queue = Queue(tmp_path, redis_server, f"sqlite:///{tmp_path / 'ledger.sqlite'}", **variables)
    try:
        queue.dispatcher()
        queue.worker()
        job = queue.client.submit(SAMPLES / "rotated.pdf", asked(schema_name="auto:invoice,receipt", classifiers=FAMILIES))
        queue.wait(job, seconds=120)
        here = run(SAMPLES / "rotated.pdf", "auto:invoice,receipt", classifiers=FAMILIES, settings=Settings(checkpoints=where))
        assert queue.client.result(job).canonical_json() == here.canonical_json()
    finally:
        queue.close()


@pytest.mark.crash
def test_a_node_that_dies_among_the_parts_loses_none(queue):
    queue.dispatcher()
    worker = queue.worker(slots=2)
    queue.obey("slow", "1")
    words = [f"w{number}" for number in range(1, 7)]
    options = ReadOptions(engines=("obeys.py:First",), split="every:2")
    job = queue.client.submit(text_pages(queue.folder / "six.pdf", words), Request(schema_name="obeys.py:Note", options=options))
    until(lambda: len(queue.readings()) >= 2, 60)
    assert queue.client.job(job).state == "parting"
    queue.kill(worker)
    queue.obey("slow", "0")
    queue.worker(slots=2)
    queue.wait(job)
    read = [[field.value for field in part.fields if field.path.startswith("pages")] for part in queue.client.result(job).parts]
    assert read == [["w1", "w2"], ["w3", "w4"], ["w5", "w6"]]
    for one in (job, *(part.id for part in queue.client.parts(job))):
        assert len([event for event in events(queue.ledger, one) if event.type == "concluded"]) == 1, "each ends once"


# ---- at the command line -----------------------------------------------------------------------------------------------


def test_the_commands_say_which_part_is_which(packet, tmp_path):
    said = docpipe("run", str(packet), "--schema", "auto", "--split", "every:2", "--sink", "jsonl")
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    assert [(line["part"]["number"], line["part"]["pages"]) for line in lines][:2] == [(1, [1, 2]), (2, [3, 4])] and said.returncode == 0
    out = tmp_path / "out"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "post.pdf").write_bytes(packet.read_bytes())
    for _ in range(2):
        said = docpipe("batch", str(tmp_path / "in"), "--out", str(out), "--schema", "auto", "--split", "every:1")
        assert said.returncode == 0, said.stderr
    assert b"1 of them done before" in said.stdout, "the second call finds the whole packet done"
    kept = json.loads((out / "post.pdf.json").read_text())
    rows = (out / "results.jsonl").read_text().splitlines()
    assert len(kept["parts"]) == len(rows) and [json.loads(row)["part"]["number"] for row in rows] == list(range(1, len(rows) + 1))


def test_one_document_of_a_packet_is_shown(packet, tmp_path):
    out = tmp_path / "post.json"
    assert docpipe("run", str(packet), "--schema", "auto", "--split", "pages:1-2,3", "--out", str(out)).returncode == 0
    assert b"--part 1" in docpipe("view", str(out)).stderr, "it has to be said which"
    said = docpipe("view", str(out), "--document", str(packet), "--part", "2", "--out", str(tmp_path / "two.html"))
    assert said.returncode == 0 and "F25-0392" in (tmp_path / "two.html").read_text()
    assert docpipe("view", str(out), "--part", "3").returncode == UsageError.exit_code


def test_a_packet_is_shown_with_its_parts(client, book, steps, packet, place):
    job = client.submit(packet, asked(schema_name="auto", split="every:2"))
    work(book, steps)
    env = {"DOCPIPE_LEDGER": f"sqlite:///{place / 'ledger.sqlite'}", "DOCPIPE_STORE": str(place / "store"), "DOCPIPE_TENANT": "acme"}
    lines = docpipe("status", job, **env).stdout.decode().splitlines()
    assert [line.rpartition("  ")[2] for line in lines] == ["post.pdf", "post.pdf part 1", "post.pdf part 2", "post.pdf part 3"]
    assert len(docpipe("status", **env).stdout.splitlines()) == 1


@pytest.mark.parametrize("how", ["every:0", "sometimes", "pages:3-1", "pages:1-2,2-3", "every:x", "pages:"])
def test_a_way_to_split_that_makes_no_sense(how):
    with pytest.raises(UsageError):
        run(SAMPLES / "invoice.pdf", "invoice", split=how)


def test_a_plan_for_pages_that_are_not_there(client, book, steps):
    with pytest.raises(UsageError, match="no page 9"):
        run(SAMPLES / "invoice.pdf", "invoice", split="pages:1,9")
    job = client.submit(SAMPLES / "invoice.pdf", asked(schema_name="invoice", split="pages:1,9"))
    work(book, steps)
    assert client.job(job).error_code == UsageError.code
