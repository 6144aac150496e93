"""Maintenance windows: the times in which people work on a lift. A lift has one at a time; past windows stay stored."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Connection, select, update

from registry.actor import Actor
from store.records.audit.writing import AuditSubject, difference, write_audit
from store.records.database import REVISION, Database
from store.records.schema import lifts, maintenance


@dataclass(frozen=True, slots=True)
class WindowRecord:
    """A time in which people work on a lift, from `from_ns` until before `until_ns`.

    Organisations but the author's read the note where it is `shared`.
    """

    id: int
    lift_id: str
    from_ns: int
    until_ns: int
    by: str
    note: str | None
    organisation: str | None = None
    shared: bool = False


class MaintenanceStore:
    """The part of the records that holds maintenance windows."""

    _database: Database

    def set_maintenance(
        self, lift_id: str, until_ns: int, by: Actor, now_ns: int, why: str | None = None, *, shared: bool = False
    ) -> bool:
        """Begin a lift's window, or change the open one; return whether the lift exists."""
        with self._database.writing() as connection:
            if connection.execute(select(lifts.c.lift_id).where(lifts.c.lift_id == lift_id)).first() is None:
                return False
            window = _open(connection, lift_id, now_ns)
            about = {"by": by.name, "organisation": by.organisation}
            values = {"until_ns": until_ns, **about, "note": why, "shared": shared}
            if window is not None and values.items() <= asdict(window).items():
                return True
            stamped = {**values, "revision": self._database.count_up(connection, REVISION)}
            if window is None:
                connection.execute(maintenance.insert().values(lift_id=lift_id, from_ns=now_ns, **stamped))
            else:
                connection.execute(update(maintenance).where(maintenance.c.id == window.id).values(**stamped))
            changed = difference(_before(window, by), values)
            write_audit(connection, now_ns, by, "maintenance.set", [AuditSubject(lift_id, None, *changed, lift_id)])
            return True

    def end_maintenance(self, lift_id: str, by: Actor, now_ns: int) -> None:
        """End a lift's open window now, if there is one."""
        with self._database.writing() as connection:
            window = _open(connection, lift_id, now_ns)
            if window is None:
                return
            ended = {"until_ns": now_ns, "revision": self._database.count_up(connection, REVISION)}
            connection.execute(update(maintenance).where(maintenance.c.id == window.id).values(**ended))
            changed = {"until_ns": window.until_ns}, {"until_ns": now_ns}
            write_audit(connection, now_ns, by, "maintenance.end", [AuditSubject(lift_id, None, *changed, lift_id)])


def read_windows(connection: Connection, since: int, upto: int) -> list[WindowRecord]:
    """Return the windows that changed between two revisions of the registry, in the order of their beginning."""
    between = (maintenance.c.revision > since, maintenance.c.revision <= upto)
    query = select(*_WINDOW).where(*between).order_by(maintenance.c.id)
    return [WindowRecord(*row) for row in connection.execute(query)]


def _before(window: WindowRecord | None, by: Actor) -> dict[str, Any]:
    """Return the values before a change, without the note of another organisation: the row of its author has it."""
    if window is None:
        return {}
    values = {name: value for name, value in asdict(window).items() if name in CHANGED}
    return values if window.organisation == by.organisation else {**values, "note": None}


def _open(connection: Connection, lift_id: str, now_ns: int) -> WindowRecord | None:
    query = select(*_WINDOW).where(maintenance.c.lift_id == lift_id, maintenance.c.until_ns > now_ns)
    row = connection.execute(query).first()
    return None if row is None else WindowRecord(*row)


_WINDOW = tuple(maintenance.c[field.name] for field in fields(WindowRecord))
CHANGED = ("until_ns", "by", "organisation", "note", "shared")
