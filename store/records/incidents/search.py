"""Queries of incidents: a filtered list, and one incident with its alerts and its story."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    true,
    tuple_,
    union,
)

from alerts.alert import Alert
from alerts.incidents.incident import CALLED, MERGED, OPENED, Incident, StoryEntry
from registry.scope import ALL_LIFTS, LiftScope
from store.records.book import read_alert
from store.records.database import Database
from store.records.incidents.rows import LONGEST_FIRST, read_incident
from store.records.incidents.scoping import incidents_in, lifts_of_incidents_in, of_lifts
from store.records.incidents.tables import incident_entries, incident_lifts, incidents, is_open, is_rescued
from store.records.incidents.visible import VisibleIncident, visible_incidents, visible_story
from store.records.page import Page, clamped, decode_cursor, encode_cursor, parse_number
from store.records.schema import alerts, lifts
from store.records.schema import is_open as is_firing
from store.records.scoping import alerts_in, lifts_in

NAMES_LIMIT = 1000
LIFT_COLUMNS = ("lift_id", "district")
MERGES_FOLLOWED = 50
ALERTS_LIMIT, STORY_LIMIT = 500, 2000
"""The newest alerts and entries of one incident that a query returns."""


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Conditions on incidents; an empty tuple or None is no condition. The opening lies in [from, to).

    `organisation` is a part of the name of the firm or of the owner of a lift; `text` a part of what names a lift, of
    its district, of the building or of the owner of the incident. With `is_unassigned` nobody owns the incident. With
    `is_over` it has alerts of lifts in the scope, none of those fires, and nobody may be inside.
    """

    state: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    lift_id: tuple[str, ...] = ()
    district: tuple[str, ...] = ()
    firm: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    organisation: str | None = None
    text: str | None = None
    is_unassigned: bool = False
    is_over: bool = False
    from_ns: int | None = None
    to_ns: int | None = None


@dataclass(frozen=True, slots=True)
class IncidentCounts:
    """How many incidents there are: in all, critical ones, those that nobody has acknowledged, those in which somebody
    may be inside."""

    total: int
    critical: int
    waiting: int
    inside: int


@dataclass(frozen=True, slots=True)
class IncidentHistory:
    """An incident with its newest alerts, and the entries of its story, oldest first."""

    visible: VisibleIncident
    alerts: list[Alert]
    story: list[StoryEntry]


class IncidentSearch:
    """The part of the records that queries incidents."""

    _database: Database

    def incidents(
        self,
        wanted: IncidentFilter,
        *,
        limit: int = 100,
        cursor: str | None = None,
        scope: LiftScope = ALL_LIFTS,
        by_urgency: bool = False,
    ) -> Page[VisibleIncident]:
        """Return incidents with a lift in the scope, the newest opening first. Raises `BadCursor`.

        With `by_urgency` those that may hold people come first, the longest waiting of those with an overdue timer
        before the others; then the most severe, of the same severity those that nobody has acknowledged.
        """
        parts = 3 if by_urgency else 2
        query = select(incidents.c.incident, incidents.c.urgency).where(
            *_conditions(wanted, scope), incidents_in(scope)
        )
        if cursor is not None:
            *ranks, opened_ns, name = decode_cursor(cursor, parts)
            place = (parse_number(opened_ns), name)
            later = tuple_(incidents.c.opened_ns, incidents.c.id) < tuple_(*place)
            for rank in map(parse_number, ranks):
                if rank in LONGEST_FIRST:
                    later = tuple_(incidents.c.opened_ns, incidents.c.id) > tuple_(*place)
                later = or_(incidents.c.urgency > rank, and_(incidents.c.urgency == rank, later))
            query = query.where(later)
        is_overdue = incidents.c.urgency.in_(LONGEST_FIRST)
        oldest_first = [case((is_overdue, column), else_=None) for column in (incidents.c.opened_ns, incidents.c.id)]
        ranked = [incidents.c.urgency, *oldest_first] if by_urgency else []
        query = query.order_by(*ranked, incidents.c.opened_ns.desc(), incidents.c.id.desc()).limit(limit + 1)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
            found = [read_incident(row.incident) for row in rows[:limit]]
            visible = visible_incidents(connection, found, scope)
        if len(rows) <= limit or not found:
            return Page(visible, None)
        last = (rows[limit - 1].urgency, found[-1].opened_ns, found[-1].id)
        return Page(visible, encode_cursor(*last[-parts:]))

    def open_incidents(self) -> list[Incident]:
        """Return every open incident of the fleet."""
        with self._database.reading() as connection:
            return [read_incident(text) for text in connection.scalars(select(incidents.c.incident).where(is_open))]

    def count_incidents(self, wanted: IncidentFilter, scope: LiftScope = ALL_LIFTS) -> IncidentCounts:
        """Return how many incidents with a lift in the scope there are."""
        is_critical, is_waiting = incidents.c.severity == "critical", incidents.c.urgency % 2 == 0
        numbers = [func.count(case((each, 1))) for each in (true(), is_critical, is_waiting, is_rescued)]
        query = select(*numbers).select_from(incidents).where(*_conditions(wanted, scope), incidents_in(scope))
        with self._database.reading() as connection:
            total, critical, waiting, inside = (int(each) for each in connection.execute(query).one())
        return IncidentCounts(total, critical, waiting, inside)

    def incident(self, incident_id: str, scope: LiftScope = ALL_LIFTS) -> IncidentHistory | None:
        """Return one incident with its alerts and its story, None where the scope has no such incident.

        The story has the telephone calls of the incidents that were merged into it too.
        """
        evidence = select(alerts.c.alert).where(alerts.c.incident_id == incident_id, alerts_in(scope))
        with self._database.reading() as connection:
            query = select(incidents.c.incident).where(incidents.c.id == incident_id, incidents_in(scope))
            text = connection.execute(query).scalar()
            if text is None:
                return None
            (visible,) = visible_incidents(connection, [read_incident(text)], scope)
            own = incident_entries.c
            calls = own.kind.in_((OPENED, CALLED)) & own.by.is_not(None) & own.note.is_not(None)
            of_merged = own.incident_id.in_(_merged_into(connection, visible.incident)) & calls
            entries = select(incident_entries).where((own.incident_id == incident_id) | of_merged)
            rows = connection.execute(entries.order_by(incident_entries.c.id.desc()).limit(STORY_LIMIT)).all()
            newest = connection.scalars(evidence.order_by(alerts.c.onset_ns.desc(), alerts.c.id).limit(ALERTS_LIMIT))
            found = [read_alert(text) for text in newest]
            story = visible_story(connection, rows[::-1], scope, visible.lift_ids)
        return IncidentHistory(visible, found, story)

    def surviving_incident_id(self, incident_id: str) -> str:
        """Return the id of the incident into which an incident was merged, its own where it was not."""
        query = select(incidents.c.incident).where(incidents.c.id == bindparam("id"))
        with self._database.reading() as connection:
            for _ in range(MERGES_FOLLOWED):
                text = connection.execute(query, {"id": incident_id}).scalar()
                merged_into = None if text is None else read_incident(text).merged_into
                if merged_into is None:
                    break
                incident_id = merged_into
        return incident_id

    def names_of_lifts(self, naming: Collection[str], scope: LiftScope = ALL_LIFTS) -> list[str]:
        """Return some names of organisations that lifts of the scope have in these facts, sorted."""
        named = (select(lifts.c[fact]).where(lifts.c[fact].is_not(None), lifts_in(scope)) for fact in naming)
        with self._database.reading() as connection:
            return sorted(connection.scalars(union(*named).limit(NAMES_LIMIT)))

    def open_incident_counts(self) -> dict[tuple[str, str], int]:
        """Return how many incidents are open, by kind and severity."""
        query = select(incidents.c.kind, incidents.c.severity, func.count()).where(is_open)
        with self._database.reading() as connection:
            rows = connection.execute(query.group_by(incidents.c.kind, incidents.c.severity))
            return {(kind, severity): count for kind, severity, count in rows}

    def has_incident(self, incident_id: str, scope: LiftScope, lift_id: str | None = None) -> bool:
        """Return whether an incident has a lift in the scope, or has this lift in it."""
        query = select(incidents.c.id).where(incidents.c.id == incident_id, incidents_in(scope))
        if lift_id is not None:
            own = incident_lifts.c
            query = select(own.lift_id).where(own.incident_id == incident_id, own.lift_id == lift_id)
            query = query if scope.everything else query.where(lifts_of_incidents_in(scope))
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def incident_is_within(self, incident_id: str, scope: LiftScope) -> bool:
        """Return whether all lifts of an incident are in the scope."""
        query = select(incident_lifts.c.lift_id).where(
            incident_lifts.c.incident_id == incident_id, ~lifts_of_incidents_in(scope)
        )
        with self._database.reading() as connection:
            return scope.everything or connection.execute(query).first() is None


def _merged_into(connection: Connection, incident: Incident) -> list[str]:
    """Return the ids of the incidents that were merged into one, at once or by way of another."""
    found = [incident.id] if incident.merged_into is None else []
    for each in found:
        own = incident_entries.c
        query = select(own.about).where(own.incident_id == each, own.kind == MERGED, own.about.not_in(found))
        found += connection.scalars(query.limit(MERGES_FOLLOWED - min(len(found), MERGES_FOLLOWED))).all()
    return found[1:]


def _conditions(wanted: IncidentFilter, scope: LiftScope) -> list[ColumnElement[bool]]:
    """Return the conditions; one on the lifts of an incident is asked of its lifts in the scope alone."""
    conditions = _conditions_on_lifts(wanted, lifts_of_incidents_in(scope))
    for name in ("state", "kind", "severity", "owner"):
        values = getattr(wanted, name)
        if values:
            conditions.append(or_(*(incidents.c[name] == value for value in values)))
    if wanted.is_unassigned:
        conditions.append(incidents.c.owner.is_(None))
    if wanted.is_over:
        own = exists().where(alerts.c.incident_id == incidents.c.id, alerts_in(scope))
        conditions += [incidents.c.rescue_ns.is_(None), own, ~own.where(is_firing)]
    if wanted.from_ns is not None:
        conditions.append(incidents.c.opened_ns >= clamped(wanted.from_ns))
    if wanted.to_ns is not None:
        conditions.append(incidents.c.opened_ns < clamped(wanted.to_ns))
    return conditions


def _conditions_on_lifts(wanted: IncidentFilter, inside: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.lift_id:
        conditions.append(of_lifts(inside & incident_lifts.c.lift_id.in_(wanted.lift_id)))
    if wanted.district:
        conditions.append(of_lifts(inside & incident_lifts.c.district.in_(wanted.district)))
    if wanted.firm:
        of_firm = select(lifts.c.lift_id).where(lifts.c.maintenance_firm.in_(wanted.firm))
        conditions.append(of_lifts(inside & incident_lifts.c.lift_id.in_(of_firm)))
    if wanted.organisation:
        of_them = select(lifts.c.lift_id).where(
            or_(*(_has(lifts.c[fact], wanted.organisation) for fact in ("maintenance_firm", "owner")))
        )
        conditions.append(of_lifts(inside & incident_lifts.c.lift_id.in_(of_them)))
    if wanted.text:
        named = select(lifts.c.lift_id).where(lifts.c.search.contains(wanted.text.casefold(), autoescape=True))
        is_named = or_(
            incident_lifts.c.lift_id.in_(named), *(_has(incident_lifts.c[name], wanted.text) for name in LIFT_COLUMNS)
        )
        own = (_has(incidents.c[name], wanted.text) for name in ("building", "owner"))
        conditions.append(or_(of_lifts(inside & is_named), *own))
    return conditions


def _has(column: ColumnElement[str], part: str) -> ColumnElement[bool]:
    """Return the condition that a text has a part, in capitals or not."""
    return func.lower(column).contains(part.lower(), autoescape=True)
