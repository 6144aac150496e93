"""The tables of the records. Migrations make them; a test holds the two against each other.

Two partial unique indices carry two laws: one open alert for a lift and a rule, and one newest one.
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
    literal_column,
    true,
)

metadata = MetaData()


class Words(TypeDecorator[str]):
    """Text that every database takes: no NUL, no half of a surrogate pair, whatever was asked for or sent."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Put the replacement character where no character can be."""
        return None if value is None else value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts upwards only in an INTEGER key

counters = Table(
    "counters",
    metadata,
    Column("name", Words(100), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

lifts = Table(
    "lifts",
    metadata,
    Column("lift_id", Words(64), primary_key=True),
    Column("district", Words(32), nullable=False),
    Column("registered", Boolean, nullable=False),
    Column("facts", Text, nullable=False),
    Column("revision", BigInteger, nullable=False, server_default="0"),
)
Index("lifts_by_revision", lifts.c.revision)

struck_off = Table(
    "struck_off",
    metadata,
    Column("lift_id", Words(64), primary_key=True),
    Column("revision", BigInteger, nullable=False, index=True),
)

maintenance = Table(
    "maintenance",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("lift_id", Words(64), nullable=False),
    Column("from_ns", BigInteger, nullable=False),
    Column("until_ns", BigInteger, nullable=False),
    Column("by", Words(), nullable=False),
    Column("note", Words()),
    Column("revision", BigInteger, nullable=False, index=True),
    sqlite_autoincrement=True,
)
Index("maintenance_of_lift", maintenance.c.lift_id, maintenance.c.until_ns)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Words(32), primary_key=True),
    Column("lift_id", Words(64), nullable=False),
    Column("district", Words(32), nullable=False),
    Column("rule", Words(64), nullable=False),
    Column("severity", Words(16), nullable=False),
    Column("state", Words(16), nullable=False),
    Column("onset_ns", BigInteger, nullable=False),
    Column("shelved_until_ns", BigInteger),
    Column("newest", Boolean, nullable=False),
    Column("alert", Text, nullable=False),
)
# Written out, not bound: only then does SQLite see that a query may use the partial index.
is_open = alerts.c.state == literal_column("'firing'")
is_newest = alerts.c.newest.is_(true())
is_shelved = alerts.c.shelved_until_ns.is_not(None) & (alerts.c.state != literal_column("'closed'"))


def _partial(name: str, where: ColumnElement[bool], *columns: Column[Any], unique: bool = False) -> None:
    Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


_partial("one_open_alert", is_open, alerts.c.lift_id, alerts.c.rule, unique=True)
_partial("one_newest_alert", is_newest, alerts.c.lift_id, alerts.c.rule, unique=True)
_partial("shelved_alerts", is_shelved, alerts.c.shelved_until_ns)
Index("alerts_by_onset", alerts.c.onset_ns, alerts.c.id)
Index("alerts_by_lift", alerts.c.lift_id, alerts.c.onset_ns)

transitions = Table(
    "transitions",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("alert_id", Words(32), nullable=False, index=True),
    Column("lift_id", Words(64), nullable=False),
    Column("district", Words(32), nullable=False),
    Column("kind", Words(16), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("by", Words()),
    Column("note", Words()),
    Column("to", Words()),
    Column("alert", Text, nullable=False),
    sqlite_autoincrement=True,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("endpoint", Words(100), nullable=False),
    Column("transition_id", BigInteger, nullable=False),
    Column("alert_id", Words(32), nullable=False),
    Column("state", Words(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("made_ns", BigInteger, nullable=False),
    Column("due_ns", BigInteger, nullable=False),
    Column("error", Words()),
    sqlite_autoincrement=True,
)
Index("one_delivery", deliveries.c.endpoint, deliveries.c.transition_id, unique=True)
is_waiting = deliveries.c.state == literal_column("'waiting'")
_partial("waiting_deliveries", is_waiting, deliveries.c.endpoint, deliveries.c.alert_id, deliveries.c.id)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("reason", Words(64), nullable=False),
    Column("detail", Words(), nullable=False),
    Column("topic", Words(), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("by", Words(), nullable=False),
    Column("action", Words(32), nullable=False),
    Column("subject", Words(64), nullable=False, index=True),
    Column("detail", Words(), nullable=False),
    sqlite_autoincrement=True,
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("reader", Words(64), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
)

live = Table(
    "live",
    metadata,
    Column("monitor", Words(64), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("lifts", LargeBinary, nullable=False),
    Column("counts", Text, nullable=False),
)
