"""If an incident were opened now: who would be called, in which order, by which ways."""

from __future__ import annotations

from dataclasses import dataclass, replace

from alerts.escalation.facts import CallProgress, DutyBook, IncidentFacts
from alerts.escalation.plan import CallPlan, plan, policy_for
from alerts.escalation.timeline import S_NS, Timeline

CALLS_LIMIT = 60
PLANS_LIMIT = 4 * CALLS_LIMIT


@dataclass(frozen=True, slots=True)
class CallPreview:
    """The plans of the first round of calls, each with its time after the opening.

    `is_repeated`: more calls follow them. `first_s` is the time of the first call after the opening, None where nobody
    would be called.
    """

    plans: tuple[tuple[float, CallPlan], ...]
    is_repeated: bool
    first_s: float | None


def preview(book: DutyBook, facts: IncidentFacts, now_ns: int) -> CallPreview:
    """Return the first round of calls about an incident that is opened now and that nobody acknowledges."""
    opened = replace(facts, since_ns=now_ns, acknowledged_ns=None, last_activity_ns=None, closed_ns=None)
    found: list[tuple[float, CallPlan]] = []
    policy = policy_for(book, opened)
    limit = 0 if policy is None else min(CALLS_LIMIT, Timeline(policy).first_round)
    progress: CallProgress | None = None
    at_ns: int | None = now_ns
    for _ in range(PLANS_LIMIT):
        if at_ns is None or len(found) == limit:
            break
        made = plan(book, opened, progress, at_ns)
        if made.progress != progress:
            found.append(((at_ns - now_ns) / S_NS, made))
        progress, at_ns = made.progress, made.next_ns
    first = next((after_s for after_s, each in found if each.calls), None)
    return CallPreview(tuple(found), bool(found) and at_ns is not None, first)
