"""Refused messages by lift: the share of each dead letter, and counts by reason."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column("dead_letters", sa.Column("lift_id", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("dead_letters", sa.Column("share", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("dead_letters", sa.Column("known", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("dead_letters", sa.Column("size", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("dead_letters_of_lift", "dead_letters", ["lift_id", "id"])
    op.create_table(
        "refusals",
        sa.Column("lift_id", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_ns", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lift_id", "reason"),
    )
    op.create_index("ix_refusals_revision", "refusals", ["revision"])


def downgrade() -> None:
    """Remove them."""
    op.drop_table("refusals")
    op.drop_index("dead_letters_of_lift", "dead_letters")
    for column in ("size", "known", "share", "lift_id"):
        op.drop_column("dead_letters", column)
