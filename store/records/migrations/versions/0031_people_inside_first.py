"""Open incidents that may hold people come first in the order of urgency."""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move them before the others; one whose timer is overdue goes further up with its next change."""
    op.execute("UPDATE incidents SET urgency = urgency % 2 * 3 - 4 WHERE closed_ns IS NULL AND rescue_ns IS NOT NULL")


def downgrade() -> None:
    """Move them back: they are critical, and those with an even number are not acknowledged."""
    op.execute("UPDATE incidents SET urgency = abs(urgency % 2) WHERE closed_ns IS NULL AND rescue_ns IS NOT NULL")
