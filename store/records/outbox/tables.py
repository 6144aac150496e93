"""The tables of ways, notifications and links. The codes of verification and the links are stored as hashes.

Signing secrets, addresses with which anybody could send, and codes that wait to be sent have to be read again; they are
sealed with a key outside the database (`store.records.sealing`).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ColumnElement, Index, Integer, Table, Text, literal_column

from store.records.page import clamped
from store.records.schema import CleanText, metadata

_Id = BigInteger().with_variant(Integer, "sqlite")
WAITING, SENT, FAILED, DROPPED = "waiting", "sent", "failed", "dropped"
"""Dropped: the incident was closed or taken up, or another one told the same, before this one could be sent."""

ways = Table(
    "ways",
    metadata,
    Column("id", CleanText(32), primary_key=True),
    Column("person_id", CleanText(32), nullable=False, index=True),
    Column("kind", CleanText(16), nullable=False),
    Column("address", Text, nullable=False),
    Column("secret", Text),
    Column("position", BigInteger, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("verified_ns", BigInteger),
    Column("code_hash", CleanText(64)),
    Column("code_expires_ns", BigInteger),
    Column("code_tries", BigInteger, nullable=False),
    Column("fault", CleanText(300)),
    Column("fault_ns", BigInteger),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", CleanText(300), nullable=False, unique=True),
    Column("incident_id", CleanText(64), nullable=False, index=True),
    Column("person_id", CleanText(32), nullable=False, index=True),
    Column("way_id", CleanText(32)),
    Column("severity", CleanText(16), nullable=False),
    Column("content", Text, nullable=False),
    Column("state", CleanText(16), nullable=False),
    Column("failed_ways", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("made_ns", BigInteger, nullable=False),
    Column("way_since_ns", BigInteger, nullable=False),
    Column("due_ns", BigInteger, nullable=False),
    Column("settled_ns", BigInteger),
    Column("error", CleanText(300)),
    sqlite_autoincrement=True,
)
is_notification_waiting = notifications.c.state == literal_column("'waiting'")
Index(
    "notifications_due",
    notifications.c.due_ns,
    sqlite_where=is_notification_waiting,
    postgresql_where=is_notification_waiting,
)

notification_attempts = Table(
    "notification_attempts",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("notification_id", BigInteger, nullable=False),
    Column("incident_id", CleanText(64), nullable=False, index=True),
    Column("person_id", CleanText(32), nullable=False),
    Column("way_id", CleanText(32), nullable=False),
    Column("kind", CleanText(16), nullable=False),
    Column("address", CleanText(200), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("result", CleanText(16), nullable=False),
    Column("reason", CleanText(300), nullable=False),
    sqlite_autoincrement=True,
)

answer_links = Table(
    "answer_links",
    metadata,
    Column("id", CleanText(64), primary_key=True),
    Column("person_id", CleanText(32), nullable=False),
    Column("incident_id", CleanText(64), nullable=False),
    Column("action", CleanText(16), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False, index=True),
    Column("used_ns", BigInteger),
)


def is_ahead(outbox: Table, now_ns: int, pause_ns: int, made_ns: int) -> ColumnElement[bool]:
    """Return the condition that the times of a row are of a clock that has been set back since.

    It is due later than after the longest pause, or was made later than clocks differ.
    """
    return (outbox.c.due_ns > clamped(now_ns + pause_ns)) | (outbox.c.made_ns > clamped(now_ns + made_ns))
