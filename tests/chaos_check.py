"""What must be true of a queue after whatever happened to it: each job ended once, with every page that can be read. Starts nothing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from docpipe.client import Client
from docpipe.ledger import Item, JobView, Ledger, events
from docpipe.ledger.claim import MOST_CRASHES
from docpipe.ledger.tables import UNDONE, job, work

POISON = "POISON"  # as a page's first word: whoever reads the page dies
ALL_EVENTS = 1_000_000


@dataclass(frozen=True)
class Sown:
    """A job that was submitted: the first words of its pages, at most one of them POISON."""

    job: str
    words: tuple[str, ...]
    webhook: bool = False

    @property
    def poison(self) -> list[int]:
        return [number for number, word in enumerate(self.words, 1) if word == POISON]


@dataclass(frozen=True)
class Heard:
    """An event that a receiver acted on, so after it dropped what it had seen before."""

    id: str
    job: str
    status: str


def violations(ledger: Ledger, client: Client, sown: Sequence[Sown], heard: Sequence[Heard] = ()) -> list[str]:
    """Whatever is wrong, a line each, beginning with the job's id."""
    by_job: dict[str, list[Heard]] = {}
    for one in heard:
        by_job.setdefault(one.job, []).append(one)
    known = {found.id for found in client.jobs(most=ALL_EVENTS)}
    lost = [f"{one.job}: submitted, and the ledger does not know it" for one in sown if one.job not in known]
    strange = [f"{name}: in the ledger, and nobody submitted it" for name in known - {one.job for one in sown}]
    kept = [one for one in sown if one.job in known]
    return lost + strange + [f"{one.job}: {said}" for one in kept for said in _wrong(ledger, client, one, by_job)]


def _wrong(ledger: Ledger, client: Client, sown: Sown, heard: Mapping[str, Sequence[Heard]]) -> Iterator[str]:
    found, items = client.job(sown.job), client.items(sown.job)
    yield from _counters(ledger, sown.job)
    if not found.ended:
        undone = [f"{one.kind} {one.idx} {one.state}{' alone' if one.alone else ''}" for one in items if one.state in UNDONE]
        yield f"has not ended: {found.state}, {', '.join(undone) or 'nothing to do'}"
        return
    if found.state != "done" or found.status is None or (found.result is None) == (found.error_code is None):
        yield f"ended as {found.state} {found.status} with result {found.result} and error {found.error_code}"
    yield from _happened_once(ledger, found, items)
    yield from _given_up(sown, items)
    yield from _read(client, sown, found)
    yield from _told(sown, found, items, heard.get(sown.job, ()))


def _counters(ledger: Ledger, name: str) -> Iterator[str]:
    """What the job's row counts is what the rows of its items say."""
    with ledger.read() as tx:
        row = tx.one(sa.select(job.c.unfinished, job.c.pages).where(job.c.id == name))
        undone = tx.scalar(sa.select(sa.func.count()).select_from(work).where(work.c.job == name, work.c.state.in_(UNDONE)))
        pages = tx.scalar(sa.select(sa.func.count()).select_from(work).where(work.c.job == name, work.c.kind == "words"))
    if row.unfinished != undone:
        yield f"counts {row.unfinished} unfinished items and has {undone}"
    if row.pages is not None and row.pages != pages:
        yield f"counts {row.pages} pages and has {pages}"


def _happened_once(ledger: Ledger, found: JobView, items: Sequence[Item]) -> Iterator[str]:
    told = Counter(event.type for event in events(ledger, found.id, most=ALL_EVENTS))
    for what, times in (("submitted", 1), ("concluded", 1), ("done", 1), ("round", found.round)):
        if told[what] != times:
            yield f"{what} {told[what]} times, not {times}"
    merged = [(one.round, one.state) for one in items if one.kind == "merge"]
    if sorted(merged) != [(number, "done") for number in range(found.round + 1)]:
        yield f"merged {merged} in {found.round + 1} rounds"


def _given_up(sown: Sown, items: Sequence[Item]) -> Iterator[str]:
    """The poison page's reading, after as many crashes as it may have, and nothing else."""
    given_up = [one for one in items if one.state in ("quarantined", "cancelled")]
    for one in given_up:
        if one.kind != "read" or one.page not in sown.poison:
            said = f"{one.crashes} crashes, {one.transients} waits, {one.error_code}: {one.error}"
            yield f"innocent {one.kind} {one.idx} is {one.state} after {said}"
        elif (one.state, one.crashes, one.error_code) != ("quarantined", MOST_CRASHES, "crash"):
            yield f"poison page {one.page} is {one.state} after {one.crashes} crashes, {one.error_code}"
    for page in set(sown.poison) - {one.page for one in given_up if one.kind == "read"}:
        yield f"poison page {page} was not given up"


def _read(client: Client, sown: Sown, found: JobView) -> Iterator[str]:
    if found.result is None:
        yield f"has no result: {found.error_code}"
        return
    words = [word for word in client.result(sown.job).data["pages"] if word]
    if words != [word for word in sown.words if word != POISON]:
        yield f"reads {words} off {list(sown.words)}"
    if sown.poison and found.status != "review":
        yield f"is {found.status} without its page {sown.poison[0]}"


def _told(sown: Sown, found: JobView, items: Sequence[Item], heard: Sequence[Heard]) -> Iterator[str]:
    expected = 1 if sown.webhook else 0
    if len(heard) != expected:
        yield f"its receiver acted {len(heard)} times on {len({one.id for one in heard})} events, not {expected} times"
    if any(one.status != found.status for one in heard):
        yield f"its receiver heard {[one.status for one in heard]} and it is {found.status}"
    if [one.state for one in items if one.kind == "deliver"] != ["done"] * expected:
        yield f"deliveries are {[(one.state, one.error) for one in items if one.kind == 'deliver']}"
