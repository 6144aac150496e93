"""What is known of a car equals a plain loop; the definitions of rest, landing and silence one by one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.contract import cuts
from detectors.judge import Judge
from detectors.latest import latest
from detectors.observe import tables
from detectors.observe.gaps import GAP_S
from detectors.observe.landing import nearest
from detectors.observe.reports.events import STATES
from detectors.observe.rest import STILL_MPS
from detectors.observe.row_table import RowTable
from registry.facts import LiftFacts
from telemetry.batch import Batch
from telemetry.streams import CLOSED, OPEN
from tests.detectors.naive import NaiveCar
from tests.detectors.world import BEGIN_NS, Rows, Script, batch, facts_of, healthy, tower

COLUMNS = (
    *STATES,
    "gap_ns",
    "v",
    "z",
    "accel",
    "v_last",
    "z_last",
    "offset_m",
    "z_doubt",
    "still_s",
    "still_since_ns",
    "trips",
)


def known(rows: Rows, facts: LiftFacts | None = None) -> RowTable:
    return tables.step(tables.start(1), batch([rows]), facts_of([facts or tower()]))[1].rows


def mangled(seed: int, kind: str) -> Rows:
    """Return a healthy lift's rows with what a bad device makes of them."""
    rng = np.random.default_rng(seed)
    rows = healthy(seed, trips=2).rows(float(rng.choice([0.1, 0.5, 1.0, 10.0])), seed, drop=0.1)
    count = len(rows["t_ns"])
    rows["reboot"] = (rng.random(count) < 0.01).astype(float)
    rows["gap"] = (rng.random(count) < 0.03).astype(float)
    if kind == "wild":
        rows["v_mps"][rng.random(count) < 0.03] = rng.choice([9.9, -3.0, 2.2, 40.0])
        rows["z_m"][rng.random(count) < 0.03] = rng.choice([1000.0, -4.0, 12.0])
    if kind == "gaps":
        rows["t_ns"] += np.cumsum(rng.random(count) < 0.02) * 7_000_000_000
    if kind == "position alone":
        rows["v_mps"][:] = np.nan
    if kind == "speed dies":
        rows["v_mps"][count // 2 :] = np.nan
    return rows


@pytest.mark.parametrize("kind", ["sound", "wild", "gaps", "position alone", "speed dies"])
@pytest.mark.parametrize("facts", [tower(), None], ids=["known", "unknown"])
def test_it_equals_a_plain_loop_bit_for_bit(kind: str, facts: LiftFacts | None) -> None:
    lifts = [mangled(seed, kind) for seed in range(4)]
    whole, fleet = batch(lifts), facts_of([facts] * len(lifts))
    memory, fast = tables.start(len(lifts)), {}
    for part in cuts(whole, 1, 5):
        memory, (car, *_) = tables.step(memory, part, fleet)
        for place in range(len(car)):
            key = int(car.lift[place]), int(car.t_ns[place])
            fast[key] = [float(getattr(car, name)[place]) for name in COLUMNS]
    slow = plainly(whole, [facts or LiftFacts("lift", "north")] * len(lifts))
    assert fast.keys() == slow.keys()
    for key, expected in slow.items():
        assert np.array_equal(fast[key], expected, equal_nan=True), dict(
            zip(COLUMNS, zip(fast[key], expected, strict=True), strict=True)
        )


def plainly(whole: Batch, facts: list[LiftFacts]) -> dict[tuple[int, int], list[float]]:
    """Return the same columns by the plain loop."""
    cars = [NaiveCar(lift) for lift in facts]
    out = {}
    for i in range(len(whole)):
        lift, t_ns = int(whole.lift[i]), int(whole.t_ns[i])
        read = {name: float(getattr(whole, name)[i]) for name in (*STATES, "gap")}
        found = cars[lift].row(t_ns, whole.reboot[i] == 1.0, v=float(whole.v_mps[i]), z=float(whole.z_m[i]), **read)
        out[lift, t_ns] = [float(found[name]) for name in COLUMNS]
    return out


@pytest.mark.parametrize("streams", [("v_mps", "z_m"), ("v_mps",), ("z_m",)], ids="+".join)
@pytest.mark.parametrize("dt_s", [0.1, 1.0])
def test_stillness_counts_from_when_the_car_came_to_rest(streams: tuple[str, ...], dt_s: float) -> None:
    script = Script(z_m=0.0).rest(5.0).ride(9.0)
    rest_s = script.now_s
    car = known(script.rest(10.0).rows(dt_s, streams=streams))
    assert (car.still_since_ns[-1] - BEGIN_NS) / 1e9 == pytest.approx(rest_s, abs=1.0 + dt_s)
    assert car.still_s[-1] == pytest.approx((car.t_ns[-1] - car.still_since_ns[-1]) / 1e9)


def test_a_creep_of_five_millimetres_a_second_never_lasts_as_a_rest() -> None:
    slow, fast = Script(z_m=1.0).move([0.001] * 3000), Script(z_m=1.0).move([0.005] * 3000)
    assert np.nanmax(known(slow.rows(seed=1)).still_s) > 25.0
    assert np.nanmax(known(fast.rows(seed=1)).still_s) < 4.0


def two_trips() -> Script:
    script = Script(z_m=3.0).rest(10.0)
    for to_m in (9.0, 15.0):
        script.ride(to_m).rest(10.0)
    return script


def test_a_position_that_jumped_is_in_doubt_until_two_trips_ended_at_a_landing() -> None:
    rows = two_trips().rows()
    rows["z_m"][50:52] += 0.4
    doubt = known(rows).z_doubt
    assert not doubt[:51].any()
    assert doubt[51:].nonzero()[0][-1] + 51 < len(doubt) - 60
    rows["z_m"][52:] += 0.4
    assert known(rows).z_doubt[51:].all()


def test_a_lift_in_doubt_stays_in_doubt_while_it_reports_nothing() -> None:
    rows = two_trips().rows()
    rows["z_m"][50:] += 0.4
    first, later = (
        batch([{name: column[part] for name, column in rows.items()}]) for part in (slice(60), slice(60, 90))
    )
    other = replace(batch([two_trips().rows()]), lift=np.ones(len(two_trips().rows()["t_ns"]), dtype=np.int32))
    memory, facts = tables.start(2), facts_of([tower(), tower()])
    for part, doubted in ((first, True), (other, False), (later, True)):
        memory, (car, *_) = tables.step(memory, part, facts)
        assert car.z_doubt[-1] == doubted


def test_a_position_that_went_on_unheard_has_not_jumped() -> None:
    rows = two_trips().rows()
    gone = slice(105, 105 + 40)
    rows = {name: np.delete(column, gone) for name, column in rows.items()}
    assert not known(rows).z_doubt.any()


def test_people_boarding_do_not_end_a_rest() -> None:
    rows = Script(z_m=3.0).rest(30.0).rows()
    rows["z_m"][150:] -= 0.006
    assert known(rows).still_s[-1] > 29.0


def test_a_single_odd_reading_does_not_end_a_rest() -> None:
    rows = Script(z_m=3.0).rest(20.0).rows()
    rows["v_mps"][100] = 0.4
    car = known(rows)
    assert np.isnan(car.still_s[100])
    assert car.still_s[-1] > 19.0


def test_a_gap_stops_the_clock_of_rest_and_does_not_reset_it() -> None:
    rows = Script(z_m=3.0).rest(20.0).rows()
    rows["t_ns"][100:] += 60_000_000_000
    car = known(rows)
    assert car.still_s[-1] == pytest.approx(19.8, abs=0.2)
    assert car.still_since_ns[-1] == BEGIN_NS


@pytest.mark.parametrize("dt_s", [5.0, 10.0, 60.0])
def test_a_lift_that_reads_seldom_counts_its_rest_from_the_second_interval_on(dt_s: float) -> None:
    car = known(Script(z_m=3.0).rest(600.0).rows(dt_s))
    assert car.still_s[-1] == pytest.approx((len(car) - 2) * dt_s)


def test_what_is_read_less_often_than_a_heartbeat_counts_no_rest() -> None:
    assert known(Script(z_m=3.0).rest(600.0).rows(70.0)).still_s.max() == 0.0


def test_a_lift_without_readings_has_the_interval_of_its_rows() -> None:
    t_ns = BEGIN_NS + np.arange(5) * 20_000_000_000
    car = known({"t_ns": t_ns, "door": np.full(5, CLOSED)})
    assert (car.gap_ns / 1e9).tolist() == [3.0, 0.0, 20.0, 40.0, 60.0]
    assert (np.diff(t_ns) <= car.gap_ns[1:]).tolist() == [False, True, True, True]


def test_an_event_between_two_readings_shortens_no_interval() -> None:
    rows = Script(z_m=3.0).rest(40.05).event(door=CLOSED).rest(60.0).rows(10.0)
    assert (known(rows).gap_ns[4:] / 1e9).tolist() == [30.0] * (len(rows["t_ns"]) - 4)


def test_a_car_that_is_elsewhere_after_a_gap_has_moved() -> None:
    rows = Script(z_m=3.0).rest(20.0).rows()
    rows["t_ns"][100:] += 60_000_000_000
    rows["z_m"][100:] += 6.0
    assert known(rows).still_s[-1] < 10.0


def test_what_was_measured_is_unknown_after_a_silence() -> None:
    rows = Script(z_m=3.0).rest(5.0).rows()
    late = {name: np.append(column, np.nan) for name, column in rows.items() if name != "t_ns"}
    late["t_ns"] = np.append(rows["t_ns"], rows["t_ns"][-1] + int((GAP_S + 1) * 1e9))
    car = known(late)
    assert np.isnan([car.v_last[-1], car.z_last[-1], car.still_s[-1], car.offset_m[-1]]).all()


def test_event_states_hold_across_silence_and_a_reboot_forgets_them() -> None:
    t_ns = BEGIN_NS + np.array([0, 3600, 3601, 3602]) * 1_000_000_000
    door = np.array([OPEN, np.nan, np.nan, CLOSED])
    car = known({"t_ns": t_ns, "door": door, "reboot": np.array([0.0, 0.0, 1.0, np.nan])})
    assert car.door[:2].tolist() == [OPEN, OPEN]
    assert np.isnan(car.door[2])
    assert car.door[3] == CLOSED


@settings(max_examples=50, deadline=None)
@given(
    floors=st.lists(st.floats(2.2, 6.0), min_size=1, max_size=12),
    z=st.lists(st.floats(-4.0, 60.0) | st.just(math.nan), min_size=1, max_size=20),
    guess=st.integers(-1, 20),
)
def test_the_nearest_landing_is_found_from_any_guess(floors: list[float], z: list[float], guess: int) -> None:
    heights = np.concatenate([[0.0], np.cumsum(floors)])
    for place in z:
        index = nearest(place, np.r_[heights, np.nan], guess)
        if math.isnan(place):
            assert index == -1
        else:
            assert abs(place - heights[index]) == np.min(np.abs(place - heights))
        assert nearest(place, np.full(len(heights) + 1, np.nan), guess) == -1


def test_the_end_of_the_last_trip_is_when_the_car_came_to_rest_after_it() -> None:
    judge, rows = Judge((), 1), healthy(3, trips=2).rows()
    judge.step(batch([{name: column[:5] for name, column in rows.items()}]), facts_of([tower()]))
    assert latest(judge.states)["last_trip_ns"].tolist() == [0]
    judge.step(batch([{name: column[5:] for name, column in rows.items()}]), facts_of([tower()]))
    (ended_ns,) = latest(judge.states)["last_trip_ns"].tolist()
    after = rows["t_ns"] >= ended_ns
    assert rows["t_ns"][0] < ended_ns < rows["t_ns"][-1]
    assert np.nanmax(np.abs(rows["v_mps"][after])) < STILL_MPS * 3
    assert np.nanmax(np.abs(rows["v_mps"][~after][-30:])) > 0.3
