"""The end of a temporary change of thresholds, and the values that return then."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; earlier changes have no end."""
    op.add_column("change_requests", sa.Column("ends_ns", sa.BigInteger(), nullable=True))
    op.add_column("change_requests", sa.Column("former", sa.Text(), nullable=True))
    where = sa.text("ends_ns IS NOT NULL AND state = 'applied'")
    op.create_index("temporary_changes", "change_requests", ["ends_ns"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Remove them."""
    op.drop_index("temporary_changes", "change_requests")
    for name in ("former", "ends_ns"):
        op.drop_column("change_requests", name)
