"""Trying a job again with its document's password, which lies in the store only while the job is at work."""

from __future__ import annotations

from collections.abc import Sequence

from docpipe import ledger as book
from docpipe.artifacts import secret_name
from docpipe.errors import UsageError
from docpipe.ledger import JobView, Ledger
from docpipe.store import Store


def retry_with(password: str, ledger: Ledger, store: Store, job: JobView, *, pages: Sequence[int] = ()) -> int:
    """Try the ended `job` again as `ledger.retry` does, with the password that its document needs; returns how many pages are. Where
    nothing is tried, no password is left in the store. Raises what `ledger.retry` raises."""
    home = book.view(ledger, job.packet) if job.packet else job
    if not _takes_password(ledger, job, home):
        return book.retry(ledger, job.id, pages=pages)
    secret = secret_name(home.tenant, home.id)
    store.put(secret, password.encode(), private=True)
    try:
        return book.retry(ledger, job.id, pages=pages, locked=True)
    except UsageError:
        store.delete(secret)
        raise


def _takes_password(ledger: Ledger, job: JobView, home: JobView) -> bool:
    """Whether the password is for this job: what is at work keeps the one that it has, and a part of a packet that was opened without one
    needs none."""
    return home.state in book.CONCLUDED and (not job.packet or book.spec_of(ledger, job.id).locked)
