"""Room for sealed secrets; `Records.seal_secrets`, which has the key, seals those that are stored plain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

WIDENED = (("people", "totp_secret", 64), ("ways", "secret", 200))


def upgrade() -> None:
    """Take the limits of length away; SQLite has none."""
    if op.get_bind().dialect.name == "postgresql":
        for table, column, _ in WIDENED:
            op.alter_column(table, column, type_=sa.Text())


def downgrade() -> None:
    """Put the limits back, which plain secrets keep to."""
    if op.get_bind().dialect.name == "postgresql":
        for table, column, chars in WIDENED:
            op.alter_column(table, column, type_=sa.String(chars))
