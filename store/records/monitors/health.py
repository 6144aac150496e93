"""The part of the records that holds the health of lifts, and that answers what a health is reckoned from.

A health has a version that increases over all lifts: readers ask for those that are newer than what they have. So has
the end of a health in a district, of a lift that was deleted or moved: whoever published the health clears it. A day of
a lift is kept until `DAYS_KEPT` newer ones are stored; its measures are a column of float32.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import orjson
from sqlalchemy import Connection, delete, func, literal, or_, select, union_all

from store.records.database import Database
from store.records.incidents.tables import incident_lifts, incidents
from store.records.monitors.ended_health import VERSION, end_elsewhere
from store.records.monitors.health_tables import ended_health, health, health_days
from store.records.page import clamped
from store.records.schema import alerts, deleted_lifts, is_open, lifts
from telemetry.arrays import F64

DAYS_KEPT = 180
REPAIRED = "repaired"
"""The reason of a person's closing of an incident that records a repair."""


@dataclass(frozen=True, slots=True)
class HealthRecord:
    """The present health of a lift: `score` and `grade` are None where it is unknown; `document` is its JSON."""

    lift_id: str
    district: str
    at_ns: int
    score: float | None
    grade: str | None
    document: str
    version: int = 0


class HealthAnnouncement(NamedTuple):
    """The health of a lift for the subscribers in a district; `document` is "" where it has none there any more."""

    version: int
    lift_id: str
    district: str
    document: str


@dataclass(frozen=True, slots=True)
class HealthDay:
    """A local day of a lift, a proleptic Gregorian ordinal: its measures, and its health with that of each part."""

    lift_id: str
    day: int
    measures: F64
    score: float | None
    grade: str | None
    parts: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class PastAlert:
    """An alert of a lift."""

    lift_id: str
    rule: str
    severity: str
    is_open: bool
    onset_ns: int


class HealthStore:
    """The part of the records that holds health."""

    _database: Database

    def put_health(self, records: Sequence[HealthRecord], days: Sequence[HealthDay] = ()) -> None:
        """Replace the health of lifts, and add their days; those of lifts that were deleted meanwhile are left out."""
        if not records and not days:
            return
        with self._database.writing(durable=False) as connection:
            self._database.count_up(connection, VERSION)  # a deletion is complete, or waits
            gone = _deleted(connection, {each.lift_id for each in records} | {each.lift_id for each in days})
            for one in records:
                if one.lift_id in gone:
                    continue
                version = self._database.count_up(connection, VERSION)
                end_elsewhere(self._database, connection, one.lift_id, one.district)
                fresh = {name: getattr(one, name) for name in ("district", "at_ns", "score", "grade", "document")}
                fresh["version"] = version
                row = self._database.insert(health).values(lift_id=one.lift_id, **fresh)
                connection.execute(row.on_conflict_do_update(index_elements=["lift_id"], set_=fresh))
            for day in days:
                if day.lift_id not in gone:
                    _put_day(self._database, connection, day)

    def healths_since(self, version: int, limit: int | None = None) -> list[HealthRecord]:
        """Return the healths that are newer than a version, oldest first."""
        columns = [health.c[name] for name in HealthRecord.__dataclass_fields__]
        query = select(*columns).where(health.c.version > clamped(version)).order_by(health.c.version).limit(limit)
        with self._database.reading() as connection:
            return [HealthRecord(*row) for row in connection.execute(query)]

    def health_announcements_since(self, version: int, limit: int) -> list[HealthAnnouncement]:
        """Return the healths, and the ends of healths in a district, that are newer than a version, oldest first."""
        present = select(health.c.version, health.c.lift_id, health.c.district, health.c.document)
        ended = select(ended_health.c.version, ended_health.c.lift_id, ended_health.c.district, literal(""))
        newer = (
            present.where(health.c.version > clamped(version)),
            ended.where(ended_health.c.version > clamped(version)),
        )
        with self._database.reading() as connection:
            rows = connection.execute(union_all(*newer).order_by("version").limit(limit))
            return [HealthAnnouncement(*row) for row in rows]

    def health_days(self, lift_id: str, from_day: int) -> list[HealthDay]:
        """Return the days of a lift from `from_day` on, in their order."""
        query = select(health_days).where(health_days.c.lift_id == lift_id, health_days.c.day >= from_day)
        with self._database.reading() as connection:
            return [_day(row) for row in connection.execute(query.order_by(health_days.c.day))]

    def last_health_days(self) -> dict[str, int]:
        """Return the last day of each lift that has one."""
        query = select(health_days.c.lift_id, func.max(health_days.c.day)).group_by(health_days.c.lift_id)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def delete_health_days(self, from_days: Mapping[str, int]) -> None:
        """Delete the days of each of these lifts from a day on."""
        with self._database.writing(durable=False) as connection:
            for lift_id, day in from_days.items():
                late = (health_days.c.lift_id == lift_id) & (health_days.c.day >= day)
                connection.execute(delete(health_days).where(late))

    def alerts_for_health(self, lift_ids: Collection[str], from_ns: int, to_ns: int) -> list[PastAlert]:
        """Return the alerts of lifts that are open, or began in [from, to)."""
        query = select(alerts.c.lift_id, alerts.c.rule, alerts.c.severity, is_open, alerts.c.onset_ns)
        began = (alerts.c.onset_ns >= from_ns) & (alerts.c.onset_ns < to_ns)
        query = query.where(alerts.c.lift_id.in_(lift_ids), or_(is_open, began))
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            PastAlert(lift_id, rule, severity, bool(still), at_ns) for lift_id, rule, severity, still, at_ns in rows
        ]

    def repairs(self, lift_ids: Collection[str]) -> dict[str, list[int]]:
        """Return when repairs of lifts were recorded: at the closing of incidents for the reason `repaired`."""
        query = select(incident_lifts.c.lift_id, incidents.c.closed_ns, incidents.c.incident)
        query = query.join(incidents, incidents.c.id == incident_lifts.c.incident_id)
        query = query.where(incident_lifts.c.lift_id.in_(lift_ids), incidents.c.closed_ns.is_not(None))
        found: dict[str, list[int]] = {}
        with self._database.reading() as connection:
            for lift_id, closed_ns, text in connection.execute(query.order_by(incidents.c.closed_ns)):
                if orjson.loads(text)["reason"] == REPAIRED:
                    found.setdefault(lift_id, []).append(closed_ns)
        return found


def _deleted(connection: Connection, lift_ids: Collection[str]) -> set[str]:
    """Return those of these lifts that were deleted and are not listed again."""
    gone = select(deleted_lifts.c.lift_id).where(deleted_lifts.c.lift_id.in_(lift_ids))
    return set(connection.scalars(gone.where(deleted_lifts.c.lift_id.not_in(select(lifts.c.lift_id)))))


def _put_day(database: Database, connection: Connection, day: HealthDay) -> None:
    """Write a day, and delete the oldest days of the lift beyond `DAYS_KEPT`.

    Rows count, not the calendar: a day that a wrong clock stored must not delete all others.
    """
    fresh = {
        "measures": day.measures.astype(np.float32).tobytes(),
        "score": day.score,
        "grade": day.grade,
        "parts": orjson.dumps(day.parts).decode(),
    }
    row = database.insert(health_days).values(lift_id=day.lift_id, day=day.day, **fresh)
    connection.execute(row.on_conflict_do_update(index_elements=["lift_id", "day"], set_=fresh))
    of_lift = health_days.c.lift_id == day.lift_id
    newest_first = select(health_days.c.day).where(of_lift).order_by(health_days.c.day.desc())
    newest_to_go = newest_first.offset(DAYS_KEPT).limit(1).scalar_subquery()
    connection.execute(delete(health_days).where(of_lift, health_days.c.day <= newest_to_go))


def _day(row: tuple[object, ...]) -> HealthDay:
    lift_id, day, measures, score, grade, parts = row
    columns = np.frombuffer(measures, dtype=np.float32).astype(np.float64)  # type: ignore[call-overload]
    return HealthDay(lift_id, day, columns, score, grade, orjson.loads(parts))  # type: ignore[arg-type]
