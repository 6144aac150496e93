"""The tables of the records. Migrations create them; a test compares the two.

Two partial unique indices guarantee one open and one newest alert for each lift and rule.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
    literal_column,
    true,
)

from registry.scope import NAMING_FACTS

metadata = MetaData()


class CleanText(TypeDecorator[str]):
    """Text that every database accepts: without NUL characters and unpaired surrogates."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace the characters that cannot be stored."""
        return None if value is None else clean_text(value)


def clean_text(text: str) -> str:
    """Return a text without NUL characters and unpaired surrogates, as `CleanText` stores it."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


row_id = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts upwards only in an INTEGER key

counters = Table(
    "counters",
    metadata,
    Column("name", CleanText(100), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

lifts = Table(
    "lifts",
    metadata,
    Column("lift_id", CleanText(64), primary_key=True),
    Column("district", CleanText(32), nullable=False, index=True),
    Column("registered", Boolean, nullable=False),
    Column("facts", Text, nullable=False),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    *(Column(fact, CleanText(), index=True) for fact in NAMING_FACTS),
    Column("search", CleanText(), nullable=False, server_default=""),
    Column("thresholds_changed_ns", BigInteger),
)
Index("lifts_by_revision", lifts.c.revision)

deleted_lifts = Table(
    "struck_off",
    metadata,
    Column("lift_id", CleanText(64), primary_key=True),
    Column("revision", BigInteger, nullable=False, index=True),
    Column("deleted_ns", BigInteger),
    Column("facts", Text),
    *(Column(fact, CleanText()) for fact in NAMING_FACTS),
)

maintenance = Table(
    "maintenance",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("lift_id", CleanText(64), nullable=False),
    Column("from_ns", BigInteger, nullable=False),
    Column("until_ns", BigInteger, nullable=False),
    Column("by", CleanText(), nullable=False),
    Column("note", CleanText()),
    Column("revision", BigInteger, nullable=False, index=True),
    Column("organisation", CleanText()),
    Column("shared", Boolean, nullable=False, server_default=false()),
    sqlite_autoincrement=True,
)
Index("maintenance_of_lift", maintenance.c.lift_id, maintenance.c.until_ns)

alerts = Table(
    "alerts",
    metadata,
    Column("id", CleanText(32), primary_key=True),
    Column("lift_id", CleanText(64), nullable=False),
    Column("district", CleanText(32), nullable=False),
    Column("rule", CleanText(64), nullable=False),
    Column("severity", CleanText(16), nullable=False),
    Column("state", CleanText(16), nullable=False),
    Column("onset_ns", BigInteger, nullable=False),
    Column("shelved_until_ns", BigInteger),
    Column("newest", Boolean, nullable=False),
    Column("alert", Text, nullable=False),
    Column("incident_id", CleanText(32), index=True),
)
# Literals, not bound parameters: only then does SQLite use the partial index.
is_open = alerts.c.state == literal_column("'firing'")
is_newest = alerts.c.newest.is_(true())
is_shelved = alerts.c.shelved_until_ns.is_not(None) & (alerts.c.state != literal_column("'closed'"))


def partial_index(name: str, where: ColumnElement[bool], *columns: Column[Any], unique: bool = False) -> None:
    """Add an index of the rows that satisfy a condition."""
    Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


partial_index("one_open_alert", is_open, alerts.c.lift_id, alerts.c.rule, unique=True)
partial_index("one_newest_alert", is_newest, alerts.c.lift_id, alerts.c.rule, unique=True)
partial_index("shelved_alerts", is_shelved, alerts.c.shelved_until_ns)
Index("alerts_by_onset", alerts.c.onset_ns, alerts.c.id)
Index("alerts_by_lift", alerts.c.lift_id, alerts.c.onset_ns)

transitions = Table(
    "transitions",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("alert_id", CleanText(32), nullable=False, index=True),
    Column("lift_id", CleanText(64), nullable=False),
    Column("district", CleanText(32), nullable=False),
    Column("kind", CleanText(16), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("by", CleanText()),
    Column("note", CleanText()),
    Column("to", CleanText()),
    Column("alert", Text, nullable=False),
    Column("organisation", CleanText()),
    Column("shared", Boolean, nullable=False, server_default=false()),
    sqlite_autoincrement=True,
)

ALERT, INCIDENT = "alert", "incident"
"""The subjects of deliveries: `number` is that of a transition, or of an entry of an incident."""
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("partition", CleanText(64), nullable=False, server_default="0/1"),
    Column("endpoint", CleanText(100), nullable=False),
    Column("subject", CleanText(16), nullable=False, server_default="alert"),
    Column("number", BigInteger, nullable=False),
    Column("subject_id", CleanText(32), nullable=False),
    Column("state", CleanText(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("made_ns", BigInteger, nullable=False),
    Column("due_ns", BigInteger, nullable=False),
    Column("error", CleanText()),
    sqlite_autoincrement=True,
)
Index("one_delivery", deliveries.c.endpoint, deliveries.c.subject, deliveries.c.number, unique=True)
is_waiting = deliveries.c.state == literal_column("'waiting'")
is_failed = deliveries.c.state == literal_column("'failed'")
partial_index("failed_deliveries", is_failed, deliveries.c.endpoint, deliveries.c.made_ns)
partial_index(
    "waiting_deliveries",
    is_waiting,
    deliveries.c.partition,
    deliveries.c.endpoint,
    deliveries.c.subject_id,
    deliveries.c.id,
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("reason", CleanText(64), nullable=False),
    Column("detail", CleanText(), nullable=False),
    Column("topic", CleanText(), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("lift_id", CleanText(64), nullable=False, server_default=""),
    Column("share", CleanText(64), nullable=False, server_default=""),
    Column("known", Boolean, nullable=False, server_default=false()),
    Column("size", Integer, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)
Index("dead_letters_of_lift", dead_letters.c.lift_id, dead_letters.c.id)

refusals = Table(
    "refusals",
    metadata,
    Column("lift_id", CleanText(64), primary_key=True),
    Column("reason", CleanText(64), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("last_ns", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False, index=True),
)

audit = Table(
    "audit",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("outcome", CleanText(16), nullable=False),
    Column("by", CleanText(), nullable=False),
    Column("account", CleanText()),
    Column("organisation", CleanText()),
    Column("role", CleanText()),
    Column("address", CleanText()),
    Column("action", CleanText(), nullable=False),
    Column("subject", CleanText(), nullable=False),
    Column("lift_id", CleanText()),
    Column("detail", CleanText()),
    Column("before", CleanText()),
    Column("after", CleanText()),
    Column("district", CleanText(32)),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
Index("audit_by_time", audit.c.at_ns, audit.c.id)
Index("audit_by_subject", audit.c.subject)
Index("audit_by_lift", audit.c.lift_id)

audit_ends = Table(
    "audit_ends",
    metadata,
    Column("end", CleanText(8), primary_key=True),
    Column("row_id", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("partition", CleanText(64), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
)

live = Table(
    "live",
    metadata,
    Column("partition", CleanText(64), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("lifts", LargeBinary, nullable=False),
    Column("counts", Text, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("device_id", CleanText(64), primary_key=True),
    Column("kind", CleanText(16), nullable=False),
    Column("lifts", Text, nullable=False),
    Column("credential", CleanText(16), nullable=False),
    Column("secret_hash", CleanText(160)),
    Column("serial", CleanText(64)),
    Column("fingerprint", CleanText(64)),
    Column("expires_ns", BigInteger),
    Column("created_ns", BigInteger, nullable=False),
    Column("created_by", CleanText(), nullable=False),
    Column("rotated_ns", BigInteger),
    Column("revoked_ns", BigInteger),
    Column("revoked_by", CleanText()),
)

revoked_certificates = Table(
    "revoked_certificates",
    metadata,
    Column("serial", CleanText(64), primary_key=True),
    Column("device_id", CleanText(64), nullable=False),
    Column("revoked_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
)
