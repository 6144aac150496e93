"""Near misses that also occur by themselves, and maintenance visits: what each of them contains."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from simulator.cars.maintenance_visit import INSPECTION_MPS
from simulator.faults.near_misses import WEATHER
from simulator.playback.simulation import Simulation
from simulator.scenarios.scenario import Scenario
from telemetry.streams import CLOSED, INSPECTION, NORMAL, OPEN
from tests.simulator.test_near_misses import LIFTS, WORLDS

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


def live(scenario: Scenario, lift: int = 0) -> Lived:
    scene, seconds = Simulation(scenario, scenario.start_ns), []
    world = scene.world
    for _ in range(scenario.seconds):
        second, cars = world.step(), world.cars
        t_s = world.begin_s[lift] - 1 + np.arange(10) / 10
        place, v, _ = cars.trajectories.at(np.array([lift]), t_s[None])
        every = np.ones(10)
        states = (every * cars.door[lift], every * cars.mode[lift], every * cars.condition.goods[lift])
        seconds.append((place[0], v[0], second.z_m[lift], *states))
    return Lived(*(np.concatenate(column) for column in zip(*seconds, strict=True)))


def under(cause: str, for_s: float, hour: float = 2.0, **more: object) -> Scenario:
    fault = {"cause": cause, "lift": 1, "for_s": for_s, "severity": 0.5}
    return Scenario(lifts=4, seed=7, hour=hour, hours=(for_s + 60) / 3600, faults=[fault], **more)  # type: ignore[arg-type]


def test_a_maintenance_visit_works_rides_on_the_roof_tries_the_door_and_runs_once() -> None:
    seen = live(under("maintenance-visit", 1500.0))
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


def test_short_trips_are_of_one_floor_to_and_fro_below_rated_speed() -> None:
    scenario = under("short-trips", 240.0)
    rated_mps = Simulation(scenario, scenario.start_ns).facts[0].rated_speed_mps or 0.0
    runs = live(scenario).runs()
    peaks = [np.abs(run.v_mps).max() for run in runs]
    assert len(runs) >= 6
    assert max(peaks[:6]) < 0.97 * rated_mps
    assert {bool(run.v_mps.sum() > 0) for run in runs} == {True, False}


def test_a_car_on_long_ropes_levels_again_while_goods_come_and_go() -> None:
    levelled = 0
    for lift in range(6, 10):
        asked = under("re-levelling-under-load", 300.0).model_copy(update={"lifts": 9})
        fault = asked.faults[0].model_copy(update={"lift": lift})
        seen = live(asked.model_copy(update={"faults": (fault,)}), lift - 1)
        assert seen.goods.max() > 0.75
        assert seen.goods[-1] == 0
        levelled += any((run.door == OPEN).all() and 0 < np.ptp(run.z_m) < 0.05 for run in seen.runs())
    assert levelled >= 2


def test_nobody_comes_to_a_deserted_building() -> None:
    busy, idle = live(under("night-idleness", 600.0, hour=12.0)), live(Scenario(lifts=4, seed=7, hour=12.0, hours=0.18))
    assert len(idle.runs()) > 5
    assert Lived(*(column[1500:6000] for column in vars(busy).values())).runs() == []


def test_wind_on_the_shaft_moves_a_barometer_and_leaves_a_tape_alone() -> None:
    def level_offset_m(barometers: float) -> Column:
        seen = live(under(WEATHER, 900.0, hour=3.0, barometers=barometers))
        return (seen.read_m - seen.z_m).reshape(-1, 600).mean(axis=1)

    barometer, tape = level_offset_m(1.0), level_offset_m(0.0)
    assert np.abs(tape).max() < 0.05
    assert 2.5 < np.ptp(barometer) < 5.0
    assert abs(barometer[-1] - barometer[0]) < 1.0


def counted(world: str) -> Counter[str]:
    """Return what happened by itself in one of the worlds that must raise nothing."""
    scenario = Scenario(**({"lifts": LIFTS, "seed": 7} | WORLDS[world]))
    scene, counts = Simulation(scenario, scenario.start_ns), Counter[str]()
    cars, since = scene.world.cars, np.zeros(len(scene.world))
    for second in range(scenario.seconds):
        before = cars.trajectories.t[0].copy()
        scene.world.step()
        begun = np.flatnonzero(cars.trajectories.t[0] != before)
        begun = begun[begun < len(scene.world)]
        open_door = cars.door[begun] != CLOSED
        runs, peak_mps = begun[~open_door], np.abs(cars.trajectories.v).max(axis=0)
        counts["re-levellings"] += int(open_door.sum())
        counts["trips"] += len(runs)
        counts["short trips"] += int((peak_mps[runs] < 0.97 * cars.lifts.rated_mps[runs]).sum())
        since[begun] = second
        counts["idle minutes"] = max(counts["idle minutes"], int((second - since).max() / 60))
    return counts


def test_worlds_that_must_raise_nothing_contain_each_situation() -> None:
    assert counted("re-levelling under load")["re-levellings"] >= 5
    noon = counted("short trips that never reach rated speed")
    assert 0.1 < noon["short trips"] / noon["trips"] < 0.6
    assert counted("night idleness")["idle minutes"] >= 10


def test_the_weather_moves_a_barometer_at_all_times() -> None:
    seen = live(Scenario(lifts=1, seed=7, hour=2.0, hours=2.0, barometers=1.0))
    assert np.ptp((seen.read_m - seen.z_m).reshape(-1, 600).mean(axis=1)) > 0.3
