"""The order of incidents by urgency, and the text of each lift in which a search of incidents looks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

AT_ONCE = 1000
SEVERITIES = ("critical", "major", "minor", "trend")
NAMES = ("name", "address", "maintenance_firm", "owner")


def upgrade() -> None:
    """Add the columns and fill them."""
    op.add_column("lifts", sa.Column("search", sa.String(), nullable=False, server_default=""))
    op.add_column("incidents", sa.Column("urgency", sa.Integer(), nullable=False, server_default="0"))
    lifts = sa.table("lifts", sa.column("lift_id"), sa.column("facts"), sa.column("search"))
    incidents = sa.table(
        "incidents", sa.column("id"), sa.column("severity"), sa.column("incident"), sa.column("urgency")
    )
    for some in _rows(sa.select(lifts.c.lift_id, lifts.c.facts)):
        _fill(lifts, lifts.c.lift_id, [{"_key": row.lift_id, "search": _search(row)} for row in some])
    for some in _rows(sa.select(incidents.c.id, incidents.c.severity, incidents.c.incident)):
        _fill(incidents, incidents.c.id, [{"_key": row.id, "urgency": _urgency(row)} for row in some])
    is_open = sa.text("state = 'open'")
    op.create_index(
        "open_incidents_by_urgency", "incidents", ["urgency", "opened_ns"], sqlite_where=is_open,
        postgresql_where=is_open,
    )  # fmt: skip


def downgrade() -> None:
    """Remove the columns."""
    op.drop_index("open_incidents_by_urgency", "incidents")
    op.drop_column("incidents", "urgency")
    op.drop_column("lifts", "search")


def _rows(query: sa.Select[Any]) -> Iterator[list[sa.Row[Any]]]:
    found = op.get_bind().execute(query).all()
    for start in range(0, len(found), AT_ONCE):
        yield [*found[start : start + AT_ONCE]]


def _fill(table: sa.TableClause, key: sa.ColumnClause[Any], rows: list[dict[str, Any]]) -> None:
    values: dict[str, Any] = {name: sa.bindparam(name) for name in rows[0] if name != "_key"}
    op.get_bind().execute(sa.update(table).where(key == sa.bindparam("_key")).values(**values), rows)


def _search(row: sa.Row[Any]) -> str:
    facts = json.loads(row.facts)
    return "\n".join(part for part in (row.lift_id, *(facts.get(name) for name in NAMES)) if part).casefold()


def _urgency(row: sa.Row[Any]) -> int:
    return 2 * SEVERITIES.index(row.severity) + ("acknowledged" in json.loads(row.incident)["stages"])
