"""Rides: weightings as published, a ride with a closed-form answer, and the same table however the stream is cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import freqz

from detectors.contract import cuts, expect_same_records
from detectors.judge import Judge
from detectors.observe import tables
from detectors.observe.rides import weighting
from detectors.observe.rides.table import FEATURES_AT, MOTION_AT, RideTable
from telemetry.arrays import F64
from telemetry.batch import Batch
from telemetry.ride_fields import BOUNDARIES, FEATURES, MOTION
from telemetry.streams import CLOSED, CLOSING, OPENING
from tests.detectors.naive_ride import Signal, blocks_of, values_between
from tests.detectors.world import BEGIN_NS, GRID_S, Script, batch, facts_of, tower

HZ = 200
# ISO 2631-1:1997, table 3, factors at the one-third-octave centre frequencies.
TABLE_3 = {
    "WK": {0.5: 418, 1: 482, 2: 531, 4: 967, 5: 1039, 6.3: 1054, 8: 1036, 16: 768, 31.5: 405, 63: 186, 80: 132},
    "WD": {0.5: 853, 1: 1011, 2: 890, 4: 512, 8: 253, 16: 125, 31.5: 63, 80: 21},
}
REFERENCE = {"WK": 0.7718, "WD": 0.1261}
"""ISO 8041-1, the gain at the reference frequency of 100 rad/s (15.915 Hz)."""


def gain(name: str, hz: float, fs: int) -> float:
    """Return the gain of a digital weighting."""
    total = 1.0
    for section in getattr(weighting, name):
        b0, b1, b2, a1, a2 = weighting.matched(section, fs)
        total *= float(np.abs(freqz([b0, b1, b2], [1.0, a1, a2], [hz], fs=fs)[1][0]))
    return total


@pytest.mark.parametrize("name", TABLE_3)
@pytest.mark.parametrize(
    ("fs", "up_to_hz", "within_db"), [(1000, 80, 0.15), (400, 63, 0.2), (256, 31.5, 0.15), (100, 16, 0.15)]
)
def test_weightings_have_the_published_gains(name: str, fs: int, up_to_hz: float, within_db: float) -> None:
    for nominal_hz, factor in TABLE_3[name].items():
        exact_hz = 10 ** (round(10 * np.log10(nominal_hz)) / 10)
        if nominal_hz <= up_to_hz:
            assert abs(20 * np.log10(gain(name, exact_hz, fs) / (factor / 1000))) <= within_db, nominal_hz


@pytest.mark.parametrize("name", REFERENCE)
def test_weightings_have_the_published_gain_at_the_reference_frequency(name: str) -> None:
    assert gain(name, 100 / (2 * np.pi), 1000) == pytest.approx(REFERENCE[name], rel=0.005)


def journey(to_m: float = 21.0, **ride: float) -> Script:
    """Return a ride between two stops with doors."""
    script = (
        Script(z_m=0.0).event(door=CLOSED, presence=0, curtain=0, mode=0, power=0).rest(4.0).open_door(2.0).rest(3.0)
    )
    script.event(door=CLOSING).event(1.0, door=OPENING).rest(1.5).event(door=OPENING).event(0.5, door=2).rest(2.5)
    return script.close_door(2.6).rest(1.0).ride(to_m, **ride).rest(0.6).open_door(2.2).rest(6.0)


def accelerations(script: Script, hz: int = HZ, bias: float = 0.03) -> Signal:
    """Return the vertical acceleration of a script with a bias; nothing else shakes."""
    speed = np.concatenate(script.speeds)
    at_s = np.arange(round(len(speed) * GRID_S * hz)) / hz
    accel = np.interp(at_s, np.arange(len(speed)) * GRID_S, np.gradient(speed, GRID_S))
    return Signal(np.stack([np.zeros_like(accel), np.zeros_like(accel), accel + bias]), hz)


def shaken(script: Script, hz: int = HZ, seed: int = 1) -> Signal:
    """Return a vibration with lines, noise and the motion of the car."""
    signal, rng = accelerations(script, hz), np.random.default_rng(seed)
    t_s = np.arange(signal.xyz.shape[1]) / hz
    lines = np.stack([0.04 * np.sin(2 * np.pi * f * t_s) for f in (1.6, 3.1, 7.0)])
    return Signal(signal.xyz + lines + rng.normal(0, 0.02, signal.xyz.shape), hz)


def rides_of(script: Script, signal: Signal | None, **feed: object) -> RideTable:
    whole = batch([script.rows(**feed)])  # type: ignore[arg-type]
    if signal is not None:
        whole = replace(whole, waveforms=blocks_of({0: signal}))
    return tables.step(tables.start(1), whole, facts_of([tower()]))[1].rides


def value(found: RideTable, name: str) -> float:
    return float(found.column(name)[0])


def test_a_ride_has_the_closed_form_acceleration_jerk_and_distance() -> None:
    """a = 0.8 m/s², j = 1.0 m/s³ and 21 m, up and down: the sensor's bias of 0.03 m/s² counts in none of them."""
    for to_m, low_m in ((21.0, 0.0), (0.0, 21.0)):
        script = Script(z_m=low_m).event(door=CLOSED).rest(5.0).ride(to_m).rest(0.5).open_door().rest(3.0)
        found = rides_of(script, accelerations(script), noise=0.0)
        assert value(found, "accel_mps2") == pytest.approx(0.8, rel=0.01)
        assert value(found, "decel_mps2") == pytest.approx(0.8, rel=0.01)
        assert value(found, "accel_a95_mps2") == pytest.approx(0.8, rel=0.01)
        assert value(found, "jerk_mps3") == pytest.approx(1.0, rel=0.02)
        assert value(found, "v95_mps") == pytest.approx(1.75, rel=0.01)
        assert abs(value(found, "distance_m")) == pytest.approx(21.0, abs=0.01)


@pytest.mark.parametrize("departs_s", [1.0, 1.3, 1.6, 1.8, 1.95])
def test_the_boundaries_of_a_ride_are_those_of_its_closed_form(departs_s: float) -> None:
    """v = 1.75 m/s, a = 0.8 m/s², j = 1.0 m/s³ and 21 m: 14.988 s, of which the first 0.5 m take 1.494 s.

    Wherever in a block of vibration the car departs: the rows show it at rest for 0.3 s more.
    """
    script = Script(z_m=0.0).event(door=CLOSED).rest(5.0).open_door(2.0).rest(3.0).close_door(2.6).rest(departs_s - 0.6)
    found = rides_of(script.ride(21.0).rest(0.6).open_door(2.2).rest(3.0), accelerations(script), noise=0.0)
    seconds = np.array([value(found, name) for name in BOUNDARIES])
    still_s = 0.316  # until the car is faster than 0.05 m/s, and again before it stops
    expected = np.array(
        [-(2.6 + departs_s - 0.6 + 0.5), 1.494, 13.494, 14.988 + 0.6 + 2.2 + 0.5, 2.569, 12.418, 14.988]
    )
    expected[6] -= still_s
    assert np.allclose(seconds + still_s, expected, atol=0.3), seconds
    assert value(found, "v95_mps") == pytest.approx(1.75, rel=0.02)
    assert value(found, "accel_a95_mps2") == pytest.approx(0.8, rel=0.02)


@pytest.mark.parametrize("departs_s", [12.0, 12.3, 12.5, 12.7, 12.95])
def test_a_ride_from_a_car_that_reads_once_a_second_at_rest_is_measured(departs_s: float) -> None:
    script = Script(z_m=0.0).event(door=CLOSED).rest(5.0).open_door(2.0).rest(3.0).close_door(2.6).rest(departs_s)
    script.ride(21.0).rest(0.6).open_door(2.2).rest(3.0)
    rows = script.rows(noise=0.0)
    since_s = (rows["t_ns"] - BEGIN_NS) / 1e9
    kept = (np.abs(rows["v_mps"]) >= 0.01) | (np.round(since_s, 3) % 1.0 == 0.0) | ~np.isnan(rows["door"])
    whole = batch([{name: column[kept] for name, column in rows.items()}])
    whole = replace(whole, waveforms=blocks_of({0: accelerations(script)}))
    found = tables.step(tables.start(1), whole, facts_of([tower()]))[1].rides
    assert value(found, "accel_mps2") == pytest.approx(0.8, rel=0.02)
    assert value(found, "v95_mps") == pytest.approx(1.75, rel=0.02)
    assert value(found, "boundary_2_s") - value(found, "boundary_1_s") == pytest.approx(12.0, abs=0.3)


def test_a_ride_without_vibration_has_the_boundaries_of_its_doors_and_its_stop() -> None:
    found = rides_of(journey(), None)
    assert np.isnan([value(found, f"boundary_{k}_s") for k in (1, 2, 4, 5)]).all()
    assert not np.isnan([value(found, f"boundary_{k}_s") for k in (0, 3, 6)]).any()


@pytest.mark.parametrize(
    ("reports", "expected"),
    [([0, None], 0.0), ([1, None], 1.0), ([0, 1], 1.0), ([None, None], np.nan)],
)
def test_the_class_of_load_is_whether_a_person_was_reported_under_way(
    reports: list[int | None], expected: float
) -> None:
    script = Script(z_m=0.0).event(door=CLOSED)
    script = script.rest(5.0) if reports[0] is None else script.event(presence=reports[0]).rest(5.0)
    if reports[1] is not None:
        script.event(6.0, presence=reports[1])
    found = rides_of(script.ride(21.0).rest(0.6).open_door(2.2).rest(3.0), None)
    assert np.array_equal([value(found, "load_class")], [expected], equal_nan=True)


def test_the_peak_to_peak_value_of_a_line_is_twice_its_weighted_amplitude() -> None:
    """0.05 m/s² at 2 Hz along x is weighted with 0.890 (ISO 2631-1): 0.0890 m/s², as maximum and as A95."""
    script = Script(z_m=0.0).event(door=CLOSED).rest(5.0).ride(24.0).rest(0.5).open_door().rest(3.0)
    signal = accelerations(script)
    signal.xyz[0] = 0.05 * np.sin(2 * np.pi * 2.0 * np.arange(signal.xyz.shape[1]) / HZ)
    found = rides_of(script, signal)
    assert value(found, "pp_x_mps2") == pytest.approx(0.0890, rel=0.02)
    assert value(found, "a95_x_mps2") == pytest.approx(0.0890, rel=0.03)
    assert value(found, "kurtosis_x") == pytest.approx(1.5, rel=0.03)
    assert value(found, "crest_x") == pytest.approx(2**0.5, rel=0.02)
    assert value(found, "rms_x_low_mps2") == pytest.approx(0.05 / 2**0.5, rel=0.02)
    assert np.isnan(value(found, "pp_y_mps2"))


@pytest.mark.parametrize("hz", [100, 256])
def test_peak_to_peak_values_equal_those_of_whole_array_filters(hz: int) -> None:
    script = journey()
    signal = shaken(script, hz)
    found = rides_of(script, signal)
    speed = np.concatenate(script.speeds)
    way_m = (
        np.cumsum(np.abs(np.interp(np.arange(signal.xyz.shape[1]) / hz, np.arange(len(speed)) * GRID_S, speed))) / hz
    )
    for axis, name in enumerate("xy"):
        expected = values_between(signal, axis, way_m)
        assert value(found, f"pp_{name}_mps2") == pytest.approx(expected.max(), rel=0.03)
        assert value(found, f"a95_{name}_mps2") == pytest.approx(np.percentile(expected, 95), rel=0.04)
    expected = values_between(signal, 2, way_m)
    assert max(value(found, "pp_z_mps2"), value(found, "pp_z_jerk_mps2")) == pytest.approx(expected.max(), rel=0.03)


def test_a_roller_shows_in_the_orders_of_travel() -> None:
    """A roller of 0.125 m turns 2.55 times a metre: the nearest of the orders, fifths of a metre, is the 13th."""
    script = Script(z_m=0.0).event(door=CLOSED).rest(5.0).ride(27.0).rest(0.5).open_door().rest(3.0)
    signal = accelerations(script)
    speed = np.concatenate(script.speeds)
    way_m = np.interp(np.arange(signal.xyz.shape[1]) / HZ, np.arange(len(speed)) * GRID_S, np.cumsum(speed) * GRID_S)
    signal.xyz[1] = 0.1 * np.sin(2 * np.pi * way_m / (np.pi * 0.125))
    found = rides_of(script, signal)
    orders = [value(found, f"order_y_{k:02d}_mps2") for k in range(1, 21)]
    assert int(np.argmax(orders)) + 1 == 13
    assert orders[12] == pytest.approx(0.1, rel=0.2)


def test_a_rail_joint_shows_where_it_is() -> None:
    script = Script(z_m=0.0).event(door=CLOSED).rest(5.0).ride(27.0).rest(0.5).open_door().rest(3.0)
    signal = accelerations(script)
    speed = np.concatenate(script.speeds)
    way_m = np.interp(np.arange(signal.xyz.shape[1]) / HZ, np.arange(len(speed)) * GRID_S, np.cumsum(speed) * GRID_S)
    signal.xyz[0] = np.random.default_rng(1).normal(0, 0.01, len(way_m))
    for joint_m in (10.0, 15.0):
        at = int(np.searchsorted(way_m, joint_m))
        signal.xyz[0, at : at + 6] += 0.4
    found = rides_of(script, signal)
    places = sorted(value(found, f"shock_m_{i}") for i in (1, 2, 3, 4) if not np.isnan(value(found, f"shock_m_{i}")))
    assert places == pytest.approx([10.0, 15.0], abs=0.3)


def test_doors_and_the_stop_are_measured() -> None:
    found = rides_of(journey(20.99), None)
    assert len(found) == 1
    expected = {"door_open_s": 2.2, "door_close_s": 2.6, "dwell_s": 5.0, "reversals": 1.0, "stop_error_m": -0.01}
    assert {name: value(found, name) for name in expected} == pytest.approx(expected, abs=0.02)
    assert np.isnan(found.column("reversals")[0]) is np.False_
    assert np.isnan(found.values[0, -len(MOTION) - len(FEATURES) :]).all()


@pytest.mark.parametrize("lost", ["a block", "a sample", "the speed"])
def test_a_ride_with_a_gap_in_its_vibration_is_not_measured(lost: str) -> None:
    script = journey()
    signal = shaken(script)
    if lost == "a sample":
        signal.xyz[1, 20 * HZ] = np.nan
    rows = script.rows(1.0 if lost == "the speed" else 0.1)
    waves = blocks_of({0: signal})
    if lost == "a block":
        waves.t_ns[20:] += 2_000_000
        waves.t_ns[22:] += 2_000_000_000
    found = tables.step(tables.start(1), replace(batch([rows]), waveforms=waves), facts_of([tower()]))[1].rides
    assert value(found, "distance_m") == pytest.approx(21.0, abs=0.05)
    assert np.isnan(value(found, "pp_x_mps2"))


def several() -> Batch:
    scripts = [journey(), journey(9.0), journey(15.0), journey(12.0)]
    rows = [script.rows(0.1, seed=i) for i, script in enumerate(scripts)]
    signals = {0: shaken(scripts[0]), 1: shaken(scripts[1], 100, 2), 3: shaken(scripts[3], 50, 3)}
    return replace(batch(rows), waveforms=blocks_of(signals, 0.5))


def table_of(parts: list[Batch]) -> NDArray[np.float64]:
    memory, found = tables.start(4), []
    for part in parts:
        memory, seen = tables.step(memory, part, facts_of([tower()] * 4))
        keys: F64 = np.column_stack([seen.rides.lift, seen.rides.t_ns - BEGIN_NS, seen.rides.start_ns - BEGIN_NS])
        found.append(np.hstack([keys, seen.rides.values]))
    rows = np.concatenate(found)
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def test_rides_do_not_depend_on_how_the_stream_is_cut() -> None:
    whole = several()
    expected = table_of([whole])
    assert len(expected) == 4
    measured = slice(3 + MOTION_AT, 3 + FEATURES_AT + 8)
    assert np.isnan(expected[2, measured]).all()
    assert not np.isnan(expected[[0, 1, 3], measured]).any()
    for seed in range(3):
        assert table_of(cuts(whole, seed, 30)).tobytes() == expected.tobytes()


def test_a_restart_in_a_ride_changes_nothing() -> None:
    steady, restarted = Judge([], 4), Judge([], 4)
    rides: dict[str, list[bytes]] = {"steady": [], "restarted": []}
    for part in cuts(several(), 5, 25):
        fresh = Judge([], 4)
        fresh.restore(restarted.snapshot())
        restarted = fresh
        for name, judge in (("steady", steady), ("restarted", restarted)):
            judge.on_rides = lambda found, name=name: rides[name].append(found.values.tobytes())  # type: ignore[misc]
            judge.step(part, facts_of([tower()] * 4))
    assert len(rides["steady"]) > 0
    assert rides["steady"] == rides["restarted"]
    expect_same_records(steady.snapshot(), restarted.snapshot())


def test_the_state_of_a_lift_is_bounded() -> None:
    memory = tables.start(1)
    assert sum(memory[name].itemsize for name in ("ride_cars", "ride_vibration")) < 12_500
