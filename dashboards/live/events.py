"""Alerts, incidents and lifts as events of the live stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from dashboards.live.event_stream import StreamEvent, StreamPosition, encode_event
from dashboards.live.fleet_view import FleetView
from store.records.repository import Announcement, IncidentAnnouncement


def lift_events(view: FleetView, rows: Sequence[int], at: StreamPosition) -> list[StreamEvent]:
    """Return these rows of a view as events."""
    return [encode_event("lift", at, view.item(row)) for row in rows]


def alert_events(transitions: Sequence[Announcement], after: StreamPosition) -> list[StreamEvent]:
    """Return transitions as events, each at its own number."""
    return [
        encode_event("alert", after._replace(transition=one.id), orjson.loads(one.alert_json)) for one in transitions
    ]


def incident_events(entries: Sequence[IncidentAnnouncement], after: StreamPosition) -> list[StreamEvent]:
    """Return entries of incidents as events, each at its own number, one for each lift of the incident."""
    return [
        encode_event("incident", after._replace(entry=entry.id), body)
        for entry in entries
        for body in _of_each_lift(orjson.loads(entry.incident_json))
    ]


def _of_each_lift(incident: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an incident as it is for each of its lifts: who sees one of them may not see the others."""
    whole = {name: value for name, value in incident.items() if name != "thresholds_changed"}
    for lift in incident["lifts"]:
        own = {name: lift[name] for name in ("lift_id", "district", "thresholds_changed") if name in lift}
        yield {**whole, **own, "lifts": [lift]}
