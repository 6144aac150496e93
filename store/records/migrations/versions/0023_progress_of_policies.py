"""Which version of a policy has made the calls about an incident, when it began, and how often it called."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; rows of earlier versions are of the policy as it is now."""
    op.add_column("escalations", sa.Column("begun_ns", sa.BigInteger(), nullable=True))
    op.add_column("escalations", sa.Column("policy", sa.Text(), nullable=True))
    op.add_column("escalations", sa.Column("count", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Remove them."""
    for name in ("count", "policy", "begun_ns"):
        op.drop_column("escalations", name)
