"""Who may still be notified, the way that is used next, and what follows an attempt that did not succeed. Pure.

delivered ─► sent
for now   ─► the same way after a pause, until its patience is over ─► the next way
fault     ─► the next way (the way is tried again when no other is left)
for good  ─► the next way
no way is left ─► all ways that may recover again, after a pause ─► failed after `GIVE_UP_S`
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from alerts.notification import ACCOUNT, CODE, TEST, Notification
from mqtt import backoff
from notify.ways.sender import Outcome, SendResult
from registry.lift_facts import LiftFacts
from registry.people import Person
from registry.ways import NotificationWay
from store.records.repository import WaitingNotification

S_NS = 1_000_000_000
PAUSE_FIRST_S, PAUSE_LIMIT_S = 2.0, 60.0
PATIENCE_S, PATIENCE_CRITICAL_S = 600.0, 60.0
"""How long one way is tried before the next."""
ROUND_PAUSE_S = 60.0
GIVE_UP_S, GIVE_UP_CODE_S = 3600.0, 600.0


@dataclass(frozen=True, slots=True)
class NextStep:
    """The decision after an attempt: try the same way again at `due_ns`, or leave it (None), for good or not."""

    due_ns: int | None
    for_good: bool = False


def is_concerned(person: Person, notification: Notification, facts: LiftFacts | None) -> bool:
    """Return whether a person may still read a notification: it is about the own account, or about a lift of theirs.

    `facts` are the present ones of the lift. Where it is not registered, or not any more, a membership is enough.
    """
    if notification.kind in (CODE, TEST, ACCOUNT):
        return True
    theirs = [each.organisation.lifts for each in person.memberships if each.organisation.closed_ns is None]
    lift = notification.lift
    if lift is None or facts is None or not notification.incident_id:
        return bool(theirs)
    return any(lifts.has(district, facts) for lifts in theirs for district in (lift.district, facts.district))


def next_way(
    waiting: WaitingNotification, ways: Sequence[NotificationWay], kinds: Collection[str]
) -> NotificationWay | None:
    """Return the first way of a person that may be used and has not failed; None where there is none."""
    return next((way for way in ways if may_use(waiting, way, kinds) and way.way_id not in waiting.failed_ways), None)


def may_use(waiting: WaitingNotification, way: NotificationWay, kinds: Collection[str]) -> bool:
    """Return whether a way may bring a notification; `kinds` are those for which there is a sender."""
    if way.kind not in kinds:
        return False
    if waiting.way_id is not None:
        return way.way_id == waiting.way_id
    wanted = waiting.notification.ways
    return way.is_verified and (not wanted or way.kind in wanted)


def step_after(outcome: Outcome, waiting: WaitingNotification, now_ns: int, chance: float) -> NextStep:
    """Return what to do after an attempt that did not succeed; `chance` in [0, 1) draws the pause."""
    if outcome.result is SendResult.PERMANENT:
        return NextStep(None, for_good=True)
    pause_s = max(backoff.pause_s(waiting.attempts, PAUSE_FIRST_S, PAUSE_LIMIT_S, chance), outcome.retry_after_s)
    patience_s = PATIENCE_CRITICAL_S if waiting.notification.severity == "critical" else PATIENCE_S
    due_ns = now_ns + round(pause_s * S_NS)
    if outcome.is_fault or due_ns > waiting.way_since_ns + round(patience_s * S_NS):
        return NextStep(None)
    return NextStep(due_ns)


def begins_again_ns(waiting: WaitingNotification, now_ns: int, chance: float) -> int | None:
    """Return when a notification without a way left tries again those that may recover; None where it has failed."""
    may_recover = any(not for_good for for_good in waiting.failed_ways.values())
    return None if not may_recover or is_given_up(waiting, now_ns) else now_ns + round(chance * ROUND_PAUSE_S * S_NS)


def is_given_up(waiting: WaitingNotification, now_ns: int) -> bool:
    """Return whether a notification has waited so long that it is not sent any more.

    One that is about more than a code is attempted once, however late: a clock that is set forward, or a program that
    was stopped, loses no call.
    """
    is_code = waiting.notification.kind in (CODE, TEST)
    is_attempted = waiting.attempts > 0 or waiting.error is not None or bool(waiting.failed_ways)
    limit_s = GIVE_UP_CODE_S if is_code else GIVE_UP_S
    return (is_code or is_attempted) and now_ns >= waiting.made_ns + round(limit_s * S_NS)
