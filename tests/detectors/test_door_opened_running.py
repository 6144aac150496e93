"""F07: the door comes open on the way."""

from __future__ import annotations

import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import Finding
from telemetry.streams import CLOSED, OPEN, OPENING
from tests.detectors.test_start_door_open import starts
from tests.detectors.world import BEGIN_NS, Fault, Rows, Script, batch, facts_of, ride_speed, tower


def pops(stays_s: float = 10.0) -> Script:
    """Run from 0 to 27 m; five seconds after the start the door springs open, and shuts again at the end."""
    script = Script(z_m=0.0).event(door=CLOSED).rest(4.0)
    script.event(5.0, door=OPENING).event(6.0, door=OPEN).ride(27.0)
    return script.rest(stays_s).event(door=CLOSED).rest(70.0)


def fault() -> Fault:
    return Fault(pops(), onset_s=4.0 + 5.0, within_s=0.2, clears=True)


def found(rows: Rows) -> list[Finding]:
    return Judge([BY_SLUG["door-opened-running"]], 1).step(batch([rows]), facts_of([tower()]))


def test_it_clears_when_the_door_has_been_closed_for_a_minute_at_a_standing_car() -> None:
    _, off = found(pops().rows())
    shut_s = 4.0 + float(len(ride_speed(27.0, 1.75))) * 0.01 + 10.0
    assert off.kind == "off"
    assert (off.at_ns - BEGIN_NS) / 1e9 == pytest.approx(shut_s + 60.0, abs=0.2)


def test_a_start_with_an_open_door_is_left_to_its_own_rule() -> None:
    assert found(starts().rows()) == []


@pytest.mark.parametrize("early_s", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("skew_s", [-0.4, 0.0, 0.4])
@pytest.mark.parametrize("dt_s", [0.05, 0.1, 0.5, 1.0])
def test_opening_while_levelling_in_is_normal(early_s: float, skew_s: float, dt_s: float) -> None:
    script = Script(z_m=0.0).event(door=CLOSED).rest(4.0).ride(9.0).open_door(2.0, after_s=-early_s).rest(4.0)
    assert found(script.rows(dt_s, door_late_s=skew_s)) == []
