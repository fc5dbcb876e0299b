"""What changes an index: documents come, change and go. Every function is part of one transaction, so that a document is there whole or not
at all. Knows rows, no database and no file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from docpipe.records import Document
from docpipe.search import tables
from docpipe.search.engine import Engine
from docpipe.search.fields import Facts, names_in
from docpipe.search.pages import PageEntry, pack, pack_facts
from docpipe.search.rows import (
    BY_HAND,
    EMBEDDER,
    MADE_BY,
    Held,
    check_embedder,
    held_of,
    locked,
    meta_of,
    pages_of,
    tokens_of_page,
    version,
)

document, holder, page, field, meta = tables.document, tables.holder, tables.page, tables.field, tables.meta
Added = Literal["added", "updated", "same"]


@dataclass(frozen=True)
class Entry:
    """One document to be indexed: whose it is, who holds it there, its pages, and what its result says. `embedder` is the identity of what
    made the pages' vectors. One without pages has an empty page 0."""

    document: Document
    pages: tuple[PageEntry, ...]
    facts: tuple[Facts, ...] = ()
    tenant: str = "default"
    holder: str = BY_HAND
    embedder: str | None = None

    @property
    def look_size(self) -> int:
        """Numbers of its vectors, 0 where there is none."""
        return next((len(one.look) for one in self.pages if one.look is not None), 0)


def make_tables(tx: sa.Connection, engine: Engine) -> None:
    """Make the tables, unless somebody else just has."""
    engine.lock(tx)
    if not sa.inspect(tx).has_table(meta.name):
        tables.metadata.create_all(tx)
        engine.make_text(tx)
        tx.execute(engine.insert_new(meta, name=MADE_BY, value=version()))


def prepare_looks(tx: sa.Connection, engine: Engine, entry: Entry) -> None:
    """Vectors of the entry's embedder can be put. Raises MismatchError where another's are there, and MissingError."""
    engine.lock(tx)
    known = meta_of(tx, EMBEDDER)
    if known is not None:
        check_embedder(known, entry.embedder or "")
    elif entry.look_size:
        engine.make_looks(tx, entry.look_size)
        tx.execute(engine.insert_new(meta, name=EMBEDDER, value=entry.embedder))


def add(tx: sa.Connection, engine: Engine, entry: Entry) -> Added:
    """The document is in the index, with all that the entry has of it; pages and looks that are there already stay."""
    row, is_new = _document(tx, engine, entry)
    held, pages = held_of(tx, row), pages_of(tx, row)
    changed = held.get(entry.holder) != entry.facts
    if changed:
        after = {**{name: facts for name, facts in held.items() if name != entry.holder}, entry.holder: entry.facts}
        _retell(tx, engine, row, pages, held, after)
        _hold(tx, engine, entry, row)
        held = after
    there = {one.number for one in pages}
    fresh = [one for one in entry.pages if one.words.page not in there]
    for one in fresh:
        _add_page(tx, engine, entry, row, one, held)
    looks = _add_looks(tx, engine, entry, pages)
    return "added" if is_new else "updated" if changed or fresh or looks else "same"


def drop_document(tx: sa.Connection, engine: Engine, sha256: str, tenant: str) -> bool:
    """Forget the document, whoever holds it; False where it is not there."""
    row = tx.execute(locked(document.c.tenant == tenant, document.c.sha256 == sha256)).first()
    if row is not None:
        _delete(tx, engine, row)
    return row is not None


def drop_holder(tx: sa.Connection, engine: Engine, name: str, tenant: str) -> bool:
    """What the holder holds is forgotten or, where others hold it too, what its own result said; False where it holds nothing."""
    mine = sa.select(holder.c.document).where(holder.c.name == name)
    rows = tx.execute(locked(document.c.id.in_(mine), document.c.tenant == tenant)).all()
    for row in rows:
        held = held_of(tx, row)
        after = {other: facts for other, facts in held.items() if other != name}
        if not after:
            _delete(tx, engine, row)
            continue
        _retell(tx, engine, row, pages_of(tx, row), held, after)
        tx.execute(holder.delete().where(holder.c.document == row.id, holder.c.name == name))
    return bool(rows)


def rebuild(tx: sa.Connection, engine: Engine) -> int:
    """Index the words that are there anew, and forget all looks; returns how many pages. No document is needed."""
    engine.lock(tx)
    engine.make_text(tx)
    engine.forget_looks(tx)
    tx.execute(page.update().values(has_look=False))
    tx.execute(meta.delete())
    tx.execute(engine.insert_new(meta, name=MADE_BY, value=version()))
    count = 0
    for row in tx.execute(sa.select(document)).all():
        held = held_of(tx, row)
        for one in pages_of(tx, row):
            engine.put_text(tx, one.id, tokens_of_page(row, one, held))
            count += 1
    return count


def _document(tx: sa.Connection, engine: Engine, entry: Entry) -> tuple[Any, bool]:
    """The document's row, and whether it is new."""
    values = entry.document.model_dump(include={"sha256", "name", "media_type", "pages"})
    made = tx.execute(engine.insert_new(document, tenant=entry.tenant, **values)).first()
    row = tx.execute(locked(document.c.tenant == entry.tenant, document.c.sha256 == entry.document.sha256)).one()
    if entry.document.pages > row.pages:
        tx.execute(document.update().where(document.c.id == row.id).values(pages=entry.document.pages))
    return row, made is not None


def _hold(tx: sa.Connection, engine: Engine, entry: Entry, row: Any) -> None:
    """The entry's holder is the document's newest."""
    tx.execute(holder.delete().where(holder.c.document == row.id, holder.c.name == entry.holder))
    last = tx.execute(sa.select(sa.func.max(holder.c.turn)).where(holder.c.document == row.id)).scalar() or 0
    tx.execute(holder.insert().values(document=row.id, name=entry.holder, facts=pack_facts(entry.facts), turn=last + 1))
    for name in sorted(names_in(entry.facts)):
        tx.execute(engine.insert_new(field, tenant=entry.tenant, name=name))


def _retell(tx: sa.Connection, engine: Engine, row: Any, pages: Iterable[Any], before: Held, after: Held) -> None:
    """The pages are found by what other results say of them."""
    for one in pages:
        engine.drop_text(tx, one.id, tokens_of_page(row, one, before))
        engine.put_text(tx, one.id, tokens_of_page(row, one, after))


def _add_page(tx: sa.Connection, engine: Engine, entry: Entry, row: Any, one: PageEntry, held: Held) -> None:
    words = one.words
    size = {"width": words.width, "height": words.height}
    insert = page.insert().values(document=row.id, number=words.page, words=pack(words), has_look=one.look is not None, **size)
    added = tx.execute(insert.returning(*page.columns)).one()
    engine.put_text(tx, added.id, tokens_of_page(row, added, held))
    if one.look is not None:
        engine.put_look(tx, added.id, entry.tenant, one.look)


def _add_looks(tx: sa.Connection, engine: Engine, entry: Entry, pages: Sequence[Any]) -> int:
    """Looks of pages that were there before and had none; returns how many."""
    looks = {one.words.page: one.look for one in entry.pages if one.look is not None}
    new = [one for one in pages if one.number in looks and not one.has_look]
    for one in new:
        engine.put_look(tx, one.id, entry.tenant, looks[one.number])
        tx.execute(page.update().where(page.c.id == one.id).values(has_look=True))
    return len(new)


def _delete(tx: sa.Connection, engine: Engine, row: Any) -> None:
    held = held_of(tx, row)
    for one in pages_of(tx, row):
        engine.drop_text(tx, one.id, tokens_of_page(row, one, held))
        if one.has_look:
            engine.drop_look(tx, one.id)
    tx.execute(document.delete().where(document.c.id == row.id))
