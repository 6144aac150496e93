"""The district of the lift in each row of the audit log, for the authority, which sees rows of deleted lifts too.

Rows of former versions have none: their hashes depend on what they have.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("audit", sa.Column("district", sa.String(length=32), nullable=True))


def downgrade() -> None:
    """Remove the column: the rows that had a district do not have their hashes then."""
    op.drop_column("audit", "district")
