"""F26: the car leaves its landing with the door open, and the drive brings it back."""

from __future__ import annotations

import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MINOR
from telemetry.streams import CLOSED
from tests.detectors.test_curtain_dead import DAY_S, WithNight
from tests.detectors.world import Fault, Script, batch, facts_of, tower

SINKS_S, HOUR_S = 2.0, 3600.0


def stop(script: Script, moves: int, sinks_m: float = 0.02) -> Script:
    """Arrive, and sink and level again so often at the open door."""
    script.ride(3.0 if script.at_m < 1.5 else 0.0).open_door(after_s=0.2).rest(2.0)
    landing_m = round(script.at_m / 3.0) * 3.0
    for _ in range(moves):
        script.move([-sinks_m / SINKS_S] * round(SINKS_S * 100))  # type: ignore[arg-type]
        script.rest(0.5).ride(landing_m, accel=0.1, jerk=0.4).rest(1.0)
    return script.close_door().rest(3.0)


def stops(moves: list[int], sinks_m: float = 0.02, night: bool = False) -> Script:
    """Return stops with so many moves each; with a `night` the last one comes most of a day later."""
    script = WithNight(z_m=0.0, later_s=DAY_S - HOUR_S)
    script.event(door=CLOSED).rest(4.0)
    for k, count in enumerate(moves):
        if night and k == len(moves) - 1:
            script.night_s = script.now_s
        stop(script, count, sinks_m)
    return script


def fault() -> Fault:
    script = stops([0, 0, 4])
    first_s = script.now_s - 5.8 - 3 * 4.8 - 1.1
    return Fault(script, onset_s=first_s, within_s=15.0, severity=MINOR, dt_s=(0.1,))


def stories() -> list[Script]:
    return [stops([0] * 30 + [1, 0, 1, 0, 1, 0, 1] + [0] * 20, night=True), stops([2, 3, 4])]


def found(script: Script, dt_s: float = 0.1, **facts: object) -> list[tuple[str, int]]:
    judge = Judge([BY_SLUG["excess-relevelling"]], 1)
    return [(one.kind, one.severity) for one in judge.step(batch([script.rows(dt_s)]), facts_of([tower(**facts)]))]


@pytest.mark.parametrize("dt_s", [0.05, 0.1, 0.2])
def test_three_moves_at_one_stop_are_found(dt_s: float) -> None:
    assert found(stops([0, 3, 0]), dt_s) == [("on", MINOR)]
    assert found(stops([2, 2, 2]), dt_s) == []


def test_a_move_at_every_tenth_stop_is_found_after_fifty_stops_and_a_day() -> None:
    assert found(stops([1, *[0] * 9] * 5 + [0], night=True)) == [("on", MINOR)]
    assert found(stops([1, *[0] * 9] * 4, night=True)) == []
    assert found(stops([1, *[0] * 9] * 5 + [0])) == []


def test_people_who_move_the_car_by_six_millimetres_are_none() -> None:
    assert found(stops([5] * 12, sinks_m=0.006)) == []


def test_levelling_in_with_an_open_door_is_none() -> None:
    script = Script(z_m=0.0).event(door=CLOSED).rest(4.0)
    for k in range(55):
        script.ride(3.0 if k % 2 == 0 else 0.0).open_door(1.2, after_s=-1.2).rest(2.0).close_door().rest(3.0)
    assert found(script) == []


def test_a_barometer_shows_no_levelling() -> None:
    assert found(stops([4]), position_source="barometer") == []
