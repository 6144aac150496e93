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
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    literal_column,
    true,
)

metadata = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts upwards only in an INTEGER key

counters = Table(
    "counters",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

lifts = Table(
    "lifts",
    metadata,
    Column("lift_id", String(64), primary_key=True),
    Column("district", String(32), nullable=False),
    Column("registered", Boolean, nullable=False),
    Column("facts", Text, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("lift_id", String(64), nullable=False),
    Column("district", String(32), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("state", String(16), nullable=False),
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
    Column("alert_id", String(32), nullable=False, index=True),
    Column("lift_id", String(64), nullable=False),
    Column("district", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("by", Text),
    Column("note", Text),
    Column("alert", Text, nullable=False),
    sqlite_autoincrement=True,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("endpoint", String(100), nullable=False),
    Column("transition_id", BigInteger, nullable=False),
    Column("alert_id", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("made_ns", BigInteger, nullable=False),
    Column("due_ns", BigInteger, nullable=False),
    Column("error", Text),
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
    Column("reason", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", String(64), nullable=False, index=True),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("reader", String(64), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("answered_to", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
)

live = Table(
    "live",
    metadata,
    Column("monitor", String(64), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("lifts", LargeBinary, nullable=False),
    Column("counts", Text, nullable=False),
)
