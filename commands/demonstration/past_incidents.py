"""Alerts and incidents of past days: findings go through the alert book, and people answer as they did at the time.

stall     alerts and an incident of people inside: answered, on the way, on site, released, closed
door      an alert that ends by itself; the mechanic comments on it
silence   an alert that ends when the lift is heard again
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from alerts.book import Occurrence
from alerts.incidents.actions import IncidentAction
from commands.demonstration.people import mechanic_of
from detectors.catalogue import BY_SLUG
from detectors.rule import Finding
from registry.actor import Actor
from registry.facts import LiftFacts
from simulator.scenarios.past import DAY_S, DOOR, REVERSAL_S, S_NS, SILENCE, STALL, Trouble
from store.records.repository import IncidentFilter, Records

TROUBLES_PER_LIFT_DAY = 0.02
SHARES = {STALL: 0.35, DOOR: 0.4, SILENCE: 0.25}
STALL_S, DOOR_S, SILENCE_S = (900.0, 2400.0), (60.0, 300.0), (400.0, 3600.0)
WAKING_HOURS = (7.0, 21.0)
DESK = "夜班值班台 · Night desk"


@dataclass(frozen=True, slots=True)
class _Onset:
    """A rule that fires so many seconds after the onset, with its evidence; `until_s`: when it ends by itself."""

    slug: str
    after_s: float
    until_s: float | None
    evidence: Mapping[str, float]


def draw_troubles(lifts: Sequence[LiftFacts], first_day_ns: int, days: int, seed: int) -> list[Trouble]:
    """Return the troubles of so many days, at most one a day of a lift, in the order of their starts."""
    rng = np.random.default_rng((seed, days))
    found = []
    for day in range(days):
        for lift in np.flatnonzero(rng.random(len(lifts)) < TROUBLES_PER_LIFT_DAY):
            form = str(rng.choice(list(SHARES), p=list(SHARES.values())))
            start_s = rng.uniform(*WAKING_HOURS) * 3600
            seconds = rng.uniform(*{STALL: STALL_S, DOOR: DOOR_S, SILENCE: SILENCE_S}[form])
            found.append(Trouble(int(lift), form, first_day_ns + int((day * DAY_S + start_s) * S_NS), seconds))
    return sorted(found, key=lambda trouble: trouble.start_ns)


def write_incidents(records: Records, lifts: Sequence[LiftFacts], troubles: Sequence[Trouble]) -> None:
    """Write the alerts of these troubles, and what people did about them."""
    for number, trouble in enumerate(troubles):
        lift = lifts[trouble.lift]
        mechanic = _mechanic(lift, number)
        onsets = list(_onsets(trouble, lift))
        for onset in onsets:
            _judge(records, lift, trouble, onset, "on", onset.after_s)
        name = records.incidents(IncidentFilter(lift_id=(lift.lift_id,)), limit=1).items[0].incident.id
        ends = [(onset.until_s, onset) for onset in onsets if onset.until_s is not None]
        steps: list[tuple[float, IncidentAction | _Onset]] = [*_answers(trouble, mechanic), *ends]
        for after_s, step in sorted(steps, key=itemgetter(0)):
            if isinstance(step, _Onset):
                _judge(records, lift, trouble, step, "off", after_s)
            else:
                records.act_on_incident(name, step, trouble.start_ns + int(after_s * S_NS))
        settled_ns = trouble.end_ns + 3600 * S_NS
        records.judge(position=0, occurrences=[], now_ns=settled_ns)


def open_tickets(records: Records, lifts: Sequence[LiftFacts], now_ns: int) -> None:
    """Report two faults by telephone, of which one is in work."""
    reports = ((len(lifts) // 3, "nuisance", 5.0), (2 * len(lifts) // 3, "out-of-order", 1.0))
    for (number, kind, hours_ago), assigned in zip(reports, (False, True), strict=True):
        at_ns, lift = now_ns - int(hours_ago * 3600 * S_NS), lifts[number]
        incident = records.report_by_call(lift.lift_id, kind, None, Actor.named(DESK), at_ns)
        if incident is None or not assigned:
            continue
        mechanic = _mechanic(lift)
        for minutes, action in (
            (6, IncidentAction("ack", mechanic)),
            (7, IncidentAction("assign", mechanic, to=mechanic.name)),
            (
                52,
                IncidentAction(
                    "comment", mechanic, note="门机皮带磨损，备件下午到。Door belt worn; the part comes this afternoon."
                ),
            ),
        ):
            records.act_on_incident(incident.id, action, at_ns + minutes * 60 * S_NS)


def _mechanic(lift: LiftFacts, number: int = 0) -> Actor:
    firm = lift.maintenance_firm
    return Actor(mechanic_of(firm, number), None, firm, "mechanic", None)


def _onsets(trouble: Trouble, lift: LiftFacts) -> Iterator[_Onset]:
    """Yield the rules that find a trouble, with what they find."""
    if trouble.form == SILENCE:
        yield _Onset("offline", 180.0, trouble.seconds, {"silent_s": 180.0, "limit_s": 180.0})
    elif trouble.form == DOOR:
        evidence = {"closing_s": 3.0, "limit_s": 20.0, "reversals": 5.0, "limit_reversals": 5.0}
        yield _Onset("door-close-fault", 5 * REVERSAL_S, trouble.seconds + 3.0, evidence)
    else:
        low, high = lift.floors[1].height_m, lift.floors[2].height_m
        where = {"offset_m": (high - low) / 2, "door_zone_m": lift.door_zone_m}
        yield _Onset("stop-outside-zone", 15.0, trouble.seconds, where | {"held_s": 15.0, "limit_s": 15.0})
        pressed = {"position_m": (low + high) / 2, "offset_m": (high - low) / 2, "speed_mps": 0.0}
        yield _Onset("alarm-button", 22.0, None, pressed)
        yield _Onset("entrapment-off-level", 30.0, trouble.seconds + 10.0, where | {"held_s": 30.0, "limit_s": 30.0})


def _judge(records: Records, lift: LiftFacts, trouble: Trouble, onset: _Onset, kind: str, after_s: float) -> None:
    """Apply one finding at its time."""
    rule, at_ns = BY_SLUG[onset.slug], trouble.start_ns + int(after_s * S_NS)
    level = rule.levels[-1]
    is_instant = onset.until_s is None
    finding = Finding(
        trouble.lift, rule.slug, kind, level.severity, at_ns if is_instant else trouble.start_ns, at_ns, level.by_hand,
        onset.evidence, is_reported=is_instant,
    )  # fmt: skip
    occurrence = Occurrence(lift.lift_id, lift.district, finding, rule, at_ns)
    records.judge(position=0, occurrences=[occurrence], now_ns=at_ns)


def _answers(trouble: Trouble, by: Actor) -> tuple[tuple[float, IncidentAction], ...]:
    """Return what a mechanic did, each so many seconds after the start of the trouble."""
    end_s = trouble.seconds
    if trouble.form == SILENCE:
        note = "路由器重启后恢复。Back after the router was restarted."
        return ((0.6 * end_s, IncidentAction("ack", by)), (end_s + 600, IncidentAction("comment", by, note=note)))
    if trouble.form == DOOR:
        note = "地坎有异物，已清理。Sill cleared of debris."
        return ((end_s / 2 + 25, IncidentAction("ack", by)), (end_s + 900, IncidentAction("comment", by, note=note)))
    note = "乘客安全撤离，无人受伤。Passengers out and unhurt."
    return (
        (95, IncidentAction("ack", by)),
        (120, IncidentAction("assign", by, to=by.name)),
        (130, IncidentAction("stage", by, stage="dispatched")),
        (0.8 * end_s, IncidentAction("stage", by, stage="on-site")),
        (end_s, IncidentAction("stage", by, stage="released")),
        (end_s + 900, IncidentAction("close", by, reason="released", note=note)),
    )
