"""Sessions, tokens and one-time links. A secret of 256 random bits is shown once and stored as its SHA-256.

A session ends `idle_s` after its last use and `absolute_s` after its begin. Instants that lie ahead of the clock, which
was set back meanwhile, are as good as expired.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace

from sqlalchemy import delete, func, select, update

from registry.actor import Actor
from registry.people import Person
from store.records.audit.writing import REFUSED, AuditSubject, write_audit
from store.records.database import Database, read_counter
from store.records.identity.organisations import IDENTITY
from store.records.identity.people import find_person
from store.records.identity.tables import one_time_links, sessions, tokens

SECRET_BYTES = 32
TOKEN_PREFIX = "lw_"
CLOCK_STEP_NS = 60 * 1_000_000_000
USE_NOTED_EVERY_NS = 60 * 1_000_000_000
SESSIONS_LIMIT = 50
TOKENS_LIMIT = 50
ADDRESS_CHARS, AGENT_CHARS = 64, 300


class TooManyTokens(Exception):
    """An account has as many valid tokens as it may have."""


@dataclass(frozen=True, slots=True)
class AccountSession:
    """One signed-in browser."""

    session_id: str
    person_id: str
    organisation_id: str | None
    created_ns: int
    used_ns: int
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class AccessToken:
    """One token of an account, valid in one organisation; `used_ns` is None where it was never used."""

    token_id: str
    person_id: str
    organisation_id: str
    name: str
    created_ns: int
    expires_ns: int
    used_ns: int | None


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A link with which a person sets a password; without a person, the first administrator creates an account."""

    link_id: str
    person_id: str | None
    created_ns: int
    expires_ns: int


def hashed(secret: str) -> str:
    """Return the form in which a secret is stored; it has 256 random bits, so that no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


class SessionStore:
    """The part of the records that holds sessions, tokens and one-time links."""

    _database: Database

    def identity_revision(self) -> int:
        """Return the number of changes to people's rights."""
        with self._database.reading() as connection:
            return read_counter(connection, IDENTITY)

    def begin_session(self, person_id: str, by: Actor, now_ns: int, agent: str) -> str:
        """Begin a session and return its secret; the least recently used sessions beyond a limit end."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        times = {"created_ns": now_ns, "used_ns": now_ns}
        where = {"address": (by.address or "")[:ADDRESS_CHARS], "agent": agent[:AGENT_CHARS]}
        with self._database.writing() as connection:
            mine = select(sessions.c.id).where(sessions.c.person_id == person_id)
            surplus = mine.order_by(sessions.c.used_ns.desc()).offset(SESSIONS_LIMIT - 1)
            ended = list(connection.scalars(surplus))
            connection.execute(delete(sessions).where(sessions.c.id.in_(ended)))
            connection.execute(sessions.insert().values(id=hashed(secret), person_id=person_id, **times, **where))
            write_audit(connection, now_ns, by, "session.begin", [AuditSubject(person_id, {"agent": where["agent"]})])
        return secret

    def refuse_sign_in(self, person: Person | None, address: str | None, now_ns: int) -> None:
        """Note that a sign-in from an address was refused, with the login of the account and for its organisation.

        Where no account has the login, what was typed is not stored, since it may be a password.
        """
        by, subject = Actor("", None, None, None, address), AuditSubject("")
        if person is not None:
            subject = AuditSubject(person.person_id, {"login": person.login})
            if (membership := person.membership(None)) is not None:
                by = replace(by, organisation=membership.organisation.name)
        with self._database.writing() as connection:
            write_audit(connection, now_ns, by, "session.begin", [subject], REFUSED)

    def session(self, session_id: str) -> tuple[AccountSession, Person] | None:
        """Return a session and its person, or None where there is no such session."""
        with self._database.reading() as connection:
            row = connection.execute(select(*_SESSION).where(sessions.c.id == session_id)).first()
            person = None if row is None else find_person(connection, row.person_id)
        return None if row is None or person is None else (AccountSession(*row), person)

    def sessions(self, person_id: str) -> list[AccountSession]:
        """Return the sessions of a person, the last used first."""
        query = select(*_SESSION).where(sessions.c.person_id == person_id).order_by(sessions.c.used_ns.desc())
        with self._database.reading() as connection:
            return [AccountSession(*row) for row in connection.execute(query)]

    def note_session_use(self, session: AccountSession, now_ns: int) -> None:
        """Note that a session is in use, at most once a minute."""
        if now_ns - session.used_ns >= USE_NOTED_EVERY_NS:
            with self._database.writing(durable=False) as connection:
                used = update(sessions).where(sessions.c.id == session.session_id)
                connection.execute(used.values(used_ns=now_ns))

    def choose_organisation(
        self, session_id: str, person_id: str, organisation_id: str, by: Actor, now_ns: int
    ) -> None:
        """Let a session act for another organisation of its person."""
        with self._database.writing() as connection:
            chosen = update(sessions).where(sessions.c.id == session_id)
            connection.execute(chosen.values(organisation_id=organisation_id))
            self._database.count_up(connection, IDENTITY)
            subject = AuditSubject(person_id, {"organisation_id": organisation_id})
            write_audit(connection, now_ns, by, "session.organisation", [subject])

    def end_sessions(
        self, person_id: str, by: Actor, now_ns: int, *, only: str | None = None, but: str | None = None,
        reason: str = "sign-out",
    ) -> int:  # fmt: skip
        """End one session of a person (`only`), or all `but` one; return how many ended.

        Ending all, but for one or not, revokes the person's tokens too: a thief may have made them.
        """
        ending = sessions.c.person_id == person_id
        if only is not None:
            ending &= sessions.c.id == only
        if but is not None:
            ending &= sessions.c.id != but
        with self._database.writing() as connection:
            ended = connection.execute(delete(sessions).where(ending)).rowcount
            revoked = 0
            if only is None:
                revoked = connection.execute(delete(tokens).where(tokens.c.person_id == person_id)).rowcount
            if ended or revoked:
                self._database.count_up(connection, IDENTITY)
                detail = {"count": ended, "reason": reason} | ({"tokens": revoked} if revoked else {})
                write_audit(connection, now_ns, by, "session.end", [AuditSubject(person_id, detail)])
        return ended

    def add_token(
        self, person_id: str, organisation_id: str, name: str, expires_ns: int, by: Actor, now_ns: int
    ) -> str:
        """Add a token to an account and return its secret; raise TooManyTokens beyond `TOKENS_LIMIT` valid ones."""
        secret = TOKEN_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        times = {"created_ns": now_ns, "expires_ns": expires_ns}
        about = {"organisation_id": organisation_id, "name": name}
        valid = select(func.count()).where(tokens.c.person_id == person_id, tokens.c.expires_ns > now_ns)
        with self._database.writing() as connection:
            if connection.execute(valid).scalar_one() >= TOKENS_LIMIT:
                raise TooManyTokens(f"An account has at most {TOKENS_LIMIT} tokens: revoke one first.")
            connection.execute(tokens.insert().values(id=hashed(secret), person_id=person_id, **about, **times))
            write_audit(
                connection, now_ns, by, "token.add", [AuditSubject(person_id, {**about, "expires_ns": expires_ns})]
            )
        return secret

    def token(self, token_id: str) -> tuple[AccessToken, Person] | None:
        """Return a token and its account, or None where there is no such token."""
        with self._database.reading() as connection:
            row = connection.execute(select(*_TOKEN).where(tokens.c.id == token_id)).first()
            person = None if row is None else find_person(connection, row.person_id)
        return None if row is None or person is None else (AccessToken(*row), person)

    def tokens(self, person_id: str) -> list[AccessToken]:
        """Return the tokens of an account, the newest first."""
        query = select(*_TOKEN).where(tokens.c.person_id == person_id).order_by(tokens.c.created_ns.desc())
        with self._database.reading() as connection:
            return [AccessToken(*row) for row in connection.execute(query)]

    def note_token_use(self, token: AccessToken, now_ns: int) -> None:
        """Note that a token is in use, at most once a minute."""
        if now_ns - (token.used_ns or 0) >= USE_NOTED_EVERY_NS:
            with self._database.writing(durable=False) as connection:
                connection.execute(update(tokens).where(tokens.c.id == token.token_id).values(used_ns=now_ns))

    def revoke_token(self, person_id: str, token_id: str, by: Actor, now_ns: int) -> bool:
        """Revoke a token of an account; return whether the token existed."""
        theirs = (tokens.c.person_id == person_id) & (tokens.c.id == token_id)
        with self._database.writing() as connection:
            row = connection.execute(select(tokens.c.name).where(theirs)).first()
            if row is not None:
                connection.execute(delete(tokens).where(theirs))
                self._database.count_up(connection, IDENTITY)
                write_audit(connection, now_ns, by, "token.revoke", [AuditSubject(person_id, {"name": row.name})])
        return row is not None

    def add_link(self, person_id: str | None, expires_ns: int, by: Actor, now_ns: int) -> str:
        """Make a one-time link for a person (None: the first administrator) and return its secret; older ones end."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        theirs = one_time_links.c.person_id.is_(None) if person_id is None else one_time_links.c.person_id == person_id
        times = {"created_ns": now_ns, "expires_ns": expires_ns}
        with self._database.writing() as connection:
            connection.execute(delete(one_time_links).where(theirs))
            connection.execute(one_time_links.insert().values(id=hashed(secret), person_id=person_id, **times))
            write_audit(connection, now_ns, by, "link.add", [AuditSubject(person_id or "", {"expires_ns": expires_ns})])
        return secret

    def link(self, secret: str, now_ns: int) -> OneTimeLink | None:
        """Return a one-time link that can still be used, or None."""
        with self._database.reading() as connection:
            row = connection.execute(select(one_time_links).where(one_time_links.c.id == hashed(secret))).first()
        return OneTimeLink(*row) if row is not None and is_valid(row.created_ns, row.expires_ns, now_ns) else None

    def use_link(self, link: OneTimeLink) -> bool:
        """Use up a one-time link; return False where somebody has used the link meanwhile."""
        with self._database.writing() as connection:
            return connection.execute(delete(one_time_links).where(one_time_links.c.id == link.link_id)).rowcount > 0

    def remove_expired(self, now_ns: int, sessions_before_ns: int) -> None:
        """Remove sessions that began before an instant, and tokens and links that have expired."""
        with self._database.writing(durable=False) as connection:
            connection.execute(delete(sessions).where(sessions.c.created_ns < sessions_before_ns))
            for table in (tokens, one_time_links):
                connection.execute(delete(table).where(table.c.expires_ns < now_ns))


def is_valid(created_ns: int, expires_ns: int, now_ns: int) -> bool:
    """Return whether an instant lies in a span; not so where the clock was set back to before the span."""
    return created_ns - CLOCK_STEP_NS <= now_ns < expires_ns


_SESSION = tuple(sessions.c)
_TOKEN = tuple(tokens.c)
