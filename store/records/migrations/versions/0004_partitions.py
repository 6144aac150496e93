"""All rows of a monitor are keyed by its partition's name; existing rows get the partition of all lifts, 0/1."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    """Rename the columns and keys, and give deliveries their partition."""
    op.execute("UPDATE counters SET name = 'judged:0/1' WHERE name = 'judged'")
    op.execute("UPDATE counters SET name = 'told:0/1:' || substr(name, 6) WHERE substr(name, 1, 5) = 'told:'")
    op.execute('ALTER TABLE snapshots RENAME COLUMN reader TO "partition"')
    op.execute("UPDATE snapshots SET \"partition\" = '0/1'")
    op.execute('ALTER TABLE live RENAME COLUMN monitor TO "partition"')
    op.execute("UPDATE live SET \"partition\" = '0/1'")
    op.add_column("deliveries", sa.Column("partition", sa.String(length=64), nullable=False, server_default="0/1"))
    op.drop_index("waiting_deliveries", "deliveries")
    _index_waiting("partition", "endpoint", "alert_id", "id")


def downgrade() -> None:
    """Restore the former names; rows of other partitions than 0/1 are lost."""
    op.drop_index("waiting_deliveries", "deliveries")
    op.drop_column("deliveries", "partition")
    _index_waiting("endpoint", "alert_id", "id")
    op.execute("DELETE FROM live WHERE \"partition\" != '0/1'")
    op.execute('ALTER TABLE live RENAME COLUMN "partition" TO monitor')
    op.execute("UPDATE live SET monitor = 'monitor'")
    op.execute("DELETE FROM snapshots WHERE \"partition\" != '0/1'")
    op.execute('ALTER TABLE snapshots RENAME COLUMN "partition" TO reader')
    op.execute("UPDATE snapshots SET reader = 'judge'")
    op.execute("UPDATE counters SET name = 'told:' || substr(name, 10) WHERE substr(name, 1, 9) = 'told:0/1:'")
    op.execute("UPDATE counters SET name = 'judged' WHERE name = 'judged:0/1'")


def _index_waiting(*columns: str) -> None:
    op.create_index("waiting_deliveries", "deliveries", columns, sqlite_where=WAITING, postgresql_where=WAITING)
