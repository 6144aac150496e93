"""Rope stretch and oscillation have the values of docs/world.md, and drives correct the stretch."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from simulator.maths.stopping import G_MPS2
from simulator.physics.suspension import JUMPS_HZ, natural_hz, stiffness_npm, transition
from simulator.world.world import World
from telemetry.streams import OPEN
from tests.simulator.recorded_world import NIGHT, live, world

# free rope m, k 1:1 kN/m, step of 75 kg 1:1 and 2:1 mm, natural frequency 1:1 and 2:1 Hz
TABLE = [(20.0, 673, 1.1, 0.55, 2.9, 4.1), (50.0, 269, 2.7, 1.4, 1.9, 2.6), (100.0, 135, 5.5, 2.7, 1.3, 1.9)]


@pytest.mark.parametrize(("free_m", "k_knpm", "one_mm", "two_mm", "one_hz", "two_hz"), TABLE)
def test_five_ropes_have_the_stiffness_the_step_and_the_frequency_of_the_table(
    free_m: float, k_knpm: float, one_mm: float, two_mm: float, one_hz: float, two_hz: float
) -> None:
    one, two = (stiffness_npm(np.array([5.0]), np.array([free_m]), np.array([r]))[0] for r in (1.0, 2.0))
    assert one / 1000 == pytest.approx(k_knpm, abs=0.51)
    assert 75 * G_MPS2 / one * 1000 == pytest.approx(one_mm, abs=0.051)
    assert 75 * G_MPS2 / two * 1000 == pytest.approx(two_mm, abs=0.051)
    assert natural_hz(one, np.array(2000.0)) == pytest.approx(one_hz, abs=0.055)
    assert natural_hz(two, np.array(2000.0)) == pytest.approx(two_hz, abs=0.055)


@pytest.mark.parametrize(("hz", "zeta", "dt_s"), [(1.3, 0.05, 0.1), (4.1, 0.12, 0.01), (6.5, 0.08, 0.1)])
def test_the_step_from_sample_to_sample_is_exact(hz: float, zeta: float, dt_s: float) -> None:
    omega = 2 * np.pi * hz
    exact = expm(dt_s * np.array([[0.0, 1.0], [-(omega**2), -2 * zeta * omega]]))
    assert np.allclose(np.reshape(transition(np.array(omega), np.array(zeta), dt_s), (2, 2)), exact)


def resting(lifts: int = 12) -> tuple[World, int]:
    """Return a world at 100 Hz in which a lift of long ropes rests, and which one."""
    w = world(lifts=lifts, seed=4, hour=NIGHT, vibration=True)
    live(w, 3)
    free_m = w._suspension._top_m - w.cars.trajectories.end_m
    still = w.cars.due_s > w.seconds + 30
    return w, int(np.argmax(np.where(still, free_m / w.cars.lifts.rope_ratio, 0.0)))


def test_a_person_who_steps_in_moves_the_car_which_rings_at_its_natural_frequency() -> None:
    w, k = resting()
    before_m = w.motion.rest_m[k]
    lift = np.array([k])
    w.cars.change_load(lift, w.begin_s[lift] + 0.2, np.array([75.0]))
    z, vertical = [], []
    for _ in range(6):
        second = w.step()
        row = np.flatnonzero(w.motion.lift == k)
        z.append(w.motion.z_m[row[0]] if len(row) else np.full(100, w.motion.rest_m[k]))
        assert second.vibration_mps2 is not None
        vertical.append(second.vibration_mps2[k, 2])
    down_m = before_m - np.concatenate(z)
    omega, zeta, stiffness = (
        x[0] for x in w._suspension._spring(w.cars, lift, w.cars.trajectories.end_m[lift], np.zeros(1))
    )
    step_m = 75 * G_MPS2 / stiffness
    assert down_m[:20].max() == 0
    assert down_m[-1] == pytest.approx(step_m, rel=0.02)
    assert 0.1 < down_m.max() / step_m - 1 < np.exp(-zeta * np.pi), "it rings, less than if the weight came at once"
    steady = np.concatenate(vertical)[55:255]
    spectrum = np.abs(np.fft.rfft(steady - steady.mean(), 4096))
    assert np.argmax(spectrum) * 100 / 4096 == pytest.approx(omega / 2 / np.pi, rel=0.1)


def test_a_run_compensates_the_rope_stretch_by_passengers() -> None:
    w = world(lifts=40, seed=4)
    off = []
    for _ in range(300):
        w.step()
        arrived = (w.cars.trajectories.end_s < w.seconds - 1) & (w.cars.trajectories.end_s > w.seconds - 1.5)
        off += np.abs(w.motion.rest_m - w.cars.trajectories.end_m)[arrived].tolist()
    assert len(off) > 30
    assert np.median(off) < 0.001


def held_open(w: World) -> int:
    """Return the lift of longest ropes, whose door now stays open."""
    k = int(np.argmin(w.cars.trajectories.end_m - w._suspension._top_m))
    w.inject(f"sim-{k + 1:05d}", "door-open-button-stuck", 300.0)
    while not (w.cars.door[k] == OPEN and w.cars.stage[k] == 2):
        w.step()
    return k


def test_a_drive_corrects_a_heavy_load_at_an_open_door_slowly_and_closely() -> None:
    w = world(lifts=12, seed=4, hour=NIGHT)
    k = held_open(w)
    lift = np.array([k])
    landing_m = w.cars.lifts.height(lift, w.cars.floor[lift])[0]
    stiffness = w._suspension._spring(w.cars, lift, w.cars.trajectories.end_m[lift], np.zeros(1))[2][0]
    w.cars.change_load(lift, w.begin_s[lift] + 0.3, np.array([0.030 * stiffness / G_MPS2]))
    off, speed = [], []
    for _ in range(8):
        w.step()
        row = np.flatnonzero(w.motion.lift == k)
        off.append(w.motion.rest_m[k] - landing_m)
        speed.append(np.abs(w.motion.v_mps[row]).max() if len(row) else 0.0)
        assert w.cars.door[k] == OPEN
    assert min(off) < -0.020
    assert abs(off[-1]) < 0.010
    assert 0.02 < max(speed) <= 0.30


def test_a_car_that_sinks_at_an_open_door_is_levelled_again_and_again() -> None:
    w = world(lifts=12, seed=4, hour=NIGHT)
    k = held_open(w)
    w.cars.condition.sinks_mps[k] = 0.0005
    starts = 0
    for _ in range(200):
        at_s = w.cars.trajectories.t[0, k]
        w.step()
        starts += w.cars.trajectories.t[0, k] != at_s
    assert 3 <= starts <= 9
    landing_m = w.cars.lifts.height(np.array([k]), w.cars.floor[[k]])[0]
    assert abs(w.motion.rest_m[k] - landing_m) < 0.022


def test_jumping_passengers_shake_their_car_and_an_empty_car_stands() -> None:
    w, k = resting()
    w.cars.condition.jumping_kg[k] = 75.0
    z = np.concatenate(
        [np.r_[w.motion.rest_m[k], w.motion.z_m[w.motion.lift == k].ravel()] for _ in range(3) if w.step()]
    )
    assert np.ptp(z) < 1e-3, "nobody is inside"
    lift = np.array([k])
    w.cars.change_load(lift, w.begin_s[lift] + 0.1, np.array([75.0]))
    live(w, 8)
    vertical, z = [], []
    for _ in range(6):
        second = w.step()
        vertical.append(second.vibration_mps2[k, 2])
        z.append(w.motion.z_m[w.motion.lift == k].ravel())
    omega, zeta, stiffness = (
        x[0] for x in w._suspension._spring(w.cars, lift, w.cars.trajectories.end_m[lift], np.zeros(1))
    )
    ratio = 2 * np.pi * JUMPS_HZ / omega
    factor = sum(part / np.hypot(1 - (n * ratio) ** 2, 2 * zeta * n * ratio) for n, part in ((1, 1.0), (2, 1 / 3)))
    static_m = 75.0 * G_MPS2 / stiffness
    assert 0.6 * 2 * static_m * factor < np.ptp(np.concatenate(z)) < 1.01 * 2 * static_m * factor
    assert np.concatenate(vertical).std() > 0.1
    w.cars.condition.jumping_kg[k] = 0.0
    live(w, 8)
    second = w.step()
    assert second.vibration_mps2 is not None
    assert second.vibration_mps2[k, 2].std() < 0.02
