"""People and machine accounts with their memberships. Of two changes made from one version exactly one is applied."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, select, update

from registry.actor import Actor
from registry.organisations import Organisation
from registry.people import Membership, Person, login_key
from registry.roles import OrganisationKind, Role
from store.records.audit.writing import AuditSubject, write_audit
from store.records.database import Database
from store.records.identity.administrators import keeping_an_administrator
from store.records.identity.organisations import IDENTITY, NameTaken, end_sessions_in, load_organisations
from store.records.identity.tables import memberships, one_time_links, people, recovery_codes, sessions, tokens
from store.records.outbox.account_notices import FACTOR_OFF, FACTOR_ON, PASSWORD, SUBJECT, SUBJECT_OFF, notify_owner
from store.records.outbox.tables import ways
from store.records.versions import require_version


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials that a sign-in is checked against; `totp_step` is the last step of TOTP that was used."""

    person_id: str
    password_hash: str | None
    sealed_totp: str | None
    totp_step: int


class PeopleStore:
    """The part of the records that holds accounts."""

    _database: Database

    def has_people(self) -> bool:
        """Return whether there is any account: without one the product runs without sign-in."""
        with self._database.reading() as connection:
            return bool(connection.execute(select(exists().select_from(people))).scalar())

    def people(self, organisation_id: str | None = None) -> list[Person]:
        """Return the accounts in an organisation (None: all), in the order of their names."""
        members = select(memberships.c.person_id).where(memberships.c.organisation_id == organisation_id)
        with self._database.reading() as connection:
            found = load_people(connection, None if organisation_id is None else people.c.id.in_(members))
        return sorted(found, key=lambda each: (each.name, each.person_id))

    def person(self, person_id: str) -> Person | None:
        """Return one account, or None where it does not exist."""
        with self._database.reading() as connection:
            return find_person(connection, person_id)

    def people_by_id(self, person_ids: Collection[str]) -> list[Person]:
        """Return the accounts with these ids."""
        with self._database.reading() as connection:
            return load_people(connection, people.c.id.in_(person_ids))

    def person_of_login(self, login: str) -> Person | None:
        """Return the account of a login, or None where there is none."""
        with self._database.reading() as connection:
            return next(iter(load_people(connection, people.c.login_key == login_key(login))), None)

    def person_of_subject(self, issuer: str, subject: str) -> Person | None:
        """Return the person whom a provider of OpenID Connect names so, or None where there is none."""
        bound = (people.c.oidc_issuer == issuer) & (people.c.oidc_subject == subject)
        with self._database.reading() as connection:
            return next(iter(load_people(connection, bound)), None)

    def credentials(self, person_id: str) -> Credentials | None:
        """Return the credentials of an account, or None where it does not exist."""
        columns = (people.c.id, people.c.password_hash, people.c.totp_secret, people.c.totp_step)
        with self._database.reading() as connection:
            row = connection.execute(select(*columns).where(people.c.id == person_id)).first()
        return None if row is None else Credentials(*row)

    def totp_secret(self, found: Credentials) -> str:
        """Return the secret of TOTP in credentials that have one; raise SecretsUnreadable where its key is missing."""
        return self._database.keys.unseal(found.sealed_totp or "", about_totp(found.person_id))

    def add_person(
        self, name: str, login: str, roles: Mapping[str, Role], by: Actor, now_ns: int, *,
        language: str | None = None, is_machine: bool = False, only_first: bool = False,
    ) -> Person | None:  # fmt: skip
        """Create an account with a role in each of some organisations; raise NameTaken where the login has one.

        Returns None where an organisation does not exist and, with `only_first`, where there is any account already.
        """
        with self._database.writing() as connection:
            if only_first and connection.execute(select(people.c.id).limit(1)).first():
                return None
            if set(load_organisations(connection, roles)) != set(roles):
                return None
            if connection.execute(select(people.c.id).where(people.c.login_key == login_key(login))).first():
                raise NameTaken(f"an account has the login {login!r} already")
            person_id = secrets.token_hex(8)
            row = {"id": person_id, "name": name, "login": login, "login_key": login_key(login), "language": language}
            connection.execute(people.insert().values(**row, is_machine=is_machine, created_ns=now_ns, revision=0))
            for organisation_id, role in roles.items():
                _put_membership(connection, person_id, organisation_id, role)
            self._changed(connection, person_id, "person.add", by, now_ns, {"login": login, "name": name, **roles})
            return find_person(connection, person_id)

    def set_role(
        self, person_id: str, organisation_id: str, role: Role | None, by: Actor, now_ns: int,
        expected: Collection[str] | None = None,
    ) -> Person | None:  # fmt: skip
        """Set the role of an account in an organisation (None: take the account out of it); None for an unknown one.

        Who is taken out loses the tokens for the organisation, and the sessions that act for it.
        Administrators of the account's former organisations could have set its credentials by a link: an account that
        joins a further organisation loses them, unless an operator's administrators managed it.
        Raises LastAdministrator, and VersionConflict where the revision is none of the `expected`.
        """
        with self._database.writing() as connection:
            before = find_person(connection, person_id)
            if before is None or not load_organisations(connection, [organisation_id]):
                return None
            require_version(str(before.revision), expected)
            with keeping_an_administrator(connection):
                _remove_membership(connection, person_id, organisation_id)
                if role is not None:
                    _put_membership(connection, person_id, organisation_id, role)
                else:
                    end_sessions_in(connection, organisation_id, person_id)
                    theirs = (tokens.c.person_id == person_id) & (tokens.c.organisation_id == organisation_id)
                    connection.execute(delete(tokens).where(theirs))
            held = {one: was for one, was in _roles(before).items() if one == organisation_id}
            joins_further = role is not None and not held
            if joins_further and not _was_managed_by_operator(before):
                _clear_credentials(connection, person_id)
            detail = {"organisation": organisation_id, "role": role, "before": held}
            self._changed(connection, person_id, "person.role", by, now_ns, detail)
            return find_person(connection, person_id)

    def change_person(
        self, person_id: str, changes: Mapping[str, Any], by: Actor, now_ns: int,
        expected: Collection[str] | None = None,
    ) -> Person | None:  # fmt: skip
        """Change the name, the language or `is_disabled` of an account; raise as `set_role`.

        Disabling an account ends its sessions, and revokes its tokens and its one-time links.
        """
        with self._database.writing() as connection:
            before = find_person(connection, person_id)
            if before is None:
                return None
            require_version(str(before.revision), expected)
            if not changes:
                return before
            with keeping_an_administrator(connection):
                connection.execute(update(people).where(people.c.id == person_id).values(**changes))
            if changes.get("is_disabled"):
                for table in (sessions, tokens, one_time_links):
                    connection.execute(delete(table).where(table.c.person_id == person_id))
            self._changed(connection, person_id, "person.change", by, now_ns, dict(changes))
            return find_person(connection, person_id)

    def set_password(self, person_id: str, password_hash: str, by: Actor, now_ns: int) -> None:
        """Replace the password of an account, end all its sessions and revoke all its tokens."""
        with self._database.writing() as connection:
            connection.execute(update(people).where(people.c.id == person_id).values(password_hash=password_hash))
            for table in (sessions, tokens):
                connection.execute(delete(table).where(table.c.person_id == person_id))
            self._changed(connection, person_id, "person.password", by, now_ns, {})
            notify_owner(self._database, connection, person_id, PASSWORD, by, now_ns)

    def set_totp(self, person_id: str, secret: str | None, step: int, by: Actor, now_ns: int) -> None:
        """Replace the secret of TOTP of an account, or remove it (None); `step` is the last step that was used.

        The recovery codes of the former one are removed, and the owner is notified.
        """
        sealed = None if secret is None else self._database.keys.seal(secret, about_totp(person_id))
        with self._database.writing() as connection:
            values = {"totp_secret": sealed, "totp_step": step}
            connection.execute(update(people).where(people.c.id == person_id).values(**values))
            connection.execute(delete(recovery_codes).where(recovery_codes.c.person_id == person_id))
            self._changed(connection, person_id, "person.totp", by, now_ns, {"is_on": secret is not None})
            event = FACTOR_OFF if secret is None else FACTOR_ON
            notify_owner(self._database, connection, person_id, event, by, now_ns)

    def use_totp_step(self, person_id: str, step: int) -> bool:
        """Note that the code of a step was used; return False where that step, or a later one, was used before."""
        unused = (people.c.id == person_id) & (people.c.totp_step < step)
        with self._database.writing() as connection:
            return connection.execute(update(people).where(unused).values(totp_step=step)).rowcount > 0

    def bind_subject(self, person_id: str, issuer: str, subject: str, by: Actor, now_ns: int) -> bool:
        """Let a provider's subject sign in as a person; return False where the person has another subject already."""
        unbound = (people.c.id == person_id) & people.c.oidc_subject.is_(None)
        with self._database.writing() as connection:
            values = {"oidc_issuer": issuer, "oidc_subject": subject}
            if not connection.execute(update(people).where(unbound).values(**values)).rowcount:
                return False
            self._changed(connection, person_id, "person.subject", by, now_ns, values)
            notify_owner(self._database, connection, person_id, SUBJECT, by, now_ns)
            return True

    def unbind_subject(self, person_id: str, by: Actor, now_ns: int) -> bool:
        """End the sign-in of an account by a provider, and all its sessions; return whether it had a subject."""
        bound = (people.c.id == person_id) & people.c.oidc_subject.is_not(None)
        with self._database.writing() as connection:
            row = connection.execute(select(people.c.oidc_issuer, people.c.oidc_subject).where(bound)).first()
            if row is None:
                return False
            nothing = {"oidc_issuer": None, "oidc_subject": None}
            connection.execute(update(people).where(bound).values(**nothing))
            connection.execute(delete(sessions).where(sessions.c.person_id == person_id))
            former = {"oidc_issuer": row.oidc_issuer, "oidc_subject": row.oidc_subject}
            self._changed(connection, person_id, "person.no-subject", by, now_ns, former)
            notify_owner(self._database, connection, person_id, SUBJECT_OFF, by, now_ns)
            return True

    def _changed(
        self, connection: Connection, person_id: str, action: str, by: Actor, now_ns: int, detail: Mapping[str, Any]
    ) -> None:
        bumped = update(people).where(people.c.id == person_id).values(revision=people.c.revision + 1)
        connection.execute(bumped)
        self._database.count_up(connection, IDENTITY)
        write_audit(connection, now_ns, by, action, [AuditSubject(person_id, detail)])


def about_totp(person_id: str) -> str:
    """Return the name of the place of a secret of TOTP, which is sealed with it."""
    return f"people.totp_secret of {person_id}"


def find_person(connection: Connection, person_id: str) -> Person | None:
    """Return one account, or None where it does not exist."""
    return next(iter(load_people(connection, people.c.id == person_id)), None)


def load_people(connection: Connection, where: ColumnElement[bool] | None = None) -> list[Person]:
    """Return the accounts that fulfil a condition, with their memberships."""
    chosen = select(people) if where is None else select(people).where(where)
    rows = connection.execute(chosen).all()
    ids = chosen.with_only_columns(people.c.id)
    roles = connection.execute(select(memberships).where(memberships.c.person_id.in_(ids))).all()
    known = load_organisations(connection, {row.organisation_id for row in roles})
    by_person: dict[str, list[Membership]] = {}
    for row in sorted(roles, key=lambda row: _order(known[row.organisation_id])):
        membership = Membership(known[row.organisation_id], Role(row.role))
        by_person.setdefault(row.person_id, []).append(membership)
    return [
        Person(
            person_id=row.id,
            name=row.name,
            login=row.login,
            memberships=tuple(by_person.get(row.id, ())),
            language=row.language,
            is_machine=row.is_machine,
            is_disabled=row.is_disabled,
            has_password=row.password_hash is not None,
            has_totp=row.totp_secret is not None,
            has_subject=row.oidc_subject is not None,
            revision=row.revision,
        )
        for row in rows
    ]


def _order(organisation: Organisation) -> tuple[str, str]:
    return organisation.name, organisation.organisation_id


def _put_membership(connection: Connection, person_id: str, organisation_id: str, role: Role) -> None:
    row = {"person_id": person_id, "organisation_id": organisation_id, "role": role}
    connection.execute(memberships.insert().values(**row))


def _remove_membership(connection: Connection, person_id: str, organisation_id: str) -> None:
    ours = (memberships.c.person_id == person_id) & (memberships.c.organisation_id == organisation_id)
    connection.execute(delete(memberships).where(ours))


def _was_managed_by_operator(person: Person) -> bool:
    return any(each.organisation.kind is OrganisationKind.OPERATOR for each in person.memberships)


def _clear_credentials(connection: Connection, person_id: str) -> None:
    """Remove what an account signs in with (password, second factor, provider, sessions, links), and its ways."""
    nothing = dict.fromkeys(("password_hash", "totp_secret", "oidc_issuer", "oidc_subject"))
    connection.execute(update(people).where(people.c.id == person_id).values(**nothing))
    for table in (sessions, one_time_links, recovery_codes, ways):
        connection.execute(delete(table).where(table.c.person_id == person_id))


def _roles(person: Person) -> dict[str, str]:
    return {each.organisation.organisation_id: each.role for each in person.memberships}
