"""Recovery codes of second factors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.String(length=64), primary_key=True),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_recovery_codes_person_id", "recovery_codes", ["person_id"])


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("recovery_codes")
