"""Who asks a request, and how a cookie or a token becomes that.

    cookie   ─► session ─► not idle, not too old, not moved ─┐
    Bearer   ─► token   ─► not expired ──────────────────────┴► account ─► membership ─► scope

Everything is read from the records at each request, so that a change of roles takes effect at the next one. A session
whose address and browser have both changed is ended: its cookie was stolen, or looks so.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from dashboards.http.problem import Problem
from dashboards.sign_in.settings import SessionLimits
from registry.actor import Actor
from registry.people import Membership, Person, lacks_second_factor, scope_of
from registry.roles import OrganisationKind, Verb
from registry.scope import ALL_LIFTS, NO_LIFTS, OPEN_SCOPE, Scope
from store.records.identity.sessions import AGENT_CHARS, CLOCK_STEP_NS, TOKEN_PREFIX, hashed, is_valid
from store.records.repository import AccessToken, AccountSession, Records, RecordsUnavailable

S_NS = 1_000_000_000
SECRET_CHARS = 100
PEOPLE_READ_EVERY_S = REVISION_READ_EVERY_S = 1.0
WATCHED_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Identity:
    """The account of a request with its scope; the account is None without sign-in.

    `csrf` is the token that forms and scripts of our own pages send with every change of a cookie session.
    """

    scope: Scope
    person: Person | None = None
    membership: Membership | None = None
    session: AccountSession | None = None
    token: AccessToken | None = None
    csrf: str = ""

    @property
    def key(self) -> str:
        """The session or token of the request, empty without sign-in."""
        if self.session is not None:
            return self.session.session_id
        return "" if self.token is None else self.token.token_id

    @property
    def lacks_second_factor(self) -> bool:
        """Whether the account has to set up a second factor before it may do anything else."""
        return self.person is not None and lacks_second_factor(self.person, self.membership)


OPEN = Identity(OPEN_SCOPE)
NOBODY = Identity(Scope(NO_LIFTS, frozenset()))
SCRAPER = Identity(Scope(ALL_LIFTS, frozenset({Verb.SEE_METRICS})))
"""A program on this machine that reads metrics: it needs no token."""


def csrf_token(secret: str) -> str:
    """Return the token against forged requests of the session with this secret."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()


class Authenticator:
    """Finds the account of a cookie or token in the records."""

    def __init__(
        self, records: Callable[[], Records], limits: SessionLimits, *, open_with_accounts: bool = False
    ) -> None:  # fmt: skip
        self._records, self._limits, self._open_with_accounts = records, limits, open_with_accounts
        self._has_people: bool | None = None
        self._read_s = -PEOPLE_READ_EVERY_S
        self._revision_seen, self._revision_s = 0, -REVISION_READ_EVERY_S

    def asks_to_sign_in(self) -> bool:
        """Return whether there is any account; a yes is final, a no is read again after a second. A demonstration that
        stays open with accounts never asks."""
        if self._open_with_accounts:
            return False
        now_s = time.monotonic()
        if not self._has_people and now_s - self._read_s >= PEOPLE_READ_EVERY_S:
            try:
                self._has_people = self._records().has_people()
            except (RecordsUnavailable, Problem):
                if self._has_people is None:
                    raise
            self._read_s = now_s
        return bool(self._has_people)

    def people_were_added(self) -> None:
        """Require sign-in from now on."""
        self._has_people = True

    def of_session(self, secret: str, address: str, agent: str, now_ns: int) -> Identity | None:
        """Return the identity of a session's secret, None where the session does not exist or has ended."""
        found = self._records().session(hashed(secret)) if len(secret) <= SECRET_CHARS else None
        if found is None:
            return None
        session, person = found
        identity = self._identity(person, session.organisation_id, address, session=session, csrf=csrf_token(secret))
        reason = self._end_reason(identity, session, address, agent, now_ns)
        if reason is not None:
            actor = identity.scope.actor or Actor.named(person.name)
            self._records().end_sessions(person.person_id, actor, now_ns, only=session.session_id, reason=reason)
            return None
        self._records().note_session_use(session, now_ns)
        return identity

    def of_token(self, secret: str, address: str, now_ns: int) -> Identity | None:
        """Return the identity of a token, None where the token does not exist or has expired."""
        is_formed = secret.startswith(TOKEN_PREFIX) and len(secret) <= SECRET_CHARS
        found = self._records().token(hashed(secret)) if is_formed else None
        if found is None:
            return None
        token, person = found
        if not _holds(token, person, now_ns):
            return None
        self._records().note_token_use(token, now_ns)
        return self._identity(person, token.organisation_id, address, token=token)

    def is_acting(self, identity: Identity, membership: Membership) -> Identity:
        """Return an identity that acts in another membership of its account."""
        assert identity.person is not None, "only an account has memberships"
        address = "" if identity.scope.actor is None else identity.scope.actor.address or ""
        return replace(identity, membership=membership, scope=scope_of(identity.person, membership, address))

    def is_current(self, identity: Identity, now_ns: int) -> bool:
        """Return whether the session or token of an earlier request still has the same scope."""
        if identity.session is not None:
            session = self._records().session(identity.key)
            if session is None or self._is_over(identity, session[0], now_ns):
                return False
            now = self._identity(session[1], session[0].organisation_id, "")
        elif identity.token is not None:
            found = self._records().token(identity.key)
            if found is None or not _holds(*found, now_ns):
                return False
            token, person = found
            now = self._identity(person, token.organisation_id, "")
        else:
            return identity is not OPEN or not self.asks_to_sign_in()
        return (now.scope.lifts, now.scope.verbs) == (identity.scope.lifts, identity.scope.verbs)

    def watch(self, identity: Identity) -> Callable[[], bool]:
        """Return a function that returns whether an identity is still current, at little cost while nothing changes."""
        seen, read_s = -1, 0.0  # the first call reads: rights may have changed since the request was admitted

        def is_allowed() -> bool:
            nonlocal seen, read_s
            try:
                newest, now_s = self._revision(), time.monotonic()
                if newest == seen and now_s - read_s < WATCHED_EVERY_S:
                    return True
                is_current = self.is_current(identity, time.time_ns())
                seen, read_s = newest, now_s
                return is_current
            except (RecordsUnavailable, Problem):
                return True  # nothing is sent either while the records are away

        return is_allowed

    def _revision(self) -> int:
        """Return the number of changes to what somebody may see, read once a second."""
        now_s = time.monotonic()
        if now_s - self._revision_s >= REVISION_READ_EVERY_S:
            self._revision_seen, self._revision_s = self._records().identity_revision(), now_s
        return self._revision_seen

    def _identity(
        self, person: Person, organisation_id: str | None, address: str, *, session: AccountSession | None = None,
        token: AccessToken | None = None, csrf: str = "",
    ) -> Identity:  # fmt: skip
        membership = person.membership(organisation_id)
        scope = scope_of(person, membership, address)
        return Identity(scope, person, membership, session, token, csrf)

    def _end_reason(
        self, identity: Identity, session: AccountSession, address: str, agent: str, now_ns: int
    ) -> str | None:
        """Return why a session ends now, or None."""
        if self._is_over(identity, session, now_ns):
            return "expired"
        if identity.person is None or identity.person.is_disabled:
            return "disabled"
        has_moved = session.address != address and session.agent != agent[:AGENT_CHARS]
        return "moved" if has_moved else None

    def _is_over(self, identity: Identity, session: AccountSession, now_ns: int) -> bool:
        """Return whether a session was unused for too long, or is too old, or began after now."""
        at_desk = identity.membership is not None and identity.membership.organisation.kind is OrganisationKind.OPERATOR
        idle_ns = (self._limits.desk_idle_s if at_desk else self._limits.idle_s) * S_NS
        if session.used_ns - CLOCK_STEP_NS > now_ns or now_ns - session.used_ns > idle_ns:
            return True
        return not is_valid(session.created_ns, session.created_ns + int(self._limits.absolute_s * S_NS), now_ns)


def _holds(token: AccessToken, person: Person, now_ns: int) -> bool:
    """Return whether a token of a person is valid: not expired, in an organisation that is open and still theirs.

    No other organisation of the person takes its place.
    """
    if person.is_disabled or not is_valid(token.created_ns, token.expires_ns, now_ns):
        return False
    found = person.membership(token.organisation_id)
    return found is not None and found.organisation.organisation_id == token.organisation_id
