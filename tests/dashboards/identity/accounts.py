"""Accounts of the tests, and a browser that signs in."""

from __future__ import annotations

import copy
import time
from typing import Any

from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from registry.actor import Actor
from registry.lift_facts import LiftFacts
from registry.organisations import Organisation
from registry.people import Person
from registry.roles import OrganisationKind, Role
from store.records.repository import Records

BY = Actor.named("test")
PASSWORD = "correct horse battery"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""As weak as argon2 allows, because the tests sign in some thousand times: it is verified by its own parameters."""
S_NS = 1_000_000_000
COOKIE = "liftwatch"


class Accounts:
    """An operator with an administrator and a viewer; a firm with an administrator and a mechanic; another firm."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.now_ns = time.time_ns()
        records.put_lifts(
            [LiftFacts("L001", "d1", maintenance_firm="Firm"), LiftFacts("L002", "d0", maintenance_firm="Other")],
            BY, self.now_ns,
        )  # fmt: skip
        self.desk = records.add_organisation({"name": "Desk", "kind": OrganisationKind.OPERATOR}, BY, self.now_ns)
        self.firm, self.other = self.named("Firm"), self.named("Other")
        self.admin = self.add("admin", self.desk, Role.ADMINISTRATOR)
        self.viewer = self.add("viewer", self.desk, Role.VIEWER)
        self.boss = self.add("boss", self.firm, Role.ADMINISTRATOR)
        self.mechanic = self.add("mechanic", self.firm, Role.MECHANIC)
        self.stranger = self.add("stranger", self.other, Role.MECHANIC)

    def copied(self, records: Records) -> Accounts:
        """Return the same accounts in a copy of the records, as of now."""
        same = copy.copy(self)
        same.records, same.now_ns = records, time.time_ns()
        return same

    def named(self, name: str) -> Organisation:
        """Return an organisation by one of its names."""
        return next(each for each in self.records.organisations() if name in each.names)

    def add(self, login: str, organisation: Organisation, role: Role, *, is_machine: bool = False) -> Person:
        """Create an account with the password of the tests."""
        roles = {organisation.organisation_id: role}
        added = self.records.add_person(login.title(), login, roles, BY, self.now_ns, is_machine=is_machine)
        assert added is not None
        if not is_machine:
            self.records.set_password(added.person_id, HASH, BY, self.now_ns)
        return added

    def token(self, person: Person, organisation: Organisation, valid_s: float = 3600.0) -> dict[str, str]:
        """Return the header of a new token of an account."""
        expires_ns = self.now_ns + int(valid_s * S_NS)
        secret = self.records.add_token(
            person.person_id, organisation.organisation_id, "t", expires_ns, BY, self.now_ns
        )
        return {"Authorization": f"Bearer {secret}"}


def sign_in(client: TestClient, login: str, password: str = PASSWORD, **more: Any) -> Any:
    """Sign a browser in through the API, and let it send its token against forged requests; return the answer."""
    answer = client.post("/api/v1/session", json={"login": login, "password": password, **more})
    if answer.status_code == 200:
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
    return answer
