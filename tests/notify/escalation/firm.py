"""A maintenance firm in the records: a lift, people on duty in turns of a day, and a policy that calls them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from sqlalchemy import select

from alerts.escalation.policy import EscalationPolicy
from alerts.escalation.policy_checks import Nameable, read_policy
from alerts.incidents.actions import IncidentAction
from alerts.notification import Notification
from detectors.rule import Rule
from notify.escalation.duty_caller import DutyCaller
from registry.actor import Actor
from registry.duty.roster_checks import read_roster
from registry.fact_checks import FieldError
from registry.lift_facts import Floor, LiftFacts
from registry.organisations import Organisation
from registry.people import Person
from registry.roles import OrganisationKind, Role
from registry.ways import SMS
from store.records.outbox.tables import notifications
from store.records.repository import IncidentFilter, Records
from tests.alerts.incidents.desk import BUTTON
from tests.alerts.rules import DISTRICT, LIFT, T0, S, occurrence
from tests.store.identity.identities import BY, organisation, person
from tests.store.test_ways import sent_code

FLOORS = (Floor("G", 0.0), Floor("1", 3.0), Floor("2", 6.0))
EVERY_S = 60
DORA = Actor.named("dora")
ReadPolicy = Callable[[Sequence[EscalationPolicy]], tuple[EscalationPolicy, list[FieldError]]]


class CalledFirm:
    """The firm with Ada and Ben on duty by turns, who can be called by SMS."""

    def __init__(self, records: Records) -> None:
        self.records, self.position = records, 0
        self.organisation: Organisation = organisation(records, "Firm", OrganisationKind.MAINTENANCE_FIRM)
        self.ada, self.ben = self.person("ada"), self.person("ben", Role.DISPATCHER)
        self.put_lift(LIFT)

    def put_lift(self, lift_id: str, **facts: Any) -> None:
        """Register a lift that the firm maintains."""
        given = {"maintenance_firm": "Firm", "address": "Garden Road 3", "floors": FLOORS, **facts}
        self.records.put_lifts([LiftFacts(lift_id, DISTRICT, **given)], BY, T0)

    def person(self, login: str, role: Role = Role.MECHANIC, *, reachable: bool = True) -> Person:
        """Add a person of the firm, with a verified way where `reachable`."""
        added = person(self.records, login, self.organisation, role)
        if reachable:
            way = self.records.add_way(added.person_id, SMS, f"+8613900000{len(login)}", None, BY, T0)
            code = sent_code(self.records)
            assert self.records.verify_way(added.person_id, way.way_id, code, BY, T0) is not None
        return added

    def roster(self, *people: Person, name: str = "Nights") -> str:
        """Add a roster of turns of a day from T0 on; return its id."""
        turns = [[each.person_id] for each in people]
        rotations = [{"name": "days", "turns": turns, "turn": "day", "starts_on": "2001-01-01", "hand_over": ["00:00"]}]
        given = {"name": name, "timezone": "UTC", "rotations": rotations if people else []}
        roster, errors = read_roster(given, "", self.organisation.organisation_id)
        assert not errors
        return self.records.add_roster(roster, BY, T0).roster_id

    def policy(self, *steps: list[str], **more: Any) -> None:
        """Add a policy of steps, each with its targets, called every minute."""
        self.records.add_policy(self._read(steps, more), self.organisation.organisation_id, None, BY, T0)

    def change_policy(self, *steps: list[str], **more: Any) -> None:
        """Change the policy of the firm."""
        (policy,) = self.records.policies([self.organisation.organisation_id])
        assert self.records.put_policy(policy.policy_id, self._read(steps, more, policy.policy_id), None, BY, T0)

    def _read(self, steps: Sequence[list[str]], more: dict[str, Any], policy_id: str = "") -> ReadPolicy:
        every = more.pop("every_s", EVERY_S)
        given = {"name": "Calls", "steps": [{"targets": each, "every_s": every} for each in steps], **more}
        of = self.organisation.organisation_id
        return lambda others: read_policy(given, policy_id, of, Nameable(None, None, others))

    def open_incident(self, rule: Rule = BUTTON, lift_id: str = LIFT, at_s: float = 0.0, kind: str = "on") -> str:
        """Judge a finding, noticed at once; return the incident's id."""
        self.position += 1
        found = [occurrence(rule, kind, at_s - 1, lift_id=lift_id)]  # noticed a second later
        self.records.judge(position=self.position, occurrences=found, now_ns=T0 + round(at_s * S))
        incidents = self.records.incidents(IncidentFilter(lift_id=(lift_id,))).items
        return incidents[0].incident.id

    def owed(self) -> list[tuple[float, str, Notification]]:
        """Return the notifications about incidents: seconds after T0, the person's login, and the notification."""
        people = {each.person_id: each.login for each in self.records.people()}
        columns = notifications.c
        query = select(columns.made_ns, columns.person_id, columns.content).where(columns.incident_id != "")
        with self.records._database.reading() as connection:
            rows = connection.execute(query.order_by(columns.made_ns, columns.id)).all()
        return [
            ((row.made_ns - T0) / S, people[row.person_id], Notification.from_json(orjson.loads(row.content)))
            for row in rows
        ]

    def called(self) -> list[tuple[float, str]]:
        """Return when whom was called, in order."""
        return [(at_s, login) for at_s, login, _ in self.owed()]


def call_at(records: Records, *at_s: float) -> None:
    """Make the calls that are due, at each of these times after T0, by one caller."""
    now_s = [0.0]
    caller = DutyCaller(records, lambda: T0 + round(now_s[0] * S))
    for now_s[0] in at_s:
        while caller.call_due():
            pass


def act(records: Records, incident_id: str, action: IncidentAction, at_s: float) -> None:
    """Apply an action to an incident."""
    assert records.act_on_incident(incident_id, action, T0 + round(at_s * S)) is not None


def story(records: Records, incident_id: str, kind: str) -> list[tuple[str | None, str | None]]:
    """Return note and organisation of the entries of a kind."""
    found = records.incident(incident_id)
    assert found is not None
    return [(entry.note, entry.organisation) for entry in found.story if entry.kind == kind]
