"""Escalation policies: whom an organisation calls about which incidents, step by step, until somebody acknowledges.

    opened ─delay─► step 1: call, call, … ─► step 2: call, … ─► … last step ─► again from `repeat_from`, or `then`
    acknowledged ─► no calls ─ no activity for `idle_s` ─► step 1 …

A step calls its targets `times` times, `every_s` apart, and the next step begins `every_s` after the last call.

    target             who
    on-duty            whoever is on duty in any roster of the organisation
    roster:ID          whoever is on duty in one roster
    person:ID          one person
    role:ROLE          everybody of the organisation with this role
    everyone           everybody of the organisation whose role may acknowledge
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from registry.duty.hours import WeeklyHours
from registry.roles import OrganisationKind, Role, Verb, verbs_of

CRITICAL = "critical"
ON_DUTY, EVERYONE = "on-duty", "everyone"
ROSTER, PERSON, ROLE = "roster", "person", "role"
DEFAULT_ID = "default"
ANSWERED_S = 180
"""Within this time a call for help is to be answered: the time of each step of the default policy."""
AGAIN_S = 600
"""Calls about a critical incident are at most so far apart."""
IDLE_S = 1800
"""Within this time a mechanic is to arrive: an incident that is acknowledged and left alone is called about again."""


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """A step: its targets, how often and how far apart it calls them."""

    targets: tuple[str, ...]
    times: int = 1
    every_s: int = 180


@dataclass(frozen=True, slots=True)
class IncidentMatch:
    """The incidents of a policy: of these kinds, severities, districts and buildings, opened in these hours.

    An empty condition is true for every incident.
    """

    kinds: frozenset[str] = frozenset()
    severities: frozenset[str] = frozenset()
    districts: frozenset[str] = frozenset()
    buildings: frozenset[str] = frozenset()
    hours: WeeklyHours | None = None


@dataclass(frozen=True, slots=True)
class EscalationPolicy:
    """A policy of an organisation; its policies are tried in their order, and the first that matches is used.

    After the last step the policy goes on at step `repeat_from` (1 is the first), `rounds` rounds altogether (None:
    until somebody acknowledges), or with the policy `then`. In `quiet` hours it calls about nothing but critical
    incidents; about others it begins anew at their end. With `idle_s` None, an acknowledged incident is left alone.
    About critical incidents `delay_s` is at most `ANSWERED_S`, `every_s` at most `AGAIN_S`, `idle_s` at most `IDLE_S`,
    and `rounds` do not end the calls (`until_answered`).
    `version` names the policies, with their revisions, that the steps are from; it is empty before `flattened`.
    """

    policy_id: str
    organisation_id: str
    name: str
    steps: tuple[EscalationStep, ...]
    match: IncidentMatch = IncidentMatch()
    delay_s: int = 0
    repeat_from: int = 1
    rounds: int | None = None
    idle_s: int | None = IDLE_S
    quiet: WeeklyHours | None = None
    then: str | None = None
    revision: int = 0
    version: str = ""


DEFAULT_STEPS = (
    EscalationStep((ON_DUTY,), times=3, every_s=60),
    EscalationStep((ON_DUTY, f"{ROLE}:{Role.DISPATCHER}", f"{ROLE}:{Role.MANAGER}"), times=3, every_s=60),
    EscalationStep((EVERYONE,), times=1, every_s=ANSWERED_S),
)


def default_policy(kind: OrganisationKind, organisation_id: str) -> EscalationPolicy | None:
    """Return the policy that an organisation has without configuration: about critical and major incidents.

    None for organisations that do not acknowledge, such as insurers: they are called by policies of their own alone.
    """
    if Verb.ACKNOWLEDGE not in verbs_of(kind, Role.ADMINISTRATOR):
        return None
    urgent = IncidentMatch(severities=frozenset({CRITICAL, "major"}))
    return EscalationPolicy(DEFAULT_ID, organisation_id, "Default", DEFAULT_STEPS, urgent)


def flattened(policy: EscalationPolicy, others: Mapping[str, EscalationPolicy]) -> EscalationPolicy:
    """Return a policy with the steps of the policies that follow it (`then`), and with the repetition of the last."""
    steps, last, seen = list(policy.steps), policy, {policy.policy_id}
    repeat_from, versions = policy.repeat_from, [f"{policy.policy_id}:{policy.revision}"]
    while last.then is not None and last.then in others and last.then not in seen:
        last = others[last.then]
        seen.add(last.policy_id)
        repeat_from = len(steps) + last.repeat_from
        steps += last.steps
        versions.append(f"{last.policy_id}:{last.revision}")
    whole = replace(policy, steps=tuple(steps), repeat_from=repeat_from, rounds=last.rounds, then=None)
    return replace(whole, version=",".join(versions))


def until_answered(policy: EscalationPolicy) -> EscalationPolicy:
    """Return a policy as it calls about a critical incident: within `ANSWERED_S`, at least every `AGAIN_S`, until
    somebody acknowledges, and again where nothing happens for `IDLE_S` after that."""
    steps = tuple(replace(each, every_s=min(each.every_s, AGAIN_S)) for each in policy.steps)
    idle_s = min(policy.idle_s or IDLE_S, IDLE_S)
    return replace(policy, steps=steps, delay_s=min(policy.delay_s, ANSWERED_S), rounds=None, idle_s=idle_s)


def ring_of(policies: Sequence[EscalationPolicy], start: str) -> list[str] | None:
    """Return the names of the policies from `start` back to one of them, None where they come to an end."""
    by_id, names, seen = {each.policy_id: each for each in policies}, [], set[str]()
    at: str | None = start
    while at is not None and at in by_id:
        names.append(by_id[at].name)
        if at in seen:
            return names
        seen.add(at)
        at = by_id[at].then
    return None
