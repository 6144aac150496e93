"""Stop errors and creeping of drives are those of the domain notes."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.buildings.fleet import fleet
from simulator.cars import drive
from simulator.cars.lifts import LiftParameters
from simulator.cars.state import Cars
from simulator.world.world import World
from tests.simulator.recorded_trip import lift
from tests.simulator.recorded_world import START_NS, world

DAY_S = 86_400.0


def cars(lifts: int = 200) -> tuple[Cars, np.ndarray]:
    return world(lifts=lifts, seed=8).cars, np.arange(lifts)


def error_mm(of: Cars, every: np.ndarray, floor: int, t_s: float) -> np.ndarray:
    """Return by how much these lifts will miss a landing."""
    floors, t = np.full(len(every), floor), np.full(len(every), t_s)
    return (drive.stop_position_m(of, every, floors, t) - of.lifts.height(every, floors)) * 1000


def test_a_healthy_stop_scatters_by_one_to_three_millimetres_around_its_landings_own_bias() -> None:
    of, every = cars()
    stops = np.array([error_mm(of, every, 3, 0.0) for _ in range(60)])
    scatter_mm = stops.std(axis=0)
    assert 1.2 < np.median(scatter_mm) < 2.5
    assert np.percentile(scatter_mm, 90) < 3.0
    other = np.array([error_mm(of, every, 4, 0.0) for _ in range(60)])
    bias = stops.mean(axis=0) - other.mean(axis=0)
    assert 1.0 < bias.std() < 3.0
    assert np.abs(bias).max() < 8.0


def test_a_healthy_level_drifts_by_at_most_a_twentieth_of_a_millimetre_a_day() -> None:
    of, every = cars()
    days = np.array([np.mean([error_mm(of, every, 3, day * DAY_S) for _ in range(200)], axis=0) for day in (0, 60)])
    drift = np.abs(days[1] - days[0]) / 60
    assert drift.max() < 0.05 + 0.02
    assert drift.mean() > 0.01


def test_a_worn_level_adds_to_every_stop() -> None:
    of, every = cars()
    before = np.mean([error_mm(of, every, 3, 0.0) for _ in range(60)], axis=0)
    of.condition.level_m[:] = 0.02
    after = np.mean([error_mm(of, every, 3, 0.0) for _ in range(60)], axis=0)
    assert after - before == pytest.approx(20.0, abs=2.5)


def test_a_lift_of_unknown_age_creeps_in_for_up_to_a_second_and_a_half() -> None:
    facts = [lift(installed_on=None)] * 2000
    of = World(facts, 8, START_NS, buildings=list(range(2000))).cars
    creep_s = drive.run_limits(of, np.arange(2000)).creep_s
    assert np.mean(creep_s > 0) == pytest.approx(0.5, abs=0.05)
    assert 1.3 < np.max(creep_s) <= 1.5


def test_old_drives_are_gentler_creep_more_often_and_stop_less_exactly() -> None:
    old, new = (
        World([lift(installed_on=day)] * 2000, 8, START_NS, buildings=list(range(2000))).cars.lifts.equipment
        for day in ("1998-01-01", "2025-01-01")
    )
    assert np.median(old.a_mps2) < 0.85 * np.median(new.a_mps2)
    assert np.mean(old.creep_s > 0) > 3 * np.mean(new.creep_s > 0)
    assert np.median(old.stop_error_sd_m) > 1.3 * np.median(new.stop_error_sd_m)
    assert np.median(old.vertical) > 1.5 * np.median(new.vertical)
    for equipment in (old, new):
        assert equipment.a_mps2.min() >= 0.3
        assert equipment.a_mps2.max() <= 1.1, "no drive accelerates a car by 1.5 m/s², also where it rings on its ropes"
        assert np.percentile(equipment.a_mps2, 90) > 1.8 * np.percentile(equipment.a_mps2, 10)


def test_the_equipment_of_a_lift_does_not_depend_on_the_range_of_lifts() -> None:
    facts, number = fleet(60, seed=4), np.arange(60)
    whole, part = (LiftParameters(facts[k:], 4, number[k:]).equipment for k in (0, 40))
    for name in ("a_mps2", "j_mps3", "creep_s", "damping", "vertical", "lateral", "accelerometer_noise_mps2"):
        assert np.array_equal(getattr(whole, name)[40:], getattr(part, name)), name
