"""Queries of alerts: a filtered list, and one alert with its history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, or_, select, tuple_

from alerts.alert import Alert, Transition
from registry.scope import ALL_LIFTS, LiftScope
from store.records.book import read_alert
from store.records.database import Database
from store.records.page import (
    Page,
    clamped,
    decode_cursor,
    encode_cursor,
    parse_number,
)
from store.records.schema import alerts, transitions
from store.records.scoping import alerts_in


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Conditions on alerts; an empty tuple or None is no condition. The onset lies in [from, to)."""

    state: tuple[str, ...] = ()
    lift_id: tuple[str, ...] = ()
    rule: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    district: tuple[str, ...] = ()
    from_ns: int | None = None
    to_ns: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """An alert with all its transitions, oldest first; comments are those of kind `commented`."""

    alert: Alert
    transitions: list[Transition]


class AlertSearch:
    """The part of the records that queries alerts."""

    _database: Database

    def alerts(
        self, wanted: AlertFilter, *, limit: int = 100, cursor: str | None = None, scope: LiftScope = ALL_LIFTS
    ) -> Page[Alert]:
        """Return alerts of lifts in the scope, newest onset first. Raises `BadCursor`."""
        query = select(alerts.c.alert).where(*_conditions(wanted), alerts_in(scope))
        if cursor is not None:
            onset_ns, alert_id = decode_cursor(cursor, 2)
            query = query.where(tuple_(alerts.c.onset_ns, alerts.c.id) < tuple_(parse_number(onset_ns), alert_id))
        query = query.order_by(alerts.c.onset_ns.desc(), alerts.c.id.desc()).limit(limit + 1)
        with self._database.reading() as connection:
            rows = connection.scalars(query).all()
        found = [read_alert(text) for text in rows[:limit]]
        more = len(rows) > limit and bool(found)
        return Page(found, encode_cursor(found[-1].onset_ns, found[-1].id) if more else None)

    def alert(self, alert_id: str, scope: LiftScope = ALL_LIFTS) -> History | None:
        """Return one alert with its history, None where there is no such alert of a lift in the scope."""
        past = select(transitions).where(transitions.c.alert_id == alert_id).order_by(transitions.c.id)
        with self._database.reading() as connection:
            text = connection.execute(select(alerts.c.alert).where(alerts.c.id == alert_id, alerts_in(scope))).scalar()
            rows = connection.execute(past).all()
        if text is None:
            return None
        return History(read_alert(text), [_transition(row, scope) for row in rows])


def _transition(row: Row[Any], scope: LiftScope) -> Transition:
    """Return a transition as a request of this scope reads it: of an unshared note of others only who wrote it."""
    is_read = row.shared or scope.reads_notes_of(row.organisation)
    by, note = (row.by, row.note) if is_read else (row.organisation, None)
    return Transition(row.alert_id, row.kind, row.at_ns, by, note, row.to, row.organisation, row.shared)


def _conditions(wanted: AlertFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for name in ("state", "lift_id", "rule", "severity", "district"):
        values = getattr(wanted, name)
        if values:
            conditions.append(or_(*(alerts.c[name] == value for value in values)))
    if wanted.from_ns is not None:
        conditions.append(alerts.c.onset_ns >= clamped(wanted.from_ns))
    if wanted.to_ns is not None:
        conditions.append(alerts.c.onset_ns < clamped(wanted.to_ns))
    return conditions
