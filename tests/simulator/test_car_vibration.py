"""The frequencies, places and amplitudes of car vibration are those of the domain notes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt
from scipy.stats import kurtosis

from simulator.buildings.fleet import fleet
from simulator.cars.equipment import ACCELEROMETER_NOISE_MPS2
from simulator.faults.cause import GROWING
from simulator.faults.schedule import FaultRequest
from simulator.maths.calendar import DAY_S
from simulator.physics.guide_rails import BRACKETS_M, RAILS_M
from simulator.world.world import World
from telemetry.streams import CLOSED, OPEN
from tests.simulator.recorded_trip import Ride, a95, gain, lift, record, ride, standing
from tests.simulator.recorded_world import MORNING, START_NS

WK = {0.5: 418, 1: 482, 2: 531, 4: 967, 5: 1039, 6.3: 1054, 8: 1036, 16: 768, 31.5: 405, 63: 186, 80: 132}
WD = {0.5: 853, 1: 1011, 2: 890, 4: 512, 8: 253, 16: 125, 31.5: 63, 80: 21}


def line(r: Ride, axis: int, per_m: float) -> float:
    """Return the amplitude at cruise of what turns `per_m` times a metre."""
    z, x = r.z[r.cruises], r.xyz[axis][r.cruises] - (r.a[r.cruises] if axis == 2 else 0.0)
    return float(2 * np.abs(np.mean((x - x.mean()) * np.exp(-2j * np.pi * per_m * z) * np.hanning(len(z)) * 2)))


def test_the_tests_own_weightings_are_those_of_iso_2631() -> None:
    for kind, table in (("k", WK), ("d", WD)):
        got = np.abs(gain(np.array(list(table)), kind)) * 1000
        assert got == pytest.approx(list(table.values()), rel=0.02, abs=1.0)


@pytest.mark.parametrize("hz", [100, 200, 400])
def test_the_sheave_turns_with_the_car_and_its_phase_never_jumps(hz: int) -> None:
    w = standing(lift(), wave_hz=hz)
    w.cars.condition.sheave[0] = 1.0
    r = ride(w, 60.0)
    per_m = 1 / (np.pi * 0.4)
    cruise_hz = np.abs(np.fft.rfft((r.xyz[2] - r.a)[r.cruises] * np.hanning(r.cruises.sum()), 1 << 16))
    assert np.argmax(cruise_hz[100:]) + 100 == pytest.approx(1.75 * per_m / hz * (1 << 16), rel=0.02)
    shakes = r.xyz[2] - r.a - np.median(r.xyz[2][:hz])
    slow = sosfiltfilt(butter(2, 0.4, fs=hz, output="sos"), shakes * np.exp(-2j * np.pi * per_m * r.z))
    fast = np.abs(r.v) > 1.0
    assert fast.sum() > 1.05 * r.cruises.sum()
    assert np.ptp(np.unwrap(np.angle(slow[fast]))) < 0.5
    assert np.abs(slow[fast]).min() > 0.01


@pytest.mark.parametrize(("roping", "ratio"), [("1:1", 1.0), ("2:1", 2.0)])
def test_sheave_orders_one_and_two_stand_at_their_cycles_a_metre(roping: str, ratio: float) -> None:
    r = ride(standing(lift(roping=roping)), 72.0)
    per_m = ratio / (np.pi * 0.4)
    floor = line(r, 2, 1.5 * per_m)
    assert line(r, 2, per_m) > 5 * floor
    assert line(r, 2, 2 * per_m) > 3 * floor


def test_rollers_show_three_orders_and_wear_raises_them_by_more_than_6_db() -> None:
    lines = []
    for worn in (0.0, 0.5):
        w = standing(lift())
        w.cars.condition.roller[0] = worn
        r = ride(w, 72.0)
        per_m = 1 / (np.pi * float(w._vibration._guide_rails.roller_m[0]))
        lines.append([line(r, 0, order * per_m) for order in (1, 2, 3)])
        assert min(lines[-1]) > 3 * line(r, 0, 1.37 * per_m)
    assert min(np.array(lines[1]) / lines[0]) > 2.0


def of_place(r: Ride, axis: int, car_positions: np.ndarray) -> np.ndarray:
    """Return the waveform at cruise, by place, above 4 Hz, with the joints and without sway."""
    fast = sosfiltfilt(butter(4, 4.0, "high", fs=r.hz, output="sos"), r.xyz[axis])[r.cruises]
    z = r.z[r.cruises]
    order = np.argsort(z)
    return np.interp(car_positions, z[order], fast[order])


def joints_world(seed: int) -> World:
    """Return a lift whose rails are 5 m long."""
    return next(
        w
        for w in (standing(lift(), seed=k) for k in range(seed, 99))
        if w._vibration._guide_rails.rails_m[0] == RAILS_M
    )


def test_a_displaced_joint_strikes_at_its_place_on_every_pass_and_no_other_does() -> None:
    w = joints_world(3)
    w.cars.condition.joint[0], w._vibration._guide_rails.weak_joint[0] = 0.5, 7
    at_m = float(w._vibration._guide_rails.first_m[0]) + 7 * RAILS_M
    car_positions = np.arange(10.0, 62.0, 0.01)
    for to_m in (72.0, 0.0, 72.0):
        accelerations = np.abs(of_place(ride(w, to_m), 0, car_positions))
        assert abs(car_positions[np.argmax(accelerations)] - at_m) < 0.05
        assert accelerations.max() > 3 * np.sqrt(np.mean(accelerations**2))


def test_the_weakest_joint_is_drawn_from_those_on_the_cars_way() -> None:
    w = World(fleet(400, seed=5), 5, START_NS, vibration=True)
    rails, heights_m = w._vibration._guide_rails, w.cars.lifts.heights_m
    at_m, top_m = rails.first_m + rails.weak_joint * rails.rails_m, np.nanmax(heights_m, axis=1)
    assert ((at_m >= heights_m[:, 0]) & (at_m <= top_m)).all()
    assert np.histogram(at_m / top_m, bins=4, range=(0.0, 1.0))[0].min() > 0.15 * len(at_m)


def test_three_faults_that_grow_strike_at_one_place() -> None:
    w = joints_world(3)
    for _ in range(3):
        w._schedule.add(
            FaultRequest("one", "rail-joint-displaced", severity=1.0, form=GROWING, growth_days=120 / DAY_S)
        )
    w._vibration._guide_rails.weak_joint[0] = 7
    at_m = float(w._vibration._guide_rails.first_m[0]) + 7 * RAILS_M
    car_positions, strengths = np.arange(10.0, 62.0, 0.01), []
    for to_m in (72.0, 0.0, 72.0):
        accelerations = np.abs(of_place(ride(w, to_m), 0, car_positions))
        assert abs(car_positions[np.argmax(accelerations)] - at_m) < 0.05
        strengths.append(accelerations.max())
    assert strengths == sorted(strengths)


def test_joints_repeat_every_rail_at_the_same_places_up_and_down() -> None:
    w = joints_world(3)
    first_m = float(w._vibration._guide_rails.first_m[0])
    car_positions = np.arange(8.0, 66.0, 0.005)
    up, down = (of_place(ride(w, to_m), 0, car_positions) for to_m in (72.0, 0.0))
    near = np.abs((car_positions - first_m + RAILS_M / 2) % RAILS_M - RAILS_M / 2) < 0.1
    assert np.abs(up[near]).mean() > 1.3 * np.abs(up[~near]).mean()
    assert np.corrcoef(up[near], down[near])[0, 1] > 0.5


def test_a_car_sways_between_brackets() -> None:
    r = ride(standing(lift()), 72.0)
    assert line(r, 0, 1 / BRACKETS_M) > 0.01


def test_a_flat_spot_makes_impulses() -> None:
    peaked = []
    for flat in (0.0, 1.0):
        w = standing(lift())
        w.cars.condition.roller_flat[0] = flat
        r = ride(w, 72.0)
        peaked.append(kurtosis(r.xyz[0][r.cruises], fisher=False))
    assert peaked[0] < 3.5
    assert peaked[1] > 6


def test_uneven_ropes_vibrate_at_the_rope_lay_below_the_filter_frequency() -> None:
    line_strengths = []
    for hz in (100, 200):
        w = standing(lift(speed_mps=2.5, roping="2:1"), wave_hz=hz)
        w.cars.condition.rope_tension[0] = 1.0
        line_strengths.append(line(ride(w, 72.0), 2, 2 / 0.065))
    assert line_strengths[0] < 0.01
    assert line_strengths[1] > 0.08


def test_worn_shoes_double_the_horizontal_a95_or_nearly() -> None:
    sound, worn = [], []
    for seed in range(6):
        for wear, values in ((0.0, sound), (1.0, worn)):
            w = standing(lift(), seed=seed)
            w.cars.condition.shoe[0] = wear
            values.append(a95(ride(w, 72.0))[:2])
    assert 1.5 < np.median(np.array(worn) / np.array(sound)) < 2.7


def test_healthy_rides_have_the_a95_of_the_domain_notes() -> None:
    accelerations = []
    for seed, speed in enumerate([1.0, 1.5, 1.75, 1.75, 1.75, 2.0, 2.5] * 3):
        roping = ("1:1", "2:1")[seed % 2]
        accelerations.append(a95(ride(standing(lift(speed, roping=roping), seed=seed), 72.0)))
    x, y, z = np.median(accelerations, axis=0)
    assert 0.04 <= min(x, y) <= max(x, y) <= 0.09
    assert 0.06 <= z <= 0.12
    assert np.percentile(accelerations, 95, axis=0)[:2].max() < 0.15
    assert np.percentile(accelerations, 95, axis=0)[2] < 0.20


def test_at_rest_an_accelerometer_reads_noise_bias_and_temperature_drift() -> None:
    r = record(standing(lift()), 30)
    assert r.xyz.std(axis=1) == pytest.approx(ACCELEROMETER_NOISE_MPS2, rel=0.05)
    assert np.abs(r.xyz.mean(axis=1)).max() < 0.06
    facts, means = fleet(40, seed=1), []
    for hours in (0, 6):
        w = World(facts, 1, START_NS + hours * 3_600_000_000_000, hour=3.0, vibration=True)
        means.append(np.median(w.step().vibration_mps2, axis=2))
    assert 0.001 < np.median(np.abs(means[1] - means[0])) < 0.01


def test_a_brake_drags_before_the_car_moves_and_before_it_stands() -> None:
    r = ride(standing(lift()), 8.0)
    still = r.xyz[2][: r.hz // 2].std()
    begins, ends = np.flatnonzero(np.abs(r.v) > 1e-9)[[0, -1]]
    drags = sosfiltfilt(butter(4, 20.0, "high", fs=r.hz, output="sos"), r.xyz[2])
    window = int(0.25 * r.hz)
    assert drags[begins - window : begins].std() > 1.7 * still
    assert drags[ends - window : ends].std() > 1.7 * still
    assert drags[: r.hz // 2].std() < 1.2 * still


def test_a_quieter_sensor_makes_neither_brake_nor_worn_shoes_quieter() -> None:
    loud = []
    for noise_mps2 in (ACCELEROMETER_NOISE_MPS2, 0.0):
        w = standing(lift())
        w._vibration._noise_mps2[:] = noise_mps2
        w.cars.condition.shoe[0] = 1.0
        r = ride(w, 40.0)
        x = sosfiltfilt(butter(4, 20.0, "high", fs=r.hz, output="sos"), r.xyz[0])
        begins = int(np.argmax(np.abs(r.v) > 1e-9))
        loud.append([x[r.cruises].std(), x[begins - int(0.25 * r.hz) : begins].std()])
    assert loud[1] == pytest.approx(loud[0], rel=0.15)


def test_a_moving_door_causes_impacts_and_a_repeated_door_state_none() -> None:
    facts = fleet(40, seed=5)
    w = World(facts, 5, START_NS, hour=MORNING, vibration=True)
    blows, quiet = [], []
    for _ in range(90):
        second = w.step()
        busy = set(w.motion.lift.tolist())
        for k in range(len(facts)):
            moved = [(t, s) for t, (s,) in zip(*(second.door.of(k) or ([], [])), strict=True)]
            y = second.vibration_mps2[k, 1] - np.median(second.vibration_mps2[k, 1])
            if moved == [(0, CLOSED)] and k not in busy and w.seconds > 2:
                quiet.append(np.abs(y).max())
            for t, state in moved:
                if state in (OPEN, CLOSED) and 0 < t < 900:
                    blows.append(np.abs(y[t // 10 : t // 10 + 10]).max())
    assert len(blows) > 20
    assert np.median(blows) > 0.08
    assert max(quiet, default=0.0) < 0.05


def test_a_stuck_accelerometer_repeats_itself() -> None:
    w = standing(lift())
    record(w, 2)
    w.cars.condition.accelerometer.stuck[0] = True
    assert np.ptp(record(w, 3).xyz, axis=1).max() == 0


@pytest.mark.parametrize("hz", [50, 105, 500])
def test_an_unsupported_sampling_rate_is_refused_by_name(hz: int) -> None:
    with pytest.raises(ValueError, match="wave_hz: "):
        standing(lift(), wave_hz=hz)


def test_a_ride_is_the_same_for_every_sensor_rate() -> None:
    slow, fast = (ride(standing(lift(), wave_hz=hz), 40.0) for hz in (100, 400))
    assert np.abs(slow.z - fast.z[::4]).max() < 0.0002
