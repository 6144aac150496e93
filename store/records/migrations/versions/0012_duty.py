"""Rosters, escalation policies, calendar links, and how far the calls about each incident are made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "rosters",
        sa.Column("id", sa.String(length=32), primary_key=True),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("overrides", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_rosters_organisation_id", "rosters", ["organisation_id"])
    op.create_table(
        "escalation_policies",
        sa.Column("id", sa.String(length=32), primary_key=True),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_escalation_policies_organisation_id", "escalation_policies", ["organisation_id"])
    op.create_table(
        "calendar_links",
        sa.Column("id", sa.String(length=64), primary_key=True),
        sa.Column("roster_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=True),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
    )
    op.create_index("ix_calendar_links_roster_id", "calendar_links", ["roster_id"])
    op.create_table(
        "escalations",
        sa.Column("incident_id", sa.String(length=64), primary_key=True),
        sa.Column("organisation_id", sa.String(length=32), primary_key=True),
        sa.Column("start_ns", sa.BigInteger(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    """Remove them."""
    for table in ("escalations", "calendar_links", "escalation_policies", "rosters"):
        op.drop_table(table)
