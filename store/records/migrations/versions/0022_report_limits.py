"""Until when the reports of the public page are paid for, under hashed keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "report_limits",
        sa.Column("key_hash", sa.String(length=64), primary_key=True),
        sa.Column("paid_ns", sa.BigInteger(), nullable=False, index=True),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("report_limits")
