"""Deliveries of entries of incidents beside those of transitions of alerts: `subject` is `alert` or `incident`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and name the columns by what both subjects have."""
    op.drop_index("one_delivery", "deliveries")
    op.add_column("deliveries", sa.Column("subject", sa.String(length=16), nullable=False, server_default="alert"))
    op.execute("ALTER TABLE deliveries RENAME COLUMN transition_id TO number")
    op.execute("ALTER TABLE deliveries RENAME COLUMN alert_id TO subject_id")
    op.create_index("one_delivery", "deliveries", ["endpoint", "subject", "number"], unique=True)


def downgrade() -> None:
    """Remove it, with the deliveries of incidents."""
    op.execute("DELETE FROM deliveries WHERE subject != 'alert'")
    op.drop_index("one_delivery", "deliveries")
    op.execute("ALTER TABLE deliveries RENAME COLUMN subject_id TO alert_id")
    op.execute("ALTER TABLE deliveries RENAME COLUMN number TO transition_id")
    op.drop_column("deliveries", "subject")
    op.create_index("one_delivery", "deliveries", ["endpoint", "transition_id"], unique=True)
