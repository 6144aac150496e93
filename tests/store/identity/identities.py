"""Actors, instants and accounts of the tests of identity."""

from __future__ import annotations

from registry.actor import Actor
from registry.organisations import Organisation
from registry.people import Person
from registry.roles import OrganisationKind, Role
from store.records.repository import Records

BY = Actor.named("test")
S_NS = 1_000_000_000
T_NS = 1_000_000_000 * S_NS  # in 2001


def organisation(records: Records, name: str, kind: OrganisationKind = OrganisationKind.OPERATOR) -> Organisation:
    """Create an organisation."""
    return records.add_organisation({"name": name, "kind": kind}, BY, T_NS)


def person(records: Records, login: str, where: Organisation, role: Role = Role.ADMINISTRATOR) -> Person:
    """Create a person with a role in an organisation."""
    added = records.add_person(login.title(), login, {where.organisation_id: role}, BY, T_NS)
    assert added is not None
    return added
