"""The calls that are due about an incident, and when to ask again: a function of policy, rosters, facts and time.

    progress ────────►│ calls that are due now │────► next instant
                made  │ each person once,      │ not yet due
                      │ however late           │

What is overdue is called about once: a clock that is set forward, or a program that was stopped, makes no burst. Where
a step reaches nobody (a gap in the roster, people without ways), the last step of the policy is called with it, and
where that reaches nobody either, everybody of the organisation. Quiet hours, long delays and a number of rounds
never hold a critical incident. A policy that is changed while it calls begins at its first step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from alerts.escalation.facts import Callee, CallProgress, DutyBook, IncidentFacts
from alerts.escalation.policy import (
    CRITICAL,
    EVERYONE,
    EscalationPolicy,
    IncidentMatch,
    default_policy,
    flattened,
    until_answered,
)
from alerts.escalation.targets import MissedTarget, reach
from alerts.escalation.timeline import S_NS, Timeline

AHEAD_NS = 60 * S_NS


@dataclass(frozen=True, slots=True)
class OwedCall:
    """A call that is due: `call` is its number in the timeline of the policy.

    `key` is the same in every plan of this call from one progress, which was made at `at_ns`. `step` is 1 for the
    first, which calls every `every_s`; `start_ns` is the beginning of the stretch. `instead` is whether the person is
    called because the step reached nobody.
    """

    key: str
    incident_id: str
    organisation_id: str
    policy_id: str
    callee: Callee
    step: int
    call: int
    at_ns: int
    start_ns: int
    every_s: int
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
    start_ns = None if policy is None else _start(policy, facts, now_ns)
    if policy is None or start_ns is None:
        return CallPlan(progress=progress, policy=policy)
    quiet = policy.quiet if facts.severity != CRITICAL else None
    if quiet is not None and (end_ns := quiet.end_of(now_ns)) is not None:
        return CallPlan(next_ns=end_ns, progress=progress, policy=policy)
    if quiet is not None:
        start_ns = max(start_ns, quiet.last_end(now_ns) or start_ns)
    timeline, so_far = Timeline(policy), _so_far(policy, facts, progress, start_ns, now_ns)
    begun_ns = start_ns if so_far.begun_ns is None else so_far.begun_ns
    call, made = timeline.latest(now_ns - begun_ns), timeline.latest(so_far.at_ns - begun_ns)
    after_ns = timeline.due_ns(call + 1)
    next_ns = None if after_ns is None else begun_ns + after_ns
    if call <= made:
        is_stored = _goes_on(policy, progress, start_ns) or begun_ns < start_ns
        return CallPlan(next_ns=next_ns, progress=so_far if is_stored else progress, policy=policy)
    stretch = _Stretch(book, facts, policy, so_far, now_ns)
    calls, missed = stretch.calls(timeline.steps_between(made, call), call)
    return CallPlan(calls, missed, next_ns, replace(so_far, at_ns=now_ns, count=so_far.count + 1), policy)


def policy_for(book: DutyBook, facts: IncidentFacts) -> EscalationPolicy | None:
    """Return the policy of an organisation for an incident, with the steps that follow; None where none matches."""
    by_id = {each.policy_id: each for each in book.policies}
    default = default_policy(book.kind, book.organisation_id)
    for policy in [*book.policies, *([default] if default else [])]:
        if _matches(policy.match, facts):
            whole = flattened(policy, by_id)
            return until_answered(whole) if facts.severity == CRITICAL else whole
    return None


def _matches(match: IncidentMatch, facts: IncidentFacts) -> bool:
    return (
        (not match.kinds or facts.kind in match.kinds)
        and (not match.severities or facts.severity in match.severities)
        and (not match.districts or facts.district in match.districts)
        and (not match.buildings or facts.building in match.buildings)
        and (match.hours is None or match.hours.has(facts.since_ns))
    )


def _start(policy: EscalationPolicy, facts: IncidentFacts, now_ns: int) -> int | None:
    """Return when calls begin; None where none are owed.

    An entry further ahead of now than `AHEAD_NS` was made by a clock that has been set back since, and does not count.
    """
    if facts.closed_ns is not None:
        return None
    if facts.acknowledged_ns is None:
        return facts.since_ns
    if policy.idle_s is None:
        return None
    entries_ns = (facts.acknowledged_ns, facts.last_activity_ns or 0)
    looked_after_ns = max((each for each in entries_ns if each <= now_ns + AHEAD_NS), default=0)
    return max(looked_after_ns, facts.since_ns) + policy.idle_s * S_NS


def _goes_on(policy: EscalationPolicy, progress: CallProgress | None, start_ns: int) -> bool:
    """Return whether a progress is of this stretch and of the policy as it is now."""
    return progress is not None and progress.start_ns == start_ns and progress.policy in (None, policy.version)


def _so_far(
    policy: EscalationPolicy, facts: IncidentFacts, progress: CallProgress | None, start_ns: int, now_ns: int
) -> CallProgress:
    """Return the progress from which calls go on now.

    A time in the future is that of a clock that has been set back since: the calls go on at their pace from now.
    """
    count = 0 if progress is None else progress.count
    if progress is not None and _goes_on(policy, progress, start_ns):
        set_back_ns = max(progress.at_ns - now_ns, 0)
        begun_ns = start_ns if progress.begun_ns is None else progress.begun_ns
        return CallProgress(start_ns, progress.at_ns - set_back_ns, begun_ns - set_back_ns, policy.version, count)
    begun_ns = min(start_ns, now_ns) if facts.acknowledged_ns is None else start_ns
    if progress is not None and progress.policy not in (None, policy.version):
        begun_ns = max(begun_ns, now_ns - policy.delay_s * S_NS)
    return CallProgress(start_ns, begun_ns - 1, begun_ns, policy.version, count)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Calls by one policy about one incident, which go on from a progress."""

    book: DutyBook
    facts: IncidentFacts
    policy: EscalationPolicy
    progress: CallProgress
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
        start_ns, count = self.progress.start_ns, self.progress.count
        key = f"{incident_id}:{organisation_id}:{start_ns}:n{count}:{callee.person_id}"
        about = (incident_id, organisation_id, self.policy.policy_id)
        every_s = self.policy.steps[step].every_s
        return OwedCall(key, *about, callee, step + 1, call, self.now_ns, start_ns, every_s, instead)

    def _last_resort(self) -> list[Callee]:
        last, _ = reach(self.policy.steps[-1].targets, self.book, self.now_ns)
        return last or reach((EVERYONE,), self.book, self.now_ns)[0]
