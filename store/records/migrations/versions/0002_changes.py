"""Revisions of the registry, maintenance windows, and the assignee of an alert."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and tables."""
    op.add_column("transitions", sa.Column("to", sa.String(), nullable=True))
    op.add_column("lifts", sa.Column("revision", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("lifts_by_revision", "lifts", ["revision"])
    op.create_table(
        "struck_off",
        sa.Column("lift_id", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lift_id"),
    )
    op.create_index("ix_struck_off_revision", "struck_off", ["revision"])
    op.create_table(
        "maintenance",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("lift_id", sa.String(length=64), nullable=False),
        sa.Column("from_ns", sa.BigInteger(), nullable=False),
        sa.Column("until_ns", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_maintenance_revision", "maintenance", ["revision"])
    op.create_index("maintenance_of_lift", "maintenance", ["lift_id", "until_ns"])


def downgrade() -> None:
    """Remove the columns and tables."""
    op.drop_table("maintenance")
    op.drop_table("struck_off")
    op.drop_index("lifts_by_revision", "lifts")
    op.drop_column("lifts", "revision")
    op.drop_column("transitions", "to")
