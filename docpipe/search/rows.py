"""Rows of an index's tables, and what a page's row is found by. Changes nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from docpipe.errors import MismatchError
from docpipe.search import tables
from docpipe.search.fields import Facts, says
from docpipe.search.pages import page_tokens, unpack_facts, unpack_lines
from docpipe.search.tokens import VERSION

BY_HAND = "file"  # who holds a document that belongs to no job
EMBEDDER, MADE_BY = "embedder", "version"
Held = dict[str, tuple[Facts, ...]]  # who holds a document -> what their results say, the newest last
document, holder, page, meta = tables.document, tables.holder, tables.page, tables.meta


def version() -> str:
    """What the tokens of an index depend on."""
    return f"{VERSION}-{unicodedata.unidata_version}"


def whose(tenant: str) -> str:
    """What a tenant's pages are found by. As hexadecimals, since SQLite folds the case of letters."""
    return f"=={tenant.encode().hex()}"


def meta_of(tx: sa.Connection, name: str) -> str | None:
    """What the index says of itself under that name."""
    found: str | None = tx.execute(sa.select(meta.c.value).where(meta.c.name == name)).scalar()
    return found


def check_embedder(known: str, asked: str) -> None:
    """Raises MismatchError where vectors of the two cannot be compared."""
    if known != asked:
        hint = "docpipe index --rebuild, then index the documents again"
        raise MismatchError(f"the looks in the index are those of {known}, not of {asked}", hint=hint)


def document_of(tx: sa.Connection, sha256: str, tenant: str) -> Any:
    """The document's row, or None."""
    return tx.execute(sa.select(document).where(document.c.tenant == tenant, document.c.sha256 == sha256)).first()


def locked(*where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Documents, nobody else's until the transaction ends."""
    return sa.select(document).where(*where).order_by(document.c.id).with_for_update()


def held_of(tx: sa.Connection, row: Any) -> Held:
    """Who holds the document."""
    wanted = sa.select(holder.c.name, holder.c.facts).where(holder.c.document == row.id).order_by(holder.c.turn)
    return {name: unpack_facts(facts) for name, facts in tx.execute(wanted)}


def pages_of(tx: sa.Connection, row: Any) -> Sequence[Any]:
    """The document's pages, in order."""
    return tx.execute(sa.select(page).where(page.c.document == row.id).order_by(page.c.number)).all()


def tokens_of_page(owner: Any, row: Any, held: Held) -> list[str]:
    """All that the page at `row` is found by, `owner` being its document's row: always the same for the same rows."""
    more = [whose(owner.tenant), *says("name", owner.name), *(token for name in held for token in says("job", name))]
    return page_tokens(unpack_lines(row.words), row.number, [facts for name in sorted(held) for facts in held[name]], more)
