"""Near misses that also occur by themselves, and maintenance visits: what each of them contains."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.cars.maintenance_visit import INSPECTION_MPS
from simulator.faults.near_misses import WEATHER
from simulator.playback.simulation import Simulation
from simulator.scenarios.scenario import Scenario, scenario_lifts
from telemetry.streams import CLOSED, INSPECTION, NORMAL, OPEN

STILL_MPS = 0.02
Column = NDArray[np.float64]


@dataclass
class Lived:
    """The true motion of one lift, sample by sample (ten a second), and the readings of its position sensor."""

    z_m: Column
    v_mps: Column
    read_m: Column
    door: NDArray[np.int8]
    mode: NDArray[np.int8]
    goods: Column

    def runs(self) -> list[Lived]:
        """Return the stretches in which the car moved."""
        moves = np.abs(self.v_mps) > STILL_MPS
        pieces = [[k for k, _ in group] for move, group in groupby(enumerate(moves), lambda one: one[1]) if move]
        return [Lived(*(column[piece] for column in vars(self).values())) for piece in pieces]

    def until(self, end_s: float) -> Lived:
        """Return the beginning, until so many seconds have passed."""
        return Lived(*(column[: round(10 * end_s)] for column in vars(self).values()))


def live(scenario: Scenario) -> list[Lived]:
    """Simulate a scenario; return what each of its lifts did."""
    world, seconds = Simulation(scenario, scenario.start_ns).world, []
    every, n = np.ones((len(world), 10)), len(world)
    for _ in range(scenario.seconds):
        second, cars = world.step(), world.cars
        place, v, _ = cars.trajectories.at(np.arange(n), world.begin_s[:, None] - 1 + np.arange(10) / 10)
        states = (every * state[:n, None] for state in (cars.door, cars.mode, cars.condition.goods))
        seconds.append((place, v, second.z_m, *states))
    columns = [np.concatenate(column, axis=1) for column in zip(*seconds, strict=True)]
    return [Lived(*(column[lift] for column in columns)) for lift in range(n)]


def fault(cause: str, lift: int, for_s: float) -> dict[str, object]:
    return {"cause": cause, "lift": lift, "for_s": for_s, "severity": 0.5}


def world(hour: float, lasts_s: float, *faults: dict[str, object], lifts: int = 4, **more: object) -> Scenario:
    return Scenario(lifts=lifts, seed=7, hour=hour, hours=lasts_s / 3600, faults=faults, **more)  # type: ignore[arg-type]


VISITED, SHORT, LOADED = 0, 2, range(5, 9)
NIGHT = world(
    2.0,
    1560.0,
    fault("maintenance-visit", VISITED + 1, 1500.0),
    fault("short-trips", SHORT + 1, 240.0),
    *(fault("re-levelling-under-load", lift + 1, 300.0) for lift in LOADED),
    lifts=9,
)
WINDY, CALM = 0, 4
WIND_S, LONG_S = 900.0, 4200.0


@pytest.fixture(scope="module")
def night() -> list[Lived]:
    """One night of a maintenance visit, of short trips, and of goods that are loaded in the lifts with long ropes."""
    return live(NIGHT)


@pytest.fixture(scope="module")
def weather() -> list[Lived]:
    """More than an hour of barometers, in one building with wind on the shaft."""
    return live(world(3.0, LONG_S, fault(WEATHER, WINDY + 1, WIND_S), lifts=5, barometers=1.0))


def test_a_maintenance_visit_works_rides_on_the_roof_tries_the_door_and_runs_once(
    night: list[Lived],
) -> None:
    seen = night[VISITED]
    inspected = seen.mode == INSPECTION
    order = [mode for mode, _ in groupby(seen.mode)]
    assert order == [NORMAL, INSPECTION, NORMAL]
    assert 500 < (inspected & (seen.door == OPEN)).sum() / 10 < 650
    slow = [run for run in seen.runs() if (run.mode == INSPECTION).all()]
    assert len(slow) >= 4
    assert all(np.abs(run.v_mps).max() < 1.01 * INSPECTION_MPS and (run.door == CLOSED).all() for run in slow)
    doors = [door for door, _ in groupby(seen.door[inspected])]
    assert doors.count(OPEN) >= 3
    last = int(np.flatnonzero(inspected)[-1])
    tests = [run for run in seen.runs() if (run.mode == NORMAL).all() and np.abs(run.v_mps).max() > 1.0]
    assert np.isin(tests[-1].z_m[0], seen.z_m[last : last + 50])


def test_short_trips_are_of_one_floor_to_and_fro_below_rated_speed(night: list[Lived]) -> None:
    rated_mps = scenario_lifts(NIGHT)[SHORT].rated_speed_mps or 0.0
    runs = night[SHORT].until(300.0).runs()
    peaks = [np.abs(run.v_mps).max() for run in runs]
    assert len(runs) >= 6
    assert max(peaks[:6]) < 0.97 * rated_mps
    assert {bool(run.v_mps.sum() > 0) for run in runs} == {True, False}


def test_a_car_on_long_ropes_levels_again_while_goods_come_and_go(night: list[Lived]) -> None:
    levelled = 0
    for lift in LOADED:
        seen = night[lift].until(360.0)
        assert seen.goods.max() > 0.75
        assert seen.goods[-1] == 0
        levelled += any((run.door == OPEN).all() and 0 < np.ptp(run.z_m) < 0.05 for run in seen.runs())
    assert levelled >= 2


def test_nobody_comes_to_a_deserted_building() -> None:
    deserted, usual = live(world(12.0, 660.0, fault("night-idleness", 1, 600.0)))[0], live(world(12.0, 648.0))[0]
    assert len(usual.runs()) > 5
    assert Lived(*(column[1500:6000] for column in vars(deserted).values())).runs() == []


def read_high_m(seen: Lived) -> Column:
    """Return by how much a position sensor reads high, minute by minute."""
    return (seen.read_m - seen.z_m).reshape(-1, 600).mean(axis=1)


def test_wind_on_the_shaft_moves_a_barometer_and_leaves_a_tape_alone(weather: list[Lived]) -> None:
    tapes = live(world(3.0, WIND_S + 60, fault(WEATHER, WINDY + 1, WIND_S)))
    barometer, tape = (read_high_m(lifts[WINDY].until(WIND_S + 60)) for lifts in (weather, tapes))
    assert np.abs(tape).max() < 0.05
    assert 2.5 < np.ptp(barometer) < 5.0
    assert abs(barometer[-1] - barometer[0]) < 1.0


def test_the_weather_moves_a_barometer_at_all_times(weather: list[Lived]) -> None:
    assert np.ptp(read_high_m(weather[CALM])) > 0.3
