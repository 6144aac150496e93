"""The topics on which the health of a deleted or moved lift ends."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "ended_health",
        sa.Column("lift_id", sa.String(64), primary_key=True),
        sa.Column("district", sa.String(32), primary_key=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_ended_health_version", "ended_health", ["version"])


def downgrade() -> None:
    """Remove it."""
    op.drop_table("ended_health")
