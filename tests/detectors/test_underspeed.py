"""F10: trips that are long enough stay below the rated speed."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MINOR, Finding
from telemetry.streams import BATTERY, CLOSED, EMERGENCY_POWER
from tests.detectors.world import Fault, Rows, Script, batch, facts_of, tower


def trips(speeds: list[float], from_m: float = 3.0, to_m: float = 18.0, **states: float) -> Script:
    """Return trips to and fro with these greatest speeds."""
    script = Script(z_m=from_m).event(door=CLOSED, **states).rest(5.0)
    for k, speed in enumerate(speeds):
        script.rated_mps = speed
        script.ride(to_m if k % 2 == 0 else from_m).rest(5.0)
    return script


def fault() -> Fault:
    script = trips([1.5, 1.5, 1.5, *([1.75] * 10)])
    return Fault(script, onset_s=5.0, within_s=60.0, severity=MINOR, clears=True)


def stories() -> list[Script]:
    return [trips([1.75, 1.5, 1.75, 1.5, 1.5, 1.75, 1.5]), trips([1.4, 1.5, 1.5], power=BATTERY)]


def found(rows: Rows) -> list[str]:
    findings: list[Finding] = Judge([BY_SLUG["underspeed"]], 1).step(batch([rows]), facts_of([tower()]))
    return [finding.kind for finding in findings]


@pytest.mark.parametrize("dt_s", [0.1, 0.5, 1.0])
@pytest.mark.parametrize(("speed", "kinds"), [(1.58, ["on"]), (1.64, [])])
def test_eight_percent_below_the_rated_speed_are_tolerated(speed: float, kinds: list[str], dt_s: float) -> None:
    assert found(trips([speed] * 6).rows(dt_s)) == kinds


def test_three_of_five_are_needed() -> None:
    assert found(trips([1.5, 1.75, 1.75, 1.75, 1.5, 1.75, 1.75, 1.5, 1.75, 1.75]).rows()) == []


def test_ten_normal_trips_end_it() -> None:
    assert found(trips([1.5] * 3 + [1.75] * 9).rows()) == ["on"]
    assert found(trips([1.5] * 3 + [1.75] * 10).rows()) == ["on", "off"]


def test_trips_between_neighbours_may_have_a_lower_speed() -> None:
    assert found(trips([1.2] * 8, to_m=9.0).rows()) == []


@pytest.mark.parametrize("states", [{"mode": EMERGENCY_POWER}, {"power": BATTERY}])
def test_rescue_runs_are_slow_by_design(states: dict[str, float]) -> None:
    assert found(trips([0.3] * 4, **states).rows()) == []


def test_without_a_speed_nothing_is_concluded() -> None:
    assert found(trips([1.5] * 6).rows(streams=("z_m",))) == []


def test_with_too_few_speeds_nothing_is_concluded() -> None:
    assert found(trips([1.5] * 6).rows(3.0)) == []


def test_a_lift_without_a_rated_speed_is_not_judged() -> None:
    facts = facts_of([tower(rated_mps=None)])  # type: ignore[arg-type]
    assert Judge([BY_SLUG["underspeed"]], 1).step(batch([trips([1.5] * 6).rows()]), facts) == []


def test_noise_changes_no_trip() -> None:
    assert all(found(trips([1.75] * 6).rows(seed=seed, noise=3.0)) == [] for seed in np.arange(10).tolist())
