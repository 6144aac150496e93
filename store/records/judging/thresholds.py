"""Recent changes of thresholds: stored with the lift, and in each alert and incident of the lift from then on.

Those that are open at the change are marked here, later ones when they are written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import orjson
from sqlalchemy import Connection, func, select, update

from alerts.alert import Alert
from alerts.incidents.incident import OPEN
from registry.thresholds import RECENT_NS
from store.records.changes.tables import change_requests
from store.records.incidents.tables import incident_lifts, incidents
from store.records.schema import alerts, is_open, lifts


def note_threshold_changes(connection: Connection, lift_ids: Collection[str], now_ns: int) -> None:
    """Store that a threshold of these lifts is changed now, and mark their open alerts and incidents."""
    if not lift_ids:
        return
    changed = update(lifts).where(lifts.c.lift_id.in_(lift_ids))
    connection.execute(changed.values(thresholds_changed_ns=now_ns))
    query = select(alerts.c.id, alerts.c.alert).where(is_open, alerts.c.lift_id.in_(lift_ids))
    for row in connection.execute(query).all():
        marked = {**orjson.loads(row.alert), "thresholds_changed_ns": now_ns}
        connection.execute(update(alerts).where(alerts.c.id == row.id).values(alert=orjson.dumps(marked).decode()))
    _mark_incidents(connection, lift_ids, now_ns)


def carry_threshold_changes(connection: Connection, lift_ids: Collection[str], now_ns: int) -> None:
    """Note for lifts that enter the registry when their thresholds changed recently, or with them the lift was deleted.

    A deletion ends the row of a lift, and its change requests stay.
    """
    if not lift_ids:
        return
    at_ns = func.coalesce(change_requests.c.decided_ns, change_requests.c.made_ns)
    query = select(change_requests.c.lift_id, func.max(at_ns).label("at_ns")).group_by(change_requests.c.lift_id)
    query = query.where(change_requests.c.lift_id.in_(lift_ids), at_ns > now_ns - RECENT_NS)
    query = query.where(
        change_requests.c.state.in_(("applied", "ended")), change_requests.c.action.in_(("facts", "delete"))
    )
    for row in connection.execute(query).all():
        note_threshold_changes(connection, [row.lift_id], row.at_ns)


def _mark_incidents(connection: Connection, lift_ids: Collection[str], now_ns: int) -> None:
    concerned = select(incident_lifts.c.incident_id).where(incident_lifts.c.lift_id.in_(lift_ids))
    query = select(incidents.c.id, incidents.c.incident).where(incidents.c.id.in_(concerned), incidents.c.state == OPEN)
    for row in connection.execute(query).all():
        values = orjson.loads(row.incident)
        for lift in values["lifts"]:
            if lift["lift_id"] in lift_ids:
                lift["thresholds_changed_ns"] = now_ns
        changed = update(incidents).where(incidents.c.id == row.id)
        connection.execute(changed.values(incident=orjson.dumps(values).decode()))


def recent_changes(connection: Connection, lift_ids: Collection[str], now_ns: int) -> dict[str, int]:
    """Return those of these lifts whose thresholds were changed recently, each with the time of the change."""
    if not lift_ids:
        return {}
    query = select(lifts.c.lift_id, lifts.c.thresholds_changed_ns)
    query = query.where(lifts.c.lift_id.in_(lift_ids), lifts.c.thresholds_changed_ns > now_ns - RECENT_NS)
    return {row.lift_id: row.thresholds_changed_ns for row in connection.execute(query)}


def marked(alert: Alert, recent: Mapping[str, int]) -> Alert:
    """Return the alert with the time of the recent change of a threshold of its lift, if there is one."""
    changed_ns = recent.get(alert.lift_id)
    return alert if changed_ns is None else replace(alert, thresholds_changed_ns=changed_ns)
