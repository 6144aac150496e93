"""The tables of incidents. `incident_id` of `alerts` names the incident that an alert is in.

A partial unique index guarantees one open incident for each lift into which later alerts of the lift fold.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, false, literal_column, true

from store.records.schema import CleanText, metadata, partial_index, row_id

incidents = Table(
    "incidents",
    metadata,
    Column("id", CleanText(32), primary_key=True),
    Column("district", CleanText(32), nullable=False),
    Column("kind", CleanText(16), nullable=False),
    Column("severity", CleanText(16), nullable=False),
    Column("state", CleanText(16), nullable=False),
    Column("owner", CleanText()),
    Column("building", CleanText()),
    Column("opened_ns", BigInteger, nullable=False),
    Column("closed_ns", BigInteger),
    Column("settles_ns", BigInteger),
    Column("rescue_ns", BigInteger),
    Column("urgency", Integer, nullable=False, server_default="0"),
    Column("incident", Text, nullable=False),
)
# Literals, not bound parameters: only then does SQLite use the partial index.
is_open = incidents.c.state == literal_column("'open'")
is_rescued = incidents.c.rescue_ns.is_not(None)
is_settling = incidents.c.settles_ns.is_not(None)
Index("incidents_by_opening", incidents.c.opened_ns, incidents.c.id)
partial_index("open_incidents", is_open, incidents.c.kind, incidents.c.severity)
partial_index("open_incidents_by_urgency", is_open, incidents.c.urgency, incidents.c.opened_ns)
partial_index("open_incidents_of_building", is_open & incidents.c.building.is_not(None), incidents.c.building)
partial_index("running_rescues", is_rescued, incidents.c.rescue_ns)
partial_index("settling_incidents", is_settling, incidents.c.settles_ns)

incident_lifts = Table(
    "incident_lifts",
    metadata,
    Column("incident_id", CleanText(32), primary_key=True),
    Column("lift_id", CleanText(64), primary_key=True),
    Column("district", CleanText(32), nullable=False),
    Column("folds", Boolean, nullable=False),
)
folds = incident_lifts.c.folds.is_(true())
partial_index("one_folding_incident", folds, incident_lifts.c.lift_id, unique=True)
Index("incidents_of_lift", incident_lifts.c.lift_id)

incident_entries = Table(
    "incident_entries",
    metadata,
    Column("id", row_id, primary_key=True, autoincrement=True),
    Column("incident_id", CleanText(32), nullable=False, index=True),
    Column("lift_id", CleanText(64), nullable=False),
    Column("district", CleanText(32), nullable=False),
    Column("kind", CleanText(16), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("by", CleanText()),
    Column("about", CleanText()),
    Column("note", CleanText()),
    Column("to", CleanText()),
    Column("organisation", CleanText()),
    Column("shared", Boolean, nullable=False, server_default=false()),
    Column("incident", Text, nullable=False),
    sqlite_autoincrement=True,
)

public_reports = Table(
    "public_reports",
    metadata,
    Column("number", row_id, primary_key=True, autoincrement=True),
    Column("id", CleanText(64), nullable=False, unique=True),
    Column("incident_id", CleanText(32), nullable=False, index=True),
    Column("lift_id", CleanText(64), nullable=False),
    Column("district", CleanText(32), nullable=False),
    Column("kind", CleanText(16), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("note", CleanText()),
    Column("answer", CleanText()),
    Column("answered_ns", BigInteger),
    sqlite_autoincrement=True,
)

report_limits = Table(
    "report_limits",
    metadata,
    Column("key_hash", CleanText(64), primary_key=True),
    Column("paid_ns", BigInteger, nullable=False, index=True),
)
