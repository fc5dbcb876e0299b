"""An index in PostgreSQL: a `tsvector` of our own tokens, pgvector over looks.

The same tokens as in SQLite, so the same pages are found. Ranked by `ts_rank_cd`, cover density, as PostgreSQL counts in how many pages a
token is only by looking at each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from docpipe.errors import MissingError
from docpipe.search.engine import Engine
from docpipe.search.query import Phrase, Query, Term

_LOCK = 0x646F6373  # of PostgreSQL's advisory locks
RANKED = 1000  # of more pages that fit, only the newest so many are ranked
_POSITIONS = 16383  # the last place that a tsvector knows; what stands behind it is found, but in no phrase
_MOST_POSITIONS = 255  # of one token
_BYTES = 900_000  # of a page's tokens; a tsvector holds 1 MiB
_TABLES = ("search_meta", "search_document", "search_holder", "search_page", "search_field", "search_text", "search_look")
_PUT = sa.text(
    "INSERT INTO search_text(page, tokens) VALUES (:page, CAST(:tokens AS tsvector))"
    " ON CONFLICT (page) DO UPDATE SET tokens = excluded.tokens"
)
# Of the pages that have all words the newest are looked at closer: where they stand is in a tsvector that takes 20 microseconds to fetch.
# `page + 0` keeps PostgreSQL from going through all pages backwards instead of asking the index.
_RANK = """
    WITH newest AS MATERIALIZED (
        SELECT page FROM search_text WHERE tokens @@ CAST(:loose AS tsquery) ORDER BY page + 0 DESC LIMIT :ranked
    )
    SELECT page FROM newest JOIN search_text USING (page) WHERE tokens @@ CAST(:wanted AS tsquery)
    ORDER BY {rank}(tokens, CAST(:terms AS tsquery), 1) DESC, page DESC LIMIT :most
"""
_BY_INDEX = "SET LOCAL enable_seqscan = off"  # whatever PostgreSQL takes a word to be: to read all pages takes seconds
_NEWEST = sa.text("SELECT page FROM search_text WHERE tokens @@ CAST(:wanted AS tsquery) ORDER BY page + 0 DESC LIMIT :most")
_NEAR = """
    SELECT page, -negative AS cosine FROM (
        SELECT page, look <#> CAST(:look AS halfvec) AS negative FROM search_look {among} WHERE tenant = :tenant {fits}
    ) AS compared ORDER BY negative, page DESC LIMIT :most
"""
_ALL = sa.text(_NEAR.format(among="", fits=""))
_SOME = sa.text(_NEAR.format(among="JOIN search_text USING (page)", fits="AND tokens @@ CAST(:wanted AS tsquery)"))


class PostgresEngine(Engine):
    """Full text search with GIN, and pgvector 0.7 or later."""

    def lock(self, tx: sa.Connection) -> None:
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))

    def insert_new(self, table: sa.Table, **values: Any) -> sa.Executable:
        return postgresql.insert(table).values(**values).on_conflict_do_nothing().returning(*table.primary_key.columns)

    def size(self, tx: sa.Connection) -> int:
        sizes = (sa.func.coalesce(sa.func.pg_total_relation_size(sa.func.to_regclass(name)), 0) for name in _TABLES)
        return sum(int(tx.execute(sa.select(size)).scalar() or 0) for size in sizes)

    def make_text(self, tx: sa.Connection) -> None:
        tx.exec_driver_sql("DROP TABLE IF EXISTS search_text")
        tx.exec_driver_sql(
            "CREATE TABLE search_text (page bigint PRIMARY KEY REFERENCES search_page(id) ON DELETE CASCADE, tokens tsvector NOT NULL)"
        )
        tx.exec_driver_sql("CREATE INDEX search_text_tokens ON search_text USING gin (tokens)")

    def put_text(self, tx: sa.Connection, page: int, tokens: Sequence[str]) -> None:
        tx.execute(_PUT, {"page": page, "tokens": vector_of(tokens)})

    def drop_text(self, tx: sa.Connection, page: int, tokens: Sequence[str]) -> None:
        tx.execute(sa.text("DELETE FROM search_text WHERE page = :page"), {"page": page})

    def rank(self, tx: sa.Connection, query: Query, whose: str, *, every: bool, most: int) -> list[int]:
        tx.exec_driver_sql(_BY_INDEX)
        asked = {"wanted": expression(query.terms, query.filters, whose, every=every), "most": most}
        if not query.terms:
            return list(tx.execute(_NEWEST, asked).scalars())
        terms = (" & " if every else " | ").join(_any(term.phrases) for term in query.terms)
        loose = expression(query.terms, query.filters, whose, every=every, follow=" & ")
        ranked = _RANK.format(rank="ts_rank_cd" if every else "ts_rank")  # of many words that need not be there, cover takes long to tell
        return list(tx.execute(sa.text(ranked), {**asked, "terms": terms, "loose": loose, "ranked": RANKED}).scalars())

    def make_looks(self, tx: sa.Connection, size: int) -> None:
        try:
            with tx.begin_nested():
                tx.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS vector")
                tx.exec_driver_sql(
                    "CREATE TABLE search_look (page bigint PRIMARY KEY REFERENCES search_page(id) ON DELETE CASCADE,"
                    f" tenant varchar(64) NOT NULL, look halfvec({int(size)}) NOT NULL)"
                )
        except sa.exc.DBAPIError as problem:
            said = " ".join(str(problem.orig).split())
            raise MissingError(
                f"the database cannot compare looks: {said}", hint="install pgvector 0.7 or later on its server, see docs/search.md"
            ) from problem

    def forget_looks(self, tx: sa.Connection) -> None:
        tx.exec_driver_sql("DROP TABLE IF EXISTS search_look")

    def put_look(self, tx: sa.Connection, page: int, tenant: str, look: np.ndarray) -> None:
        statement = "INSERT INTO search_look(page, tenant, look) VALUES (:page, :tenant, CAST(:look AS halfvec))"
        tx.execute(sa.text(statement), {"page": page, "tenant": tenant, "look": _numbers(look)})

    def drop_look(self, tx: sa.Connection, page: int) -> None:
        """It goes with its page."""

    def near(self, tx: sa.Connection, look: np.ndarray, tenant: str, query: Query, whose: str, *, most: int) -> list[tuple[int, float]]:
        asked = {"look": _numbers(look), "tenant": tenant, "most": most}
        if not query.filters:
            return [(row.page, row.cosine) for row in tx.execute(_ALL, asked)]
        wanted = expression((), query.filters, whose, every=True)
        return [(row.page, row.cosine) for row in tx.execute(_SOME, {**asked, "wanted": wanted})]


def vector_of(tokens: Sequence[str]) -> str:
    """The tokens with their places, as a tsvector is written. Of a page with too many the last ones are left out."""
    places: dict[str, list[int]] = {}
    size = 0
    for place, token in enumerate(tokens, 1):
        if token not in places:
            size += len(token.encode()) + 8
            if size > _BYTES:
                break
        places.setdefault(token, []).append(min(place, _POSITIONS))
    return " ".join(f"{_quoted(token)}:{','.join(map(str, islice(at, _MOST_POSITIONS)))}" for token, at in places.items())


def expression(terms: Sequence[Term], filters: Sequence[Term], whose: str, *, every: bool, follow: str = " <-> ") -> str:
    """What is asked, as a tsquery is written; `follow` is what is asked of the tokens of a phrase."""
    wanted = [_any(term.phrases, follow) for term in terms]
    joined = wanted if every else [f"({' | '.join(wanted)})"]
    return " & ".join([*joined, *(_any(term.phrases) for term in filters), _quoted(whose)])


def _any(phrases: Iterable[Phrase], follow: str = " <-> ") -> str:
    return f"({' | '.join(_phrase(phrase, follow) for phrase in phrases)})"


def _phrase(phrase: Phrase, follow: str) -> str:
    said = [_quoted(token) for token in phrase.tokens]
    return f"({follow.join([*said[:-1], said[-1] + (':*' if phrase.prefix else '')])})"


def _quoted(token: str) -> str:
    """Tokens hold no quote and no backslash; one that did would be itself all the same."""
    return "'" + token.replace("\\", "\\\\").replace("'", "''") + "'"


def _numbers(look: np.ndarray) -> str:
    return "[" + ",".join(f"{number:.7g}" for number in look.tolist()) + "]"
