"""Search over what was ingested: full text and looks of pages, and the fields of their results. Knows records and databases, no stage of
the pipeline; what is put into an index is read in `docpipe.indexing`.
"""

from __future__ import annotations

from docpipe.search.answers import MOST, Answer, Hit, search
from docpipe.search.database import Database
from docpipe.search.engine import Engine
from docpipe.search.fields import Facts, FieldValue, facts_of
from docpipe.search.index import Figures, Index, Known
from docpipe.search.pages import PageEntry
from docpipe.search.writing import Added, Entry

__all__ = [
    "MOST",
    "Added",
    "Answer",
    "Engine",
    "Entry",
    "Facts",
    "FieldValue",
    "Figures",
    "Hit",
    "Index",
    "Known",
    "PageEntry",
    "facts_of",
    "open_index",
    "search",
]


def open_index(url: str, *, create: bool = True, stale: bool = False) -> Index:
    """The index at `sqlite:///path` or `postgresql+psycopg://...`. A SQLite file is made where there is none and `create` says so; `stale`
    opens one that another version made, to rebuild it. Raises SettingsError, NotFoundError, SearchIndexError, MismatchError or
    MissingError."""
    database = Database(url, create=create)
    index = Index(database, _engine(sqlite=database.is_sqlite))
    try:
        index.open(stale=stale)
    except BaseException:
        index.close()
        raise
    return index


def _engine(*, sqlite: bool) -> Engine:
    if sqlite:
        from docpipe.search.sqlite import SqliteEngine

        return SqliteEngine()
    from docpipe.search.postgres import PostgresEngine

    return PostgresEngine()
