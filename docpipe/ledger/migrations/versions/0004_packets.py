"""A job may be a part of another one's document."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Change the tables."""
    op.add_column("job", sa.Column("packet", sa.String(32)))
    op.create_index("job_packet", "job", ["packet"])
