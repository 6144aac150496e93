"""Duty books: the rosters, policies and people of the organisations that are called about a lift; progress of calls."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlalchemy import Connection, select

from alerts.escalation.facts import Callee, CallProgress, DutyBook
from registry.lift_facts import LiftFacts
from registry.organisations import KIND_OF_FACT, Organisation
from registry.people import Person
from registry.scope import LiftScope
from store.records.database import Database
from store.records.duty.policies import PolicyStore, load_policies
from store.records.duty.rosters import Organisations, RosterStore, load_rosters
from store.records.duty.tables import escalations
from store.records.identity.organisations import load_organisations
from store.records.identity.people import load_people
from store.records.identity.tables import memberships, people


class DutyStore(RosterStore, PolicyStore):
    """The part of the records that holds duty."""

    _database: Database

    def duty_book(self, organisation_id: str) -> DutyBook | None:
        """Return the book of one organisation, None where it does not exist."""
        with self._database.reading() as connection:
            found = load_organisations(connection, [organisation_id])
            return next(iter(_books(connection, list(found.values()))), None)

    def duty_books_of_lift(self, district: str, facts: LiftFacts | None, of: Organisations = None) -> list[DutyBook]:
        """Return the books of the open organisations that a lift concerns, those of `of` alone."""
        with self._database.reading() as connection:
            every = load_organisations(connection, of).values()
            concerned = [each for each in every if acting_lifts(each).has(district, facts)]
            return _books(connection, concerned)

    def call_progress(self, incident_id: str) -> dict[str, CallProgress]:
        """Return how far the calls about an incident are made, by organisation."""
        query = select(escalations).where(escalations.c.incident_id == incident_id)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return {row.organisation_id: CallProgress(row.start_ns, row.at_ns) for row in rows}

    def store_call_progress(self, incident_id: str, organisation_id: str, progress: CallProgress) -> None:
        """Store how far the calls of an organisation about an incident are made; joins the open transaction."""
        values = {"start_ns": progress.start_ns, "at_ns": progress.at_ns}
        row = self._database.insert(escalations).values(
            incident_id=incident_id, organisation_id=organisation_id, **values
        )
        with self._database.writing() as connection:
            keys = ["incident_id", "organisation_id"]
            connection.execute(row.on_conflict_do_update(index_elements=keys, set_=values))


def acting_lifts(organisation: Organisation) -> LiftScope:
    """Return the lifts that name an organisation as what it is: those that it is called about."""
    own = tuple(fact for fact, kind in KIND_OF_FACT.items() if kind is organisation.kind)
    return replace(organisation.lifts, facts=own) if own else organisation.lifts


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
    found = load_people(connection, people.c.id.in_(members))
    return {each: _of(each, found) for each in ids}


def _of(organisation_id: str, found: Collection[Person]) -> dict[str, Callee]:
    return {
        person.person_id: Callee(person.person_id, person.name, membership.role)
        for person in sorted(found, key=lambda one: (one.name, one.person_id))
        for membership in person.memberships
        if membership.organisation.organisation_id == organisation_id and not (person.is_disabled or person.is_machine)
    }
