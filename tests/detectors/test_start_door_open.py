"""F06: the car starts with its door not closed."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import Finding
from telemetry.streams import CLOSED, CLOSING, INSPECTION
from tests.detectors.world import Fault, Rows, Script, batch, facts_of, tower


def starts(to_m: float = 18.0, rated_mps: float = 1.75) -> Script:
    """Open at a landing, and run with the door still open."""
    script = Script(z_m=9.0, rated_mps=rated_mps).event(door=CLOSED, mode=0).rest(4.0).open_door(2.0).rest(3.0)
    return script.ride(to_m).rest(4.0)


def fault() -> Fault:
    return Fault(starts(), onset_s=9.0 + 0.45, within_s=0.3)


def found(rows: Rows, mode: int | None = None) -> list[Finding]:
    if mode is not None:
        rows["mode"] = np.where(np.isnan(rows["mode"]), np.nan, mode)
    return Judge([BY_SLUG["start-door-open"]], 1).step(batch([rows]), facts_of([tower()]))


@pytest.mark.parametrize("streams", [("v_mps", "z_m"), ("z_m",), ("v_mps",)], ids="+".join)
def test_it_is_found_with_either_stream(streams: tuple[str, ...]) -> None:
    assert [f.kind for f in found(starts().rows(streams=streams))] == ["on", "off"]


@pytest.mark.parametrize("error_m", [-0.08, -0.03, 0.03, 0.08])
@pytest.mark.parametrize("dt_s", [0.05, 0.1, 1.0])
def test_relevelling_with_an_open_door_is_normal(error_m: float, dt_s: float) -> None:
    script = Script(z_m=9.0 + error_m).event(door=CLOSED).rest(4.0).open_door(2.0).rest(3.0)
    script.ride(9.0 + np.sign(error_m) * 0.004, accel=0.3, jerk=1.0).rest(5.0)
    assert found(script.rows(dt_s)) == []


@pytest.mark.parametrize("early_s", [0.3, 0.6, 0.9])
def test_opening_while_levelling_in_is_normal(early_s: float) -> None:
    script = Script(z_m=0.0).event(door=CLOSED).rest(4.0).ride(9.0).open_door(2.0, after_s=-early_s).rest(4.0)
    assert found(script.rows()) == []


@pytest.mark.parametrize("late_s", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("dt_s", [0.05, 0.1, 0.5, 1.0])
def test_a_closed_door_reported_a_moment_late_is_normal(late_s: float, dt_s: float) -> None:
    script = Script(z_m=9.0).event(door=CLOSED).rest(4.0).open_door(2.0).rest(3.0)
    script.event(door=CLOSING).rest(2.8).event(late_s, door=CLOSED).ride(18.0).rest(4.0)
    assert found(script.rows(dt_s)) == []


def test_a_door_that_never_finished_closing_is_found() -> None:
    script = Script(z_m=9.0).event(door=CLOSED).rest(4.0).open_door(2.0).rest(3.0)
    script.event(door=CLOSING).rest(2.8).ride(18.0).rest(4.0)
    assert [f.kind for f in found(script.rows())] == ["on", "off"]


def test_a_door_whose_last_report_was_lost_is_no_open_door() -> None:
    """The message with `closed` was lost; a lost message while the door stood open changes nothing."""
    script = Script(z_m=9.0).event(door=CLOSED).rest(4.0).open_door(2.0).rest(3.0)
    script.event(door=CLOSING).rest(2.8).event(gap=1).rest(0.2).ride(18.0).rest(4.0)
    assert found(script.rows()) == []
    script = Script(z_m=9.0).event(door=CLOSED).rest(4.0).open_door(2.0).rest(3.0).event(gap=1).ride(18.0).rest(4.0)
    assert [f.kind for f in found(script.rows())] == ["on", "off"]


def test_in_inspection_the_open_door_is_allowed_up_to_its_speed() -> None:
    assert found(starts(rated_mps=0.5).rows(), INSPECTION) == []
    assert [f.kind for f in found(starts().rows(), INSPECTION)] == ["on", "off"]


def test_the_sentence_names_speed_and_limit() -> None:
    finding, _ = found(starts().rows())
    text = BY_SLUG["start-door-open"].sentence["en"].format(**finding.evidence)
    assert "limit 0.10 m/s" in text
