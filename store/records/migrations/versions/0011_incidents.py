"""Incidents with their lifts and entries, and the incident of each alert. The monitor opens those of open alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

OF_BUILDING = sa.text("state = 'open' AND building IS NOT NULL")
SETTLING = sa.text("settles_ns IS NOT NULL")
FOLDS_ON_SQLITE, FOLDS_ON_POSTGRESQL = sa.text("folds IS 1"), sa.text("folds IS true")


def upgrade() -> None:
    """Add the tables and the column."""
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(length=32), primary_key=True),
        sa.Column("district", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("building", sa.String(), nullable=True),
        sa.Column("opened_ns", sa.BigInteger(), nullable=False),
        sa.Column("closed_ns", sa.BigInteger(), nullable=True),
        sa.Column("settles_ns", sa.BigInteger(), nullable=True),
        sa.Column("incident", sa.Text(), nullable=False),
    )
    op.create_index("incidents_by_opening", "incidents", ["opened_ns", "id"])
    op.create_index(
        "open_incidents_of_building",
        "incidents",
        ["building"],
        sqlite_where=OF_BUILDING,
        postgresql_where=OF_BUILDING,
    )
    op.create_index("settling_incidents", "incidents", ["settles_ns"], sqlite_where=SETTLING, postgresql_where=SETTLING)
    op.create_table(
        "incident_lifts",
        sa.Column("incident_id", sa.String(length=32), primary_key=True),
        sa.Column("lift_id", sa.String(length=64), primary_key=True),
        sa.Column("district", sa.String(length=32), nullable=False),
        sa.Column("folds", sa.Boolean(), nullable=False),
    )
    op.create_index(
        "one_folding_incident",
        "incident_lifts",
        ["lift_id"],
        unique=True,
        sqlite_where=FOLDS_ON_SQLITE,
        postgresql_where=FOLDS_ON_POSTGRESQL,
    )
    op.create_index("incidents_of_lift", "incident_lifts", ["lift_id"])
    op.create_table(
        "incident_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("incident_id", sa.String(length=32), nullable=False),
        sa.Column("lift_id", sa.String(length=64), nullable=False),
        sa.Column("district", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("about", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("to", sa.String(), nullable=True),
        sa.Column("organisation", sa.String(), nullable=True),
        sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("incident", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_entries_incident_id", "incident_entries", ["incident_id"])
    op.add_column("alerts", sa.Column("incident_id", sa.String(length=32), nullable=True))
    op.create_index("ix_alerts_incident_id", "alerts", ["incident_id"])


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_alerts_incident_id", "alerts")
    op.drop_column("alerts", "incident_id")
    op.drop_table("incident_entries")
    op.drop_table("incident_lifts")
    op.drop_table("incidents")
