"""Rosters with their overrides, and secret links to their calendars. `of` limits every query to organisations."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Column, ColumnElement, Connection, Row, delete, select, true, update

from registry.actor import Actor
from registry.duty.roster import Override, Roster
from registry.duty.roster_checks import (
    OVERRIDES_LIMIT,
    override_document,
    read_override,
    read_roster,
    roster_document,
)
from store.records.audit.writing import AuditSubject, difference, write_audit
from store.records.database import Database
from store.records.duty.tables import calendar_links, rosters
from store.records.identity.sessions import SECRET_BYTES, hashed
from store.records.identity.tables import organisations, people
from store.records.versions import require_version

Organisations = Collection[str] | None
"""The ids of organisations; None is all."""
PAST_OVERRIDES_NS = 366 * 24 * 3600 * 1_000_000_000
AUDITED_DIGITS = 12
"""The digits of the hash of a link's secret that audit rows show: which link, and nothing that opens it."""


class OverridesFull(ValueError):
    """The roster has as many overrides as it may have."""


@dataclass(frozen=True, slots=True)
class CalendarLink:
    """A secret link to the calendar of a roster, or to the shifts of one person in it."""

    link_id: str
    roster_id: str
    person_id: str | None
    created_ns: int
    created_by: str


class RosterStore:
    """The part of the records that holds rosters."""

    _database: Database

    def rosters(self, of: Organisations = None) -> list[Roster]:
        """Return the rosters of organisations, in the order of their names."""
        with self._database.reading() as connection:
            return load_rosters(connection, of)

    def roster(self, roster_id: str, of: Organisations = None) -> Roster | None:
        """Return one roster, None where these organisations have no such roster."""
        with self._database.reading() as connection:
            return _find(connection, roster_id, of)

    def add_roster(self, roster: Roster, by: Actor, now_ns: int) -> Roster:
        """Store a new roster, which gets an id."""
        made = replace(roster, roster_id=secrets.token_hex(8), revision=0)
        document = roster_document(made)
        with self._database.writing() as connection:
            about = {"id": made.roster_id, "organisation_id": made.organisation_id, "name": made.name}
            row = {**about, "document": orjson.dumps(document).decode(), "overrides": "[]", "revision": 0}
            connection.execute(rosters.insert().values(**row))
            write_audit(connection, now_ns, by, "roster.add", [AuditSubject(made.roster_id, after=document)])
        return made

    def put_roster(
        self, roster: Roster, by: Actor, now_ns: int, expected: Collection[str] | None = None, of: Organisations = None
    ) -> Roster | None:
        """Replace the fields of a roster but its overrides; None where it does not exist. Raises VersionConflict."""
        with self._database.writing() as connection:
            before = _find(connection, roster.roster_id, of)
            if before is None:
                return None
            require_version(str(before.revision), expected)
            document = roster_document(roster)
            values = {"name": roster.name, "document": orjson.dumps(document).decode()}
            changed = difference(roster_document(before), document)
            return _change(connection, before, values, AuditSubject(before.roster_id, None, *changed), by, now_ns)

    def delete_roster(
        self, roster_id: str, by: Actor, now_ns: int, of: Organisations = None, expected: Collection[str] | None = None
    ) -> bool:
        """Delete a roster with its calendar links; return whether it existed. Raises VersionConflict."""
        with self._database.writing() as connection:
            before = _find(connection, roster_id, of)
            if before is None:
                return False
            require_version(str(before.revision), expected)
            connection.execute(delete(calendar_links).where(calendar_links.c.roster_id == roster_id))
            connection.execute(delete(rosters).where(rosters.c.id == roster_id))
            write_audit(
                connection, now_ns, by, "roster.delete", [AuditSubject(roster_id, before=roster_document(before))]
            )
            return True

    def add_override(
        self, roster_id: str, override: Override, by: Actor, now_ns: int, of: Organisations = None
    ) -> Roster | None:
        """Add an override, which gets an id, to a roster; None where the roster does not exist. Raises OverridesFull.

        Overrides that ended a year ago are forgotten.
        """
        with self._database.writing() as connection:
            before = _find(connection, roster_id, of)
            if before is None:
                return None
            kept = [each for each in before.overrides if each.until_ns > now_ns - PAST_OVERRIDES_NS]
            if len(kept) >= OVERRIDES_LIMIT:
                raise OverridesFull(f"the roster has {len(kept)} overrides, the most that it may have; remove some")
            added = replace(override, override_id=secrets.token_hex(8))
            values = {"overrides": _overrides_text([*kept, added])}
            subject = AuditSubject(roster_id, after=override_document(added))
            return _change(connection, before, values, subject, by, now_ns, "roster.override")

    def remove_override(
        self, roster_id: str, override_id: str, by: Actor, now_ns: int, of: Organisations = None
    ) -> Roster | None:
        """Remove an override from a roster; None where the roster or the override does not exist."""
        with self._database.writing() as connection:
            before = _find(connection, roster_id, of)
            gone = [each for each in before.overrides if each.override_id == override_id] if before else []
            if before is None or not gone:
                return None
            kept = [each for each in before.overrides if each.override_id != override_id]
            subject = AuditSubject(roster_id, before=override_document(gone[0]))
            values = {"overrides": _overrides_text(kept)}
            return _change(connection, before, values, subject, by, now_ns, "roster.override-end")

    # ── calendar links ──

    def calendar_links(self, roster_id: str, of: Organisations = None) -> list[CalendarLink]:
        """Return the links to the calendar of a roster, the newest first."""
        query = select(calendar_links).where(calendar_links.c.roster_id == roster_id)
        with self._database.reading() as connection:
            if _find(connection, roster_id, of) is None:
                return []
            found = connection.execute(query.order_by(calendar_links.c.created_ns.desc(), calendar_links.c.id))
            return [CalendarLink(*row) for row in found]

    def add_calendar_link(
        self, roster_id: str, person_id: str | None, by: Actor, now_ns: int, of: Organisations = None
    ) -> str | None:
        """Return the secret of a new link to the calendar of a roster; None where the roster does not exist."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        link_id = hashed(secret)
        row = {"id": link_id, "roster_id": roster_id, "person_id": person_id}
        with self._database.writing() as connection:
            if _find(connection, roster_id, of) is None:
                return None
            connection.execute(calendar_links.insert().values(**row, created_ns=now_ns, created_by=by.name))
            subject = AuditSubject(roster_id, {"link_id": link_id[:AUDITED_DIGITS], "person_id": person_id})
            write_audit(connection, now_ns, by, "roster.calendar", [subject])
        return secret

    def revoke_calendar_link(
        self, roster_id: str, link_id: str, by: Actor, now_ns: int, of: Organisations = None
    ) -> bool:
        """End a link to the calendar of a roster; return whether it existed."""
        link = (calendar_links.c.id == link_id) & (calendar_links.c.roster_id == roster_id)
        with self._database.writing() as connection:
            if _find(connection, roster_id, of) is None:
                return False
            if connection.execute(delete(calendar_links).where(link)).rowcount == 0:
                return False
            subject = AuditSubject(roster_id, {"link_id": link_id[:AUDITED_DIGITS]})
            write_audit(connection, now_ns, by, "roster.calendar-end", [subject])
            return True

    def roster_of_link(self, secret: str) -> tuple[Roster, CalendarLink] | None:
        """Return the roster of a secret link.

        None where there is no such link, the organisation is closed, or the person of the link is disabled.
        """
        disabled = select(people.c.id).where(people.c.is_disabled)
        is_ended = calendar_links.c.person_id.is_not(None) & calendar_links.c.person_id.in_(disabled)
        link = select(calendar_links).where(calendar_links.c.id == hashed(secret), ~is_ended)
        of_open = select(organisations.c.id).where(organisations.c.closed_ns.is_(None))
        with self._database.reading() as connection:
            found = connection.execute(link).first()
            roster = None if found is None else _find(connection, found.roster_id, connection.scalars(of_open).all())
        return None if found is None or roster is None else (roster, CalendarLink(*found))


def load_rosters(connection: Connection, of: Organisations) -> list[Roster]:
    """Return the rosters of organisations, in the order of their names."""
    query = select(rosters).where(belongs_to(rosters.c.organisation_id, of)).order_by(rosters.c.name, rosters.c.id)
    return [_roster(row) for row in connection.execute(query)]


def belongs_to(column: Column[str], of: Organisations) -> ColumnElement[bool]:
    """Return the condition that a row belongs to one of these organisations."""
    return true() if of is None else column.in_(sorted(of))


def _find(connection: Connection, roster_id: str, of: Organisations) -> Roster | None:
    inside = belongs_to(rosters.c.organisation_id, of)
    row = connection.execute(select(rosters).where(rosters.c.id == roster_id, inside)).first()
    return None if row is None else _roster(row)


def _change(
    connection: Connection, before: Roster, values: Mapping[str, Any], subject: AuditSubject, by: Actor, now_ns: int,
    action: str = "roster.change",
) -> Roster | None:  # fmt: skip
    changed = update(rosters).where(rosters.c.id == before.roster_id)
    connection.execute(changed.values(**values, revision=before.revision + 1))
    write_audit(connection, now_ns, by, action, [subject])
    return _find(connection, before.roster_id, None)


def _overrides_text(overrides: Collection[Override]) -> str:
    return orjson.dumps([override_document(each) for each in overrides]).decode()


def _roster(row: Row[Any]) -> Roster:
    """Return a roster; a stored field that this version does not accept any more is as if it were missing."""
    roster, _ = read_roster(orjson.loads(row.document), row.id, row.organisation_id)
    stored = [(each.pop("override_id"), each) for each in orjson.loads(row.overrides)]
    overrides = tuple(read_override(each, override_id)[0] for override_id, each in stored)
    return replace(roster, overrides=overrides, revision=row.revision)
