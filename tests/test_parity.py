"""What the queue gives is what one process gives, byte for byte in the canonical form: all samples, real workers, two databases."""

from pathlib import Path

import pytest
from faces import ROOT
from queues import Queue

import docpipe
from docpipe.records import ReadOptions
from docpipe.request import Request

pytestmark = [pytest.mark.parity, pytest.mark.queue]
SAMPLES = sorted(path for path in (ROOT / "samples").iterdir() if path.suffix in {".pdf", ".tif", ".jpg"})


def schema_of(sample: Path) -> str:
    name = sample.stem
    if "tax_invoice" in name:
        return "tax_invoice_kr"
    return next((schema for schema in ("form", "receipt") if name.startswith(schema)), "invoice")


def test_every_sample_gives_the_same_through_the_queue(tmp_path, redis_server, ledger_url):
    queue = Queue(tmp_path, redis_server, ledger_url)
    try:
        queue.dispatcher()
        queue.worker("prepare", "merge", slots=2)
        jobs = {sample: queue.client.submit(sample, Request(schema_name=schema_of(sample))) for sample in SAMPLES}
        texts = {sample: queue.client.submit(sample, Request()) for sample in SAMPLES[:2]}
        queue.wait(*jobs.values(), *texts.values(), seconds=240)
        for sample, job in jobs.items():
            assert queue.client.result(job).canonical_json() == docpipe.run(sample, schema_of(sample)).canonical_json(), sample.name
        for sample, job in texts.items():
            assert queue.client.result(job).canonical_json() == docpipe.run(sample).canonical_json(), sample.name
    finally:
        queue.close()


def test_two_tiers_give_the_same_and_merge_once_per_round(tmp_path, redis_server):
    """The cascade: what the first engine leaves unsettled goes to the second, in a round of its own."""
    queue = Queue(tmp_path, redis_server, f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    tiers = (f"{queue.plugins / 'obeys.py'}:First", f"{queue.plugins / 'obeys.py'}:Second")
    words = ("alpha", "beta", "gamma")
    try:
        queue.dispatcher()
        queue.worker(slots=2)
        job = queue.submit(*words, engines=("obeys.py:First", "obeys.py:Second"))
        queue.wait(job)
        kinds = [(item.kind, item.idx, item.state) for item in queue.client.items(job)]
        assert [one for one in kinds if one[0] == "merge"] == [("merge", 0, "done"), ("merge", 1, "done"), ("merge", 2, "done")]
        asked = [idx for kind, idx, _ in kinds if kind == "read"]
        assert asked == [100_001, 100_002, 100_003, 200_001], "the second only about the page that the title stands on"
        alone = docpipe.run(tmp_path / "alpha-3.pdf", f"{queue.plugins / 'obeys.py'}:Note", engines=tiers)
        assert queue.client.result(job).canonical_json() == alone.canonical_json()
        assert alone.data["pages"] == list(words) if isinstance(alone.data, dict) else alone.data.pages == list(words)
    finally:
        queue.close()


def test_options_travel_with_the_job(tmp_path, redis_server):
    queue = Queue(tmp_path, redis_server, f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    sample = ROOT / "samples" / "invoice.pdf"
    try:
        queue.dispatcher()
        queue.worker("prepare", "merge")
        options = ReadOptions(pages=(2,), engines=("labels",), dpi=150, languages=("de",))
        job = queue.client.submit(sample, Request(schema_name="invoice", options=options))
        queue.wait(job)
        alone = docpipe.run(sample, "invoice", pages=[2], engines=["labels"], dpi=150, languages=["de"])
        assert queue.client.result(job).canonical_json() == alone.canonical_json()
    finally:
        queue.close()
