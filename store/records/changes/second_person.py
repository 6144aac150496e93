"""The second person of a change: who decides a request, and whether its maker could still make it.

A decision needs a person whose account is older than the request: a machine account acts for whoever holds its token,
and an account that the maker created after asking may be the maker's own. A request of a machine account is not decided
by those who create its tokens: the administrators of its organisations and of an operator.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from registry.actor import Actor
from registry.people import Person, scope_of
from registry.roles import ACTING, OrganisationKind, Verb, verbs_of
from registry.scope import RESERVED_FACTS
from store.records.changes.change_request import (
    DELETE,
    FACTS,
    MAINTENANCE,
    ORGANISATION,
    SHELVE,
    WAITING,
    ChangeRequest,
    WantedChange,
)
from store.records.identity.people import find_person
from store.records.identity.tables import people
from store.records.lifts import find_lift

MACHINE = "machine:"
VERB_OF_ACTION: Mapping[str, Verb] = {
    FACTS: Verb.EDIT_LIFTS,
    DELETE: Verb.REGISTER_LIFTS,
    MAINTENANCE: Verb.MAINTAIN,
    SHELVE: Verb.SHELVE,
    ORGANISATION: Verb.MANAGE_ORGANISATIONS,
}


class NotDecidable(Exception):
    """A decision that the request does not allow: `slug` names the reason, the text has the remedy."""

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(detail)
        self.slug = slug


def require_decidable(connection: Connection, asked: ChangeRequest, by: Actor) -> None:
    """Raise NotDecidable where this account does not decide this request."""
    if asked.state != WAITING:
        raise NotDecidable("decided", f"The request is {asked.state}: there is nothing left to decide.")
    if by.account is None or by.account == asked.by.account:
        raise NotDecidable("second-person", "Another account must decide: this one made the request.")
    if by.account.startswith(MACHINE):
        raise NotDecidable("second-person", "A person must decide: this is a machine account.")
    created_ns = connection.execute(select(people.c.created_ns).where(people.c.id == _person_id(by))).scalar()
    if created_ns is not None and created_ns >= asked.made_ns:
        raise NotDecidable("second-person", "Another account must decide: this one was created after the request.")
    if (asked.by.account or "").startswith(MACHINE) and _manages(connection, by, asked.by):
        raise NotDecidable(
            "second-person",
            "Who does not administer the machine account must decide: a manager or inspector, or the authority.",
        )


def require_entitled_maker(connection: Connection, asked: ChangeRequest) -> None:
    """Raise NotDecidable where the account that made a request is disabled, or could not make it any more."""
    maker = asked.by
    person = find_person(connection, _person_id(maker))
    if person is None:
        return
    if person.is_disabled:
        raise NotDecidable(
            "maker-disabled",
            f"The account of {maker.name}, who made the request, is disabled: decline it and make the change anew.",
        )
    if not _may_make(connection, person, asked):
        raise NotDecidable(
            "maker-not-allowed",
            f"{maker.name}, who made the request, may not make this change any more: decline it.",
        )


def _may_make(connection: Connection, person: Person, asked: ChangeRequest) -> bool:
    """Return whether a person may make the change in the organisation for which the person asked for it.

    A lift that does not exist is left to the application of the change, which does not find it.
    """
    wanted, verb = asked.wanted, _verb(asked.wanted)
    lift = find_lift(connection, wanted.lift_id)
    for membership in person.memberships:
        scope = scope_of(person, membership)
        if asked.by.organisation in membership.organisation.names and verb in scope.verbs:
            lifts = scope.acting if verb in ACTING and scope.acting is not None else scope.lifts
            return lift is None or lifts.has(lift.facts.district, lift.facts if lift.registered else None)
    return False


def _verb(wanted: WantedChange) -> Verb:
    """Return the verb that the maker of a change needs."""
    is_reserved = wanted.action == FACTS and bool(RESERVED_FACTS & wanted.detail.keys())
    return Verb.REGISTER_LIFTS if is_reserved else VERB_OF_ACTION[wanted.action]


def _manages(connection: Connection, by: Actor, machine: Actor) -> bool:
    """Return whether a person may create tokens of a machine account."""
    person, managed = find_person(connection, _person_id(by)), find_person(connection, _person_id(machine))
    if person is None or managed is None:
        return False
    own = {each.organisation.organisation_id for each in managed.memberships}
    return any(
        Verb.MANAGE_PEOPLE in verbs_of(each.organisation.kind, each.role)
        and (each.organisation.kind is OrganisationKind.OPERATOR or each.organisation.organisation_id in own)
        for each in person.memberships
    )


def _person_id(actor: Actor) -> str:
    return (actor.account or "").partition(":")[2]
