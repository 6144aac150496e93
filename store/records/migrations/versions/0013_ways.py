"""The ways by which people are notified, notifications with their attempts, and links that answer without sign-in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def text(name: str, chars: int | None = None, nullable: bool = False, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(chars), nullable=nullable, primary_key=primary_key)


def number(name: str, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def counted_id() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("id", kind, primary_key=True, autoincrement=True)


def upgrade() -> None:
    """Create the tables."""
    create_ways()
    create_notifications()
    op.create_table(
        "answer_links",
        text("id", 64, primary_key=True),
        text("person_id", 32),
        text("incident_id", 64),
        text("action", 16),
        number("created_ns"),
        number("expires_ns"),
        number("used_ns", nullable=True),
    )
    op.create_index("ix_answer_links_expires_ns", "answer_links", ["expires_ns"])


def create_ways() -> None:
    op.create_table(
        "ways",
        text("id", 32, primary_key=True),
        text("person_id", 32),
        text("kind", 16),
        sa.Column("address", sa.Text(), nullable=False),
        text("secret", 200, nullable=True),
        number("position"),
        number("created_ns"),
        number("verified_ns", nullable=True),
        text("code_hash", 64, nullable=True),
        number("code_expires_ns", nullable=True),
        number("code_tries"),
        text("fault", 300, nullable=True),
        number("fault_ns", nullable=True),
    )
    op.create_index("ix_ways_person_id", "ways", ["person_id"])


def create_notifications() -> None:
    op.create_table(
        "notifications",
        counted_id(),
        sa.Column("key", sa.String(300), nullable=False, unique=True),
        text("incident_id", 64),
        text("person_id", 32),
        text("way_id", 32, nullable=True),
        text("severity", 16),
        sa.Column("content", sa.Text(), nullable=False),
        text("state", 16),
        sa.Column("failed_ways", sa.Text(), nullable=False),
        number("attempts"),
        number("made_ns"),
        number("way_since_ns"),
        number("due_ns"),
        number("settled_ns", nullable=True),
        text("error", 300, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notifications_incident_id", "notifications", ["incident_id"])
    op.create_index("ix_notifications_person_id", "notifications", ["person_id"])
    waiting = sa.text("state = 'waiting'")
    op.create_index("notifications_due", "notifications", ["due_ns"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "notification_attempts",
        counted_id(),
        number("notification_id"),
        text("incident_id", 64),
        text("person_id", 32),
        text("way_id", 32),
        text("kind", 16),
        text("address", 200),
        number("at_ns"),
        text("result", 16),
        text("reason", 300),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notification_attempts_incident_id", "notification_attempts", ["incident_id"])


def downgrade() -> None:
    """Drop the tables."""
    for table in ("answer_links", "notification_attempts", "notifications", "ways"):
        op.drop_table(table)
