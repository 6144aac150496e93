"""F14: braked hard to rest between landings, with the mains on."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MAJOR, MINOR, Finding
from telemetry.streams import BATTERY, CLOSED, CLOSING, MAINS, OPEN, OPENING
from tests.detectors.world import Fault, Script, batch, facts_of, ride_speed, tower


def braked(after_s: float = 5.0, power: float = MAINS, decel_mps2: float = 2.2) -> Script:
    """Run, be braked so long after the start, rest, and go on to a landing."""
    script = Script(z_m=0.0).event(door=CLOSED, power=MAINS).rest(4.0)
    script.move(ride_speed(27.0, 1.75)[: round(after_s / 0.01)]).event(0.2, power=power)
    return script.ramp(1.75, 0.0, decel_mps2).rest(8.0).event(power=MAINS).ride(15.0).rest(5.0)


def fault() -> Fault:
    return Fault(braked(), onset_s=9.0, within_s=3.5, severity=MAJOR, clears=True)


def stories() -> list[Script]:
    stops = [braked(power=BATTERY), braked(after_s=4.0), braked(decel_mps2=4.0), braked(decel_mps2=0.9), door_opens()]
    return [*stops, door_opens_in_run(2.2), door_opens_in_run(0.9), runs_away(1.25), beyond_the_top(0.9)]


def door_opens_in_run(decel_mps2: float) -> Script:
    """Run on to a place between landings with the door forced, which closes again as the car stops."""
    script = Script(z_m=0.0).event(door=CLOSED, power=MAINS).rest(4.0).ramp(0.0, 1.75, 0.8).move(np.full(100, 1.75))
    script.event(0.2, door=OPENING).move(np.full(60, 1.75)).ramp(1.75, 0.0, decel_mps2)
    return script.event(door=CLOSING).rest(1.0).event(door=CLOSED).rest(8.0)


def runs_away(ratio: float) -> Script:
    """Reach a multiple of the rated speed and be gripped between landings."""
    script = Script(z_m=0.0).event(door=CLOSED, power=MAINS).rest(4.0).ramp(0.0, ratio * 1.75, 0.8)
    return script.move(np.full(30, ratio * 1.75)).ramp(ratio * 1.75, 0.0, 2.2).rest(8.0)


def beyond_the_top(decel_mps2: float) -> Script:
    """Pass the top landing, and be braked there."""
    top_m = tower().floors[-1].height_m
    script = Script(z_m=top_m - 3.0).event(door=CLOSED, power=MAINS).rest(4.0).ramp(0.0, 1.0, 0.8)
    way_m = top_m + 0.5 - 1.0 / 2 / decel_mps2 - script.at_m
    return script.move(np.full(round(way_m / 0.01), 1.0)).ramp(1.0, 0.0, decel_mps2).rest(8.0)


def door_opens() -> Script:
    """Stop softly where the heights of the landings are registered wrongly: the door opens."""
    script = Script(z_m=0.0).event(door=CLOSED, power=MAINS).rest(4.0).ramp(0.0, 1.75, 0.8).move(np.full(100, 1.75))
    return script.ramp(1.75, 0.0, 0.9).rest(1.0).event(door=OPENING).rest(2.0).event(door=OPEN).rest(8.0)


def found(script: Script, dt_s: float = 0.1, **feed: object) -> list[Finding]:
    return Judge([BY_SLUG["safety-chain-open"]], 1).step(
        batch([script.rows(dt_s, **feed)]),  # type: ignore[arg-type]
        facts_of([tower()]),
    )


@pytest.mark.parametrize("dt_s", [0.05, 0.1, 0.2])
def test_a_hard_stop_between_landings_is_found_and_ends_with_the_next_trip(dt_s: float) -> None:
    assert [(f.kind, f.severity) for f in found(braked(), dt_s)] == [("on", MAJOR), ("off", MAJOR)]


def test_a_hard_stop_within_the_door_zone_is_none() -> None:
    script = Script(z_m=0.0).event(door=CLOSED, power=MAINS).rest(4.0).ramp(0.0, 1.75, 0.8)
    way_m = 6.0 - 1.75**2 / 2 / 2.2 - script.at_m
    assert found(script.move([1.75] * round(way_m / 1.75 / 0.01)).ramp(1.75, 0.0, 2.2).rest(8.0)) == []  # type: ignore[arg-type]
    assert abs(script.at_m - 6.0) < 0.1


def test_lost_mains_explain_the_stop() -> None:
    assert found(braked(power=BATTERY)) == []


@pytest.mark.parametrize("decel_mps2", [0.8, 1.1, 1.4])
@pytest.mark.parametrize("dt_s", [0.05, 0.1, 0.2])
def test_a_brake_that_holds_less_than_a_drive_stops_the_car_between_landings_too(
    decel_mps2: float, dt_s: float
) -> None:
    of = [(f.kind, f.severity) for f in found(braked(decel_mps2=decel_mps2), dt_s)]
    assert of == [("on", MINOR), ("off", MINOR)]


@pytest.mark.parametrize("decel_mps2", [0.9, 2.2])
@pytest.mark.parametrize("dt_s", [0.1, 0.2])
def test_a_door_that_opened_in_the_run_explains_the_stop(decel_mps2: float, dt_s: float) -> None:
    script = door_opens_in_run(decel_mps2)
    assert abs(script.at_m - 3.0 * round(script.at_m / 3.0)) > 0.25
    assert found(script, dt_s) == []


def test_a_car_that_ran_away_is_explained_by_its_speed() -> None:
    for ratio, finds in ((1.1, True), (1.25, False)):
        script = runs_away(ratio)
        assert abs(script.at_m - 3.0 * round(script.at_m / 3.0)) > 0.25
        assert bool(found(script)) is finds


@pytest.mark.parametrize("decel_mps2", [0.9, 2.2])
def test_a_car_beyond_its_last_landing_is_explained_by_its_place(decel_mps2: float) -> None:
    script = beyond_the_top(decel_mps2)
    assert script.at_m - tower().floors[-1].height_m > 0.4
    assert found(script) == []


def test_the_door_of_an_earlier_run_explains_no_stop() -> None:
    script = door_opens_in_run(0.9).event(door=CLOSED)
    script.ride(0.0).rest(4.0).ramp(0.0, 1.75, 0.8).move(np.full(100, 1.75)).ramp(1.75, 0.0, 2.2).rest(8.0)
    assert abs(script.at_m - 3.0 * round(script.at_m / 3.0)) > 0.25
    assert MAJOR in {f.severity for f in found(script)}


@pytest.mark.parametrize("decel_mps2", [0.9, 2.2])
def test_mains_that_return_to_a_stopped_car_leave_its_stop_explained(decel_mps2: float) -> None:
    script = Script(z_m=0.0).event(door=CLOSED, power=MAINS).rest(4.0).move(ride_speed(27.0, 1.75)[:500])
    script.event(0.2, power=BATTERY).ramp(1.75, 0.0, decel_mps2).rest(20.0).event(power=MAINS).rest(20.0)
    assert found(script) == []


def test_a_car_that_slows_down_gently_between_landings_was_not_braked() -> None:
    assert found(braked(decel_mps2=0.3)) == []


def test_a_door_that_opens_shows_that_the_controller_is_at_a_landing() -> None:
    script = door_opens()
    assert abs(script.at_m - 3.0 * round(script.at_m / 3.0)) > 0.25
    assert found(script) == []


def test_a_speed_sensor_that_fails_in_mid_run_is_no_stop() -> None:
    script = Script(z_m=0.0).event(door=CLOSED, power=MAINS).rest(4.0).ramp(0.0, 1.75, 0.8).move(np.full(400, 1.75))
    rows = script.rest(1.0).rows()
    dead = rows["t_ns"] > rows["t_ns"][-1] - 3_000_000_000
    rows["v_mps"] = np.where(dead & ~np.isnan(rows["v_mps"]), 0.0, rows["v_mps"])
    assert Judge([BY_SLUG["safety-chain-open"]], 1).step(batch([rows]), facts_of([tower()])) == []


def test_without_a_position_it_is_not_judged() -> None:
    assert found(braked(), streams=("v_mps",)) == []


def test_a_barometer_shows_no_landing() -> None:
    facts = facts_of([tower(position_source="barometer")])
    assert Judge([BY_SLUG["safety-chain-open"]], 1).step(batch([braked().rows()]), facts) == []
