"""The organisation of a change request; a request about a lift has none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("change_requests", sa.Column("organisation_id", sa.String(length=32), nullable=True))


def downgrade() -> None:
    """Remove it, and the requests that have it."""
    op.execute(sa.text("DELETE FROM change_requests WHERE organisation_id IS NOT NULL"))
    op.drop_column("change_requests", "organisation_id")
