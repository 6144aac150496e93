"""F18: the door of a standing car stays open."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MINOR, Finding
from telemetry.streams import CLOSED, EMERGENCY_POWER, FIRE, NORMAL
from tests.detectors.world import BEGIN_NS, Fault, Rows, Script, batch, facts_of, tower


def held(seconds: float = 130.0) -> Script:
    return Script(z_m=9.0).event(door=CLOSED, curtain=0).rest(4.0).open_door(2.0).event(curtain=1).rest(seconds)


def fault() -> Fault:
    script = held().event(curtain=0).close_door().rest(3.0)
    return Fault(script, onset_s=6.0, within_s=120.0, severity=MINOR, clears=True)


def found(rows: Rows, parks_door_open: bool = False) -> list[Finding]:
    facts = facts_of([tower(parks_door_open=parks_door_open)])
    return Judge([BY_SLUG["door-held-open"]], 1).step(batch([rows]), facts)


def test_a_long_dwell_is_no_held_door() -> None:
    assert found(held(115.0).close_door().rest(5.0).rows()) == []


def test_a_lift_that_parks_with_its_door_open_may() -> None:
    assert found(held(600.0).rows(1.0), parks_door_open=True) == []


@pytest.mark.parametrize(("mode", "judged"), [(NORMAL, True), (np.nan, True), (EMERGENCY_POWER, False), (FIRE, False)])
def test_a_held_door_is_judged_in_normal_mode_and_in_an_unknown_one(mode: float, judged: bool) -> None:
    rows = held().rows()
    rows["mode"] = np.full(len(rows["t_ns"]), np.nan)
    rows["mode"][0] = mode
    assert bool(found(rows)) == judged


def test_the_time_in_another_mode_is_not_counted_afterwards() -> None:
    script = Script(z_m=9.0).event(door=CLOSED, mode=EMERGENCY_POWER).rest(4.0).open_door(2.0).rest(300.0)
    assert found(script.event(mode=NORMAL).rest(100.0).rows()) == []


def test_a_door_that_is_not_seen_is_not_held() -> None:
    rows = held().rows()
    rows["door"][:] = np.nan
    assert found(rows) == []


def test_a_person_who_sends_the_door_back_begins_the_time_anew() -> None:
    script = held(70.0).event(door=2).rest(1.0).close_door(1.0).open_door(1.0).rest(70.0)
    assert found(script.rows()) == []


@pytest.mark.parametrize("dt_s", [10.0, 30.0, 60.0])
def test_a_lift_that_is_read_seldom_is_judged(dt_s: float) -> None:
    rows = Script(z_m=9.0).event(door=CLOSED).rest(300.0).open_door(2.0).rest(400.0).rows(dt_s)
    (finding,) = found(rows)
    assert 302.0 + 120.0 <= (finding.at_ns - BEGIN_NS) / 1e9 <= 302.0 + 120.0 + 3 * dt_s


@pytest.mark.parametrize("dt_s", [10.0, 30.0, 60.0])
def test_a_door_that_closes_between_two_readings_is_not_held(dt_s: float) -> None:
    script = Script(z_m=9.0).event(door=CLOSED).rest(3 * dt_s - 3.0)
    for _ in range(20):
        script.open_door(2.0).rest(2.0).close_door(2.0).rest(dt_s - 6.0)
    assert found(script.rows(dt_s)) == []


def test_a_gap_counts_nothing_and_resets_nothing() -> None:
    rows = held(80.0).rows()
    cut = len(rows["t_ns"]) // 2
    rows["t_ns"][cut:] += 3600_000_000_000
    assert found(rows) == []


def test_a_message_that_went_missing_may_have_closed_the_door() -> None:
    rows = held().rows()
    rows["gap"] = np.full(len(rows["t_ns"]), np.nan)
    rows["gap"][[200, 300]] = 1.0
    assert found(rows) == []


def test_a_single_odd_speed_does_not_reset_the_clock() -> None:
    rows = held().rows()
    rows["v_mps"][600] = 0.8
    assert [(f.kind, f.onset_ns - BEGIN_NS) for f in found(rows)] == [("on", pytest.approx(6.0e9, abs=0.2e9))]
