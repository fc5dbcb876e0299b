"""What Alembic runs: the changes, on the connection that docpipe hands over."""

from alembic import context

from docpipe.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
