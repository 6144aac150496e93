"""The fault requests of a scenario: its planned faults, the parked doors of its lifts, and its trials.

Shares, lifts and times that the scenario leaves open are drawn from its seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from registry.fact_checks import BAROMETER
from registry.facts import LiftFacts
from simulator.faults.cause import GROWING, NEAR_MISS
from simulator.faults.cause_table import CAUSES
from simulator.faults.near_misses import PARKED_OPEN, WEATHER
from simulator.faults.schedule import DURATION_LIMITS, FaultRequest, interpolate
from simulator.maths.rng import PLAN, uniform_numbers
from simulator.scenarios.scenario import PLAN_LIMIT, PlannedFault, Scenario

TRIAL_GROWTH_SHARE = (0.1, 0.4)
"""How long growing trial faults take to fail, as a share of their part of the scenario."""


def fault_requests(scenario: Scenario, facts: Sequence[LiftFacts]) -> list[FaultRequest]:
    """Return the fault requests of a scenario in simulated seconds, fault by fault for each lift; shares are drawn."""
    plan = []
    for k, fault in enumerate(scenario.faults):
        onset_s, for_s = simulated_time(scenario, fault)
        for lift in drawn_lifts(scenario, k):
            if applies_to(fault.cause, facts[lift]):
                when = (onset_s, onset_s + fault.spread_s)
                how = (for_s, fault.severity, fault.form, fault.growth_days)
                plan.append(FaultRequest(facts[lift].lift_id, fault.cause, when, *how, name=f"faults[{k}]"))
    parked = (lift.lift_id for lift in facts if lift.parks_door_open)
    plan += [FaultRequest(lift_id, PARKED_OPEN, for_s=float(scenario.seconds)) for lift_id in parked]
    return plan + list(_trial_requests(scenario, facts))


def _trial_requests(scenario: Scenario, facts: Sequence[LiftFacts]) -> Iterator[FaultRequest]:
    """Yield the trial faults and near misses, dealt to the lifts in turn.

    A lift gets at most one in each equal part of the simulated time, so that faults overlap as rarely as possible.
    """
    asked = [
        cause
        for slug, cause in CAUSES.items()
        for _ in range(scenario.near_misses if cause.kind == NEAR_MISS else scenario.trials)
        if slug != PARKED_OPEN
    ]
    if not asked:
        return
    able = {
        slug: [lift.lift_id for lift in facts if applies_to(slug, lift)] for slug in {cause.slug for cause in asked}
    }
    draw = uniform_numbers(scenario.seed, -1, PLAN)
    asked.sort(key=lambda _: next(draw))
    parts = math.ceil(len(asked) / len(facts))
    part_s = scenario.seconds / parts
    for k, cause in enumerate(asked):
        lifts, begin_s = able[cause.slug], k // len(facts) * part_s
        if not lifts:
            continue
        lift_id = lifts[k % len(lifts)]
        if cause.form == GROWING:
            onset_s, growth_days = (
                next(draw) * part_s / 2,
                scenario.days / parts * interpolate(TRIAL_GROWTH_SHARE, next(draw)),
            )
            yield FaultRequest(lift_id, cause.slug, begin_s + onset_s, growth_days=growth_days)
        else:
            yield FaultRequest(
                lift_id, cause.slug, begin_s + next(draw) * max(0.0, part_s - DURATION_LIMITS[1] * cause.default_s)
            )


def applies_to(cause: str, lift: LiftFacts) -> bool:
    """Return whether this cause can occur at this lift."""
    return {PARKED_OPEN: lift.parks_door_open, WEATHER: lift.position_source == BAROMETER}.get(cause, True)


def drawn_lifts(scenario: Scenario, k: int) -> Iterator[int]:
    """Yield the rows of the lifts of planned fault `k`; a share is drawn."""
    fault = scenario.faults[k]
    for lift in range(scenario.lifts) if fault.lift is None else [fault.lift - 1]:
        if fault.share is None or next(uniform_numbers(scenario.seed, lift * PLAN_LIMIT + k, PLAN)) < fault.share:
            yield lift


def simulated_time(scenario: Scenario, fault: PlannedFault) -> tuple[float, float | None]:
    """Return the onset and the duration of a planned fault in simulated seconds; None is the cause's own duration."""
    onset_s, lived_s = fault.onset_h * 3600, scenario.calendar.simulated_s
    for_s = None if fault.for_s is None else lived_s(onset_s + fault.for_s) - lived_s(onset_s)
    return lived_s(onset_s), for_s
