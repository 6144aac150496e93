"""Duty books: the rosters, policies and people of the organisations that are called about a lift."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from sqlalchemy import Connection, select

from alerts.escalation.facts import Callee, DutyBook
from registry.lift_facts import LiftFacts
from registry.organisations import KIND_OF_FACT, Organisation, spoken_key
from registry.people import Person
from registry.scope import NAMING_FACTS, NO_LIFTS, LiftScope
from store.records.database import Database
from store.records.duty.policies import PolicyStore, load_policies
from store.records.duty.rosters import Organisations, RosterStore, load_rosters
from store.records.identity.organisations import load_organisations
from store.records.identity.people import load_people
from store.records.identity.tables import memberships, people
from store.records.outbox.ways import verified_kinds


@dataclass(frozen=True, slots=True)
class ActingOrganisations:
    """The open organisations, found by the lifts that they are called about, and by name.

    `by_name` has their present and former names, and of the halves of names those that one organisation alone has.
    """

    everywhere: Sequence[str]
    by_district: Mapping[str, Sequence[str]]
    by_fact: Mapping[tuple[str, str], Sequence[str]]
    by_name: Mapping[str, str]

    @classmethod
    def of(cls, some: Collection[Organisation]) -> Self:
        """Return these organisations in the order of their names; those that are closed are left out."""
        everywhere: list[str] = []
        by_district: dict[str, list[str]] = {}
        by_fact: dict[tuple[str, str], list[str]] = {}
        for each in sorted(some, key=lambda one: (one.name, one.organisation_id)):
            lifts = acting_lifts(each)
            if lifts.everything:
                everywhere.append(each.organisation_id)
            for district in lifts.districts:
                by_district.setdefault(district, []).append(each.organisation_id)
            for name in lifts.names:
                for fact in lifts.facts:
                    by_fact.setdefault((fact, name), []).append(each.organisation_id)
        return cls(everywhere, by_district, by_fact, _by_name([each for each in some if each.lifts != NO_LIFTS]))

    def named(self, who: str) -> str | None:
        """Return the id of the organisation that somebody is called out as, None where it is none."""
        return self.by_name.get(spoken_key(who))

    def concerned(self, district: str, facts: LiftFacts | None) -> list[str]:
        """Return the ids of the organisations that a lift concerns; `facts` is None where it is not registered."""
        found = [*self.everywhere, *self.by_district.get(district, ())]
        for fact in NAMING_FACTS if facts is not None else ():
            found += self.by_fact.get((fact, getattr(facts, fact) or ""), ())
        return list(dict.fromkeys(found))


class DutyStore(RosterStore, PolicyStore):
    """The part of the records that holds duty books."""

    _database: Database

    def duty_book(self, organisation_id: str) -> DutyBook | None:
        """Return the book of one organisation, None where it does not exist."""
        return self.duty_books([organisation_id]).get(organisation_id)

    def duty_books(self, ids: Collection[str]) -> dict[str, DutyBook]:
        """Return the books of organisations by their ids."""
        with self._database.reading() as connection:
            books = _books(connection, list(load_organisations(connection, ids).values()))
        return {each.organisation_id: each for each in books}

    def acting_organisations(self) -> ActingOrganisations:
        """Return the open organisations, found by the lifts that they are called about."""
        with self._database.reading() as connection:
            return ActingOrganisations.of(load_organisations(connection).values())

    def present_name(self, who: str) -> str:
        """Return the present name of the open organisation that somebody is called out as; `who` where it is none."""
        with self._database.reading() as connection:
            every = load_organisations(connection)
        organisation_id = ActingOrganisations.of(every.values()).named(who)
        return who.strip() if organisation_id is None else every[organisation_id].name

    def duty_books_of_lift(self, district: str, facts: LiftFacts | None, of: Organisations = None) -> list[DutyBook]:
        """Return the books of the open organisations that a lift concerns, those of `of` alone."""
        with self._database.reading() as connection:
            every = load_organisations(connection, of)
            concerned = ActingOrganisations.of(every.values()).concerned(district, facts)
            return _books(connection, [every[each] for each in concerned])


def acting_lifts(organisation: Organisation) -> LiftScope:
    """Return the lifts that name an organisation as what it is: those that it is called about."""
    own = tuple(fact for fact, kind in KIND_OF_FACT.items() if kind is organisation.kind)
    return replace(organisation.lifts, facts=own) if own else organisation.lifts


def _by_name(some: Collection[Organisation]) -> dict[str, str]:
    partial: dict[str, set[str]] = {}
    for each in some:
        for name in each.partial_names:
            partial.setdefault(spoken_key(name), set()).add(each.organisation_id)
    alone = {name: next(iter(ids)) for name, ids in partial.items() if len(ids) == 1}
    return alone | {spoken_key(name): each.organisation_id for each in some for name in (*each.names, each.name)}


def _books(connection: Connection, some: Collection[Organisation]) -> list[DutyBook]:
    ids = [each.organisation_id for each in some]
    rosters, policies = load_rosters(connection, ids), load_policies(connection, ids)
    callees = _callees(connection, ids)
    return [
        DutyBook(
            each.organisation_id,
            each.name,
            each.kind,
            tuple(one for one in rosters if one.organisation_id == each.organisation_id),
            tuple(one for one in policies if one.organisation_id == each.organisation_id),
            callees[each.organisation_id],
        )
        for each in sorted(some, key=lambda one: (one.name, one.organisation_id))
    ]


def _callees(connection: Connection, ids: Collection[str]) -> Mapping[str, Mapping[str, Callee]]:
    """Return the people of organisations who can be called, by organisation and person."""
    members = select(memberships.c.person_id).where(memberships.c.organisation_id.in_(ids))
    found = [each for each in load_people(connection, people.c.id.in_(members)) if not _is_silent(each)]
    verified = verified_kinds(connection, [each.person_id for each in found])
    callees: dict[str, dict[str, Callee]] = {each: {} for each in ids}
    for person in sorted(found, key=lambda one: (one.name, one.person_id)):
        for membership in person.memberships:
            of = callees.get(membership.organisation.organisation_id)
            if of is not None:
                its_ways = verified.get(person.person_id, ())
                of[person.person_id] = Callee(person.person_id, person.name, membership.role, its_ways)
    return callees


def _is_silent(person: Person) -> bool:
    """Return whether a person is never called."""
    return person.is_disabled or person.is_machine
