"""Failed sign-ins in a row, by hashed account and address, shared by all processes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "sign_in_failures",
        sa.Column("key_hash", sa.String(length=64), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_ns", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_sign_in_failures_last_ns", "sign_in_failures", ["last_ns"])


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("sign_in_failures")
