"""An index of what was ingested, at one URL: to be added to, dropped from and asked. Knows which transaction does what, no statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from docpipe.errors import MismatchError
from docpipe.records import Document, Record, Word
from docpipe.search import tables, writing
from docpipe.search.database import Database
from docpipe.search.engine import Engine
from docpipe.search.fields import Facts
from docpipe.search.pages import unpack, unpack_facts, values_of
from docpipe.search.query import Query
from docpipe.search.rows import (
    BY_HAND,
    EMBEDDER,
    MADE_BY,
    Held,
    check_embedder,
    document_of,
    held_of,
    meta_of,
    pages_of,
    version,
    whose,
)
from docpipe.search.writing import Added, Entry

MOST_OF_ANY = 12  # terms of a query whose terms stand on no page together
document, holder, page, field, meta = tables.document, tables.holder, tables.page, tables.field, tables.meta


class Known(Record):
    """What is indexed of a document: how many of its pages, how many of them with a look, and what its holder's result says, None where the
    holder does not hold it."""

    document: Document
    pages: int
    looks: int
    facts: tuple[Facts, ...] | None

    def is_read(self, *, looks: bool) -> bool:
        """Whether no page is missing, nor, where they are asked for, a look."""
        return self.pages >= max(1, self.document.pages) and (not looks or self.looks >= self.document.pages)


class FoundPage(NamedTuple):
    """A page of the index with its words, its document, the jobs that hold it, and what the newest result says of the page."""

    id: int
    document: Document
    number: int
    width: float
    height: float
    words: tuple[Word, ...]
    jobs: tuple[str, ...]
    facts: Facts | None


class Figures(Record):
    """What a tenant has in an index. `size` are the bytes of the whole index; `looks` counts the pages that have one."""

    documents: int
    pages: int
    looks: int
    size: int
    embedder: str | None


class Index:
    """What was ingested. Safe to share between threads; several processes may use one at once."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine

    def open(self, *, stale: bool = False) -> None:
        """Make the tables where there are none. Raises MismatchError where another version made them, unless `stale` ones will do, and
        MissingError where its looks cannot be compared."""
        with self._database.read() as tx:
            found = meta_of(tx, MADE_BY) if sa.inspect(tx).has_table(meta.name) else None
            embedder = meta_of(tx, EMBEDDER) if found else None
        if found is None:
            with self._database.write() as tx:
                writing.make_tables(tx, self._engine)
        elif found != version() and not stale:
            raise MismatchError("the index was made by another version", hint="docpipe index --rebuild")
        if embedder:
            self._database.need_vectors()

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    # ---- changing ----------------------------------------------------------------------------------------------------

    def add(self, entry: Entry) -> Added:
        """Index the document, or what is new of it. Raises MismatchError where another embedder made the looks that are there, and
        MissingError where the database cannot compare looks."""
        if entry.look_size:
            self._database.need_vectors()
            with self._database.write() as tx:
                writing.prepare_looks(tx, self._engine, entry)
        with self._database.write() as tx:
            return writing.add(tx, self._engine, entry)

    def drop_document(self, sha256: str, *, tenant: str) -> bool:
        """Forget the document, whoever holds it; False where it is not there."""
        with self._database.write() as tx:
            return writing.drop_document(tx, self._engine, sha256, tenant)

    def drop_job(self, job: str, *, tenant: str) -> bool:
        """Forget the job's document or, where others hold it too, what the job's result said; False where it holds none."""
        with self._database.write() as tx:
            return writing.drop_holder(tx, self._engine, job, tenant)

    def rebuild(self) -> int:
        """Index the words that are there anew, and forget all looks; returns how many pages. No document is needed."""
        with self._database.write() as tx:
            return writing.rebuild(tx, self._engine)

    # ---- asking ------------------------------------------------------------------------------------------------------

    def rank(self, query: Query, *, tenant: str, most: int) -> tuple[list[int], bool]:
        """The tenant's pages that fit the query by their text, the best first, and whether all its terms are on them: where no page has
        all, it is those that have any of the first."""
        if not (query.terms or query.filters):
            return [], True
        with self._database.read() as tx:
            found = self._engine.rank(tx, query, whose(tenant), every=True, most=most)
            if found or len(query.terms) < 2:
                return found, True
            some = query.model_copy(update={"terms": query.terms[:MOST_OF_ANY]})
            return self._engine.rank(tx, some, whose(tenant), every=False, most=most), False

    def near(self, look: np.ndarray, query: Query, *, tenant: str, embedder: str, most: int) -> list[tuple[int, float]]:
        """The tenant's pages that look most like the vector and fit the query's filters, with the cosine. Raises MismatchError where
        another embedder made the index's looks."""
        with self._database.read() as tx:
            known = meta_of(tx, EMBEDDER)
            if known is None:
                return []
            check_embedder(known, embedder)
            return self._engine.near(tx, look, tenant, query, whose(tenant), most=most)

    def pages(self, ids: Sequence[int], *, tenant: str) -> list[FoundPage]:
        """These pages in this order, without any that is another tenant's or gone."""
        wanted = sa.select(page).join(document).where(page.c.id.in_(ids), document.c.tenant == tenant)
        with self._database.read() as tx:
            rows = {row.id: row for row in tx.execute(wanted)}
            owners = sa.select(document).where(document.c.id.in_({row.document for row in rows.values()}))
            whole = {row.id: (row, held_of(tx, row)) for row in tx.execute(owners).all()}
        return [_found(rows[one], *whole[rows[one].document]) for one in ids if one in rows]

    def known(self, sha256: str, *, tenant: str, holder: str = BY_HAND) -> Known | None:
        """What is indexed of a document; None where it is not there."""
        with self._database.read() as tx:
            row = document_of(tx, sha256, tenant)
            if row is None:
                return None
            pages, facts = pages_of(tx, row), held_of(tx, row).get(holder)
        return Known(document=_document(row), pages=len(pages), looks=sum(one.has_look for one in pages), facts=facts)

    def jobs(self, *, tenant: str) -> dict[str, tuple[str, str]]:
        """Every job that holds a document, with the hashes of the document and of the result that was indexed for it."""
        wanted = sa.select(holder.c.name, document.c.sha256, holder.c.facts).join(document)
        with self._database.read() as tx:
            rows = tx.execute(wanted.where(document.c.tenant == tenant, holder.c.name != BY_HAND)).all()
        return {name: (sha256, next((one.sha256 for one in unpack_facts(facts)), "")) for name, sha256, facts in rows}

    def embedder(self) -> str | None:
        """Whose looks the index has, None where it has none."""
        with self._database.read() as tx:
            return meta_of(tx, EMBEDDER)

    def is_field(self, name: str, *, tenant: str) -> bool:
        """Whether any document of the tenant has had a field of that name."""
        wanted = sa.select(field.c.name).where(field.c.tenant == tenant, field.c.name == name)
        with self._database.read() as tx:
            return tx.execute(wanted).first() is not None

    def figures(self, *, tenant: str) -> Figures:
        """What there is of the tenant."""
        documents = sa.select(sa.func.count()).select_from(document).where(document.c.tenant == tenant)
        pages = sa.select(sa.func.count(), sa.func.count(sa.case((page.c.has_look, 1)))).select_from(page.join(document))
        with self._database.read() as tx:
            count, looks = tx.execute(pages.where(document.c.tenant == tenant)).one()
            return Figures(
                documents=tx.execute(documents).scalar() or 0,
                pages=count,
                looks=looks,
                size=self._engine.size(tx),
                embedder=meta_of(tx, EMBEDDER),
            )


def _found(row: Any, owner: Any, held: Held) -> FoundPage:
    said = [one for facts in reversed(held.values()) for one in facts if one.of_page(row.number)]
    words = unpack(row.words, width=row.width, height=row.height) if row.number else values_of(said)
    jobs = tuple(name for name in held if name != BY_HAND)
    return FoundPage(row.id, _document(owner), row.number, row.width, row.height, words, jobs, said[0] if said else None)


def _document(row: Any) -> Document:
    return Document(name=row.name, sha256=row.sha256, media_type=row.media_type, pages=row.pages)
