"""Alerts, incidents and lifts as events of the live stream, each also without what some scopes may not read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from dashboards.live.event_stream import StreamEvent, StreamPosition, encode_event
from dashboards.live.fleet_view import FleetView, LiftIndex
from dashboards.live.maintenance import has_hidden_note
from registry.scope import ALL_LIFTS, NO_LIFTS, LiftScope
from store.records.repository import Announcement, IncidentAnnouncement, SummaryLifts, WindowRecord


def lift_events(view: FleetView, rows: Sequence[int], at: StreamPosition) -> list[StreamEvent]:
    """Return these rows of a view as events."""
    return [_lift_event(view, row, at) for row in rows]


def _lift_event(view: FleetView, row: int, at: StreamPosition) -> StreamEvent:
    event = encode_event("lift", at, view.item(row, ALL_LIFTS))
    window = view.windows.get(event.lift_id)
    if window is None or not has_hidden_note(window, NO_LIFTS):
        return event
    return event._replace(reduced=encode_event("lift", at, view.item(row, NO_LIFTS)).wire, is_whole=_readers(window))


def _readers(window: WindowRecord) -> Callable[[LiftScope, LiftIndex], bool]:
    return lambda scope, index: not has_hidden_note(window, scope)


def alert_events(transitions: Sequence[Announcement], after: StreamPosition) -> list[StreamEvent]:
    """Return transitions as events, each at its own number."""
    return [
        encode_event("alert", after._replace(transition=one.id), orjson.loads(one.alert_json)) for one in transitions
    ]


def incident_events(
    entries: Sequence[IncidentAnnouncement], after: StreamPosition, summary_lifts: SummaryLifts
) -> list[StreamEvent]:
    """Return entries of incidents as events, each at its own number, one for each lift of the incident.

    The summary of an incident of several lifts is received by the scopes of the lifts that it is about.
    """
    return [
        event
        for entry in entries
        for event in _of_each_lift(orjson.loads(entry.incident_json), after._replace(entry=entry.id), summary_lifts)
    ]


def of_several_lifts(entries: Sequence[IncidentAnnouncement]) -> set[str]:
    """Return the ids of the incidents that have more than one lift in these entries."""
    return {entry.incident_id for entry in entries if len(orjson.loads(entry.incident_json)["lifts"]) > 1}


def _of_each_lift(incident: dict[str, Any], at: StreamPosition, summary_lifts: SummaryLifts) -> Iterator[StreamEvent]:
    """Yield an incident as it is for each of its lifts: who sees one of them may not see the others."""
    whole = {name: value for name, value in incident.items() if name != "thresholds_changed"}
    about = summary_lifts.get((incident["id"], (incident["summary"] or {}).get("en", "")), frozenset())
    for lift in incident["lifts"]:
        own = {name: lift[name] for name in ("lift_id", "district", "thresholds_changed") if name in lift}
        document = {**whole, **own, "lifts": [lift]}
        event = encode_event("incident", at, document)
        if len(incident["lifts"]) > 1 and lift["lift_id"] not in about:
            reduced = encode_event("incident", at, {**document, "summary": None}).wire
            event = event._replace(reduced=reduced, is_whole=_any_of(about))
        yield event


def _any_of(lift_ids: frozenset[str]) -> Callable[[LiftScope, LiftIndex], bool]:
    return lambda scope, index: any(index.has(lift_id, scope) for lift_id in lift_ids)
