"""F20: the light curtain reads blocked although nothing is there."""

from __future__ import annotations

import numpy as np

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MINOR, Finding
from telemetry.streams import CLOSED
from tests.detectors.world import Fault, Rows, Script, batch, facts_of, tower


def stuck(seconds: float = 65.0, presence: float = 0) -> Script:
    """Return a curtain that turns blocked at a closed door."""
    script = Script(z_m=9.0).event(door=CLOSED, curtain=0, presence=presence).rest(4.0).event(curtain=1)
    return script.rest(seconds)


def fault() -> Fault:
    return Fault(stuck().event(curtain=0).rest(35.0), onset_s=4.0, within_s=60.0, severity=MINOR, clears=True)


def open_and_empty(presence: float = 0) -> Script:
    script = Script(z_m=9.0).event(door=CLOSED, curtain=0, presence=presence).rest(4.0).open_door()
    return script.event(curtain=1).rest(70.0)


def stories() -> list[Script]:
    return [open_and_empty(), stuck(presence=1)]


def found(rows: Rows) -> list[Finding]:
    return Judge([BY_SLUG["curtain-blocked"]], 1).step(batch([rows]), facts_of([tower()]))


def test_a_curtain_that_is_blocked_at_the_open_door_of_an_empty_car_is_found() -> None:
    assert [f.kind for f in found(open_and_empty().rows())] == ["on"]


def test_a_person_in_the_doorway_is_no_fault_of_the_curtain() -> None:
    assert found(open_and_empty(presence=1).rows()) == []


def test_a_door_that_moves_begins_the_time_anew() -> None:
    assert found(stuck(50.0).open_door().rest(50.0).rows()) == []


def test_an_unknown_door_or_curtain_is_not_judged() -> None:
    for name in ("door", "curtain"):
        rows = stuck().rows()
        rows[name][:] = np.nan
        assert found(rows) == []


def test_the_open_door_of_a_car_without_a_presence_sensor_is_not_judged() -> None:
    rows = open_and_empty().rows()
    rows["presence"][:] = np.nan
    assert found(rows) == []


def test_it_needs_neither_speed_nor_position() -> None:
    assert [f.kind for f in found(stuck().rows(streams=()))] == ["on"]
