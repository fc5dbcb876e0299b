"""Trying a job again with its document's password, which lies in the store only while the job is at work."""

from __future__ import annotations

from collections.abc import Sequence

from docpipe import ledger as book
from docpipe.artifacts import secret_name
from docpipe.errors import UsageError
from docpipe.ledger import JobView, Ledger
from docpipe.store import Store


def retry_with(password: str, ledger: Ledger, store: Store, found: JobView, *, pages: Sequence[int] = ()) -> int:
    """As `ledger.retry`, with the password that the document needs; none is left in the store where nothing is tried. Raises what that
    does."""
    home = book.view(ledger, found.packet) if found.packet else found
    if not _is_taken(ledger, found, home):
        return book.retry(ledger, found.id, pages=pages)
    secret = secret_name(home.tenant, home.id)
    store.put(secret, password.encode(), private=True)
    try:
        return book.retry(ledger, found.id, pages=pages, locked=True)
    except UsageError:
        store.delete(secret)
        raise


def _is_taken(ledger: Ledger, found: JobView, home: JobView) -> bool:
    """What is at work keeps the password that it has; a part of a packet that was opened without one needs none."""
    return home.state in book.CONCLUDED and (not found.packet or book.spec_of(ledger, found.id).locked)
