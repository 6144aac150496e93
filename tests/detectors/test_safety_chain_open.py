"""F14: braked hard to rest between landings, with the mains on."""

from __future__ import annotations

import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MAJOR, Finding
from telemetry.streams import BATTERY, CLOSED, MAINS
from tests.detectors.world import Fault, Script, batch, facts_of, ride_speed, tower


def braked(after_s: float = 5.0, power: float = MAINS, decel_mps2: float = 2.2) -> Script:
    """Run, be braked so long after the start, rest, and go on to a landing."""
    script = Script(z_m=0.0).event(door=CLOSED, power=MAINS).rest(4.0)
    script.move(ride_speed(27.0, 1.75)[: round(after_s / 0.01)]).event(0.2, power=power)
    return script.ramp(1.75, 0.0, decel_mps2).rest(8.0).event(power=MAINS).ride(15.0).rest(5.0)


def fault() -> Fault:
    return Fault(braked(), onset_s=9.0, within_s=3.5, severity=MAJOR, clears=True)


def stories() -> list[Script]:
    return [braked(power=BATTERY), braked(after_s=4.0), braked(decel_mps2=4.0)]


def found(script: Script, dt_s: float = 0.1, **feed: object) -> list[Finding]:
    return Judge([BY_SLUG["safety-chain-open"]], 1).step(
        batch([script.rows(dt_s, **feed)]),  # type: ignore[arg-type]
        facts_of([tower()]),
    )


@pytest.mark.parametrize("dt_s", [0.05, 0.1, 0.2])
def test_a_hard_stop_between_landings_is_found_and_ends_with_the_next_trip(dt_s: float) -> None:
    assert [f.kind for f in found(braked(), dt_s)] == ["on", "off"]


def test_a_hard_stop_within_the_door_zone_is_none() -> None:
    script = Script(z_m=0.0).event(door=CLOSED, power=MAINS).rest(4.0).ramp(0.0, 1.75, 0.8)
    way_m = 6.0 - 1.75**2 / 2 / 2.2 - script.at_m
    assert found(script.move([1.75] * round(way_m / 1.75 / 0.01)).ramp(1.75, 0.0, 2.2).rest(8.0)) == []  # type: ignore[arg-type]
    assert abs(script.at_m - 6.0) < 0.1


def test_lost_mains_explain_the_stop() -> None:
    assert found(braked(power=BATTERY)) == []


def test_a_stop_by_the_drive_between_landings_is_none() -> None:
    assert found(braked(decel_mps2=1.1)) == []


def test_without_a_position_it_is_not_judged() -> None:
    assert found(braked(), streams=("v_mps",)) == []


def test_a_barometer_shows_no_landing() -> None:
    facts = facts_of([tower(position_source="barometer")])
    assert Judge([BY_SLUG["safety-chain-open"]], 1).step(batch([braked().rows()]), facts) == []
