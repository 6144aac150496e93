"""The values that a plan of calls is made from: the incident, the duty book of an organisation, and the progress."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from alerts.escalation.policy import EscalationPolicy
from registry.duty.roster import Roster
from registry.roles import OrganisationKind, Role


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """The facts of an incident that decide who is called.

    `since_ns` is the opening, or the later rise or reopening after which it is not acknowledged any more.
    """

    incident_id: str
    kind: str
    severity: str
    lift_id: str
    district: str
    since_ns: int
    building: str | None = None
    acknowledged_ns: int | None = None
    last_activity_ns: int | None = None
    closed_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Callee:
    """A person of an organisation who can be called; `ways` are those that are verified, the first to try first."""

    person_id: str
    name: str
    role: Role
    ways: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DutyBook:
    """The rosters, the policies in their order, and the people of one organisation."""

    organisation_id: str
    name: str
    kind: OrganisationKind
    rosters: tuple[Roster, ...] = ()
    policies: tuple[EscalationPolicy, ...] = ()
    callees: Mapping[str, Callee] = field(default_factory=dict)


def with_senders(book: DutyBook, kinds: Collection[str]) -> DutyBook:
    """Return a book in which people have those ways alone that are of these kinds: the kinds that have a sender."""
    callees = {
        name: replace(each, ways=tuple(way for way in each.ways if way in kinds)) for name, each in book.callees.items()
    }
    return replace(book, callees=callees)


@dataclass(frozen=True, slots=True)
class CallProgress:
    """How far calls were made: those of the stretch that began at `start_ns` are made until `at_ns`.

    `policy` is the version of the policy that made them, whose first step began at `begun_ns`; earlier releases stored
    neither (None). `count` is the number of times that calls were made, over all stretches.
    """

    start_ns: int
    at_ns: int
    begun_ns: int | None = None
    policy: str | None = None
    count: int = 0
