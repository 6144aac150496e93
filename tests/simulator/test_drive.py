"""Stop errors and creeping of drives are those of the domain notes."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.cars import drive
from simulator.cars.state import Cars
from tests.simulator.recorded_world import world

DAY_S = 86_400.0


def cars(lifts: int = 200) -> tuple[Cars, np.ndarray]:
    return world(lifts=lifts, seed=8).cars, np.arange(lifts)


def error_mm(of: Cars, every: np.ndarray, floor: int, t_s: float) -> np.ndarray:
    """Return by how much these lifts will miss a landing."""
    floors, t = np.full(len(every), floor), np.full(len(every), t_s)
    return (drive.stop_position_m(of, every, floors, t) - of.lifts.height(every, floors)) * 1000


def test_a_healthy_stop_scatters_by_two_to_three_millimetres_around_its_landings_own_bias() -> None:
    of, every = cars()
    stops = np.array([error_mm(of, every, 3, 0.0) for _ in range(60)])
    assert 2.0 < np.median(stops.std(axis=0)) < 3.0
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


def test_half_of_the_drives_creep_in_for_up_to_a_second_and_a_half() -> None:
    of, every = cars(2000)
    creep_s = drive.run_limits(of, every).creep_s
    assert np.mean(creep_s > 0) == pytest.approx(0.5, abs=0.05)
    assert 1.3 < np.max(creep_s) <= 1.5
