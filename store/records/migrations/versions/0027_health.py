"""The health of lifts: the present one of each, and its days with their measures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "health",
        sa.Column("lift_id", sa.String(64), primary_key=True),
        sa.Column("district", sa.String(32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("grade", sa.String(16), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
    )
    op.create_index("ix_health_version", "health", ["version"])
    op.create_table(
        "health_days",
        sa.Column("lift_id", sa.String(64), primary_key=True),
        sa.Column("day", sa.Integer(), primary_key=True),
        sa.Column("measures", sa.LargeBinary(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("grade", sa.String(16), nullable=True),
        sa.Column("parts", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("health_days")
    op.drop_table("health")
