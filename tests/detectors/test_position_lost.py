"""F24: speed and position do not agree over a trip, or trips end between landings."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MINOR
from telemetry.streams import BATTERY, CLOSED
from tests.detectors.world import Fault, Rows, Script, batch, facts_of, tower


def trips(to_m: list[float], from_m: float = 3.0, **states: float) -> Script:
    script = Script(z_m=from_m).event(door=CLOSED, **states).rest(5.0)
    for place_m in to_m:
        script.ride(place_m).rest(5.0)
    return script


def fault() -> Fault:
    """A tape that has slipped by 0.6 m."""
    script = trips([12.6, 6.6, 15.6, 9.0, 3.0, 6.0], 3.6)
    return Fault(script, onset_s=5.0, within_s=25.0, severity=MINOR, clears=True)


def stories() -> list[Script]:
    return [trips([12.0, 12.0 + 1.4, 7.4, 3.0, 18.0, 6.0])]


def found(rows: Rows, scale: float = 1.0) -> list[str]:
    """Return the findings with each speed read as `scale` of what it is."""
    rows["v_mps"] = rows["v_mps"] * scale
    judge = Judge([BY_SLUG["position-lost"]], 1)
    return [one.kind for one in judge.step(batch([rows]), facts_of([tower()]))]


@pytest.mark.parametrize("dt_s", [0.1, 0.5, 1.0])
def test_an_encoder_that_slips_is_found_on_two_trips(dt_s: float) -> None:
    assert found(trips([15.0]).rows(dt_s), scale=0.9) == []
    assert found(trips([15.0, 3.0]).rows(dt_s), scale=0.9) == ["on"]


@pytest.mark.parametrize("dt_s", [0.1, 0.5, 1.0])
def test_speed_and_position_that_agree_are_not(dt_s: float) -> None:
    assert found(trips([15.0, 27.0, 0.0, 3.0]).rows(dt_s), scale=1.004) == []


def test_one_stop_between_landings_is_left_to_the_rules_of_stops() -> None:
    assert found(trips([10.4, 6.0, 10.4, 6.0]).rows()) == []


def test_two_trips_in_a_row_that_end_beside_a_landing_are_found() -> None:
    assert found(trips([12.6, 6.6]).rows()) == ["on"]


def test_two_trips_that_end_at_landings_end_it() -> None:
    assert found(trips([12.6, 6.6, 9.0]).rows()) == ["on"]
    assert found(trips([12.6, 6.6, 9.0, 12.0]).rows()) == ["on", "off"]


def test_rescue_runs_are_not_judged() -> None:
    assert found(trips([10.4, 6.6], power=BATTERY).rows()) == []


@pytest.mark.parametrize("streams", [("v_mps",), ("z_m",)])
def test_with_one_stream_alone_there_is_no_difference(streams: tuple[str, ...]) -> None:
    assert found(trips([15.0, 3.0]).rows(streams=streams), scale=0.8) == []


def test_missing_speeds_make_no_difference() -> None:
    rows = trips([15.0, 3.0, 15.0]).rows()
    rows["v_mps"][np.arange(len(rows["v_mps"])) % 40 < 15] = np.nan
    assert found(rows) == []
