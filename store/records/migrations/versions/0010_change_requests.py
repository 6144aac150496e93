"""Requests of changes that can hide a danger; who may read a note; when a lift's thresholds were last changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column("lifts", sa.Column("thresholds_changed_ns", sa.BigInteger(), nullable=True))
    op.add_column("transitions", sa.Column("organisation", sa.String(), nullable=True))
    op.add_column("transitions", sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "change_requests",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("lift_id", sa.String(length=64), nullable=False),
        sa.Column("district", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("made_ns", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("decided_ns", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_change_requests_lift_id", "change_requests", ["lift_id"])


def downgrade() -> None:
    """Remove them."""
    op.drop_table("change_requests")
    op.drop_column("transitions", "shared")
    op.drop_column("transitions", "organisation")
    op.drop_column("lifts", "thresholds_changed_ns")
