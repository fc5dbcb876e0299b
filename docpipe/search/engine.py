"""What each database does in its own way: finding tokens and vectors. The seam that SQLite and PostgreSQL fill. Knows no document."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from docpipe.search.query import Query


class Engine(ABC):
    """Statements of one database. Has no state: every call is part of the transaction `tx`."""

    @abstractmethod
    def lock(self, tx: sa.Connection) -> None:
        """Nobody else makes tables until the transaction ends."""

    @abstractmethod
    def insert_new(self, table: sa.Table, **values: Any) -> sa.Executable:
        """A statement that inserts a row and returns its key, or nothing where one with its key is there."""

    @abstractmethod
    def size(self, tx: sa.Connection) -> int:
        """The bytes of the whole index."""

    @abstractmethod
    def make_text(self, tx: sa.Connection) -> None:
        """Make what text is found by, empty, in place of what is there."""

    @abstractmethod
    def put_text(self, tx: sa.Connection, page: int, tokens: Sequence[str]) -> None:
        """The page is found by these tokens."""

    @abstractmethod
    def drop_text(self, tx: sa.Connection, page: int, tokens: Sequence[str]) -> None:
        """The page is no longer found by these tokens, which are those that it was put with."""

    @abstractmethod
    def rank(self, tx: sa.Connection, query: Query, whose: str, *, every: bool, most: int) -> list[int]:
        """Pages that have the token `whose` and fit all filters and every term or, else, any; the best first. Those that fit equally well
        stand newest first, as do all where there is no term."""

    @abstractmethod
    def make_looks(self, tx: sa.Connection, size: int) -> None:
        """Make what vectors of `size` numbers are found by. Raises MissingError where the database cannot compare them."""

    @abstractmethod
    def forget_looks(self, tx: sa.Connection) -> None:
        """Drop what `make_looks` made."""

    @abstractmethod
    def put_look(self, tx: sa.Connection, page: int, tenant: str, look: np.ndarray) -> None:
        """The tenant's page looks like this vector, which is of length 1."""

    @abstractmethod
    def drop_look(self, tx: sa.Connection, page: int) -> None:
        """The page has no look any more."""

    @abstractmethod
    def near(self, tx: sa.Connection, look: np.ndarray, tenant: str, query: Query, whose: str, *, most: int) -> list[tuple[int, float]]:
        """Pages of the tenant that fit the query's filters, with the cosine to the vector; the nearest first."""
