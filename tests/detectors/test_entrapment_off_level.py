"""F01: a person shut in a car that stands between landings."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import Finding
from telemetry.streams import CLOSED, EMERGENCY_POWER, INSPECTION, OPEN
from tests.detectors.world import BEGIN_NS, Fault, Rows, Script, batch, facts_of, tower

BETWEEN_M = 10.4


def stuck(at_m: float = BETWEEN_M, person: float = 1.0, seconds: float = 50.0) -> Script:
    """Stop with a person in the car at a place where no landing is."""
    script = Script(z_m=3.0).event(door=CLOSED, presence=person, mode=0).rest(4.0).ride(at_m)
    return script.rest(seconds)


def rescued(script: Script) -> Script:
    """Bring the car to the next landing and let the person out."""
    return script.ride(12.0).open_door(2.0).rest(1.0).event(presence=0).rest(12.0)


def fault() -> Fault:
    script = stuck(seconds=0.0)
    onset_s = script.now_s
    return Fault(rescued(script.rest(50.0)), onset_s=onset_s, within_s=30.0, clears=True)


def found(rows: Rows) -> list[Finding]:
    return Judge([BY_SLUG["entrapment-off-level"]], 1).step(batch([rows]), facts_of([tower()]))


def at_s(finding: Finding) -> float:
    return (finding.at_ns - BEGIN_NS) / 1e9


@pytest.mark.parametrize("streams", [("v_mps", "z_m"), ("z_m",)], ids="+".join)
@pytest.mark.parametrize("dt_s", [0.1, 1.0])
def test_it_is_found_after_thirty_seconds(streams: tuple[str, ...], dt_s: float) -> None:
    script = stuck(seconds=0.0)
    stopped_s = script.now_s
    (finding,) = found(script.rest(40.0).rows(dt_s, streams=streams))
    assert at_s(finding) == pytest.approx(stopped_s + 30.0, abs=1.0 + dt_s)
    assert (finding.onset_ns - BEGIN_NS) / 1e9 == pytest.approx(stopped_s, abs=1.0 + dt_s)
    assert finding.evidence["offset_m"] == pytest.approx(1.4, abs=0.02)


@pytest.mark.parametrize("dt_s", [5.0, 10.0])
def test_a_lift_that_is_read_seldom_is_judged(dt_s: float) -> None:
    script = stuck(seconds=0.0)
    stopped_s = script.now_s
    (finding,) = found(script.rest(120.0).rows(dt_s))
    assert at_s(finding) <= stopped_s + 30.0 + 4 * dt_s


def test_a_car_that_runs_on_in_time_entraps_nobody() -> None:
    assert found(stuck(seconds=27.0).ride(21.0).rest(60.0).rows()) == []


def test_nobody_is_trapped_in_an_empty_car() -> None:
    assert found(stuck(person=0.0, seconds=120.0).rows()) == []


@pytest.mark.parametrize("silent", ["presence", "door"])
def test_what_no_sensor_has_seen_entraps_nobody(silent: str) -> None:
    rows = stuck(seconds=120.0).rows()
    rows[silent] = np.full(len(rows["t_ns"]), np.nan)
    assert found(rows) == []


def test_an_open_door_entraps_nobody() -> None:
    rows = stuck(seconds=120.0).rows()
    rows["door"] = np.where(np.isnan(rows["door"]), np.nan, OPEN)
    assert found(rows) == []


@pytest.mark.parametrize("unseen_s", [2.0, 10.0, 27.0])
def test_a_person_unseen_for_a_while_stops_the_clock(unseen_s: float) -> None:
    script = stuck(seconds=0.0)
    stopped_s = script.now_s
    script.rest(10.0).event(presence=0).rest(unseen_s).event(presence=1).rest(40.0)
    (finding,) = found(script.rows())
    assert at_s(finding) == pytest.approx(stopped_s + 30.0 + unseen_s, abs=1.0)
    assert (finding.onset_ns - BEGIN_NS) / 1e9 == pytest.approx(stopped_s, abs=0.5)


def test_a_person_unseen_again_and_again_is_counted_only_while_seen() -> None:
    script = stuck(seconds=0.0)
    stopped_s = script.now_s
    for _ in range(20):
        script.rest(2.0).event(presence=0).rest(2.0).event(presence=1)
    (finding,) = found(script.rows())
    assert at_s(finding) == pytest.approx(stopped_s + 58.0, abs=1.5)


def test_a_person_unseen_for_longer_has_left() -> None:
    script = stuck(seconds=20.0).event(presence=0).rest(32.0).event(presence=1).rest(20.0)
    assert found(script.rows()) == []


def test_nobody_is_found_while_nobody_is_seen() -> None:
    script = stuck(seconds=25.0).event(presence=0).rest(29.0)
    assert found(script.rows()) == []


def test_a_gap_in_the_data_stops_the_clock() -> None:
    rows = stuck(seconds=60.0).rows()
    cut = int(np.searchsorted(rows["t_ns"], rows["t_ns"][0] + 30_000_000_000))
    rows["t_ns"][cut:] += 3600_000_000_000
    (finding,) = found(rows)
    whole = found(stuck(seconds=60.0).rows())[0]
    assert at_s(finding) == pytest.approx(at_s(whole) + 3600.0, abs=0.5)
    assert finding.onset_ns == whole.onset_ns


def test_the_edge_of_the_door_zone_is_the_limit() -> None:
    assert found(stuck(at_m=9.0 + 0.17).rows()) == []
    assert [f.kind for f in found(stuck(at_m=9.0 + 0.23).rows())] == ["on"]


def test_a_technician_in_inspection_is_not_trapped_and_what_was_pending_begins_anew() -> None:
    script = stuck(seconds=20.0).event(mode=INSPECTION).rest(600.0).event(mode=0).rest(25.0)
    assert found(script.rows(1.0)) == []
    assert [f.kind for f in found(script.rest(10.0).rows(1.0))] == ["on"]


def test_emergency_power_entraps_as_mains_do() -> None:
    rows = stuck().rows()
    rows["mode"] = np.where(np.isnan(rows["mode"]), np.nan, EMERGENCY_POWER)
    assert [f.kind for f in found(rows)] == ["on"]


def test_a_door_that_opens_off_level_frees_nobody() -> None:
    script = stuck().open_door(2.0).rest(60.0)
    assert [f.kind for f in found(script.rows())] == ["on"]


def test_a_completed_trip_frees_within_ten_seconds() -> None:
    script = stuck().ride(21.0)
    arrived_s = script.now_s
    off = found(script.rest(20.0).rows())[-1]
    assert off.kind == "off"
    assert at_s(off) == pytest.approx(arrived_s + 2.0 + 10.0, abs=0.5)


def test_a_position_that_jumps_at_a_standing_car_frees_nobody() -> None:
    rows = stuck(seconds=80.0).rows()
    rows["z_m"][-200:] += 0.9
    assert [f.kind for f in found(rows)] == ["on"]


def test_silence_frees_nobody() -> None:
    rows = stuck().rows()
    later = {name: np.append(column, np.nan) for name, column in rows.items() if name != "t_ns"}
    later["door"][-1] = OPEN
    later["t_ns"] = np.append(rows["t_ns"], rows["t_ns"][-1] + 3600_000_000_000)
    assert [f.kind for f in found(later)] == ["on"]


def test_it_is_not_judged_without_floors() -> None:
    judge = Judge([BY_SLUG["entrapment-off-level"]], 1)
    assert judge.step(batch([stuck().rows()]), facts_of([None])) == []
