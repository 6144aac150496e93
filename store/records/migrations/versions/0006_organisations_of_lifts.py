"""The organisations that a lift names, as columns: a query of one organisation's lifts needs them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

FACTS = ("owner", "maintenance_firm", "insurer", "manufacturer")


def upgrade() -> None:
    """Add the columns, fill them from the facts, and index them."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for fact in FACTS:
        op.add_column("lifts", sa.Column(fact, sa.String(), nullable=True))
    values = (f"json_extract(facts, '$.{fact}')" if is_sqlite else f"facts::json ->> '{fact}'" for fact in FACTS)
    changes = ", ".join(f"{fact} = {value}" for fact, value in zip(FACTS, values, strict=True))
    op.execute(f"UPDATE lifts SET {changes} WHERE registered")  # nosec B608
    for fact in FACTS:
        op.create_index(f"ix_lifts_{fact}", "lifts", [fact])
    op.create_index("ix_lifts_district", "lifts", ["district"])


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_lifts_district", "lifts")
    for fact in FACTS:
        op.drop_index(f"ix_lifts_{fact}", "lifts")
        op.drop_column("lifts", fact)
