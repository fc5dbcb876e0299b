"""Jobs know the trace that their submission was part of, and are found by when they ended."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Change the tables."""
    op.add_column("job", sa.Column("traceparent", sa.String(length=64), nullable=True))
    op.create_index("job_ended", "job", ["ended_at"], unique=False)
