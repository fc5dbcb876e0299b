"""Jobs for the tests of the ledger, and a broker and workers that do only what a test says."""

from collections.abc import Callable

from docpipe.ledger import (
    Delivered,
    Done,
    JobSpec,
    Ledger,
    Merged,
    Opened,
    Stored,
    Work,
    claim,
    dispatch,
    new_job_id,
    settle,
    submit,
)
from docpipe.records import Document, SchemaRef

NOW = 1_000_000.0
SLOTS = {"prepare": 2, "gpu": 2, "api": 2, "alone": 1, "merge": 1, "deliver": 1}
WEBHOOK = "https://example.com/hook"


def spec(name: str = "a.pdf", *, webhook: str | None = None) -> JobSpec:
    document = Document(name=name, sha256="0" * 64, media_type="application/pdf")
    return JobSpec(
        key="k", source=f"source/{name}", document=document, schema_ref=SchemaRef(name="invoice", sha256="1" * 64), webhook=webhook
    )


def send(ledger: Ledger, *, job: str = "", tenant: str = "acme", key: str | None = None, webhook: str | None = None, **wishes) -> str:
    """A new job, whatever was submitted before."""
    job = job or new_job_id()
    return submit(ledger, spec(webhook=webhook), job=job, tenant=tenant, key=key or job, **wishes)


def outcome(pages: int) -> Callable[[Work], Done]:
    """What a worker says who finds so many pages in every document."""
    answers: dict[str, Done] = {
        "prepare": Opened(document_pages=pages, pages=tuple(range(1, pages + 1))),
        "words": Stored(artifact="words"),
        "read": Stored(artifact="read"),
        "merge": Merged(result="result.json", sha256="2" * 64, status="review"),
        "deliver": Delivered(),
    }
    return lambda item: answers[item.kind]


def step(ledger: Ledger, answer: Callable[[Work], Done], **wishes) -> list[Work]:
    """Hand out what fits and do all of it."""
    done = []
    for sent in dispatch(ledger, slots=SLOTS, **wishes):
        item = claim(ledger, sent.hint, owner="worker")
        assert item is not None
        assert settle(ledger, item, answer(item))
        done.append(item)
    return done


def drain(ledger: Ledger, answer: Callable[[Work], Done]) -> list[Work]:
    """Work until nothing is due."""
    done: list[Work] = []
    while some := step(ledger, answer):
        done += some
    return done
