"""People and machine accounts: logins, memberships, and the rights of an account in one of its organisations."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace

from registry.actor import Actor
from registry.fact_checks import InvalidFact, text
from registry.organisations import KIND_OF_FACT, Organisation
from registry.roles import Role, verbs_of
from registry.scope import NO_LIFTS, Scope

LOGIN_LIMIT_CHARS = 100
LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Membership:
    """The role of an account in an organisation."""

    organisation: Organisation
    role: Role


@dataclass(frozen=True, slots=True)
class Person:
    """A person, or a machine account, which has tokens instead of a password."""

    person_id: str
    name: str
    login: str
    memberships: tuple[Membership, ...] = ()
    language: str | None = None
    is_machine: bool = False
    is_disabled: bool = False
    has_password: bool = False
    has_totp: bool = False
    has_subject: bool = False
    revision: int = 0

    @property
    def account(self) -> str:
        """The account in the audit log."""
        return f"{'machine' if self.is_machine else 'person'}:{self.person_id}"

    def membership(self, organisation_id: str | None) -> Membership | None:
        """Return the membership in an organisation; where there is none, the first one in an open organisation."""
        open_ones = [each for each in self.memberships if each.organisation.closed_ns is None]
        wanted = [each for each in open_ones if each.organisation.organisation_id == organisation_id]
        return next(iter(wanted or open_ones), None)


def lacks_second_factor(person: Person, membership: Membership | None) -> bool:
    """Return whether the organisation of a membership demands a second factor, and a person with a password has none.

    Who signs in by a provider alone has the second factor of the provider.
    """
    demands = membership is not None and membership.organisation.settings.second_factor
    return demands and person.has_password and not person.has_totp


def scope_of(person: Person, membership: Membership | None, address: str | None = None) -> Scope:
    """Return the scope of a person who acts in a membership from a network address.

    It is empty for an account that is disabled, for one without a membership in an open organisation, and for one that
    lacks a second factor which the organisation demands.
    """
    actor = actor_in(person, membership, address)
    is_barred = person.is_disabled or lacks_second_factor(person, membership)
    if membership is None or is_barred or membership.organisation.closed_ns is not None:
        return Scope(NO_LIFTS, frozenset(), actor)
    organisation = membership.organisation
    verbs = verbs_of(organisation.kind, membership.role)
    own = tuple(fact for fact, kind in KIND_OF_FACT.items() if kind is organisation.kind)
    acting = replace(organisation.lifts, facts=own) if own else None
    return Scope(organisation.lifts, verbs, actor, organisation.settings.second_person, acting)


def actor_in(person: Person, membership: Membership | None, address: str | None) -> Actor:
    """Return a person who acts in a membership, from an address, as an actor of the audit log."""
    if membership is None:
        return Actor(person.name, person.account, None, None, address)
    return Actor(person.name, person.account, membership.organisation.name, membership.role, address)


def login_key(login: str) -> str:
    """Return the form of a login that is unique: letters of both cases and of all widths are the same."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", login).strip().casefold())


def checked_login(value: object) -> str:
    """Return a login, an e-mail address or a name without spaces; raise InvalidFact for any other value."""
    login = unicodedata.normalize("NFKC", text(value))
    if not 0 < len(login) <= LOGIN_LIMIT_CHARS or any(char.isspace() or char in ",;<>\"'\\" for char in login):
        raise InvalidFact(
            "is not a login", f"write an e-mail address or a name without spaces, at most {LOGIN_LIMIT_CHARS} letters"
        )
    return login
