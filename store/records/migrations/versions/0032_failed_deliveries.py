"""An index of the deliveries to webhooks that were given up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

FAILED = sa.text("state = 'failed'")


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        "failed_deliveries", "deliveries", ["endpoint", "made_ns"], sqlite_where=FAILED, postgresql_where=FAILED
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_index("failed_deliveries", "deliveries")
