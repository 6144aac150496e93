"""The health of a lift: its weakest part decides, the grade follows the written rule, and unknown is never well."""

from __future__ import annotations

import pytest

from detectors.health.assessment import BLUE, ORANGE, RED, YELLOW, AlertOfLift, assess, part_of
from detectors.health.document import health_document
from detectors.health.measures import DOOR, DRIVE, MEASURES, NAMES, PARTS, RIDE, SAFETY, SENSING
from detectors.health.remaining import Band
from detectors.health.sentences import MEASURE_NAMES, UNKNOWN_REASONS, reason_of_lift
from detectors.health.trends import Trend
from registry.catalogue import shipped

ALL = frozenset(PARTS)
CLOSE = NAMES.index("door_close_s")


def alert(rule: str, severity: str, *, is_open: bool = True, days_ago: float = 0.0) -> AlertOfLift:
    return AlertOfLift(rule, severity, is_open, days_ago)


def slow_door(now_s: float, *days: float) -> Trend:
    return Trend(CLOSE, 739_000, 2.5, now_s, now_s / 4.0, Band(*days) if days else None)


def test_a_lift_in_which_nothing_is_found_has_full_health_and_is_blue() -> None:
    found = assess([], [], ALL, None)
    assert (found.health, found.grade) == (100.0, BLUE)
    assert reason_of_lift(found) == {"en": "nothing found", "zh": "未见异常"}


@pytest.mark.parametrize("unknown", UNKNOWN_REASONS)
def test_a_lift_that_is_not_judged_has_no_health_and_says_why(unknown: str) -> None:
    found = assess([], [], ALL, unknown)
    assert (found.health, found.grade) == (None, None)
    assert reason_of_lift(found)["en"].startswith("not judged")
    urgent = assess([alert("entrapment-off-level", "critical")], [], ALL, unknown)
    assert (urgent.health, urgent.grade) == (None, RED)


@pytest.mark.parametrize(
    ("open_alert", "grade"),
    [("critical", RED), ("major", ORANGE), ("minor", YELLOW), ("trend", BLUE)],
)
def test_the_grade_is_no_better_than_the_open_alerts(open_alert: str, grade: str) -> None:
    assert assess([alert("door-cycling", open_alert)], [], ALL, None).grade == grade


def test_a_trend_takes_points_off_its_part_and_more_the_larger_and_the_sooner() -> None:
    small, large, soon = (assess([], [trend], ALL, None) for trend in (slow_door(4), slow_door(9), slow_door(9, 8, 20)))
    assert 100 > (small.health or 0) > (large.health or 0) > (soon.health or 0) > 0
    assert [part.part for part in soon.parts if part.health != 100.0] == [DOOR]
    assert soon.grade in (YELLOW, ORANGE)
    assert assess([], [slow_door(4, 3, 9)], ALL, None).grade == ORANGE  # within a week


def test_the_weakest_part_decides_and_the_others_count_little() -> None:
    door = assess([alert("door-close-fault", "major")], [], ALL, None)
    both = assess([alert("door-close-fault", "major"), alert("offline", "minor")], [], ALL, None)
    assert (door.health, both.health) == (50.0, 46.0)


def test_what_is_over_counts_less_each_day_and_after_a_month_not_at_all() -> None:
    healths = [
        assess([alert("entrapment-off-level", "critical", is_open=False, days_ago=days)], [], ALL, None).health
        for days in (0, 15, 30)
    ]
    assert healths == [85.0, 92.5, 100.0]


def test_a_part_without_measures_and_without_alerts_is_not_measured() -> None:
    found = assess([], [], frozenset({DOOR, DRIVE}), None)
    assert {part.part for part in found.parts if part.health is None} == {RIDE}
    assert found.health == 100.0


def test_every_rule_is_about_a_part_and_every_measure_has_a_name() -> None:
    assert {part_of(rule) for rule in shipped()} == ALL
    assert part_of("entrapment-off-level") == SAFETY
    assert part_of("sensor-fault") == SENSING
    assert set(MEASURE_NAMES) == {measure.name for measure in MEASURES}


def test_the_document_has_the_reasons_in_both_languages() -> None:
    trend = slow_door(4, 8, 20)
    found = assess([alert("offline", "minor", is_open=False, days_ago=3)], [trend], ALL, None)
    document = health_document("A-1", "north", 0, found, [trend], 40)
    assert document["reason"] == {
        "en": "door: closing time of the door 2.5 s → 4 s, limit 20 s in 8 to 20 d",
        "zh": "门系统：关门时间 2.5 s → 4 s，限值 20 s，预计 8–20 天后达到",
    }
    assert document["trends"][0]["remaining_days"] == [8.0, 20.0]
    assert [part["part"] for part in document["parts"]] == list(PARTS)
