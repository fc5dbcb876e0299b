"""What goes into the ledger and comes out of it: frozen records. Knows no database."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from docpipe.errors import UsageError
from docpipe.ledger.tables import KINDS, JobState, Kind, Lane, WorkState
from docpipe.limits import Limits
from docpipe.records import Document, ReadOptions, Record, Route, SchemaRef, Status

TIER = 100_000  # more than a document may have pages: the index of page 7 in tier 2 of the cascade is 200007
_JOB_ID = re.compile(r"[0-9a-f]{32}")
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class JobSpec(Record):
    """All that a worker has to know to read a document, as it was submitted. Code never travels: the schema is a reference and a hash.

    `source` names the stored document, `key` the reading (the same document, schema and options have the same, wherever they are read).
    `locked`: the document's password lies beside it in the store, never in here. `webhook` is called with every outcome. `route` is no
    wish of the submitter's: it is what sorting found the document to be, where it was asked to. One whose schema is still to be chosen is
    that of a part whose pages are read again.
    """

    key: str
    source: str
    document: Document
    schema_ref: SchemaRef
    options: ReadOptions = ReadOptions()
    limits: Limits = Limits()
    locked: bool = False
    webhook: str | None = None
    route: Route | None = None

    @property
    def reads(self) -> SchemaRef:
        """The schema that it is read with."""
        return self.route.schema_ref if self.route else self.schema_ref


class Hint(NamedTuple):
    """A message: which item may be worth a look, and the fence it was handed out with. Everything else is read from the ledger, so
    that a forged message can at most ask for something that is already handed out."""

    job: str
    kind: Kind
    idx: int
    fence: int


def read_hint(*parts: Any) -> Hint:
    """A hint from what a message holds. Raises UsageError for anything that is not one."""
    match parts:
        case (str(job), str(kind), int(idx), int(fence)) if not isinstance(idx, bool) and not isinstance(fence, bool):
            known = next((one for one in KINDS if one == kind), None)
            if known and _JOB_ID.fullmatch(job) and idx >= 0 and fence >= 1:
                return Hint(job, known, idx, fence)
    raise UsageError("not a message of docpipe", hint="something else writes into its queues")


def check_tenant(name: str) -> str:
    """The name again. Raises UsageError where it cannot be a tenant's, as it is part of file names and of queries."""
    if not _TENANT.fullmatch(name) or ".." in name:
        raise UsageError(f"{name[:80]!r} cannot be a tenant", hint="letters, digits, dots, dashes and underscores, at most 64")
    return name


class Work(Record):
    """An item that its holder has claimed. `traceparent` is that of its job's submission, where one was traced; `packet` the job that its
    own is a part of."""

    job: str
    kind: Kind
    idx: int
    fence: int
    round: int
    page: int | None
    attempts: int
    crashes: int
    transients: int
    refused: int
    spec: JobSpec
    tenant: str
    traceparent: str | None = None
    packet: str | None = None

    @property
    def tries(self) -> int:
        """The times that it was tried and had to wait all the same; where what it needs was busy, nothing was tried."""
        return self.transients - self.refused

    @property
    def tier(self) -> int:
        """Of a page's item: which engine of the cascade, 0 for its words."""
        return self.idx // TIER

    @property
    def hint(self) -> Hint:
        """Its address and fence."""
        return Hint(self.job, self.kind, self.idx, self.fence)


class Item(Record):
    """An item as the ledger has it."""

    kind: Kind
    idx: int
    round: int
    page: int | None
    lane: Lane
    alone: bool
    state: WorkState
    attempts: int
    crashes: int
    transients: int
    artifact: str | None = None
    error_code: str | None = None
    error: str | None = None


class JobView(Record):
    """A job as its submitter sees it. `done`, `lost` and `total` count its pages; a lost one was given up and is a hole in the result.
    `packet` is the job of the packet that it is a part of, the `number`th."""

    id: str
    tenant: str
    state: JobState
    name: str
    pages: int | None
    done: int
    lost: int
    round: int
    created_at: float
    ended_at: float | None = None
    status: Status | None = None
    result: str | None = None
    result_sha256: str | None = None
    error_code: str | None = None
    error: str | None = None
    packet: str | None = None
    number: int | None = None

    @property
    def ended(self) -> bool:
        """Nothing more happens to it by itself."""
        return self.state in ("done", "cancelled")


class Known(Record):
    """What a submitter needs to know of an earlier job to tell whether it is to be done again. `meaning` is the hash of what was asked."""

    id: str
    meaning: str
    state: JobState
    status: Status | None
    result: str | None


class Event(Record):
    """Something that happened to a job. `seq` grows; `page` and `note` where they apply."""

    seq: int
    job: str
    at: float
    type: str
    page: int | None = None
    note: str | None = None


# ---- what an item that is done says ------------------------------------------------------------------------------------


class Opened(Record):
    """Of `prepare`: what is now known of the document, and the pages whose words are to be read."""

    artifact: str = ""
    document_pages: int
    pages: tuple[int, ...]


class Stored(Record):
    """Of `words` and `read`: the artifact with what was read off the page."""

    artifact: str


class Merged(Record):
    """Of `merge`, or of `prepare` where that read the document through: a result. `document_pages` where they were not known yet."""

    result: str
    sha256: str
    status: Status
    document_pages: int | None = None


class Unsettled(Record):
    """Of `merge`: these pages are to be read by the cascade's engine number `tier`, which works in `lane`, before there is a result."""

    pages: tuple[int, ...]
    tier: int
    lane: Lane


class Routed(Record):
    """Of `merge`: what the document is. One route without a part is how the whole of it is read; several are parts of a packet, each of
    which becomes a job of its own."""

    routes: tuple[Route, ...]


class Delivered(Record):
    """Of `deliver`: it has arrived."""


Done = Opened | Stored | Merged | Unsettled | Routed | Delivered
