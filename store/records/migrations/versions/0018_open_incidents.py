"""An index of the open incidents by kind and severity, for their numbers in the metrics."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    """Add the index."""
    op.create_index("open_incidents", "incidents", ["kind", "severity"], sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    """Remove it."""
    op.drop_index("open_incidents", "incidents")
