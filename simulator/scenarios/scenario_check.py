"""The check of a scenario against itself: each contradiction is one line that names the field and the reason."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain

from registry.facts import LiftFacts
from simulator.faults.cause import GROWING, NEAR_MISS
from simulator.faults.cause_table import CAUSES, unknown_cause
from simulator.faults.near_misses import PARKED_OPEN, WEATHER
from simulator.scenarios.fault_plan import applies_to, drawn_lifts, simulated_time
from simulator.scenarios.scenario import PlannedFault, Scenario, scenario_lifts

YEARS = (1970, 2200)
"""The years in which a world may begin: instants are nanoseconds since 1970 in 64 bits, which last until 2262."""
ROUNDING = 1e-3
"""How far shares may miss a sum of 1: a third is often written as 0.333."""
SETUPS = {PARKED_OPEN: "parked_open", WEATHER: "barometers"}
"""The causes that need a certain setup of the lift, and the scenario key that gives the share of such lifts."""


def scenario_errors(scenario: Scenario) -> Iterable[str]:
    """Yield each contradiction of a scenario as the field and the reason."""
    first, last = YEARS
    if scenario.start and not datetime(first, 1, 1, tzinfo=UTC) <= scenario.start < datetime(last, 1, 1, tzinfo=UTC):
        yield f"start: {scenario.start} is out of range; lifts count from {first}, and a world begins before {last}"
    built = sum(scenario.buildings.model_dump().values())
    if not math.isclose(built, 1, abs_tol=ROUNDING):
        yield f"buildings: the shares add up to {built:g}, not to 1; a kind that is left out has none"
    for k in range(len(scenario.faults)):
        why = chain(_misplaced(scenario, k), _misshapen(scenario.faults[k]), _mistimed(scenario, k))
        yield from (f"faults[{k}].{line}" for line in why)

    for number in scenario.machines:
        if not 1 <= number <= scenario.lifts:
            yield f"machines: {number} is not there; the lifts are 1 to {scenario.lifts}"


def _misplaced(scenario: Scenario, k: int) -> Iterator[str]:
    """Yield why planned fault `k` has no valid cause or no valid lift."""
    fault = scenario.faults[k]
    if fault.cause not in CAUSES:
        yield unknown_cause(fault.cause)
        return
    if (fault.lift is None) == (fault.share is None):
        yield "lift: write either lift (its number) or share (of all lifts)"
    if fault.lift is not None and fault.lift > scenario.lifts:
        yield f"lift: {fault.lift} is not there; the lifts are 1 to {scenario.lifts}"
    if fault.lift is None and next(drawn_lifts(scenario, k), None) is None:
        yield f"share: {fault.share:g} of {scenario.lifts} draws no lift; raise it, or name a lift"
    if fault.cause in SETUPS and not any(applies_to(fault.cause, lift) for lift in _candidate_lifts(scenario, fault)):
        yield f"cause: {fault.cause} needs a lift that is set up for it by {SETUPS[fault.cause]}"


def _misshapen(fault: PlannedFault) -> Iterator[str]:
    """Yield why a planned fault cannot take its form."""
    cause = CAUSES.get(fault.cause)
    if cause is None:
        return
    form = fault.form or cause.form
    if form == GROWING and cause.kind == NEAR_MISS:
        yield f"form: {cause.slug} is a near miss and never fails; only faults grow"
    if form != GROWING and fault.growth_days is not None:
        yield f"growth_days: it is {form}; only what is growing takes days to grow"


def _mistimed(scenario: Scenario, k: int) -> Iterator[str]:
    """Yield why planned fault `k` cannot occur at its time."""
    fault = scenario.faults[k]
    if fault.onset_h >= scenario.span_h:
        yield f"onset_h: {fault.onset_h:g} is after the end, {scenario.span_h:g} h from the start"
    elif fault.onset_h + fault.spread_s / 3600 > scenario.span_h:
        yield f"spread_s: onsets would be drawn after the end, {scenario.span_h:g} h from the start"
    elif simulated_time(scenario, fault)[1] == 0:
        yield f"for_s: it is over before the next of the {scenario.hours:g} h that are simulated of each day"


def _candidate_lifts(scenario: Scenario, fault: PlannedFault) -> list[LiftFacts]:
    """Return the lifts that a planned fault names or is drawn from."""
    lifts = scenario_lifts(scenario)
    return lifts if fault.lift is None else lifts[fault.lift - 1 : fault.lift]
