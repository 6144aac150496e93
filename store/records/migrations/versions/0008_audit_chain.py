"""The audit log as a chain of hashes: the existing rows are chained in the order of their ids, which they keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from store.records.audit.chain import ANCHOR, BEGIN, FIELDS, HEAD, row_hash

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ROWS_AT_ONCE = 1000
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXTS = ("account", "organisation", "role", "address", "lift_id", "detail", "before", "after")

ENDS = sa.table("audit_ends", sa.column("end"), sa.column("row_id"), sa.column("hash"))
NEW = sa.table("audit", *map(sa.column, (*FIELDS, "previous", "hash")))
OLD = sa.table("audit_before", *map(sa.column, ("id", "at_ns", "by", "action", "subject", "detail")))
ALERTS = sa.table("alerts", sa.column("id"), sa.column("lift_id"))


def upgrade() -> None:
    """Replace the table by one with the new columns, and chain its rows."""
    op.drop_index("ix_audit_subject", "audit")
    op.rename_table("audit", "audit_before")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX audit_pkey RENAME TO audit_before_pkey")
    op.create_table(
        "audit",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=True) for name in TEXTS),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "audit_ends",
        sa.Column("end", sa.String(length=8), nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("end"),
    )
    head_id, head_hash = _chain_rows(op.get_bind())
    ends = [
        {"end": ANCHOR, "row_id": BEGIN.id, "hash": BEGIN.hash},
        {"end": HEAD, "row_id": head_id, "hash": head_hash},
    ]
    op.get_bind().execute(sa.insert(ENDS), ends)
    op.drop_table("audit_before")
    op.create_index("audit_by_time", "audit", ["at_ns", "id"])
    op.create_index("audit_by_subject", "audit", ["subject"])
    op.create_index("audit_by_lift", "audit", ["lift_id"])


def _chain_rows(connection: sa.Connection) -> tuple[int, bytes]:
    """Write every row of the former table with its hashes; return id and hash of the last one."""
    last_id, previous = BEGIN.id, BEGIN.hash
    while some := list(_rows_after(connection, last_id)):
        for row in some:
            row["previous"], row["hash"] = previous, row_hash(previous, row)
            last_id, previous = row["id"], row["hash"]
        connection.execute(sa.insert(NEW), some)
    return last_id, previous


def _rows_after(connection: sa.Connection, row_id: int) -> Iterator[dict[str, Any]]:
    """Yield some rows of the former table with the columns of the new one."""
    is_of_alert = sa.and_(OLD.c.action.like("alert.%"), ALERTS.c.id == OLD.c.subject)
    query = sa.select(OLD, ALERTS.c.lift_id).select_from(OLD.outerjoin(ALERTS, is_of_alert))
    for row in connection.execute(query.where(OLD.c.id > row_id).order_by(OLD.c.id).limit(ROWS_AT_ONCE)).mappings():
        own = row["subject"] if row["action"].startswith(("lift.", "maintenance.")) else row["lift_id"]
        yield {**dict.fromkeys(FIELDS), **row, "outcome": "done", "lift_id": own}


def downgrade() -> None:
    """Remove the chain and the columns that the former table did not have; rows that were trimmed stay away."""
    op.drop_table("audit_ends")
    for name in ("audit_by_time", "audit_by_subject", "audit_by_lift"):
        op.drop_index(name, "audit")
    op.rename_table("audit", "audit_after")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX audit_pkey RENAME TO audit_after_pkey")
    op.create_table(
        "audit",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.execute(
        'INSERT INTO audit (id, at_ns, "by", action, subject, detail) SELECT id, at_ns, "by", substr(action, 1, 32),'
        " substr(subject, 1, 64), coalesce(detail, after, '{}') FROM audit_after"
    )
    op.drop_table("audit_after")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "SELECT setval(pg_get_serial_sequence('audit', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM audit), false)"
        )
    op.create_index("ix_audit_subject", "audit", ["subject"])
