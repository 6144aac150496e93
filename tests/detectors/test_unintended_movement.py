"""F05: the car leaves the landing at which its door opened."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import Finding
from telemetry.streams import CLOSED, INSPECTION, OPEN
from tests.detectors.world import Fault, Rows, Script, batch, facts_of, tower


def slips(accel: float = 0.5, until_mps: float = 0.6, door: bool = True) -> Script:
    """Stand at a landing with the door open, slip away downwards, be caught."""
    script = Script(z_m=9.0).event(door=CLOSED, mode=0).rest(4.0)
    if door:
        script.open_door(2.0).rest(2.0)
    else:
        script.rest(4.0)
    return script.ramp(0.0, -until_mps, accel).ramp(-until_mps, 0.0, 4.0).rest(10.0)


def fault() -> Fault:
    return Fault(slips(), onset_s=8.0 + 0.6, within_s=0.0)


def found(rows: Rows, mode: int | None = None) -> list[Finding]:
    return [f for f in judged(rows, mode) if f.kind != "more"]


def judged(rows: Rows, mode: int | None = None) -> list[Finding]:
    if mode is not None:
        rows["mode"] = np.where(np.isnan(rows["mode"]), np.nan, mode)
    return Judge([BY_SLUG["unintended-movement"]], 1).step(batch([rows]), facts_of([tower()]))


@pytest.mark.parametrize("streams", [("v_mps", "z_m"), ("z_m",)], ids="+".join)
def test_a_slow_slip_is_found_where_it_leaves_the_door_zone(streams: tuple[str, ...]) -> None:
    script = Script(z_m=9.0).event(door=CLOSED).rest(4.0).open_door(2.0).rest(2.0)
    script.ramp(0.0, 0.1, 0.1).move([0.1] * 600).rest(3.0)
    kinds = found(script.rows(streams=streams))
    assert [f.kind for f in kinds] == ["on"]
    assert kinds[0].evidence["moved_m"] == pytest.approx(0.20, abs=0.04)


def test_how_far_it_got_is_known_in_the_end() -> None:
    """The car slips, is brought back a little, its door closes, and it is driven away."""
    script = slips(accel=0.5, until_mps=0.7)
    lowest_m = script.at_m
    script.move(np.full(200, 0.15)).rest(4.0).close_door().rest(2.0).ride(0.0).rest(5.0)
    found = judged(script.rows())
    opened = [f for f in found if f.kind == "on"]
    assert len(opened) > 1, "while it is away and the door is open the level opens again"
    assert (found[-1].kind, found[-1].at_ns) == ("off", max(f.at_ns for f in found))
    more = [f for f in found if f.kind == "more" and f.at_ns < opened[1].at_ns]
    reached = [f.evidence["max_z_m"] for f in (opened[0], *more)]
    assert reached == sorted(reached)
    assert reached[-1] == pytest.approx(9.0 - lowest_m, abs=0.01)
    assert all(set(f.evidence) == {"max_z_m"} for f in more)


def test_a_car_with_its_door_closed_may_leave() -> None:
    assert found(slips(door=False).rows()) == []


def test_a_door_contact_stuck_open_arms_nothing() -> None:
    script = Script(z_m=9.0).event(door=OPEN).rest(6.0).ride(3.0).rest(5.0)
    assert found(script.rows()) == []


def test_a_position_that_jumps_at_a_standing_car_is_no_movement() -> None:
    rows = Script(z_m=9.0).event(door=CLOSED).rest(4.0).open_door(2.0).rest(30.0).rows()
    rows["z_m"][200:] += 0.4
    assert found(rows) == []


def test_relevelling_from_the_edge_of_the_zone_is_no_movement() -> None:
    script = Script(z_m=9.0 - 0.06).event(door=CLOSED).rest(4.0).open_door(2.0).rest(3.0)
    script.ride(9.0, accel=0.3, jerk=1.0).rest(5.0)
    assert found(script.rows()) == []


def test_a_car_that_a_mechanic_has_moved_with_its_door_open_is_at_home_where_it_stands_when_he_leaves() -> None:
    script = Script(z_m=9.0).event(door=CLOSED, mode=0).rest(4.0).open_door(2.0).rest(2.0).event(mode=INSPECTION)
    script.ramp(0.0, 0.3, 0.3).move([0.3] * 91).ramp(0.3, 0.0, 0.3).rest(20.0).event(mode=0).rest(20.0)
    assert found(script.rows()) == []


def test_in_inspection_the_open_door_is_allowed_up_to_its_speed() -> None:
    assert found(slips(until_mps=0.5).rows(), INSPECTION) == []
    assert [f.kind for f in found(slips(until_mps=1.2).rows(), INSPECTION)] == ["on"]


def test_a_restarted_device_must_see_the_door_open_again() -> None:
    rows = slips().rows()
    rows["reboot"] = np.zeros(len(rows["t_ns"]))
    rows["reboot"][70] = 1.0
    assert found(rows) == []
