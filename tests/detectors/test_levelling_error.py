"""F25: stops at one landing miss it again and again."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MAJOR, MINOR, TREND
from telemetry.streams import CLOSED, OPEN
from tests.detectors.world import Fault, Rows, Script, batch, facts_of, tower


def stops(errors_m: list[float], elsewhere_m: float = 0.0) -> Script:
    """Return trips to and fro between 3 m and 12 m; those to 12 m miss it by so much."""
    script = Script(z_m=3.0).event(door=CLOSED).rest(5.0)
    for error_m in errors_m:
        for place_m in (12.0 + error_m, 3.0 + elsewhere_m):
            script.ride(place_m).rest(0.5).open_door().rest(3.0).close_door().rest(1.0)
    return script


def fault() -> Fault:
    script = stops([0.045] * 5 + [0.0] * 12)
    opened_s = [t for t, name, state in script.events if name == "door" and state == OPEN]
    return Fault(script, onset_s=opened_s[2 * 5 - 2], within_s=2.0, severity=MAJOR, clears=True)


def stories() -> list[Script]:
    return [stops([0.015, -0.015] * 4, 0.03)]


def found(rows: Rows, **facts: object) -> list[tuple[str, int]]:
    judge = Judge([BY_SLUG["levelling-error"]], 1)
    return [(one.kind, one.severity) for one in judge.step(batch([rows]), facts_of([tower(**facts)]))]  # type: ignore[arg-type]


@pytest.mark.parametrize("dt_s", [0.1, 1.0])
@pytest.mark.parametrize(
    ("error_m", "severities"),
    [(0.007, []), (0.014, [TREND]), (-0.025, [TREND, MINOR]), (0.04, [TREND, MINOR, MAJOR])],
)
def test_three_limits_in_either_direction(error_m: float, severities: list[int], dt_s: float) -> None:
    assert found(stops([error_m] * 5).rows(dt_s)) == [("on", severity) for severity in severities]


def test_five_stops_at_the_landing_are_needed() -> None:
    assert found(stops([0.04] * 4).rows()) == []


def test_one_bad_stop_of_five_is_none() -> None:
    assert found(stops([0.04, 0.0, 0.0, 0.04, 0.0, 0.0]).rows()) == []


def test_stops_that_miss_the_landing_to_either_side_count_too() -> None:
    assert found(stops([0.014, -0.014] * 3).rows()) == [("on", TREND)]


def test_ten_good_stops_at_that_landing_end_it() -> None:
    assert ("off", TREND) not in found(stops([0.015] * 5 + [0.0] * 9).rows())
    assert ("off", TREND) in found(stops([0.015] * 5 + [0.0] * 10).rows())


def test_a_barometer_and_a_lift_without_floors_are_not_judged() -> None:
    assert found(stops([0.04] * 6).rows(), position_source="barometer") == []
    assert found(stops([0.04] * 6).rows(), floors=0) == []


def test_without_a_door_no_stop_is_measured() -> None:
    rows = stops([0.04] * 6).rows()
    rows["door"][:] = np.nan
    assert found(rows) == []
