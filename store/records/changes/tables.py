"""The table of requests of changes that can hide a danger."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text, literal_column

from store.records.schema import CleanText, metadata, partial_index, row_id

change_requests = Table(
    "change_requests",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("lift_id", CleanText(64), nullable=False, index=True),
    Column("district", CleanText(32), nullable=False),
    Column("action", CleanText(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("version", CleanText()),
    Column("reason", CleanText()),
    Column("state", CleanText(16), nullable=False),
    Column("made_ns", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("decided_ns", BigInteger),
    Column("decided_by", CleanText()),
    Column("ends_ns", BigInteger),
    Column("former", Text),
    Column("organisation_id", CleanText(32)),
    sqlite_autoincrement=True,
)
is_temporary = change_requests.c.ends_ns.is_not(None) & (change_requests.c.state == literal_column("'applied'"))
partial_index("temporary_changes", is_temporary, change_requests.c.ends_ns)
