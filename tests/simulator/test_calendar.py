"""A world that simulates a part of each day, and sends the instants of the calendar."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.maths.calendar import NS, Calendar
from simulator.playback.simulation import Simulation, decoded_seconds
from simulator.scenarios.fault_plan import fault_requests
from simulator.scenarios.scenario import Scenario
from simulator.scenarios.scenario_check import scenario_errors
from tests.simulator.recorded_world import START_NS

HOUR_NS = 3600 * NS


def test_the_calendar_skips_the_rest_of_each_day() -> None:
    half_hours = Calendar(START_NS, 1800)
    assert half_hours.instant_ns(1799.5) == START_NS + 1799_500_000_000
    assert half_hours.instant_ns(1800) == START_NS + 24 * HOUR_NS
    assert half_hours.instant_ns(3 * 1800 + 60) == START_NS + 72 * HOUR_NS + 60 * NS
    assert Calendar(START_NS).instant_ns(200_000) == START_NS + 200_000 * NS


@pytest.mark.parametrize(
    ("elapsed_h", "simulated_s"), [(0, 0), (0.25, 900), (0.5, 1800), (12, 1800), (24, 1800), (48.25, 4500)]
)
def test_a_time_in_the_skipped_part_of_a_day_is_the_next_days_first_second(
    elapsed_h: float, simulated_s: float
) -> None:
    assert Calendar(START_NS, 1800).simulated_s(elapsed_h * 3600) == simulated_s


def test_after_the_last_day_the_calendar_skips_no_time() -> None:
    two = Calendar(START_NS, 1800, days=2)
    assert two.instant_ns(1800) == START_NS + 24 * HOUR_NS
    assert two.instant_ns(3600 + 60) == START_NS + 24 * HOUR_NS + 1860 * NS
    assert two.simulated_s(24 * 3600 + 1860) == 3660


@pytest.mark.parametrize("days", [1, 2])
def test_a_fault_that_outlasts_the_last_day_keeps_its_duration(days: int) -> None:
    power = {"lift": 1, "cause": "building-power-cut", "onset_h": 24.0 * (days - 1), "for_s": 200.0}
    wear = {"lift": 2, "cause": "shoes-worn", "onset_h": 24.0 * (days - 1), "for_s": 400.0, "growth_days": 1.0}
    asked = Scenario(lifts=2, seed=3, hours=0.03, days=days, faults=[power, wear])  # type: ignore[list-item]
    simulation = Simulation(asked, START_NS)
    assert sum(1 for _ in decoded_seconds(simulation)) >= 108 * days
    written = simulation.labels()
    cut, worn = (next(row for row in written if row["cause"] == fault["cause"]) for fault in (power, wear))
    assert cut["end"] - cut["onset"] == 200 * NS  # type: ignore[operator]
    assert worn["end"] - worn["onset"] == 400 * NS  # type: ignore[operator]
    assert worn["functional_failure"] - worn["onset"] == 108 * NS  # type: ignore[operator]
    last_ns = START_NS + (days - 1) * 24 * HOUR_NS + 109 * NS
    assert max(row["symptom_end"] or 0 for row in written) <= last_ns  # type: ignore[type-var,operator]


def test_every_day_begins_at_the_same_traffic_hour() -> None:
    simulation = Simulation(Scenario(lifts=5, days=3, hours=0.02, hour=8.0), START_NS)
    instants = np.concatenate([decoded.messages.t_ns for decoded in decoded_seconds(simulation)])
    days, within_ns = np.divmod(instants - START_NS, 24 * HOUR_NS)
    assert np.unique(days).tolist() == [0, 1, 2]
    assert within_ns.max() < 73 * NS
    assert simulation.world.cars.hour(np.array([0.0, 72.0, 143.0])).tolist() == pytest.approx(
        [8.0, 8.0, 8.0 + 71 / 3600]
    )
    assert simulation.world.status(0)["heartbeat_s"] == 86_400


def test_a_fault_that_grows_over_days_grows_as_far_in_the_simulated_hours() -> None:
    fault = {"lift": 1, "cause": "shoes-worn", "onset_h": 36.0, "for_s": 86_400.0 * 2, "growth_days": 10.0}
    sampled = Scenario(lifts=1, days=20, hours=6.0, faults=[fault])  # type: ignore[list-item]
    simulation = Simulation(sampled, START_NS)
    (plan,) = fault_requests(sampled, simulation.facts)
    assert plan.onset_s == (2 * 6 * 3600.0, 2 * 6 * 3600.0)
    assert plan.for_s == 2 * 6 * 3600.0
    assert simulation.world._schedule.draw(plan).growth_s == 10 * 6 * 3600.0


def test_a_fault_outside_the_simulated_hours_is_refused() -> None:
    fault = {"lift": 1, "cause": "power-cut", "onset_h": 12.0, "for_s": 60.0}
    lines = list(scenario_errors(Scenario(days=2, hours=1.0, faults=[fault])))  # type: ignore[list-item]
    assert [line.split(":")[0] for line in lines] == ["faults[0].for_s"]
