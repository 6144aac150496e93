"""When the rescue of an incident began, as long as somebody may be inside: for the timers of rescues."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

RUNNING = sa.text("rescue_ns IS NOT NULL")


def upgrade() -> None:
    """Add the column."""
    op.add_column("incidents", sa.Column("rescue_ns", sa.BigInteger(), nullable=True))
    op.create_index("running_rescues", "incidents", ["rescue_ns"], sqlite_where=RUNNING, postgresql_where=RUNNING)


def downgrade() -> None:
    """Remove it."""
    op.drop_index("running_rescues", "incidents")
    op.drop_column("incidents", "rescue_ns")
