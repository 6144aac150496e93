"""A scenario: the lifts, traffic, network and faults of a simulated world.

`scenario_check` checks it against itself, and `fault_plan` draws its faults. Values that the scenario leaves open are
drawn from its seed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from registry.fact_checks import ABSOLUTE, BAROMETER
from registry.facts import LiftFacts
from simulator.buildings.fleet import FLEET_LIMIT, OFFICE_SHARE, fleet
from simulator.maths.calendar import DAY_S, Calendar
from simulator.maths.rng import LIFT_SETUP, uniform_numbers
from simulator.physics.car_vibration import WAVE_HZ, WAVE_HZ_LIMITS
from simulator.physics.sensors import SAMPLE_HZ
from simulator.terminals.network import NetworkConditions
from simulator.world.world import HEARTBEAT_S

LOCAL_TIME = timezone(timedelta(hours=8))
START = datetime(2001, 9, 10, 7, 0, tzinfo=LOCAL_TIME)
"""A Monday. Simulated clocks start in 2001 so that a wall-clock time that leaks in is obvious."""
SEED_LIMIT = 2**63 - 1
DAY_H = 24.0
DAYS_LIMIT = 3_660
PLAN_LIMIT = 1_000


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


def scenario_lifts(scenario: Scenario) -> list[LiftFacts]:
    """Return the lifts of a scenario: those of its seed's fleet, with the scenario's setups applied."""
    lifts = fleet(scenario.lifts, scenario.seed, scenario.buildings.office)
    for k, lift in enumerate(lifts):
        draw = uniform_numbers(scenario.seed, k, LIFT_SETUP)
        parks, source = next(draw) < scenario.parked_open, ABSOLUTE if next(draw) >= scenario.barometers else BAROMETER
        lifts[k] = replace(lift, parks_door_open=parks, position_source=source)
    return lifts
