"""The organisation of a maintenance window, and whether other organisations read its note."""

from __future__ import annotations

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; the organisation of an earlier window is that of the latest request that was applied."""
    op.add_column("maintenance", sa.Column("organisation", sa.String(), nullable=True))
    op.add_column("maintenance", sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.false()))
    asked = sa.table(
        "change_requests", *(sa.column(name) for name in ("id", "lift_id", "action", "state", "made_ns", "by"))
    )
    windows = sa.table("maintenance", *(sa.column(name) for name in ("lift_id", "from_ns", "until_ns", "organisation")))
    connection = op.get_bind()
    query = sa.select(asked.c.lift_id, asked.c.made_ns, asked.c.by).order_by(asked.c.id)
    for row in connection.execute(query.where(asked.c.action == "maintenance", asked.c.state == "applied")).all():
        of_request = (windows.c.lift_id == row.lift_id, windows.c.until_ns > row.made_ns)
        organisation = orjson.loads(row.by)["organisation"]
        connection.execute(sa.update(windows).where(*of_request).values(organisation=organisation))


def downgrade() -> None:
    """Remove them."""
    with op.batch_alter_table("maintenance") as table:
        table.drop_column("shared")
        table.drop_column("organisation")
