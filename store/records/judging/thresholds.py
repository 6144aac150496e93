"""Recent changes of thresholds: stored with the lift, and in each alert of the lift from then on.

The alerts that are open at the change are marked here, later ones when the book writes them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import orjson
from sqlalchemy import Connection, select, update

from alerts.alert import Alert
from registry.thresholds import RECENT_NS
from store.records.schema import alerts, is_open, lifts


def note_threshold_changes(connection: Connection, lift_ids: Collection[str], now_ns: int) -> None:
    """Store that a threshold of these lifts is changed now, and mark their open alerts."""
    if not lift_ids:
        return
    changed = update(lifts).where(lifts.c.lift_id.in_(lift_ids))
    connection.execute(changed.values(thresholds_changed_ns=now_ns))
    query = select(alerts.c.id, alerts.c.alert).where(is_open, alerts.c.lift_id.in_(lift_ids))
    for row in connection.execute(query).all():
        marked = {**orjson.loads(row.alert), "thresholds_changed_ns": now_ns}
        connection.execute(update(alerts).where(alerts.c.id == row.id).values(alert=orjson.dumps(marked).decode()))


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
