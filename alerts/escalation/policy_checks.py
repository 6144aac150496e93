"""Checks of the fields of an escalation policy, and a policy as JSON; the form is in docs/duty.md."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from alerts.escalation.policy import (
    CRITICAL,
    EVERYONE,
    IDLE_S,
    ON_DUTY,
    PERSON,
    ROLE,
    ROSTER,
    EscalationPolicy,
    EscalationStep,
    IncidentMatch,
    ring_of,
)
from registry.catalogue import SEVERITIES
from registry.duty.hours import WeeklyHours
from registry.duty.roster import EVERY_DAY
from registry.duty.roster_checks import FieldReader, clock, clock_text, list_of, weekday_names, weekdays
from registry.fact_checks import CHECKS, Check, FieldError, InvalidFact, choice, preview, text, timezone, whole_number
from registry.incident_kinds import INCIDENT_KINDS
from registry.roles import Role

STEPS_LIMIT, TARGETS_LIMIT, TIMES_LIMIT, CONDITIONS_LIMIT = 20, 20, 60, 200
EVERY_LEAST_S, EVERY_MOST_S = 30, 24 * 3600
"""Calls of one step are at least so far apart: a person has to answer the first before the second comes."""

FIELDS = (
    "name", "match", "steps", "delay_s", "repeat_from", "rounds", "idle_s", "quiet", "then",
)  # fmt: skip
NEVER = "never"
"""In place of a number: an acknowledged incident that is not critical is left alone."""


@dataclass(frozen=True, slots=True)
class Nameable:
    """The ids that a policy of an organisation may name: its rosters, its people (None: any), its other policies."""

    rosters: Collection[str] | None
    people: Collection[str] | None
    policies: Sequence[EscalationPolicy] = ()


def read_policy(
    given: Any, policy_id: str, organisation_id: str, known: Nameable
) -> tuple[EscalationPolicy, list[FieldError]]:
    """Return the policy that a JSON object describes, and all errors; a policy that leads back to itself is one."""
    reader = FieldReader(given, "", [], None)
    reader.refuse_unknown(FIELDS)
    steps = tuple(_step(each, known) for each in reader.objects("steps", STEPS_LIMIT))
    if not steps:
        reader.fail("steps", "is empty, so nobody would be called", "give at least one step")
    then = reader.read("then", choice(*(each.policy_id for each in known.policies)))
    policy = EscalationPolicy(
        policy_id, organisation_id, reader.read("name", text, "", required=True), steps,
        match=_match(reader),
        delay_s=reader.read("delay_s", whole_number(0, EVERY_MOST_S, "seconds"), 0),
        repeat_from=reader.read("repeat_from", whole_number(1, max(len(steps), 1), "the number of a step"), 1),
        rounds=reader.read("rounds", whole_number(1, 1000, "the number of rounds")),
        idle_s=reader.read("idle_s", _idle, IDLE_S),
        quiet=_hours(reader, "quiet"),
        then=then,
    )  # fmt: skip
    _check_then(reader, policy, known)
    _check_idle(reader, policy)
    return policy, reader.errors


def _step(reader: FieldReader, known: Nameable) -> EscalationStep:
    reader.refuse_unknown(("targets", "times", "every_s"))
    return EscalationStep(
        reader.read("targets", list_of(_target(known), TARGETS_LIMIT, least=1), (), required=True),
        reader.read("times", whole_number(1, TIMES_LIMIT, "the number of calls"), 1),
        reader.read("every_s", whole_number(EVERY_LEAST_S, EVERY_MOST_S, "seconds"), 180),
    )


def _target(known: Nameable) -> Check:
    named: Mapping[str, tuple[Collection[str] | None, str]] = {
        ROSTER: (known.rosters, "is no roster of the organisation"),
        PERSON: (known.people, "is nobody of the organisation"),
        ROLE: (list(Role), "is no role"),
    }

    def check(value: Any) -> str:
        target = text(value)
        kind, _, name = target.partition(":")
        if target in (ON_DUTY, EVERYONE):
            return target
        if kind not in named:
            wanted = ", ".join((ON_DUTY, EVERYONE, *(f"{each}:…" for each in named)))
            raise InvalidFact(f"{preview(value)} is not a target", f"write one of {wanted}")
        ids, wrong = named[kind]
        if ids is not None and name not in ids:
            raise InvalidFact(f"{preview(name)} {wrong}", "choose one that is listed" if ids else "add one first")
        return target

    return check


def _match(reader: FieldReader) -> IncidentMatch:
    inner = reader.object_of("match", ("kinds", "severities", "districts", "buildings", "hours"))
    if inner is None:
        return IncidentMatch()
    sets = {
        name: frozenset(inner.read(name, list_of(check, CONDITIONS_LIMIT), ()))
        for name, check in (
            ("kinds", choice(*INCIDENT_KINDS)),
            ("severities", choice(*SEVERITIES)),
            ("districts", CHECKS["district"]),
            ("buildings", text),
        )
    }
    return IncidentMatch(**sets, hours=_hours(inner, "hours"))


def _hours(reader: FieldReader, name: str) -> WeeklyHours | None:
    inner = reader.object_of(name, ("timezone", "from", "until", "weekdays"))
    if inner is None:
        return None
    hours = WeeklyHours(
        inner.read("timezone", timezone, "UTC", required=True),
        inner.read("from", clock, 0, required=True),
        inner.read("until", clock, 1, required=True),
        inner.read("weekdays", weekdays, EVERY_DAY),
    )
    if hours.begins == hours.ends and hours.weekdays == EVERY_DAY:
        inner.fail("until", "is the same time as from on every day, so the hours never end", "write another time")
    return hours


def _idle(value: Any) -> int | None:
    if value == NEVER:
        return None
    return whole_number(60, 7 * 24 * 3600, f"seconds, or {NEVER!r}")(value)  # type: ignore[no-any-return]


def _check_idle(reader: FieldReader, policy: EscalationPolicy) -> None:
    """Refuse a time without activity that is too long for the critical incidents of the policy, where its match is
    valid."""
    if any(each.field.startswith("match") for each in reader.errors):
        return
    severities = policy.match.severities
    is_long = policy.idle_s is None or policy.idle_s > IDLE_S
    if is_long and (not severities or CRITICAL in severities):
        remedy = f"write at most {IDLE_S}, or leave critical incidents out of match.severities"
        reader.fail("idle_s", "leaves an acknowledged critical incident alone for too long", remedy)


def _check_then(reader: FieldReader, policy: EscalationPolicy, known: Nameable) -> None:
    if policy.then is None:
        return
    others = [each for each in known.policies if each.policy_id != policy.policy_id]
    if ring := ring_of([*others, policy], policy.policy_id):
        reader.fail("then", f"leads back: {' → '.join(ring)}", "choose a policy that does not lead back to this one")
    if policy.rounds is not None or policy.repeat_from != 1:
        reader.fail("then", "takes the place of rounds and repeat_from", "leave those two out, or this one")


def read_stored_policies(stored: Sequence[tuple[str, str, int, Any]]) -> list[EscalationPolicy]:
    """Return stored policies, each given as its id, its organisation, its revision and its JSON.

    What a policy names may be gone since: a plan shows that as missed, so that it does not make the policy invalid.
    """
    names = [EscalationPolicy(policy_id, organisation_id, "", ()) for policy_id, organisation_id, _, _ in stored]
    found = (
        replace(read_policy(given, policy_id, organisation_id, Nameable(None, None, names))[0], revision=revision)
        for policy_id, organisation_id, revision, given in stored
    )
    return [each for each in found if each.steps]


def policy_document(policy: EscalationPolicy) -> dict[str, Any]:
    """Return the fields of a policy as JSON, as `read_policy` reads them."""
    return {
        "name": policy.name,
        "match": {
            "kinds": _in_order(policy.match.kinds, INCIDENT_KINDS.index),
            "severities": _in_order(policy.match.severities, SEVERITIES.index),
            "districts": sorted(policy.match.districts),
            "buildings": sorted(policy.match.buildings),
            "hours": _hours_document(policy.match.hours),
        },
        "steps": [{"targets": list(s.targets), "times": s.times, "every_s": s.every_s} for s in policy.steps],
        "delay_s": policy.delay_s,
        "repeat_from": policy.repeat_from,
        "rounds": policy.rounds,
        "idle_s": NEVER if policy.idle_s is None else policy.idle_s,
        "quiet": _hours_document(policy.quiet),
        "then": policy.then,
    }


def _in_order(names: Collection[str], key: Callable[[str], int]) -> list[str]:
    return sorted(names, key=key)


def _hours_document(hours: WeeklyHours | None) -> dict[str, Any] | None:
    if hours is None:
        return None
    return {
        "timezone": hours.timezone,
        "from": clock_text(hours.begins),
        "until": clock_text(hours.ends),
        "weekdays": weekday_names(hours.weekdays),
    }
