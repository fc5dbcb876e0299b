"""An index in a SQLite file: FTS5 over our own tokens, sqlite-vec over looks.

FTS5 keeps no text here (`content=''`), only what finds it: a page's tokens can be made again from its words. Looks are compared as bytes,
all of them, and the nearest again as they are. Measured with 100,000 pages, see benchmarks/RESULTS.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from docpipe.search.engine import Engine
from docpipe.search.query import Phrase, Query, Term

# Every character of a token that is not a letter or digit, see forms.py and fields.py. FTS5 splits at any other of ASCII, at none beyond.
_TOKENIZE = "ascii tokenchars ''=.:-_''"
RANKED = 5000  # of more pages that fit, only the newest so many are ranked
_PRECISE = 2  # times as many as wanted are compared again without the loss of a byte
# `prefix=2`: two letters with a star are answered three times as fast for an eighth more bytes.
_PUT = sa.text("INSERT INTO search_text(rowid, tokens) VALUES (:page, :tokens)")
_DROP = sa.text("INSERT INTO search_text(search_text, rowid, tokens) VALUES ('delete', :page, :tokens)")
_RANK = sa.text(
    "SELECT page FROM (SELECT rowid AS page, bm25(search_text) AS worse FROM search_text WHERE search_text MATCH :wanted"
    " ORDER BY rowid DESC LIMIT :ranked) ORDER BY worse, page DESC LIMIT :most"
)
_NEWEST = sa.text("SELECT rowid FROM search_text WHERE search_text MATCH :wanted ORDER BY rowid DESC LIMIT :most")
_NEAR = "SELECT rowid, vector FROM search_look WHERE look MATCH vec_quantize_int8(:look, 'unit') AND k = :most AND tenant = :tenant"
_AMONG = " AND rowid IN (SELECT rowid FROM search_text WHERE search_text MATCH :wanted)"
_MOST_NEAR = 4096  # what sqlite-vec gives at most


class SqliteEngine(Engine):
    """FTS5 and sqlite-vec."""

    def lock(self, tx: sa.Connection) -> None:
        """There is one writer at a time anyway."""

    def insert_new(self, table: sa.Table, **values: Any) -> sa.Executable:
        return sqlite.insert(table).values(**values).on_conflict_do_nothing().returning(*table.primary_key.columns)

    def size(self, tx: sa.Connection) -> int:
        count, each = (tx.exec_driver_sql(f"PRAGMA {what}").scalar() or 0 for what in ("page_count", "page_size"))
        return int(count) * int(each)

    def make_text(self, tx: sa.Connection) -> None:
        tx.exec_driver_sql("DROP TABLE IF EXISTS search_text")
        tx.exec_driver_sql(f"CREATE VIRTUAL TABLE search_text USING fts5(tokens, content='', prefix=2, tokenize='{_TOKENIZE}')")

    def put_text(self, tx: sa.Connection, page: int, tokens: Sequence[str]) -> None:
        tx.execute(_PUT, {"page": page, "tokens": " ".join(tokens)})

    def drop_text(self, tx: sa.Connection, page: int, tokens: Sequence[str]) -> None:
        tx.execute(_DROP, {"page": page, "tokens": " ".join(tokens)})

    def rank(self, tx: sa.Connection, query: Query, whose: str, *, every: bool, most: int) -> list[int]:
        wanted = expression(query.terms, query.filters, whose, every=every)
        statement, more = (_RANK, {"ranked": RANKED}) if query.terms else (_NEWEST, {})
        return list(tx.execute(statement, {"wanted": wanted, "most": most, **more}).scalars())

    def make_looks(self, tx: sa.Connection, size: int) -> None:
        tx.exec_driver_sql(f"CREATE VIRTUAL TABLE search_look USING vec0(tenant TEXT PARTITION KEY, look int8[{int(size)}], +vector BLOB)")

    def forget_looks(self, tx: sa.Connection) -> None:
        tx.exec_driver_sql("DROP TABLE IF EXISTS search_look")

    def put_look(self, tx: sa.Connection, page: int, tenant: str, look: np.ndarray) -> None:
        statement = (
            "INSERT INTO search_look(rowid, tenant, look, vector) VALUES (:page, :tenant, vec_quantize_int8(:look, 'unit'), :vector)"
        )
        values = {"page": page, "tenant": tenant, "look": look.astype("<f4").tobytes(), "vector": look.astype("<f2").tobytes()}
        tx.execute(sa.text(statement), values)

    def drop_look(self, tx: sa.Connection, page: int) -> None:
        tx.execute(sa.text("DELETE FROM search_look WHERE rowid = :page"), {"page": page})

    def near(self, tx: sa.Connection, look: np.ndarray, tenant: str, query: Query, whose: str, *, most: int) -> list[tuple[int, float]]:
        asked = {"look": look.astype("<f4").tobytes(), "most": min(_MOST_NEAR, _PRECISE * most), "tenant": tenant}
        among = {"wanted": expression((), query.filters, whose, every=True)} if query.filters else {}
        rows = tx.execute(sa.text(_NEAR + (_AMONG if among else "")), {**asked, **among}).all()
        found = [(page, float(np.frombuffer(vector, "<f2").astype(np.float32) @ look)) for page, vector in rows]
        return sorted(found, key=lambda one: (-one[1], -one[0]))[:most]


def expression(terms: Sequence[Term], filters: Sequence[Term], whose: str, *, every: bool) -> str:
    """What FTS5 is asked. Tokens hold nothing that could end the quotes they stand in."""
    wanted = [_any(term.phrases) for term in terms]
    joined = wanted if every else [f"({' OR '.join(wanted)})"]
    return " AND ".join([*joined, *(_any(term.phrases) for term in filters), f'"{whose}"'])


def _any(phrases: Iterable[Phrase]) -> str:
    said = (f'"{" ".join(phrase.tokens)}"{" *" if phrase.prefix else ""}' for phrase in phrases)
    return f"({' OR '.join(said)})"
