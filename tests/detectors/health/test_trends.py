"""Trends of drawn days: what grows is found with a band of remaining time, and what only varies is not."""

from __future__ import annotations

import numpy as np

from detectors.health.baseline import UNKNOWN_PEERS, deviations, peer_norms
from detectors.health.combined import ROWS, combined, peer_chart
from detectors.health.measures import MEASURES, NAMES, measure_day
from detectors.health.trends import Trend, course, find_trends, limit_of_rate
from telemetry.arrays import F64, I64

RIDE = [place for place, measure in enumerate(MEASURES) if measure.part == "ride"]
CLOSE, ERROR = NAMES.index("door_close_s"), NAMES.index("stop_error_m")


def healthy(rng: np.random.Generator, days: int = 90) -> tuple[I64, F64]:
    """Return days of a healthy lift: each measure varies by its least spread."""
    centre = np.array([np.log(2.5) if measure.is_log else 0.01 for measure in MEASURES])
    spread = np.array([measure.spread for measure in MEASURES])
    return np.arange(730_000, 730_000 + days), centre + spread * rng.normal(size=(days, len(MEASURES)))


def trends_of(day: I64, measures: F64, *resets: int) -> list[Trend]:
    return find_trends(day, measures, course(day, measures, UNKNOWN_PEERS, resets, limit_of_rate(0.1)))


def test_a_door_that_closes_more_slowly_each_day_is_a_trend_with_a_band() -> None:
    day, measures = healthy(np.random.default_rng(1))
    measures[50:, CLOSE] = np.log(np.exp(measures[50:, CLOSE]) + 0.25 * np.arange(40))
    (trend,) = trends_of(day, measures)
    assert trend.place == CLOSE
    assert abs(trend.since_day - day[50]) <= 7
    assert abs(trend.before - 2.5) < 0.1
    assert trend.remaining is not None
    true_days = (20.0 - (2.5 + 0.25 * 39)) / 0.25
    assert trend.remaining.earliest <= true_days <= trend.remaining.latest


def test_healthy_lifts_have_no_more_trends_than_the_setting_allows() -> None:
    rng, limit, alarms, lifts = np.random.default_rng(2), limit_of_rate(0.1), 0, 100
    for _ in range(lifts):
        day, measures = healthy(rng)
        is_on = course(day, measures, UNKNOWN_PEERS, (), limit).is_on.any(axis=1)
        alarms += int((np.diff(is_on.astype(int), prepend=0) == 1).sum())
    assert alarms / (lifts * 90 / 30.4) <= 0.1


def test_a_recorded_repair_ends_the_trend_and_the_baseline_is_learned_anew() -> None:
    day, measures = healthy(np.random.default_rng(3))
    measures[30:60, ERROR] += np.linspace(0.0, 0.01, 30)
    measures[60:, ERROR] += 0.004  # after the repair, at a level of its own
    assert [trend.place for trend in trends_of(day[:60], measures[:60])] == [ERROR]
    assert trends_of(day, measures, int(day[60])) == []


def test_a_change_for_the_better_begins_a_new_baseline_without_a_record() -> None:
    day, measures = healthy(np.random.default_rng(4), 120)
    measures[:40, ERROR] += 0.008
    measures[80:, ERROR] += np.linspace(0.0, 0.007, 40)  # less than before the unrecorded repair
    assert [trend.place for trend in trends_of(day, measures)] == [ERROR]


def test_the_baseline_is_not_learned_from_abnormal_days_for_a_bounded_time() -> None:
    day, measures = healthy(np.random.default_rng(5), 300)
    measures[40:, ERROR] += 0.01
    centre = deviations(day, measures, UNKNOWN_PEERS).centre[:, ERROR]
    assert abs(centre[80] - centre[39]) < 0.0005  # forty days after the step: held
    assert centre[-1] > centre[39] + 0.005  # and then learned


def test_days_without_the_measure_are_no_trend_and_keep_one() -> None:
    day, measures = healthy(np.random.default_rng(6))
    measures[40:, CLOSE] += np.linspace(0.0, 1.0, 50)
    measures[60:63, :] = np.nan
    assert [trend.place for trend in trends_of(day, measures)] == [CLOSE]
    measures[:, :] = np.nan
    assert trends_of(day, measures) == []
    assert trends_of(day[:0], measures[:0]) == []


def test_norms_are_those_of_the_peers_and_draw_a_noisy_lift_towards_them() -> None:
    rng = np.random.default_rng(7)
    peers = [healthy(rng, 30)[1] for _ in range(20)]
    norms = peer_norms(peers)
    assert abs(norms.centre[CLOSE] - np.log(2.5)) < 0.02
    day, measures = healthy(rng, 30)
    measures[:, CLOSE] += 0.1 + 0.3 * rng.normal(size=30)
    alone = deviations(day, measures, UNKNOWN_PEERS)
    among = deviations(day, measures, norms)
    assert among.scale[-1, CLOSE] < 0.3  # its own spread is 0.3 and more
    assert abs(among.centre[10, CLOSE] - np.log(2.5)) < abs(alone.centre[10, CLOSE] - np.log(2.5))


def with_weather(rng: np.random.Generator, days: int = 90) -> tuple[I64, F64]:
    """Return days of a healthy lift whose vibration rises and falls as a whole, three times as far as each measure."""
    day, measures = healthy(rng, days)
    measures[:, RIDE] += 3.0 * MEASURES[RIDE[0]].spread * rng.normal(size=days)[:, None]
    return day, measures


def test_a_measure_that_leaves_those_it_goes_with_is_found_and_one_that_goes_with_them_is_not() -> None:
    rng = np.random.default_rng(8)
    peers = [with_weather(rng, 60) for _ in range(20)]
    chart = peer_chart(peers, peer_norms([measures for _, measures in peers]))
    assert chart is not None
    together, apart = np.zeros((2, ROWS + 3, len(MEASURES)))
    together[:, RIDE] = 0.9
    apart[:, RIDE[0]] = 1.2
    assert not combined(together, chart).any()
    found = combined(apart, chart)
    assert not found[: ROWS - 1].any(), "a week and more in a row"
    assert np.argwhere(found).tolist() == [[row, RIDE[0]] for row in range(ROWS - 1, ROWS + 3)]


def test_what_is_found_together_is_a_trend_beside_those_of_single_measures() -> None:
    rng, limit = np.random.default_rng(9), limit_of_rate(0.1)
    chart = peer_chart([healthy(rng, 40) for _ in range(20)], UNKNOWN_PEERS)
    assert chart is not None
    chart.t2_limit_ = 0.01  # whatever is off the middle is found
    day, measures = healthy(rng)
    measures[40:, CLOSE] += 1.6 * MEASURES[CLOSE].spread
    alone, together = (course(day, measures, UNKNOWN_PEERS, (), limit, each) for each in (None, chart))
    assert (together.is_on == (alone.is_on | combined(alone.average, chart))).all()
    assert together.is_on.sum() > alone.is_on.sum()


def test_healthy_peers_have_few_days_on_which_several_measures_shift_together() -> None:
    rng, limit = np.random.default_rng(9), limit_of_rate(0.1)
    chart = peer_chart([healthy(rng, 40) for _ in range(20)], UNKNOWN_PEERS)
    others = [healthy(rng) for _ in range(20)]
    assert not any(course(*one, UNKNOWN_PEERS, (), limit, chart).is_on.any() for one in others)


def test_a_day_is_measured_from_its_trips_and_unknown_from_too_few() -> None:
    names = ("door_open_s", "door_close_s", "reversals", "stop_error_m", "back_m", "way_m", "distance_m", "steady_mps")
    fields = {name: np.full(6, np.nan) for name in names}
    fields["power"] = np.zeros(6)
    fields |= {measure.name: np.empty(0) for measure in MEASURES if measure.part == "ride"}
    fields["door_close_s"] = np.array([2.0, 2.0, 3.0, 3.0, 3.0, 9.0])
    fields["stop_error_m"] = np.array([-0.004, 0.004, -0.004, 0.004, np.nan, np.nan])
    fields["distance_m"], fields["way_m"] = np.full(6, -10.0), np.full(6, -10.1)
    fields["reversals"] = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 3.0])
    day = dict(zip(NAMES, measure_day(fields, 1.75), strict=True))
    assert np.isclose(day["door_close_s"], (np.log(2.0) + 3 * np.log(3.0)) / 4)  # without the first and the last
    assert np.isnan(day["stop_error_m"])  # four trips
    assert np.isclose(day["slip"], 0.01)
    assert np.isclose(day["reversals"], 0.5)
    assert np.isnan(day["a95_x_mps2"])
