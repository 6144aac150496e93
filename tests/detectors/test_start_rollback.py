"""F27: the car moves against its direction before it sets off."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MAJOR, TREND
from telemetry.streams import CLOSED, OPEN
from tests.detectors.world import GRID_S, Fault, Rows, Script, batch, facts_of, tower

BACK_S = 0.4


def starts(backs_m: list[float]) -> Script:
    """Return trips to and fro; each begins with a way back of so much."""
    script = Script(z_m=3.0).event(door=CLOSED).rest(5.0)
    for k, back_m in enumerate(backs_m):
        way = 1.0 if k % 2 == 0 else -1.0
        t = np.arange(round(BACK_S / GRID_S)) * GRID_S
        script.move(-way * back_m * np.pi / 2 / BACK_S * np.sin(np.pi * t / BACK_S))
        script.ride(12.0 if way > 0 else 3.0).rest(5.0)
    return script


def fault() -> Fault:
    return Fault(starts([0.05, *([0.0] * 20)]), onset_s=5.0, within_s=15.0, severity=MAJOR, dt_s=(0.1,), clears=True)


def stories() -> list[Script]:
    return [starts([0.02, 0.0, 0.02, 0.0, 0.02, 0.0, 0.0])]


def found(rows: Rows) -> list[tuple[str, int]]:
    judge = Judge([BY_SLUG["start-rollback"]], 1)
    return [(one.kind, one.severity) for one in judge.step(batch([rows]), facts_of([tower()]))]


@pytest.mark.parametrize("dt_s", [0.05, 0.1, 0.2])
def test_thirty_millimetres_once_are_major(dt_s: float) -> None:
    assert found(starts([0.04]).rows(dt_s)) == [("on", MAJOR)]
    assert found(starts([0.024] * 2).rows(dt_s)) == []


def test_ten_millimetres_three_times_in_ten_starts_are_a_trend() -> None:
    assert found(starts([0.018, 0.0, 0.0, 0.018, 0.0, 0.018]).rows()) == [("on", TREND)]
    assert found(starts([0.018] + [0.0] * 9 + [0.018] + [0.0] * 9 + [0.018]).rows()) == []


def test_healthy_starts_and_noise_are_none() -> None:
    assert all(found(starts([0.0] * 8).rows(seed=seed, noise=2.0)) == [] for seed in range(10))


def test_relevelling_before_the_start_is_no_rollback() -> None:
    script = Script(z_m=2.98).event(door=OPEN).rest(5.0).ride(3.0, accel=0.2, jerk=0.5).rest(3.0).close_door()
    assert found(script.rest(0.5).ride(0.0).rest(5.0).rows()) == []


@pytest.mark.parametrize("feed", [{"dt_s": 1.0}, {"streams": ("v_mps",)}])
def test_where_positions_come_too_seldom_or_not_at_all_no_start_is_judged(feed: dict[str, object]) -> None:
    assert found(starts([0.05] * 5).rows(**feed)) == []  # type: ignore[arg-type]


def test_a_barometer_judges_no_start() -> None:
    facts = facts_of([tower(position_source="barometer")])
    assert Judge([BY_SLUG["start-rollback"]], 1).step(batch([starts([0.05] * 5).rows()]), facts) == []
