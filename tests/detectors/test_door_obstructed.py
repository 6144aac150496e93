"""F19: somebody or something in the doorway keeps the door open."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MINOR, Finding
from telemetry.streams import CLOSED, FIRE
from tests.detectors.world import BEGIN_NS, Fault, Rows, Script, batch, facts_of, tower


def blocked(seconds: float = 100.0, **channels: float) -> Script:
    """Return a door that has been open for `seconds`, with these events as it opens."""
    script = Script(z_m=9.0).event(door=CLOSED, curtain=0, presence=0).rest(4.0).open_door(2.0)
    return script.event(**(channels or {"curtain": 1})).rest(seconds)


def fault() -> Fault:
    script = blocked().event(curtain=0).close_door().rest(12.0)
    return Fault(script, onset_s=6.0, within_s=90.0, severity=MINOR, clears=True)


def stories() -> list[Script]:
    return [blocked(presence=1), blocked(60.0).event(curtain=0).rest(5.0).event(curtain=1).rest(60.0)]


def found(rows: Rows, parks_door_open: bool = False) -> list[Finding]:
    facts = facts_of([tower(parks_door_open=parks_door_open)])
    return Judge([BY_SLUG["door-obstructed"]], 1).step(batch([rows]), facts)


def noticed_s(script: Script) -> list[float]:
    return [round((f.at_ns - BEGIN_NS) / 1e9) for f in found(script.rows()) if f.kind == "on"]


def test_a_person_in_the_car_counts_as_well_as_the_curtain() -> None:
    assert noticed_s(blocked(presence=1)) == noticed_s(blocked(curtain=1)) == [96]


def test_an_open_door_with_nobody_there_is_left_to_door_held_open() -> None:
    assert noticed_s(blocked(300.0, curtain=0)) == []


def test_somebody_who_passes_a_door_that_is_open_for_long_is_no_obstruction() -> None:
    script = blocked(60.0, curtain=0)
    for _ in range(20):
        script.event(curtain=1).event(4.0, curtain=0).rest(15.0)
    assert noticed_s(script) == []


def test_a_doorway_that_is_blocked_late_is_found_ten_seconds_later() -> None:
    assert noticed_s(blocked(120.0, curtain=0).event(curtain=1).rest(20.0)) == [136]


@pytest.mark.parametrize("channel", ["curtain", "presence"])
def test_one_of_the_two_sensors_is_enough(channel: str) -> None:
    rows = blocked(**{channel: 1}).rows()
    rows[{"curtain": "presence", "presence": "curtain"}[channel]][:] = np.nan
    assert [f.kind for f in found(rows)] == ["on"]


def test_not_in_another_mode_and_not_where_the_door_parks_open() -> None:
    assert found(blocked(curtain=1, mode=FIRE).rows()) == []
    assert found(blocked(curtain=1).rows(), parks_door_open=True) == []
