"""Organisations and accounts together, and the records of commands that need nothing else."""

from __future__ import annotations

from registry.actor import Actor
from registry.people import Person
from registry.roles import OrganisationKind, Role
from store.records.database import Repository
from store.records.identity.attempts import AttemptStore
from store.records.identity.organisations import NameTaken, OrganisationStore
from store.records.identity.people import PeopleStore
from store.records.identity.recovery_codes import RecoveryCodeStore
from store.records.identity.sessions import SessionStore


class AccountStore(OrganisationStore, PeopleStore, SessionStore, AttemptStore, RecoveryCodeStore):
    """The part of the records that holds organisations, accounts and their secrets."""

    def add_administrator(
        self, name: str, login: str, organisation: str, by: Actor, now_ns: int, *, only_first: bool
    ) -> Person | None:
        """Create an administrator of an operator, which is created where no organisation has its name.

        Returns None with `only_first` where there is any account already; raises NameTaken where the organisation is
        no operator, or the login is taken.
        """
        found = next((each for each in self.organisations() if organisation in each.names), None)
        if found is None:
            found = self.add_organisation({"name": organisation, "kind": OrganisationKind.OPERATOR}, by, now_ns)
        if found.kind is not OrganisationKind.OPERATOR:
            raise NameTaken(f"{organisation!r} is an organisation of the kind {found.kind}: name another one")
        roles = {found.organisation_id: Role.ADMINISTRATOR}
        return self.add_person(name, login, roles, by, now_ns, only_first=only_first)


class AccountRecords(Repository, AccountStore):
    """The accounts only, for commands without alerts, which need not import the modules of alerts."""
