"""F40: a sensor reads what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MINOR, Finding
from telemetry.streams import CLOSED
from tests.detectors.world import BEGIN_NS, VIBRATION_HZ, Fault, Rows, Script, batch, facts_of, healthy, tower, waves


def appearing(shut_s: float, person_s: float = 20.0) -> Script:
    """Return an empty car in which a person appears, so long after its door has closed."""
    script = Script(z_m=9.0).event(door=CLOSED, presence=0).rest(3.0).open_door(2.0).rest(3.0).close_door(3.0)
    return script.rest(shut_s).event(presence=1).rest(person_s).event(presence=0).rest(20.0)


def fault() -> Fault:
    script = appearing(70.0)
    return Fault(script, onset_s=81.0, within_s=2.0, severity=MINOR, clears=True)


def stories() -> list[Script]:
    return [healthy(3, trips=3), appearing(62.0, 40.0), used(0)]


def found(rows: Rows) -> list[Finding]:
    return Judge([BY_SLUG["sensor-fault"]], 1).step(batch([rows]), facts_of([tower()]))


def faulty(rows: Rows) -> set[str]:
    return {name for one in found(rows) if one.kind == "on" for name, bad in one.evidence.items() if bad}


def test_a_person_may_appear_soon_after_the_door_has_closed() -> None:
    assert found(appearing(55.0).rows()) == []
    assert faulty(appearing(65.0).rows()) == {"faulty_presence"}


def test_a_person_who_was_seen_before_may_be_seen_again() -> None:
    script = Script(z_m=9.0).event(door=CLOSED, presence=0).rest(3.0).open_door(2.0).event(presence=1).rest(3.0)
    script.close_door(3.0).rest(20.0).event(presence=0).rest(80.0).event(presence=1).rest(20.0)
    assert found(script.rows()) == []


def test_such_a_person_is_not_entrapped() -> None:
    judge = Judge([BY_SLUG["entrapment-at-level"]], 1)
    assert judge.step(batch([appearing(70.0, 200.0).rows()]), facts_of([tower()])) == []


def staying(seconds: float, openings: int) -> Script:
    """Return a car in which a person stands behind a closed door, and stays while the door opens and closes."""
    script = Script(z_m=9.0).event(door=CLOSED, presence=0).rest(3.0).open_door(2.0).event(presence=1).rest(3.0)
    script.close_door(3.0).rest(seconds)
    for _ in range(openings):
        script.open_door(2.0).rest(3.0).close_door(3.0).rest(5.0)
    return script.rest(20.0)


def test_whoever_was_shut_in_leaves_a_car_whose_door_opens_again_and_again() -> None:
    assert faulty(staying(70.0, 2).rows()) == {"faulty_presence"}
    assert found(staying(70.0, 1).rows()) == []
    assert found(staying(40.0, 3).rows()) == []


def test_a_person_who_has_not_left_is_not_entrapped_once_more() -> None:
    judge = Judge([BY_SLUG["entrapment-at-level"]], 1)
    findings = judge.step(batch([staying(70.0, 2).rest(200.0).rows()]), facts_of([tower()]))
    assert findings == []


def repeating(channel: str, script: Script, begin_s: float, end_s: float, dt_s: float = 0.1) -> Rows:
    """Return the rows of a script, in which a sensor repeats the reading of an instant for a while."""
    rows = script.rows(dt_s)
    t_s = (rows["t_ns"] - BEGIN_NS) / 1e9
    stuck = (t_s >= begin_s) & (t_s < end_s) & ~np.isnan(rows[channel])
    rows[channel] = np.where(stuck, rows[channel][stuck][0], rows[channel])
    return rows


def ride() -> Script:
    return Script(z_m=0.0).event(door=CLOSED, presence=0).rest(10.0).ride(18.0).rest(10.0)


@pytest.mark.parametrize("dt_s", [0.05, 0.1, 0.2, 1.0])
@pytest.mark.parametrize(("channel", "sensor"), [("v_mps", "faulty_speed"), ("z_m", "faulty_position")])
def test_a_sensor_that_repeats_itself_while_the_car_runs_is_found(channel: str, sensor: str, dt_s: float) -> None:
    for begin_s in (5.0, 14.0):
        assert faulty(repeating(channel, ride(), begin_s, 28.0, dt_s)) == {sensor}, begin_s


def test_a_speed_in_steps_of_a_tenth_is_none() -> None:
    rows = ride().rows()
    rows["v_mps"] = np.round(rows["v_mps"], 1)
    assert found(rows) == []


def test_a_speed_that_reads_zero_at_rest_is_none_where_the_position_jumps() -> None:
    rows = Script(z_m=9.0).rest(30.0).rows(noise=0.0)
    rows["z_m"][150:] += 3.0
    assert found(rows) == []


@pytest.mark.parametrize("channel", ["v_mps", "z_m"])
def test_a_resting_car_repeats_itself_for_as_long_as_it_rests(channel: str) -> None:
    assert found(repeating(channel, ride(), 0.0, 9.0)) == []
    assert found(Script(z_m=9.0).rest(60.0).rows(noise=0.0)) == []


def test_readings_that_are_missing_prove_nothing() -> None:
    rows = repeating("z_m", ride(), 5.0, 28.0)
    rows["gap"] = np.where(np.arange(len(rows["t_ns"])) % 4 == 0, 1.0, np.nan)
    assert found(rows) == []


def test_a_position_that_jumps_again_and_again_is_found() -> None:
    rows = ride().rows()
    rows["z_m"][60:300:50] = 31.0
    assert faulty(rows) == {"faulty_jumps"}
    rows["z_m"][60:200:50] = rows["z_m"][61:201:50]
    assert found(rows) == []


def used(person: float, opens: bool = True) -> Script:
    """Return a lift in use: people interrupt the light curtain at each of its stops."""
    script = Script(z_m=0.0).event(door=CLOSED, presence=0, curtain=0).rest(3.0)
    for k in range(33):
        if opens:
            script.open_door(1.5)
        script.event(curtain=1).event(0.5, curtain=0).event(0.6, presence=person).rest(2.0)
        if opens:
            script.close_door(2.0)
        script.ride(3.0 if k % 2 == 0 else 0.0).event(presence=0).rest(3.0)
    return script


def test_a_presence_sensor_that_sees_nobody_in_thirty_trips_is_found() -> None:
    assert faulty(used(0).rows(0.2)) == {"faulty_presence"}
    assert found(used(1).rows(0.2)) == []


def test_a_door_that_is_always_closed_in_use_is_found() -> None:
    assert faulty(used(1, opens=False).rows(0.2)) == {"faulty_door"}


def test_an_idle_empty_car_proves_nothing() -> None:
    script = Script(z_m=0.0).event(door=CLOSED, presence=0, curtain=0).rest(3.0)
    for k in range(35):
        script.ride(3.0 if k % 2 == 0 else 0.0).rest(3.0)
    assert found(script.rows(0.2)) == []


def shaken(
    wrong: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]], until_s: float = 1e9
) -> set[str]:
    """Return the sensors that are found faulty on trips with a vibration that is `wrong`, up to an instant."""
    script = Script(z_m=0.0).event(door=CLOSED).rest(4.0)
    for k in range(14):
        script.ride(18.0 if k % 2 == 0 else 0.0).rest(6.0)
    t_s = np.arange(round(min(script.now_s, until_s) * VIBRATION_HZ)) / VIBRATION_HZ
    noise = np.random.default_rng(4).normal(0.0, 0.05, len(t_s))
    whole = replace(batch([script.rows()]), waveforms=waves([(0, BEGIN_NS, VIBRATION_HZ, wrong(t_s, noise))]))
    found = Judge([BY_SLUG["sensor-fault"]], 1).step(whole, facts_of([tower()]))
    return {name for one in found if one.kind == "on" for name, bad in one.evidence.items() if bad}


def test_an_accelerometer_that_reads_zero_in_a_moving_car_is_dead() -> None:
    assert shaken(lambda t_s, noise: np.where(t_s < 100.0, noise, 0.0)) == {"faulty_accelerometer"}


def test_an_accelerometer_that_sends_no_more_over_five_trips_is_silent() -> None:
    assert shaken(lambda t_s, noise: noise, until_s=110.0) == {"faulty_accelerometer"}
    assert shaken(lambda t_s, noise: noise, until_s=90.0) == set()  # too few blocks to be missed


@pytest.mark.parametrize("offset_mps2", [0.6, -0.6, 9.81 + 0.6])
def test_an_accelerometer_whose_zero_is_off_is_found(offset_mps2: float) -> None:
    assert shaken(lambda t_s, noise: noise + offset_mps2) == {"faulty_accelerometer"}


@pytest.mark.parametrize("offset_mps2", [0.0, 0.15, 9.81])
def test_a_sound_accelerometer_is_not_in_doubt(offset_mps2: float) -> None:
    assert shaken(lambda t_s, noise: noise + offset_mps2) == set()
