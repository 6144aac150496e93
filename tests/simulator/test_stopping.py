"""Brake, safety gear, buffers and governor have the values of the domain notes."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.maths.governor import governor_trip_mps, overspeed_switch_mps
from simulator.maths.scurve import RunLimits
from simulator.maths.stopping import G_MPS2, brake_mps2, buffer_stroke_m, stop_distance_m
from simulator.maths.trajectories import Trajectories

# rated speed, 1.15 v, 1.25 v + 0.25/v, oil buffer mm, linear buffer mm
TABLE = [
    (1.0, 1.15, 1.50, 67, 135),
    (1.5, 1.73, 2.04, 152, 304),
    (1.6, 1.84, 2.16, 173, 346),
    (1.75, 2.01, 2.33, 206, 413),
    (2.0, 2.30, 2.63, 270, 540),
    (2.5, 2.88, 3.23, 421, 844),
    (3.0, 3.45, 3.83, 607, None),
    (4.0, 4.60, 5.06, 1078, None),
    (6.0, 6.90, 7.54, 2426, None),
]
ONE = np.array([0])
AT_S = np.array([1.0 - 1e-12])


def falling(v_mps: float) -> Trajectories:
    """Return a car that goes down with this speed at 0 m and `AT_S`."""
    trajectories = Trajectories(np.array([v_mps / 2]))
    trajectories.replace_rest(ONE, np.array([0.0]), [(np.array([-v_mps]), np.zeros(1), np.ones(1))])
    return trajectories


@pytest.mark.parametrize(("rated", "switch", "trip", "oil_mm", "linear_mm"), TABLE)
def test_governor_and_buffers_have_the_numbers_of_the_table(
    rated: float, switch: float, trip: float, oil_mm: float, linear_mm: float | None
) -> None:
    v = np.array([rated])
    assert overspeed_switch_mps(v) == pytest.approx(switch, abs=0.0051)
    assert governor_trip_mps(v) == pytest.approx(trip, abs=0.0051)
    mm = linear_mm if rated <= 1.0 else oil_mm
    assert 1000 * buffer_stroke_m(v) == pytest.approx(mm, abs=0.51)


@pytest.mark.parametrize(("brake", "displacement_m"), [(0.9, 1.70), (2.0, 0.77)])
def test_a_brake_that_acts_at_once_stops_in_the_distance_of_the_notes(brake: float, displacement_m: float) -> None:
    assert stop_distance_m(np.array([1.75]), np.array([brake])) == pytest.approx(displacement_m, abs=0.0051)


@pytest.mark.parametrize("v", [-2.5, -0.3, -0.05, 0.05, 1.75])
def test_a_brake_acts_late_builds_up_and_stops_at_its_stopping_distance(v: float) -> None:
    trajectories = Trajectories(np.array([0.0]))
    trajectories.replace_rest(ONE, np.array([0.0]), [(np.array([v]), np.zeros(1), np.ones(1))])
    brake = np.array([1.8])
    here_m = trajectories.at(ONE, np.array([1.0]))[0][0]
    trajectories.brake(ONE, AT_S, brake, 0.1, 0.15)
    t = np.arange(1.0, 5.0, 0.001)
    _, speed, a = (column[0] for column in trajectories.at(ONE, t[None]))
    assert trajectories.end_m - here_m == pytest.approx(stop_distance_m(np.array([v]), brake, 0.1, 0.15), abs=1e-6)
    assert np.abs(speed[(t < 1.099)] - v).max() < 1e-6
    slower = -np.sign(v) * a
    assert slower.max() <= 1.8 + 1e-9
    assert np.diff(slower).max() < 0.02
    assert (np.sign(v) * speed).min() > -1e-6
    assert trajectories.end_s > AT_S


def test_brake_decelerations_are_within_the_notes_bounds() -> None:
    rated = np.full(4, 1000.0)
    load, sense = np.array([0.0, 0.0, 1000.0, 1000.0]), np.array([1.0, -1.0, 1.0, -1.0])
    empty_up, empty_down, full_up, full_down = brake_mps2(np.full(4, 1.65), np.ones(4), sense, rated, load)
    assert empty_up < 1.65 < empty_down
    assert full_down < 1.65 < full_up
    assert min(empty_up, full_down) >= 0.8
    assert max(empty_down, full_up) <= 2.5
    worn = brake_mps2(np.full(4, 1.65), np.full(4, 0.6), sense, rated, load)
    assert (worn < 0.75 * np.array([empty_up, empty_down, full_up, full_down])).all()


def test_half_load_is_balanced() -> None:
    assert brake_mps2(np.array([1.65]), np.ones(1), np.ones(1), np.array([800.0]), np.array([400.0])) == 1.65


@pytest.mark.parametrize(("rated", "v"), [(1.0, 0.6), (1.0, 1.15), (1.75, 0.9), (2.5, 2.8)])
def test_a_buffer_stops_the_car_with_more_than_half_a_g_and_throws_it_back(rated: float, v: float) -> None:
    trajectories = falling(v)
    trajectories.hit_buffer(ONE, AT_S, np.array([rated]))
    t = np.arange(1.0, 4.0, 0.0005)
    z, speed, a = (column[0] for column in trajectories.at(ONE, t[None]))
    assert a.max() > 0.5 * G_MPS2
    assert a.max() <= 1.35 * G_MPS2
    assert -z.min() <= 1.02 * buffer_stroke_m(np.array([rated]))[0]
    assert z.max() <= 0.001
    assert speed.max() > 0.05 * v, "thrown back"
    assert speed[-1] == 0
    assert trajectories.end_m[0] > z.min()


@pytest.mark.parametrize("rated", [row[0] for row in TABLE if row[0] > 1.0])
@pytest.mark.parametrize("share", [0.4, 0.8, 1.0, 1.15])
def test_an_oil_buffer_peaks_early_and_holds_the_standards_mean_peak_and_stroke(rated: float, share: float) -> None:
    v = share * rated
    trajectories = falling(v)
    trajectories.hit_buffer(ONE, AT_S, np.array([rated]))
    t = np.arange(1.0, 2.5, 0.0002)
    z, speed, a = (column[0] for column in trajectories.at(ONE, t[None]))
    pressed = slice(0, int(np.argmax(speed >= 0)))
    displacement_m, took_s = -z.min(), t[pressed.stop] - 1.0
    assert displacement_m <= 1.0005 * buffer_stroke_m(np.array([rated]))[0], "0.0674 is rounded"
    assert v / took_s < v**2 / (2 * displacement_m) <= 1.0005 * G_MPS2, "mean over the time, and over the way"
    assert v**2 / (2 * displacement_m) >= 0.5999 * G_MPS2
    assert (a[pressed] > 2.5 * G_MPS2).sum() * 0.0002 <= 0.04
    peak = int(np.argmax(a[pressed]))
    assert peak < 0.15 * pressed.stop, "peaks as it is struck"
    assert a[pressed][-1] < 0.45 * a[peak]
    assert (np.diff(a[pressed][peak:]) < 0).all(), "and decays"
    if share == 1.15:
        assert displacement_m == pytest.approx(0.0674 * rated**2, rel=2e-3)


def test_a_spring_throws_further_than_oil() -> None:
    back = []
    for rated in (1.0, 1.5):
        trajectories = falling(0.9)
        trajectories.hit_buffer(ONE, AT_S, np.array([rated]))
        back.append(trajectories.at(ONE, np.arange(1.0, 4.0, 0.001)[None])[1].max())
    assert back[0] > 3 * back[1]


def test_a_brake_can_be_timed_to_stop_the_car_at_a_place() -> None:
    trajectories = Trajectories(np.array([0.0]))
    trajectories.run_to(ONE, np.array([0.0]), np.array([30.0]), RunLimits(*(np.array([x]) for x in (1.75, 0.8, 1.0))))
    brake = np.array([1.4])
    trajectories.brake(ONE, trajectories.brake_time_s(ONE, np.array([12.0]), brake, 0.1, 0.15), brake, 0.1, 0.15)
    assert trajectories.end_m[0] == pytest.approx(12.0, abs=1e-5)
