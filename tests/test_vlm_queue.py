"""The vlm engine in the queue: what it gives is what one process gives, and a model that is busy or hangs is waited for by the ledger."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from faces import ROOT, environment
from queues import Queue, until
from test_parity import schema_of
from test_vlm import PRINT, RIGHT, draw, recording, said

import docpipe
from docpipe.artifacts import source_name
from docpipe.backends import ModelOptions
from docpipe.fields import load_schema
from docpipe.records import ReadOptions
from docpipe.request import Request
from docpipe.settings import Settings

pytestmark = [pytest.mark.vlm, pytest.mark.queue]
TOTALS = {**RIGHT, "items": None}
EVERYTHING = ("einvoice", "labels", "vlm")
SLIP = '''
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, Field

from docpipe.annotations import Labels, Required


class Slip(BaseModel):
    """A slip, as test_vlm draws it."""

    number: Annotated[str | None, Required(), Labels(en="slip no")] = Field(None, description="Number of the slip")
    items: list[str] = Field(default_factory=list, description="The items")
    net: Decimal | None = Field(None, description="Total without tax")
    tax: Decimal | None = Field(None, description="The tax")
    total: Annotated[Decimal | None, Required(), Labels(en="to pay")] = Field(None, description="Total with tax")
'''


def start(folder: Path, redis_server, *answers: dict, **settings: str) -> Queue:
    answers_file = folder / "answers.json"
    answers_file.write_text(json.dumps({"answers": answers}))
    queue = Queue(
        folder,
        redis_server,
        f"sqlite:///{folder / 'ledger.sqlite'}",
        DOCPIPE_MODEL__MODEL=str(answers_file),
        DOCPIPE_MODEL__SECONDS="1",
        **settings,
    )
    (queue.plugins / "slip.py").write_text(SLIP)
    queue.dispatcher()
    return queue


def wishes(schema: str, engines: tuple[str, ...] = EVERYTHING) -> Request:
    return Request(schema_name=schema, options=ReadOptions(engines=engines, backend="replay"))


def alone(queue: Queue, path: Path, schema: str, engines: tuple[str, ...] = EVERYTHING) -> docpipe.Result:
    """The same in this process."""
    model = ModelOptions(model=queue.settings["DOCPIPE_MODEL__MODEL"], seconds=1)
    return docpipe.run(path, schema, engines=engines, settings=Settings(backend="replay", model=model))


@pytest.mark.parity
def test_a_page_engine_that_needs_images_gives_the_same_through_the_queue(tmp_path, redis_server):
    """Text layers, whose pages are drawn for the model alone, and scans, whose images were kept."""
    samples = [ROOT / "samples" / name for name in ("form.pdf", "receipt_photo.jpg", "invoice_scan.pdf")]
    schemas = {sample: load_schema(schema_of(sample))[0] for sample in samples}
    empty = [{name: None for name in schema.model_fields} for schema in schemas.values()]
    first = [{**answer, next(iter(answer)): None} for answer in empty]
    first[0]["title"], first[1]["currency"], first[2]["currency"] = "Application", "EUR", "EUR"
    answers = [
        {"contains": [f"- {name} ("], "text": json.dumps(answer), "probability": 0.75}
        for name, answer in zip(("entries", "merchant", "buyer"), first, strict=True)
    ]
    queue = start(tmp_path, redis_server, *answers)
    try:
        queue.worker(slots=2)
        jobs = {sample: queue.client.submit(sample, wishes(schema_of(sample))) for sample in samples}
        queue.wait(*jobs.values(), seconds=240)
        for sample, job in jobs.items():
            here = alone(queue, sample, schema_of(sample))
            assert queue.client.result(job).canonical_json() == here.canonical_json(), sample.name
            assert here.usage.by_engine["vlm"].calls >= 1 and not [issue for issue in here.issues if issue.code == "engine_failed"]
    finally:
        queue.close()


def test_only_the_machine_with_the_gpu_asks_the_model(tmp_path, redis_server):
    """A worker of the other lanes has no model, and needs none to merge; the machine with the model opens no document."""
    queue = start(tmp_path, redis_server, {"text": said(TOTALS)})
    try:
        queue.settings["DOCPIPE_MODEL__MODEL"] = str(tmp_path / "nothing.json")
        queue.worker("prepare", "merge", "deliver", "alone")
        job = queue.client.submit(draw(tmp_path / "slip.pdf", PRINT), wishes("slip.py:Slip", ("vlm",)))
        until(lambda: bool(queue.reads(job)), 60, about=lambda: queue.client.items(job))
        (tmp_path / "store" / source_name("acme", job)).write_bytes(b"nothing that could be opened")
        queue.settings["DOCPIPE_MODEL__MODEL"] = str(tmp_path / "answers.json")
        queue.worker("gpu")
        queue.wait(job)
        assert str(queue.client.result(job).data["total"]) == "66.00"
    finally:
        queue.close()


@pytest.mark.parametrize(("first", "code"), [({"busy": 2}, "busy"), ({"hang": True}, "deadline")])
def test_a_model_that_is_busy_or_hangs_is_asked_again_later(first, code, tmp_path, redis_server):
    queue = start(tmp_path, redis_server, {**first, "times": 1}, {"text": said(TOTALS)})
    try:
        queue.worker()
        job = queue.client.submit(draw(tmp_path / "slip.pdf", PRINT), wishes("slip.py:Slip", ("vlm",)))
        until(
            lambda: any(read.error_code == code and read.state == "pending" for read in queue.reads(job)),
            60,
            about=lambda: queue.reads(job),
        )
        queue.wait(job)
        (read,) = queue.reads(job)
        assert (read.state, read.transients, read.crashes) == ("done", 1, 0), "the ledger keeps the time until it may be tried again"
        assert str(queue.client.result(job).data["total"]) == "66.00"
    finally:
        queue.close()


def test_a_local_queue_has_a_worker_for_the_model_that_is_named(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "slip.py").write_text(SLIP)
    settings = {
        "DOCPIPE_PLUGINS": str(tmp_path / "plugins"),
        "DOCPIPE_BACKEND": "replay",
        "DOCPIPE_MODEL__MODEL": str(recording(tmp_path, {"text": said(TOTALS)})),
    }
    local = [sys.executable, "-m", "workers", "local", "--folder", str(tmp_path / "queue"), "--", sys.executable, "-m", "docpipe"]
    wish = ["submit", str(draw(tmp_path / "slip.pdf", PRINT)), "--schema", "slip.py:Slip", "--engine", "vlm", "--wait"]
    done = subprocess.run([*local, *wish], cwd=ROOT, env={**environment(), **settings}, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert b"review" in done.stdout, "a model alone is not enough"
