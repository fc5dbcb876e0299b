"""Items know how often they only waited for what was busy, as that is no try."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Change the tables."""
    op.add_column("work", sa.Column("refused", sa.Integer(), nullable=False, server_default="0"))
