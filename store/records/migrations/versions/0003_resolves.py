"""Remove the column by which the judge read resolves: only the alert book handles alerts that clear by hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

RESOLVED = sa.text("kind = 'resolved'")


def upgrade() -> None:
    """Drop the column and the index."""
    op.drop_column("snapshots", "answered_to")
    op.drop_index("resolves", "transitions")


def downgrade() -> None:
    """Add the column and the index again."""
    op.create_index("resolves", "transitions", ["id"], sqlite_where=RESOLVED, postgresql_where=RESOLVED)
    op.add_column("snapshots", sa.Column("answered_to", sa.BigInteger(), nullable=False, server_default="0"))
