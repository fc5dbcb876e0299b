"""The tables' version: made where there are none, brought up to date where they are older. Knows Alembic, no row."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from docpipe.errors import MismatchError
from docpipe.ledger.ledger import Ledger

HEAD = "0004"  # the newest file of migrations/versions
_LOCK = 0x646F6370  # of PostgreSQL's advisory locks: one process at a time changes tables


def open_ledger(url: str, *, patience: float = 0.0) -> Ledger:
    """The ledger at the URL, as `Ledger` has it, its tables those of this version. Raises SettingsError, LedgerError, and MismatchError
    where a newer docpipe has changed them."""
    ledger = Ledger(url, patience=patience)
    if ledger.is_sqlite and ledger.url.database:
        Path(ledger.url.database).parent.mkdir(parents=True, exist_ok=True)
    try:
        if version(ledger) != HEAD:
            upgrade(ledger)
    except BaseException:
        ledger.close()
        raise
    return ledger


def version(ledger: Ledger) -> str | None:
    """The tables' version; None where there are none."""
    with ledger.read() as tx:
        if not tx.has_table("alembic_version"):
            return None
        found = tx.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return str(found) if found else None


def upgrade(ledger: Ledger, to: str = "head") -> None:
    """Make or change the tables, up to a version; several processes at once do it once. Raises MismatchError for tables of a newer one."""
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with ledger.write(durable=True) as tx:
        if tx.is_postgresql:
            tx.run(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config.attributes["connection"] = tx.connection
        try:
            command.upgrade(config, to)
        except CommandError as problem:
            raise MismatchError("the ledger was made by a newer docpipe", hint="upgrade docpipe on this machine") from problem
