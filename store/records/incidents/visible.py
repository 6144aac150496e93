"""Incidents and their stories as a scope sees them, where some of the lifts of an incident are not in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, select

from alerts.incidents.foreign_lifts import is_public_text, parts_of_foreign_lifts
from alerts.incidents.incident import LINKED, MERGED, SPLIT, UNREACHED, Incident, StoryEntry
from registry.scope import LiftScope
from store.records.book import read_alert
from store.records.incidents.scoping import incidents_seen, lifts_of_incidents_in
from store.records.incidents.tables import incident_lifts, public_reports
from store.records.schema import alerts
from store.records.scoping import alerts_in, rows_in

JOINS = (LINKED, MERGED, SPLIT)
"""Entries that are about another incident."""


@dataclass(frozen=True, slots=True)
class VisibleIncident:
    """An incident, and those of its lifts that are in the scope of the request."""

    incident: Incident
    lift_ids: frozenset[str]


def visible_incidents(connection: Connection, found: list[Incident], scope: LiftScope) -> list[VisibleIncident]:
    """Return incidents with those of their lifts and links that are in the scope, without a hidden alert's summary."""
    if scope.everything:
        return [VisibleIncident(one, frozenset(lift.lift_id for lift in one.lifts)) for one in found]
    query = select(incident_lifts.c.incident_id, incident_lifts.c.lift_id).where(
        incident_lifts.c.incident_id.in_([one.id for one in found]), lifts_of_incidents_in(scope)
    )
    lift_ids: dict[str, set[str]] = {}
    for row in connection.execute(query):
        lift_ids.setdefault(row.incident_id, set()).add(row.lift_id)
    joined = {link for one in found for link in (*one.links, one.merged_into) if link is not None}
    seen = incidents_seen(connection, joined, scope)
    own = [
        replace(
            one,
            links=tuple(link for link in one.links if link in seen),
            merged_into=one.merged_into if one.merged_into in seen else None,
        )
        for one in found
    ]
    visible = [VisibleIncident(one, frozenset(lift_ids.get(one.id, ()))) for one in own]
    shared = [each.incident.id for each in visible if len(each.lift_ids) < len(each.incident.lifts)]
    if not shared:
        return visible
    summaries = _visible_summaries(connection, shared, scope)
    return [_without_hidden_summary(each, summaries) if each.incident.id in shared else each for each in visible]


def visible_story(
    connection: Connection, rows: Sequence[Row[Any]], scope: LiftScope, lift_ids: Collection[str]
) -> list[StoryEntry]:
    """Return entries of one incident as the scope reads them; `lift_ids` are its lifts that are in the scope.

    Of an unshared note of others is read only who wrote it; the text of a public report, and the id of an alert, only
    where its lift is in the scope; the id of another incident only where one of its lifts is. Whom the calls of another
    organisation did not reach is not read.
    """
    entries = [_entry(row, scope) for row in rows]
    if scope.everything:
        return entries
    entries = [each for each in entries if each.kind != UNREACHED or scope.reads_notes_of(each.organisation)]
    joins = {each.about for each in entries if each.kind in JOINS and each.about}
    hidden = _hidden_alerts(connection, entries, scope) | (joins - incidents_seen(connection, joins, scope))
    readable = _readable_reports(connection, entries, scope)
    return [
        replace(each, **parts_of_foreign_lifts(
            each, lift_ids, hidden.__contains__, reads_text=(each.at_ns, each.note) in readable
        ))
        for each in entries
    ]  # fmt: skip


def _visible_summaries(connection: Connection, incident_ids: list[str], scope: LiftScope) -> set[tuple[str, str]]:
    """Return the incident and the English summary of each alert of these incidents that is in the scope."""
    query = select(alerts.c.incident_id, alerts.c.alert).where(alerts.c.incident_id.in_(incident_ids), alerts_in(scope))
    return {(row.incident_id, _english(read_alert(row.alert).summary)) for row in connection.execute(query)}


def _without_hidden_summary(visible: VisibleIncident, summaries: set[tuple[str, str]]) -> VisibleIncident:
    incident = visible.incident
    if (incident.id, _english(incident.summary)) in summaries:
        return visible
    return replace(visible, incident=replace(incident, summary={}))


def _english(summary: Mapping[str, str]) -> str:
    return summary.get("en", "")


def _hidden_alerts(connection: Connection, entries: list[StoryEntry], scope: LiftScope) -> set[str]:
    """Return the alerts among what the entries are about that are not in the scope."""
    named = select(alerts.c.id).where(alerts.c.id.in_({entry.about for entry in entries if entry.about}))
    return set(connection.scalars(named)) - set(connection.scalars(named.where(alerts_in(scope))))


def _readable_reports(connection: Connection, entries: list[StoryEntry], scope: LiftScope) -> set[tuple[int, str]]:
    """Return the time and the text of each public report in the entries whose lift is in the scope."""
    times_ns = {entry.at_ns for entry in entries if is_public_text(entry)}
    if not times_ns:
        return set()
    reports = select(public_reports.c.at_ns, public_reports.c.note).where(public_reports.c.at_ns.in_(times_ns))
    inside = rows_in(scope, public_reports.c.lift_id, public_reports.c.district)
    return {(row.at_ns, row.note) for row in connection.execute(reports.where(inside))}


def _entry(row: Row[Any], scope: LiftScope) -> StoryEntry:
    """Return an entry as a request of this scope reads it: of an unshared note of others only who wrote it."""
    is_read = row.shared or scope.reads_notes_of(row.organisation)
    by, note = (row.by, row.note) if is_read else (row.organisation, None)
    return StoryEntry(row.incident_id, row.kind, row.at_ns, by, row.about, note, row.to, row.organisation, row.shared)
