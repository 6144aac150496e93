"""F30: vertical vibration beyond GB/T 10058 on three of ten trips."""

from __future__ import annotations

import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MINOR, TREND
from tests.detectors.ride_stories import trips, vibration
from tests.detectors.world import Fault, facts_of, tower

USUAL = [0.05] * 20
"""The trips from which the usual vibration is learned."""


def story(peaks_mps2: list[float], axis: int = 2, severity: int = TREND) -> Fault:
    """Return trips with these amplitudes; the condition begins with the first above 0.1 m/s²."""
    script, spans = trips(len(peaks_mps2))
    first = next((k for k, peak in enumerate(peaks_mps2) if peak > 0.1), 0)
    within_s = spans[min(first + 2, len(spans) - 1)][1] + 31.0 - spans[first][0]
    return Fault(
        script, onset_s=spans[first][0], within_s=within_s, severity=severity, dt_s=(0.1,), clears=True,
        vibration_mps2=vibration(script, spans, peaks_mps2), axis=axis,
    )  # fmt: skip


def fault() -> Fault:
    return story([*USUAL, 0.12, 0.12, 0.12, *[0.05] * 11])


def found(slug: str, told: Fault, **facts: object) -> list[tuple[str, int]]:
    judge = Judge([BY_SLUG[slug]], 1)
    return [(one.kind, one.severity) for one in judge.step(told.stream(), facts_of([tower(**facts)]))]


def test_three_of_ten_trips_are_a_trend_and_two_are_none() -> None:
    assert found("vertical-vibration", story([*USUAL, *[0.12, 0.05, 0.12, 0.05, 0.12]])) == [("on", TREND)]
    assert found("vertical-vibration", story([*USUAL, *[0.12, 0.05, 0.05, 0.12]])) == []


def test_half_more_than_the_limit_is_minor() -> None:
    assert set(found("vertical-vibration", story([*USUAL, *[0.2] * 3]))) == {("on", TREND), ("on", MINOR)}


def test_it_ends_after_ten_good_trips() -> None:
    assert found("vertical-vibration", story(USUAL + [0.12] * 3 + [0.05] * 10)) == [("on", TREND), ("off", TREND)]
    assert found("vertical-vibration", story(USUAL + [0.12] * 3 + [0.05] * 9)) == [("on", TREND)]


def test_a_lift_that_always_vibrates_so_is_not_judged_by_the_limit_alone() -> None:
    assert found("vertical-vibration", story([0.12] * 24)) == []


@pytest.mark.parametrize("slug", ["vertical-vibration", "horizontal-vibration"])
def test_the_vibration_along_another_axis_belongs_to_the_other_rule(slug: str) -> None:
    axes = {0, 1} if slug == "horizontal-vibration" else {2}
    for axis in range(3):
        assert bool(found(slug, story(USUAL + [0.4] * 3, axis))) == (axis in axes)


def test_without_vibration_nothing_is_judged() -> None:
    told = story(USUAL + [0.4] * 3)
    told.vibration_mps2 = None
    assert found("vertical-vibration", told) == []
