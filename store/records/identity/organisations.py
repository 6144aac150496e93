"""Organisations and their names. A change that names its base version is refused once there is a newer one.

A lift names organisations by text; a name that no organisation has creates one, in the transaction that registers the
lift. After a rename or a merge the former names still belong to the organisation, so no lift leaves its scope, and
`rewrite_names` replaces them in the facts of lifts later.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, Row, delete, select, update

from registry.actor import Actor
from registry.lift_facts import LiftFacts
from registry.organisations import KIND_OF_FACT, Organisation, OrganisationSettings, name_key, united
from registry.roles import OrganisationKind
from store.records.audit.writing import AuditSubject, difference, write_audit
from store.records.database import Database
from store.records.duty.tables import escalation_policies, rosters
from store.records.identity.administrators import keeping_an_administrator
from store.records.identity.tables import memberships, organisation_names, organisations, sessions, tokens
from store.records.versions import require_version

IDENTITY = "identity"  # the counter of changes to what somebody may see or do
IDS_AT_ONCE = 500
_JSON = ("districts", "telephones", "settings")


class NameTaken(ValueError):
    """A name, or a login, that another organisation or account has."""


class OrganisationStore:
    """The part of the records that holds organisations."""

    _database: Database

    def organisations(self) -> list[Organisation]:
        """Return every organisation, in the order of their names."""
        with self._database.reading() as connection:
            found = load_organisations(connection)
        return sorted(found.values(), key=lambda each: (each.name, each.organisation_id))

    def organisation(self, organisation_id: str) -> Organisation | None:
        """Return one organisation, or None where it does not exist."""
        with self._database.reading() as connection:
            return load_organisations(connection, [organisation_id]).get(organisation_id)

    def add_organisation(self, fields: Mapping[str, Any], by: Actor, now_ns: int) -> Organisation:
        """Create an organisation with these fields, `kind` and `name` among them; raise NameTaken."""
        with self._database.writing() as connection:
            organisation_id = _insert(connection, fields["name"], fields["kind"])
            after = self._change(connection, organisation_id, fields)
            write_audit(
                connection, now_ns, by, "organisation.add", [AuditSubject(organisation_id, after=_detail(after))]
            )
            return after

    def change_organisation(
        self,
        organisation_id: str,
        changes: Mapping[str, Any],
        by: Actor,
        now_ns: int,
        expected: Collection[str] | None = None,
    ) -> Organisation | None:
        """Change fields of an organisation, `closed_ns` among them; return all of them, None where it does not exist.

        Closing it ends the sessions that act for it.
        Raises NameTaken, LastAdministrator, and VersionConflict where the revision is none of the `expected`.
        """
        with self._database.writing() as connection:
            before = load_organisations(connection, [organisation_id]).get(organisation_id)
            if before is None:
                return None
            require_version(str(before.revision), expected)
            with keeping_an_administrator(connection):
                after = self._change(connection, organisation_id, changes)
            if changes.get("closed_ns") is not None:
                end_sessions_in(connection, organisation_id)
            subject = AuditSubject(organisation_id, None, *difference(_detail(before), _detail(after)))
            write_audit(connection, now_ns, by, "organisation.change", [subject])
            return after

    def merge_organisations(self, into_id: str, other_id: str, by: Actor, now_ns: int) -> bool:
        """Move the names and the people of one organisation to another and close it; return whether both exist.

        The remaining one has the districts of both, and what either of them demands. A person who is in both keeps the
        role that the person has in the remaining one. Raises LastAdministrator.
        """
        with self._database.writing() as connection:
            both = load_organisations(connection, [into_id, other_id])
            if len(both) != 2:
                return False
            with keeping_an_administrator(connection):
                _move(connection, into_id, other_id)
                self._change(connection, other_id, {"closed_ns": now_ns})
            after = self._change(connection, into_id, united(both[into_id], both[other_id]))
            changed = difference(_detail(both[into_id]), _detail(after))
            subject = AuditSubject(into_id, {"other": _detail(both[other_id])}, *changed)
            write_audit(connection, now_ns, by, "organisation.merge", [subject])
            return True

    def _change(self, connection: Connection, organisation_id: str, changes: Mapping[str, Any]) -> Organisation:
        values = {name: orjson.dumps(value).decode() if name in _JSON else value for name, value in changes.items()}
        if "name" in changes:
            _claim(connection, changes["name"], organisation_id)
        if values:
            values["revision"] = organisations.c.revision + 1
            connection.execute(update(organisations).where(organisations.c.id == organisation_id).values(**values))
        self._database.count_up(connection, IDENTITY)
        return load_organisations(connection, [organisation_id])[organisation_id]


def load_organisations(connection: Connection, ids: Collection[str] | None = None) -> dict[str, Organisation]:
    """Return the organisations with these ids (None: all) by id."""
    query, named = select(organisations), select(organisation_names.c.organisation_id, organisation_names.c.name)
    if ids is not None:
        query = query.where(organisations.c.id.in_(ids))
        named = named.where(organisation_names.c.organisation_id.in_(ids))
    names: dict[str, list[str]] = {}
    for organisation_id, name in connection.execute(named):
        names.setdefault(organisation_id, []).append(name)
    return {row.id: _organisation(row, names.get(row.id, [])) for row in connection.execute(query)}


def end_sessions_in(connection: Connection, organisation_id: str, person_id: str | None = None) -> None:
    """End the sessions in which members of an organisation (None: all) act for it: none goes on for another one.

    A session for which no organisation was chosen may act for it.
    """
    members = select(memberships.c.person_id).where(memberships.c.organisation_id == organisation_id)
    theirs = sessions.c.person_id.in_(members if person_id is None else [person_id])
    acts = (sessions.c.organisation_id == organisation_id) | sessions.c.organisation_id.is_(None)
    connection.execute(delete(sessions).where(theirs, acts))


def create_named_organisations(connection: Connection, lifts: Iterable[LiftFacts]) -> None:
    """Create the organisations that lifts name and nobody has, and note new spellings of those that exist."""
    kinds: dict[str, OrganisationKind] = {}
    for fact, kind in KIND_OF_FACT.items():
        for lift in lifts:
            if name := getattr(lift, fact):
                kinds.setdefault(name, kind)
    names = list(kinds)
    for start in range(0, len(names), IDS_AT_ONCE):
        some = names[start : start + IDS_AT_ONCE]
        known = set(connection.scalars(select(organisation_names.c.name).where(organisation_names.c.name.in_(some))))
        for name in some:
            if name not in known:
                owner = _owner(connection, name)
                if owner is None:
                    _insert(connection, name, kinds[name])
                else:
                    _add_name(connection, name, owner)


def _owner(connection: Connection, name: str) -> str | None:
    """Return the organisation that has a name in any spelling."""
    query = select(organisation_names.c.organisation_id).where(organisation_names.c.name_key == name_key(name))
    return connection.execute(query.limit(1)).scalar()


def _claim(connection: Connection, name: str, organisation_id: str) -> None:
    """Give a name to an organisation; raise NameTaken where another one has the name."""
    owner = _owner(connection, name)
    if owner not in (None, organisation_id):
        raise NameTaken(f"an organisation is, or was, named {name!r} already")
    spelled = select(organisation_names.c.name).where(organisation_names.c.name == name)
    if connection.execute(spelled).first() is None:
        _add_name(connection, name, organisation_id)


def _add_name(connection: Connection, name: str, organisation_id: str) -> None:
    row = {"name": name, "name_key": name_key(name), "organisation_id": organisation_id}
    connection.execute(organisation_names.insert().values(**row))


def _insert(connection: Connection, name: str, kind: OrganisationKind) -> str:
    organisation_id = secrets.token_hex(8)
    _claim(connection, name, organisation_id)
    row = {"id": organisation_id, "kind": kind, "name": name, "revision": 0}
    connection.execute(organisations.insert().values(districts="[]", telephones="[]", settings="{}", **row))
    return organisation_id


def _move(connection: Connection, into_id: str, other_id: str) -> None:
    """Move names, rosters, policies, sessions, tokens and memberships."""
    names = update(organisation_names).where(organisation_names.c.organisation_id == other_id)
    connection.execute(names.values(organisation_id=into_id))
    already = select(memberships.c.person_id).where(memberships.c.organisation_id == into_id)
    theirs = tokens.c.organisation_id == other_id  # such a token would get the role of the remaining membership
    connection.execute(delete(tokens).where(theirs, tokens.c.person_id.in_(already)))
    for owned in (rosters, escalation_policies):
        belonging = update(owned).where(owned.c.organisation_id == other_id)
        connection.execute(belonging.values(organisation_id=into_id))
    for table in (sessions, tokens):
        acting = update(table).where(table.c.organisation_id == other_id)
        connection.execute(acting.values(organisation_id=into_id))
    moving = memberships.c.organisation_id == other_id
    connection.execute(delete(memberships).where(moving, memberships.c.person_id.in_(already)))
    connection.execute(update(memberships).where(moving).values(organisation_id=into_id))


def _organisation(row: Row[Any], names: Iterable[str]) -> Organisation:
    return Organisation(
        organisation_id=row.id,
        kind=OrganisationKind(row.kind),
        name=row.name,
        names=frozenset(names),
        name_en=row.name_en,
        name_zh=row.name_zh,
        districts=tuple(orjson.loads(row.districts)),
        telephones=tuple(orjson.loads(row.telephones)),
        duty_telephone=row.duty_telephone,
        address=row.address,
        settings=OrganisationSettings(**orjson.loads(row.settings)),
        closed_ns=row.closed_ns,
        revision=row.revision,
    )


def _detail(organisation: Organisation) -> dict[str, Any]:
    """Return an organisation as the audit log holds it."""
    return {**orjson.loads(orjson.dumps(organisation, default=sorted)), "organisation_id": None}
