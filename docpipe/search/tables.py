"""The tables that an index has in every database. What text and looks are found by has tables of each database's own."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()
_id = BigInteger().with_variant(Integer, "sqlite")

meta = Table(
    "search_meta",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)

document = Table(
    "search_document",
    metadata,
    Column("id", _id, primary_key=True, autoincrement=True),
    Column("tenant", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", String(64), nullable=False),
    Column("pages", Integer, nullable=False),
    UniqueConstraint("tenant", "sha256", name="search_document_key"),
    sqlite_autoincrement=True,
)

# Who keeps the document in the index: a job of the queue, or `file` where it was indexed by hand; with what its result says, if it has one.
holder = Table(
    "search_holder",
    metadata,
    Column("document", _id, ForeignKey("search_document.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(32), nullable=False),
    Column("facts", LargeBinary, nullable=False),
    Column("turn", Integer, nullable=False),  # the highest of a document is its newest
    PrimaryKeyConstraint("document", "name", name="search_holder_pk"),
)
Index("search_holder_name", holder.c.name)

page = Table(
    "search_page",
    metadata,
    Column("id", _id, primary_key=True, autoincrement=True),
    Column("document", _id, ForeignKey("search_document.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("width", Float, nullable=False),
    Column("height", Float, nullable=False),
    Column("words", LargeBinary, nullable=False),
    Column("has_look", Boolean, nullable=False),
    UniqueConstraint("document", "number", name="search_page_key"),
    sqlite_autoincrement=True,
)

field = Table(
    "search_field",
    metadata,
    Column("tenant", String(64), nullable=False),
    Column("name", String(255), nullable=False),
    PrimaryKeyConstraint("tenant", "name", name="search_field_pk"),
)
