"""Rosters, shifts, policies and plans of calls as JSON, with the names of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alerts.escalation.facts import Callee, DutyBook
from alerts.escalation.plan import CallPlan
from alerts.escalation.policy import EscalationPolicy
from alerts.escalation.policy_checks import policy_document
from alerts.escalation.preview import CallPreview
from alerts.escalation.targets import MissedTarget
from registry.duty.roster import Override, Roster
from registry.duty.roster_checks import override_document, roster_document
from registry.duty.shifts import DutyShift, now_and_next
from telemetry.instant import rfc3339

NEXT_WITHIN_NS = 31 * 24 * 3600 * 1_000_000_000
Names = Mapping[str, str]


def names_of(book: DutyBook) -> dict[str, str]:
    """Return the names of the people of an organisation by their ids."""
    return {each.person_id: each.name for each in book.callees.values()}


def roster_json(roster: Roster, book: DutyBook, now_ns: int) -> dict[str, Any]:
    """Return a roster with who is on duty now and next."""
    names = names_of(book)
    now, following = now_and_next(roster, now_ns, now_ns + NEXT_WITHIN_NS)
    return {
        "roster_id": roster.roster_id,
        "organisation_id": roster.organisation_id,
        "organisation": book.name,
        **roster_document(roster),
        "overrides": [_override_json(each, names) for each in roster.overrides],
        "now": shift_json(now, names),
        "next": None if following is None else shift_json(following, names),
    }


def shift_json(shift: DutyShift, names: Names) -> dict[str, Any]:
    """Return a shift; a gap is a shift without people."""
    return {
        "from": rfc3339(shift.from_ns),
        "until": rfc3339(shift.until_ns),
        "people": _people(shift.people, names),
        "rotation": shift.rotation,
        "is_override": shift.is_override,
        "is_gap": shift.is_gap,
    }


def policy_json(policy: EscalationPolicy, book: DutyBook, position: int) -> dict[str, Any]:
    """Return a policy with its place in the order of its organisation."""
    about = {"policy_id": policy.policy_id, "organisation_id": policy.organisation_id, "organisation": book.name}
    return {**about, "position": position, **policy_document(policy)}


def preview_json(book: DutyBook, made: CallPreview) -> dict[str, Any]:
    """Return who of an organisation would be called, in which order, by which ways."""
    policy = next((plan.policy for _, plan in made.plans if plan.policy is not None), None)
    return {
        "organisation_id": book.organisation_id,
        "organisation": book.name,
        "policy": None if policy is None else policy.name,
        "policy_id": None if policy is None else policy.policy_id,
        "first_s": made.first_s,
        "is_repeated": made.is_repeated,
        "calls": [_calls_json(after_s, plan) for after_s, plan in made.plans],
    }


def callee_json(callee: Callee) -> dict[str, Any]:
    """Return a person who can be called."""
    about = {"person_id": callee.person_id, "name": callee.name, "role": callee.role}
    return {**about, "ways": list(callee.ways)}


def missed_json(missed: Sequence[MissedTarget]) -> list[dict[str, Any]]:
    """Return what a step cannot reach."""
    return [{"target": each.target, "reason": each.reason, "name": each.name} for each in missed]


def _calls_json(after_s: float, plan: CallPlan) -> dict[str, Any]:
    people = [{**callee_json(each.callee), "step": each.step, "instead": each.instead} for each in plan.calls]
    return {"after_s": after_s, "people": people, "missed": missed_json(plan.missed)}


def _override_json(override: Override, names: Names) -> dict[str, Any]:
    replaces = override.replaces
    return {
        **override_document(override),
        "people": _people(override.people, names),
        "replaces": None if replaces is None else _people([replaces], names)[0],
    }


def _people(ids: Sequence[str], names: Names) -> list[dict[str, Any]]:
    return [{"person_id": each, "name": names.get(each)} for each in ids]
