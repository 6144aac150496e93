"""Sensors report the true motion with their own errors and faults."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from simulator.faults.condition import SensorFaults
from simulator.physics.sensors import BAROMETER_NOISE_HPA, HPA_PER_M
from simulator.world.world import World
from telemetry.streams import CLOSED, OPEN
from tests.simulator.recorded_world import NIGHT, world


def read(w: World, seconds: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return speeds, positions and the true positions, each (samples, lifts)."""
    v, z, true = [], [], []
    for _ in range(seconds):
        begin_s = w.begin_s
        second = w.step()
        v.append(second.v_mps.T)
        z.append(second.z_m.T)
        true.append(w.cars.trajectories.at(np.arange(len(w)), begin_s[:, None] + np.arange(10) / 10)[0].T)
    return np.concatenate(v), np.concatenate(z), np.concatenate(true)


def test_a_barometer_is_as_noisy_as_the_air_and_goes_with_the_weather() -> None:
    w = world(lifts=30, seed=8, barometers=1.0)
    _, z, true = read(w, 60)
    off = z - true
    assert off.std(axis=0).mean() == pytest.approx(BAROMETER_NOISE_HPA / HPA_PER_M, rel=0.1)
    sensors = w._sensors
    hours_s = np.arange(0.0, 5 * 86_400.0, 600.0)
    weather = np.array([sensors._weather_m(np.full(len(w.cars.phase), t)) for t in hours_s])
    assert np.abs(weather[0]).max() < 1e-6
    assert 3.0 < np.abs(weather).max() < 6.0
    six_hours = np.abs(weather[36:] - weather[:-36]).max(axis=0)
    assert (six_hours > 2.0).all()
    steps = np.abs(np.diff(weather, axis=0)) > 0.5
    assert 4 <= steps.sum(axis=0).max() <= 5, "set to zero once a day"


def test_a_share_of_lifts_has_barometers_and_none_unless_asked() -> None:
    assert len(world(lifts=100)._sensors.barometer) == 0
    assert 5 <= len(world(lifts=100, barometers=0.1)._sensors.barometer) <= 20


def stick(w: World) -> None:
    w.cars.condition.position.stuck[0] = True


def kill(w: World) -> None:
    w.cars.condition.position.dead[0] = True


def mute(w: World) -> None:
    w.cars.condition.position.mute[0] = True


def shift(w: World) -> None:
    w.cars.condition.position.offset[0] = 0.4


def spike(w: World) -> None:
    w.cars.condition.position.spike_share[0] = 0.02
    w.cars.condition.position.spike[0] = 5.0


FAULTS: dict[str, tuple[Callable[[World], None], Callable[[np.ndarray, np.ndarray], bool]]] = {
    "stuck": (stick, lambda z, true: bool((z == z[0]).all() and abs(z[0] - true[0]) < 0.01)),
    "dead": (kill, lambda z, true: bool((z == 0).all())),
    "mute": (mute, lambda z, true: bool(np.isnan(z).all())),
    "offset": (shift, lambda z, true: bool(np.abs(z - true - 0.4).max() < 0.01)),
    "spikes": (spike, lambda z, true: 4 < (np.abs(np.abs(z - true) - 5) < 0.01).sum() < 40),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_sensor_fault_changes_only_the_readings_of_its_lift(fault: str) -> None:
    breaks, shows = FAULTS[fault]
    w = world(lifts=3, seed=8, hour=NIGHT)
    read(w, 5)
    breaks(w)
    _, z, true = read(w, 60)
    assert shows(z[:, 0], true[:, 0])
    assert np.abs(z[:, 1:] - true[:, 1:]).max() < 0.01
    w.cars.condition.position = SensorFaults(3)
    _, z, true = read(w, 3)
    assert np.abs(z - true).max() < 0.01


def test_a_dead_presence_sensor_reads_empty_and_a_stuck_door_sensor_closed() -> None:
    w = world(lifts=30, seed=8, offices=1.0)
    w.cars.condition.presence_dead[:15] = w.cars.condition.door_stuck[:15] = True
    while_moving, seen, doors = np.zeros(30, dtype=np.bool_), np.zeros(30, dtype=np.bool_), [set() for _ in range(30)]
    for _ in range(200):
        second = w.step()
        while_moving |= w.cars.riders[:30] > 0
        for k in range(30):
            seen[k] |= any(presence for presence, _ in (second.infrared.of(k) or ([], []))[1])
            doors[k] |= {state for (state,) in (second.door.of(k) or ([], []))[1]}
    assert while_moving[:15].sum() > 5
    assert not seen[:15].any()
    assert seen[15:].sum() > 5
    assert all(states == {CLOSED} for states in doors[:15])
    assert sum(OPEN in states for states in doors[15:]) > 5


def test_slipping_ropes_turn_the_encoder_further_than_the_car_goes() -> None:
    w = world(lifts=30, seed=8)
    w.cars.condition.slip[:] = 0.02
    v, _, true = read(w, 300)
    displacement_m = np.abs(np.diff(true, axis=0)).sum(axis=0)
    assert (displacement_m > 5).sum() > 5
    turned_m = np.abs(np.where(np.abs(v) > 0.02, v, 0)).sum(axis=0) / 10
    ratio = (turned_m / np.where(displacement_m > 5, displacement_m, np.nan)) - 1
    assert np.nanmedian(ratio) == pytest.approx(0.02, abs=0.005)
