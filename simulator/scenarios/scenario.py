"""A scenario: the lifts, traffic, network and faults of a simulated world.

A scenario is checked against itself before the simulation; each contradiction is one line that names the field. Values
that the scenario leaves open are drawn from its seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import chain
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from registry.fact_checks import ABSOLUTE, BAROMETER
from registry.facts import LiftFacts
from simulator.buildings.fleet import FLEET_LIMIT, OFFICE_SHARE, fleet
from simulator.faults.cause import GROWING, NEAR_MISS
from simulator.faults.cause_table import CAUSES, unknown_cause
from simulator.faults.near_misses import PARKED_OPEN, WEATHER
from simulator.faults.schedule import DURATION_LIMITS, FaultRequest, interpolate
from simulator.maths.calendar import DAY_S, Calendar
from simulator.maths.rng import LIFT_SETUP, PLAN, uniform_numbers
from simulator.physics.car_vibration import WAVE_HZ, WAVE_HZ_LIMITS
from simulator.physics.sensors import SAMPLE_HZ
from simulator.terminals.network import NetworkConditions
from simulator.world.world import HEARTBEAT_S

LOCAL_TIME = timezone(timedelta(hours=8))
START = datetime(2001, 9, 10, 7, 0, tzinfo=LOCAL_TIME)
"""A Monday. Simulated clocks start in 2001 so that a wall-clock time that leaks in is obvious."""
YEARS = (1970, 2200)
"""The years in which a world may begin: instants are nanoseconds since 1970 in 64 bits, which last until 2262."""
SEED_LIMIT = 2**63 - 1
DAY_H = 24.0
DAYS_LIMIT = 3_660
PLAN_LIMIT = 1_000
ROUNDING = 1e-3
"""How far shares may miss a sum of 1: a third is often written as 0.333."""
SETUPS = {PARKED_OPEN: "parked_open", WEATHER: "barometers"}
"""The causes that need a certain setup of the lift, and the scenario key that gives the share of such lifts."""
TRIAL_GROWTH_SHARE = (0.1, 0.4)
"""How long growing trial faults take to fail, as a share of their part of the scenario."""


class InvalidScenario(ValueError):
    """The scenario cannot be simulated; the text is one line that names the field and the reason."""


class ScenarioTable(BaseModel):
    """A table of the scenario file: frozen, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Buildings(ScenarioTable):
    """The shares of building types, which add up to 1; a type that is left out has share 0."""

    office: float = Field(0.0, ge=0, le=1)
    residential: float = Field(0.0, ge=0, le=1)


class PlannedFault(ScenarioTable):
    """A planned fault of one `lift` (1 is the first) or of a `share` of all lifts, drawn from the seed.

    `onset_h` counts from the start by the calendar; the onset of each lift is drawn from the `spread_s` after it. The
    other fields are those of `schedule.FaultRequest`.
    """

    cause: str
    lift: int | None = Field(None, ge=1)
    share: float | None = Field(None, gt=0, le=1)
    onset_h: float = Field(0.0, ge=0, allow_inf_nan=False)
    spread_s: float = Field(0.0, ge=0, allow_inf_nan=False)
    for_s: float | None = Field(None, gt=0, allow_inf_nan=False)
    severity: float | None = Field(None, ge=0, le=1)
    form: Literal["sudden", "intermittent", "growing"] | None = None
    growth_days: float | None = Field(None, gt=0, allow_inf_nan=False)


class Scenario(ScenarioTable):
    """A simulated world of `days` days; on each day, `hours` are simulated from the start's time of day.

    start              the start of the simulated time; default: now if the world is played to a broker, else `START`
    hour               the local hour of day at which the traffic begins; default: the hour of `start`, else of the
                       clock
    form               the form in which bundles are sent
    wave_hz            the sampling rate of the vibration
    machines           the numbers of the lifts with a machine sensor
    idle_hz            how many samples a second a lift at rest sends
    barometers         the share of lifts whose position sensor is a barometer
    parked_open        the share of lifts that are set to park with an open door
    faults_per_hour    the rate of random faults over the fleet, equal for each cause
    trials             so many faults of each cause, at lifts and times drawn from the seed
    near_misses        so many near misses of each kind, drawn likewise
    hazard             the factor on each cause's failure rate in a real fleet
    """

    about: str = ""
    lifts: int = Field(50, ge=1, le=FLEET_LIMIT)
    seed: int = Field(1, ge=0, le=SEED_LIMIT)
    start: AwareDatetime | None = None
    hours: float = Field(DAY_H, gt=0, le=DAY_H)
    days: int = Field(1, ge=1, le=DAYS_LIMIT)
    hour: float | None = Field(None, ge=0, lt=DAY_H)
    form: Literal["json", "cbor", "gateway", "streams"] = "cbor"
    vibration: bool = False
    wave_hz: int = Field(WAVE_HZ, ge=WAVE_HZ_LIMITS[0], le=WAVE_HZ_LIMITS[1], multiple_of=10)
    machines: tuple[int, ...] = Field((), strict=False)
    idle_hz: Literal[1, 10] = SAMPLE_HZ
    barometers: float = Field(0.0, ge=0, le=1)
    parked_open: float = Field(0.0, ge=0, le=1)
    faults_per_hour: float = Field(0.0, ge=0, allow_inf_nan=False)
    hazard: float = Field(0.0, ge=0, allow_inf_nan=False)
    trials: int = Field(0, ge=0, le=PLAN_LIMIT)
    near_misses: int = Field(0, ge=0, le=PLAN_LIMIT)
    buildings: Buildings = Buildings(office=OFFICE_SHARE, residential=1 - OFFICE_SHARE)
    network: NetworkConditions = NetworkConditions()
    faults: tuple[PlannedFault, ...] = Field((), max_length=PLAN_LIMIT, strict=False)

    @property
    def span_h(self) -> float:
        """The calendar duration in hours."""
        return (self.days - 1) * DAY_H + self.hours

    @property
    def day_s(self) -> int:
        """The simulated seconds of each day."""
        return max(1, round(self.hours * 3600))

    @property
    def seconds(self) -> int:
        """The simulated seconds of all days."""
        return self.days * self.day_s

    @property
    def heartbeat_s(self) -> int:
        """The heartbeat interval that terminals announce; a day where parts of days are skipped."""
        return DAY_S if self.days > 1 and self.day_s < DAY_S else HEARTBEAT_S

    @property
    def calendar(self) -> Calendar:
        """The calendar of a scenario that does not begin now."""
        return Calendar(self.start_ns, self.day_s, self.days)

    @property
    def start_ns(self) -> int:
        """The start of a scenario that does not begin now: a whole second, UTC nanoseconds."""
        return int((self.start or START).timestamp()) * 1_000_000_000

    @property
    def traffic_hour(self) -> float | None:
        """The local hour of day at which the traffic begins, or None if it follows the lifts' clock."""
        if self.hour is not None or self.start is None:
            return self.hour
        local = self.start.astimezone(LOCAL_TIME)
        return local.hour + local.minute / 60 + local.second / 3600


def fault_requests(scenario: Scenario, facts: Sequence[LiftFacts]) -> list[FaultRequest]:
    """Return the fault requests of a scenario in simulated seconds, fault by fault for each lift; shares are drawn."""
    plan = []
    for k, fault in enumerate(scenario.faults):
        onset_s, for_s = _simulated_time(scenario, fault)
        for lift in _drawn_lifts(scenario, k):
            if _applies_to(fault.cause, facts[lift]):
                when = (onset_s, onset_s + fault.spread_s)
                how = (for_s, fault.severity, fault.form, fault.growth_days)
                plan.append(FaultRequest(facts[lift].lift_id, fault.cause, when, *how, name=f"faults[{k}]"))
    parked = (lift.lift_id for lift in facts if lift.parks_door_open)
    plan += [FaultRequest(lift_id, PARKED_OPEN, for_s=float(scenario.seconds)) for lift_id in parked]
    return plan + list(_trial_requests(scenario, facts))


def scenario_lifts(scenario: Scenario) -> list[LiftFacts]:
    """Return the lifts of a scenario: those of its seed's fleet, with the scenario's setups applied."""
    lifts = fleet(scenario.lifts, scenario.seed, scenario.buildings.office)
    for k, lift in enumerate(lifts):
        draw = uniform_numbers(scenario.seed, k, LIFT_SETUP)
        parks, source = next(draw) < scenario.parked_open, ABSOLUTE if next(draw) >= scenario.barometers else BAROMETER
        lifts[k] = replace(lift, parks_door_open=parks, position_source=source)
    return lifts


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
        slug: [lift.lift_id for lift in facts if _applies_to(slug, lift)] for slug in {cause.slug for cause in asked}
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


def _applies_to(cause: str, lift: LiftFacts) -> bool:
    """Return whether this cause can occur at this lift."""
    return {PARKED_OPEN: lift.parks_door_open, WEATHER: lift.position_source == BAROMETER}.get(cause, True)


def _drawn_lifts(scenario: Scenario, k: int) -> Iterator[int]:
    """Yield the rows of the lifts of planned fault `k`; a share is drawn."""
    fault = scenario.faults[k]
    for lift in range(scenario.lifts) if fault.lift is None else [fault.lift - 1]:
        if fault.share is None or next(uniform_numbers(scenario.seed, lift * PLAN_LIMIT + k, PLAN)) < fault.share:
            yield lift


def _candidate_lifts(scenario: Scenario, fault: PlannedFault) -> list[LiftFacts]:
    """Return the lifts that a planned fault names or is drawn from."""
    lifts = scenario_lifts(scenario)
    return lifts if fault.lift is None else lifts[fault.lift - 1 : fault.lift]


def _simulated_time(scenario: Scenario, fault: PlannedFault) -> tuple[float, float | None]:
    """Return the onset and the duration of a planned fault in simulated seconds; None is the cause's own duration."""
    onset_s, lived_s = fault.onset_h * 3600, scenario.calendar.simulated_s
    for_s = None if fault.for_s is None else lived_s(onset_s + fault.for_s) - lived_s(onset_s)
    return lived_s(onset_s), for_s


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
        yield "lift: say either lift (its number) or share (of all lifts)"
    if fault.lift is not None and fault.lift > scenario.lifts:
        yield f"lift: {fault.lift} is not there; the lifts are 1 to {scenario.lifts}"
    if fault.lift is None and next(_drawn_lifts(scenario, k), None) is None:
        yield f"share: {fault.share:g} of {scenario.lifts} draws no lift; raise it, or say which lift"
    if fault.cause in SETUPS and not any(_applies_to(fault.cause, lift) for lift in _candidate_lifts(scenario, fault)):
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
    elif _simulated_time(scenario, fault)[1] == 0:
        yield f"for_s: it is over before the next of the {scenario.hours:g} h that are simulated of each day"
