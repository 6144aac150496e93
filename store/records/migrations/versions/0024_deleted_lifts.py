"""The facts of a deleted lift, as long as people are called about an incident that was open when it was deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

NAMING_FACTS = ("owner", "maintenance_firm", "insurer", "manufacturer")


def upgrade() -> None:
    """Add the columns; of lifts that were deleted before, nothing is kept."""
    op.add_column("struck_off", sa.Column("deleted_ns", sa.BigInteger(), nullable=True))
    op.add_column("struck_off", sa.Column("facts", sa.Text(), nullable=True))
    for name in NAMING_FACTS:
        op.add_column("struck_off", sa.Column(name, sa.String(), nullable=True))


def downgrade() -> None:
    """Remove them."""
    for name in (*NAMING_FACTS, "facts", "deleted_ns"):
        op.drop_column("struck_off", name)
