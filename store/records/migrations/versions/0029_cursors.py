"""The counters of the readers of transitions are named by what a reader does: it announces."""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rename the counters."""
    op.execute("UPDATE counters SET name = 'announced:' || substr(name, 6) WHERE substr(name, 1, 5) = 'told:'")


def downgrade() -> None:
    """Restore the former names."""
    op.execute("UPDATE counters SET name = 'told:' || substr(name, 11) WHERE substr(name, 1, 10) = 'announced:'")
