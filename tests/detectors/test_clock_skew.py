"""F42: a lift's clock that is off, or is set back again and again; a backlog is neither."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from detectors.judge import Judge
from detectors.observe.arrivals import judged_arrivals
from detectors.rule import TREND
from detectors.rules.clock_skew import RULE
from tests.detectors.world import BEGIN_NS, facts_of

DAY_S = 86_400.0


def found(clocks: Iterable[tuple[float, float]], stepped: Iterable[float] = ()) -> list[tuple[str, float, float]]:
    """Return (kind, onset, when found) in seconds; `clocks` are arrivals and how far the clock is ahead."""
    judge, facts, edges = Judge([RULE], 1), facts_of([None]), []
    for at_s, clock_s in clocks:
        arrived = judged_arrivals(
            np.zeros(1, np.int32),
            np.array([BEGIN_NS + round(at_s * 1e9)]),
            clock_s=np.array([clock_s]),
            stepped=np.array([at_s in stepped]),
        )
        edges += judge.step_arrivals(arrived, facts) + judge.tick(BEGIN_NS + round(at_s * 1e9) + 1, 0, facts)
    assert {one.severity for one in edges} <= {TREND}
    return [(f.kind, (f.onset_ns - BEGIN_NS) / 1e9, (f.at_ns - BEGIN_NS) / 1e9) for f in edges]


def steady(clock_s: float, until_s: int = 300, every_s: int = 1, from_s: int = 0) -> list[tuple[float, float]]:
    return [(float(at_s), clock_s) for at_s in range(from_s, until_s, every_s)]


@pytest.mark.parametrize("clock_s", [-3600.0, -2.1, 2.1, 200.0])
@pytest.mark.parametrize("every_s", [1, 10, 60])
def test_a_clock_that_is_off_for_a_minute_is_found(clock_s: float, every_s: int) -> None:
    assert found(steady(clock_s, every_s=every_s)) == [("on", 0.0, 60.0)]


@pytest.mark.parametrize("clock_s", [-2.0, -0.5, 2.0, np.nan])
def test_a_clock_in_time_and_a_device_without_one_raise_nothing(clock_s: float) -> None:
    assert found(steady(clock_s)) == []


def test_one_late_message_is_no_skew() -> None:
    assert found([*steady(0.0, 100), (100.0, -40.0), *steady(0.0, 300, from_s=101)]) == []


@pytest.mark.parametrize("pace", [1.2, 3.0, 100.0])
def test_a_backlog_that_catches_up_is_no_skew(pace: float) -> None:
    behind = [(float(at_s), min(-1000.0 + at_s * (pace - 1.0), 0.0)) for at_s in range(6000)]
    assert found(behind) == []


def test_a_clock_that_is_set_right_clears_it() -> None:
    assert found([*steady(30.0, 100), *steady(0.0, 200, from_s=100)]) == [("on", 0.0, 60.0), ("off", 0.0, 101.0)]


def test_a_second_step_within_a_day_is_found_and_clears_a_day_after_the_first_of_them() -> None:
    clocks = [(at_s, 0.0) for at_s in np.arange(0.0, 1.3 * DAY_S, 600.0).tolist()]
    assert found(clocks, {6000.0}) == []
    assert found(clocks, {6000.0, 12_000.0}) == [
        ("on", 12_000.0, 12_000.0),
        ("off", 12_000.0, 6000.0 + DAY_S + 1200.0),
    ]
    far = [(at_s, 0.0) for at_s in np.arange(0.0, 2.3 * DAY_S, 600.0).tolist()]
    assert found(far, {6000.0, 6000.0 + DAY_S + 600.0}) == []


def test_the_sentence_names_the_difference_its_limit_and_the_steps() -> None:
    text = RULE.sentence["en"].format(clock_s=-3.25, limit_s=2.0, steps=0.0)
    assert text == "Clock -3.2 s off, limit 2 s; set back 0 times in 24 h"
