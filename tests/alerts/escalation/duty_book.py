"""A maintenance firm with two rosters, as the tests of escalation use it."""

from __future__ import annotations

from typing import Any

from alerts.escalation.facts import Callee, CallProgress, DutyBook, IncidentFacts
from alerts.escalation.plan import CallPlan, plan
from alerts.escalation.policy import EscalationPolicy, EscalationStep
from registry.duty.civil_time import day_from_text
from registry.duty.roster import Roster, Rotation
from registry.roles import OrganisationKind, Role
from telemetry.instant import parse

S_NS = 1_000_000_000
NOON_NS = parse("2026-01-05T12:00:00Z")  # a Monday
MONDAY = day_from_text("2026-01-05")
FIRM = OrganisationKind.MAINTENANCE_FIRM
PEOPLE = {
    "ada": Callee("ada", "Ada", Role.MECHANIC, ("sms", "voice")),
    "ben": Callee("ben", "Ben", Role.MECHANIC, ("sms",)),
    "cai": Callee("cai", "Cai", Role.DISPATCHER, ("mail",)),
    "dee": Callee("dee", "Dee", Role.MANAGER, ("voice",)),
    "mute": Callee("mute", "Mute", Role.MECHANIC),
}


def a_roster(name: str, *people: str, **more: Any) -> Roster:
    """Return a roster in UTC whose people take turns of a day."""
    rotation = Rotation("turns", tuple((each,) for each in people), MONDAY, "day", **more)
    return Roster(name, "firm", name, "UTC", (rotation,) if people else ())


def a_policy(*steps: EscalationStep, policy_id: str = "p", **more: Any) -> EscalationPolicy:
    """Return a policy of the firm."""
    return EscalationPolicy(policy_id, "firm", policy_id.upper(), steps, **more)


def a_book(*policies: EscalationPolicy, rosters: tuple[Roster, ...] | None = None, **more: Any) -> DutyBook:
    """Return the book of the firm: Ada is on duty first."""
    rosters = (a_roster("first", "ada"), a_roster("second", "ben")) if rosters is None else rosters
    return DutyBook("firm", "Firm", FIRM, rosters, policies, more.pop("callees", PEOPLE))


def an_incident(**more: Any) -> IncidentFacts:
    """Return an entrapment that was opened at noon."""
    given = {"kind": "entrapment", "severity": "critical", "since_ns": NOON_NS, **more}
    return IncidentFacts("i1", lift_id="L1", district="d1", **given)


class Exchange:
    """A caller that asks for plans and keeps the progress, as the notifying process does."""

    def __init__(self, book: DutyBook, **facts: Any) -> None:
        self.book, self.facts = book, an_incident(**facts)
        self.progress: CallProgress | None = None
        self.last = CallPlan()

    def at(self, after_s: float) -> list[str]:
        """Return who is called some seconds after noon."""
        self.last = plan(self.book, self.facts, self.progress, NOON_NS + int(after_s * S_NS))
        self.progress = self.last.progress
        return [each.callee.person_id for each in self.last.calls]

    @property
    def next_s(self) -> float | None:
        """The seconds after noon at which to ask again."""
        return None if self.last.next_ns is None else (self.last.next_ns - NOON_NS) / S_NS

    def history(self, until_s: float) -> list[tuple[float, list[str]]]:
        """Return the calls until some seconds after noon, asked for at the instants that the plans name."""
        found, after_s = [], 0.0
        while after_s is not None and after_s <= until_s:
            if called := self.at(after_s):
                found.append((after_s, called))
            assert self.next_s is None or self.next_s > after_s
            after_s = self.next_s
        return found
