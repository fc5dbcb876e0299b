"""What the queue's steps leave in the store for one another: the names, and the records that are not readings. Knows no step.

TENANT/JOB/source                      the document
TENANT/JOB/prepare-0.1.json, .xml      what opening it told, and the e-invoice it carries; INDEX.FENCE as in all that follows
TENANT/JOB/words-7.1.json, .png        a page with its words, and its image where an engine of the cascade wants one
TENANT/JOB/read-100007.1.json          what an engine of the cascade read off it
TENANT/JOB/result-0.1.json             the result
TENANT/JOB/PART/...                    the same of a packet's part, which is a job of its own; its pages' words are the packet's

The fence in a name keeps what a frozen worker writes when it wakes up apart from what the one that took over has written.
"""

from __future__ import annotations

from docpipe.classify import PageVerdict
from docpipe.ledger import Work
from docpipe.records import Document, Page, Record, Words
from docpipe.splitting import Code


class Opening(Record):
    """What preparing a job left for its merging."""

    document: Document
    einvoice: bool


class PageWords(Record):
    """What reading a page's words left for its merging, and for the engines that it is shown to: `shown` is the page with its image, and
    `image` the artifact that holds it, where one of them wants one. `verdict` and `codes` are what sorting goes by, if it is to."""

    page: Page
    words: Words | None
    shown: Page | None = None
    image: str | None = None
    verdict: PageVerdict | None = None
    codes: tuple[Code, ...] = ()


def source_name(tenant: str, job: str) -> str:
    """Where a job's document lies in the store."""
    return f"{tenant}/{job}/source"


def secret_name(tenant: str, job: str) -> str:
    """Where a job's password lies in the store, for as long as the job is at work."""
    return f"{tenant}/{job}/password"


def artifact_name(item: Work, suffix: str, *, kind: str = "") -> str:
    """Where an item leaves something, under its own kind or another; a part's lies with its packet."""
    home = f"{item.packet}/{item.job}" if item.packet else item.job
    return f"{item.tenant}/{home}/{kind or item.kind}-{item.idx}.{item.fence}.{suffix}"
