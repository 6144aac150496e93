"""The motion of cars has the values of the domain notes' table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.maths.scurve import RunLimits, full_speed_distance_m, segment_times
from simulator.maths.trajectories import Trajectories

# v_r, a, j, shortest trip to v_r, T(3 m), v_pk(3 m), T(30 m)
TABLE = [
    (0.63, 0.5, 0.8, 1.2, 6.65, 0.63, 49.5),
    (1.0, 0.6, 0.9, 2.3, 5.33, 1.00, 32.3),
    (1.6, 0.8, 1.0, 4.5, 4.75, 1.26, 21.6),
    (1.75, 0.8, 1.0, 5.2, 4.75, 1.26, 20.1),
    (2.0, 0.9, 1.2, 5.9, 4.48, 1.34, 18.0),
    (2.5, 1.0, 1.3, 8.2, 4.32, 1.39, 15.3),
    (4.0, 1.1, 1.5, 17.5, 4.12, 1.46, 11.9),
    (6.0, 1.2, 1.6, 34.5, 4.00, 1.50, 10.8),
]
ONE = np.array([0])


def run(distance_m: float, v: float, a: float, j: float, **more: float) -> Trajectories:
    """Return the curve of one car that leaves 10 m at 5 s."""
    trajectories = Trajectories(np.array([10.0]))
    drive = RunLimits(np.array([v]), np.array([a]), np.array([j]), **{name: np.array([x]) for name, x in more.items()})
    trajectories.run_to(ONE, np.array([5.0]), np.array([10.0 + distance_m]), drive)
    return trajectories


def along(trajectories: Trajectories, dt_s: float = 0.001) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return times, positions, speeds and accelerations from before the start until after the end."""
    t = np.arange(4.5, trajectories.end_s[0] + 0.5, dt_s)
    z, v, a = trajectories.at(ONE, t[None, :])
    return t, z[0], v[0], a[0]


def test_the_fastest_lift_of_the_table_does_not_reach_its_speed_in_thirty_metres() -> None:
    assert along(run(30.0, 6.0, 1.2, 1.6))[2].max() == pytest.approx(5.57, abs=0.0051)


@pytest.mark.parametrize(("v", "a", "j", "full_m", "t3_s", "peak3_mps", "t30_s"), TABLE)
def test_trips_take_the_times_and_reach_the_speeds_of_the_table(
    v: float, a: float, j: float, full_m: float, t3_s: float, peak3_mps: float, t30_s: float
) -> None:
    assert full_speed_distance_m(*map(np.array, (v, a, j))) == pytest.approx(full_m, abs=0.051)
    three, thirty = run(3.0, v, a, j), run(30.0, v, a, j)
    assert three.end_s[0] - 5 == pytest.approx(t3_s, abs=0.0051)
    assert along(three)[2].max() == pytest.approx(peak3_mps, abs=0.0051)
    assert thirty.end_s[0] - 5 == pytest.approx(t30_s, abs=0.051)


@given(
    distance_m=st.floats(0.02, 120.0),
    up=st.booleans(),
    v=st.floats(0.2, 6.0),
    a=st.floats(0.3, 1.5),
    j=st.floats(0.4, 2.5),
)
def test_any_trip_is_smooth_and_within_its_drive(distance_m: float, up: bool, v: float, a: float, j: float) -> None:
    trajectories = run(distance_m if up else -distance_m, v, a, j)
    t, z, speed, acceleration = along(trajectories, 0.002)
    sense = 1 if up else -1
    assert z[0] == 10.0
    assert z[-1] == pytest.approx(10.0 + sense * distance_m, abs=1e-6)
    assert (sense * speed).min() >= -1e-6
    assert np.abs(speed).max() <= v * (1 + 1e-9)
    assert np.abs(acceleration).max() <= a * (1 + 1e-6)
    assert np.abs(np.diff(acceleration) / np.diff(t)).max() <= j * (1 + 1e-3)
    assert np.abs(np.diff(z) / np.diff(t) - (speed[1:] + speed[:-1]) / 2).max() < 1e-4


@given(distance_m=st.floats(0.02, 120.0), v=st.floats(0.2, 6.0), a=st.floats(0.3, 1.5), j=st.floats(0.4, 2.5))
def test_segment_times_are_never_negative_and_meet_between_the_cases(
    distance_m: float, v: float, a: float, j: float
) -> None:
    def total_s(distance_m: float) -> float:
        jerk_s, steady_s, cruise_s = segment_times(*map(np.array, (distance_m, v, a, j)))
        assert min(jerk_s, steady_s, cruise_s) >= 0
        return float(4 * jerk_s + 2 * steady_s + cruise_s)

    assert 0 <= total_s(distance_m * 1.0001) - total_s(distance_m) < 0.001 * total_s(distance_m)


def test_a_brake_stops_the_car_where_it_was_aimed_and_keeps_the_past() -> None:
    trajectories = run(30.0, 1.75, 0.8, 1.0)
    before = trajectories.at(ONE, np.array([[6.0, 8.0]]))[0]
    brake = np.array([2.0])
    at_s = trajectories.brake_time_s(ONE, np.array([22.0]), brake)
    trajectories.brake(ONE, at_s, brake)
    assert trajectories.end_m[0] == pytest.approx(22.0, abs=1e-6)
    assert trajectories.end_s[0] - at_s[0] == pytest.approx(1.75 / 2.0)
    assert np.array_equal(trajectories.at(ONE, np.array([[6.0, 8.0]]))[0], before)
    assert along(trajectories)[3].min() == pytest.approx(-2.0)


@given(
    distance_m=st.floats(0.02, 60.0),
    up=st.booleans(),
    v=st.floats(0.2, 4.0),
    a=st.floats(0.3, 1.2),
    j=st.floats(0.5, 2.0),
    creep_s=st.floats(0.0, 1.5),
    rollback_m=st.floats(0.0, 0.05),
)
def test_a_run_that_rolls_back_and_creeps_is_smooth_and_ends_where_it_should(
    distance_m: float, up: bool, v: float, a: float, j: float, creep_s: float, rollback_m: float
) -> None:
    sense = 1 if up else -1
    trajectories = run(sense * distance_m, v, a, j, creep_mps=0.06, creep_s=creep_s, rollback_m=rollback_m)
    _, z, speed, acceleration = along(trajectories, 0.002)
    assert z[-1] == pytest.approx(10.0 + sense * distance_m, abs=1e-9)
    last = trajectories.t[-1][0] - 1e-9
    assert trajectories.at(ONE, np.array([[last]]))[0][0, 0] == pytest.approx(10.0 + sense * distance_m, abs=1e-6)
    assert np.abs(np.diff(speed)).max() < 0.02
    assert np.abs(np.diff(acceleration)).max() < 0.002 * max(j, 35 * rollback_m / 0.05) * 1.01 + 1e-6
    assert (sense * (z - 10.0)).min() == pytest.approx(-rollback_m, abs=1e-4)
    assert np.abs(speed).max() <= max(v, 4 * rollback_m / 0.5) * (1 + 1e-9)


def test_a_drive_creeps_for_as_long_as_it_is_set_to() -> None:
    t, z, speed, _ = along(run(9.0, 1.75, 0.8, 1.0, creep_mps=0.06, creep_s=1.2))
    creeping = np.abs(speed - 0.06) < 1e-6
    assert creeping.sum() * 0.001 == pytest.approx(1.2, abs=0.01)
    assert 19.0 - z[creeping][-1] == pytest.approx(0.06 * np.sqrt(0.06), abs=1e-4)
    assert t[speed > 0][-1] - t[creeping][-1] == pytest.approx(2 * np.sqrt(0.06), abs=0.01)


def test_a_car_rolls_back_within_the_first_second_of_its_run() -> None:
    t, z, _, _ = along(run(9.0, 1.75, 0.8, 1.0, rollback_m=0.03))
    first = (t >= 5.0) & (t <= 6.0)
    assert z[first].min() == pytest.approx(10.0 - 0.03, abs=1e-5)


def test_a_diversion_does_not_change_the_past_second() -> None:
    for at_s in np.arange(5.1, 13.0, 0.4):
        trajectories = run(9.0, 1.0, 0.6, 0.9, creep_mps=0.06, creep_s=1.5, rollback_m=0.02)
        past = np.arange(at_s - 1.0, at_s, 0.05)[None, :]
        before = trajectories.at(ONE, past)[0]
        trajectories.brake(ONE, np.array([at_s]), np.array([2.0]), 0.1, 0.15)
        trajectories.hit_buffer(ONE, np.array([at_s + 0.1]), np.array([1.0]))
        assert np.array_equal(trajectories.at(ONE, past)[0], before)
