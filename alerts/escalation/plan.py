"""The calls that are due about an incident, and when to ask again: a function of policy, rosters, facts and time.

    progress ────────►│ calls that are due now │────► next instant
                made  │ each person once,      │ not yet due
                      │ however late           │

What is overdue is called about once: a clock that is set forward, or a program that was stopped, makes no burst. Where
a step reaches nobody (a gap in the roster, people without ways), the last step of the policy is called with it, and
where that reaches nobody either, everybody of the organisation. Quiet hours never hold a critical incident.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alerts.escalation.facts import Callee, CallProgress, DutyBook, IncidentFacts
from alerts.escalation.policy import CRITICAL, EVERYONE, EscalationPolicy, IncidentMatch, default_policy, flattened
from alerts.escalation.targets import MissedTarget, reach
from alerts.escalation.timeline import S_NS, Timeline


@dataclass(frozen=True, slots=True)
class OwedCall:
    """A call that is due: `call` is its number in the stretch of calls that began at `start_ns`.

    `key` is the same in every plan of this call, which was made at `at_ns`. `step` is 1 for the first; `instead` is
    whether the person is called because the step reached nobody.
    """

    key: str
    incident_id: str
    organisation_id: str
    policy_id: str
    callee: Callee
    step: int
    call: int
    at_ns: int
    instead: bool = False


@dataclass(frozen=True, slots=True)
class CallPlan:
    """The calls that are due, what a step could not reach, when to plan again (None: not before the facts change), and
    the progress to store with the calls."""

    calls: tuple[OwedCall, ...] = ()
    missed: tuple[MissedTarget, ...] = ()
    next_ns: int | None = None
    progress: CallProgress | None = None
    policy: EscalationPolicy | None = None


def plan(book: DutyBook, facts: IncidentFacts, progress: CallProgress | None, now_ns: int) -> CallPlan:
    """Return the calls that an organisation owes an incident now."""
    policy = policy_for(book, facts)
    start_ns = None if policy is None else _start(policy, facts)
    if policy is None or start_ns is None:
        return CallPlan(progress=progress, policy=policy)
    quiet = policy.quiet if facts.severity != CRITICAL else None
    if quiet is not None and (end_ns := quiet.end_of(now_ns)) is not None:
        return CallPlan(next_ns=end_ns, progress=progress, policy=policy)
    if quiet is not None:
        start_ns = max(start_ns, quiet.last_end(now_ns) or start_ns)
    timeline = Timeline(policy)
    call, made = timeline.latest(now_ns - start_ns), _made(timeline, progress, start_ns, now_ns)
    after_ns = timeline.due_ns(call + 1)
    next_ns = None if after_ns is None else start_ns + after_ns
    if call <= made:
        return CallPlan(next_ns=next_ns, progress=progress, policy=policy)
    stretch = _Stretch(book, facts, policy, start_ns, now_ns)
    calls, missed = stretch.calls(timeline.steps_between(made, call), call)
    return CallPlan(calls, missed, next_ns, CallProgress(start_ns, now_ns), policy)


def policy_for(book: DutyBook, facts: IncidentFacts) -> EscalationPolicy | None:
    """Return the policy of an organisation for an incident, with the steps that follow; None where none matches."""
    by_id = {each.policy_id: each for each in book.policies}
    default = default_policy(book.kind, book.organisation_id)
    for policy in [*book.policies, *([default] if default else [])]:
        if _matches(policy.match, facts):
            return flattened(policy, by_id)
    return None


def _matches(match: IncidentMatch, facts: IncidentFacts) -> bool:
    return (
        (not match.kinds or facts.kind in match.kinds)
        and (not match.severities or facts.severity in match.severities)
        and (not match.districts or facts.district in match.districts)
        and (not match.buildings or facts.building in match.buildings)
        and (match.hours is None or match.hours.has(facts.since_ns))
    )


def _start(policy: EscalationPolicy, facts: IncidentFacts) -> int | None:
    """Return when calls begin; None where none are owed."""
    if facts.closed_ns is not None:
        return None
    if facts.acknowledged_ns is None:
        return facts.since_ns
    if policy.idle_s is None:
        return None
    return max(facts.acknowledged_ns, facts.last_activity_ns or 0) + policy.idle_s * S_NS


def _made(timeline: Timeline, progress: CallProgress | None, start_ns: int, now_ns: int) -> int:
    """Return the number of the last call that was made, -1 where none was.

    The progress is a time, so that it outlives a change of the policy. A progress in the future is that of a clock that
    has been set back since: calls go on at their pace.
    """
    if progress is None or progress.start_ns != start_ns:
        return -1
    return timeline.latest(min(progress.at_ns, now_ns) - start_ns)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Calls by one policy about one incident, which began at `start_ns`."""

    book: DutyBook
    facts: IncidentFacts
    policy: EscalationPolicy
    start_ns: int
    now_ns: int

    def calls(self, steps: Sequence[int], call: int) -> tuple[tuple[OwedCall, ...], tuple[MissedTarget, ...]]:
        """Return one call for each person of these steps, and what is missed."""
        found: dict[str, OwedCall] = {}
        missed: list[MissedTarget] = []
        for step in steps:
            callees, not_reached = reach(self.policy.steps[step].targets, self.book, self.now_ns)
            missed += not_reached
            for callee in callees or self._last_resort():
                owed = self._owed(callee, step, call, instead=not callees)
                found.setdefault(callee.person_id, owed)
        return tuple(found.values()), tuple(dict.fromkeys(missed))

    def _owed(self, callee: Callee, step: int, call: int, instead: bool) -> OwedCall:
        incident_id, organisation_id = self.facts.incident_id, self.book.organisation_id
        key = f"{incident_id}:{organisation_id}:{self.start_ns}:{call}:{callee.person_id}"
        about = (incident_id, organisation_id, self.policy.policy_id)
        return OwedCall(key, *about, callee, step + 1, call, self.now_ns, instead)

    def _last_resort(self) -> list[Callee]:
        last, _ = reach(self.policy.steps[-1].targets, self.book, self.now_ns)
        return last or reach((EVERYONE,), self.book, self.now_ns)[0]
