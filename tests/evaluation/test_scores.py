"""The figures: what they count, and that their intervals are the textbook's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from evaluation.evaluate import EvaluationRun, evaluate
from evaluation.raised import RaisedAlert
from evaluation.scores import MONTH_S, RuleScore, rate, share
from evaluation.split import HELD_OUT, SETS, set_of
from tests.evaluation.labels import at, raised, row

F01 = "entrapment-off-level"


def scores(
    rows: list[dict[str, object]], *alerts: RaisedAlert, not_judged: Mapping[str, frozenset[str]] = MappingProxyType({})
) -> dict[str, RuleScore]:
    """Return the scores by rule of one lift watched for a month."""
    (report,) = evaluate(EvaluationRun("night", "test", 7, ["a"], MONTH_S, frozenset({F01}), not_judged), rows, alerts)
    return {one.rule.slug: one for one in report.scores}


def test_an_episode_shorter_than_the_catalogue_s_time_is_not_expected() -> None:
    got = scores([row(0, 29, F01), row(1000, 1031, F01, event="a/2")], raised(F01, 1000, 1030))[F01]
    assert (got.episodes, got.expected, got.found, got.early) == (2, 1, 1, 0)
    assert got.recall.value == 1.0


def test_an_episode_found_although_it_was_not_expected_is_early_and_no_recall() -> None:
    got = scores([row(0, 29, F01)], raised(F01, 0, 25))[F01]
    assert (got.expected, got.found, got.early) == (0, 0, 1)
    assert math.isnan(got.recall.value)


def silence(begin_s: float, end_s: float, **other: object) -> dict[str, object]:
    return row(begin_s, end_s, "offline", event="a/9", symptom="silence", **other)


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        (silence(5, 60), 0),
        (silence(5, 60, kind="near-miss"), 0),
        (silence(40, 60), 1),
        (row(0, 60, event="a/9", symptom="not-in-service", kind="near-miss"), 0),
        (row(0, 60, F01, event="a/9", kind="near-miss"), 0),
        (row(0, 60, F01, event="b/9", lift_id="b", symptom="silence"), 1),
    ],
)
def test_an_episode_that_was_not_observable_is_not_expected(beside: dict[str, object], expected: int) -> None:
    got = scores([row(0, 60, F01), beside])[F01]
    assert (got.expected, got.excused["unobservable"]) == (expected, 1 - expected)


def test_silence_excuses_no_missed_offline_alert() -> None:
    assert scores([silence(0, 400)])["offline"].expected == 1


def test_an_always_judged_rule_is_expected_in_inspection_too() -> None:
    rows = [row(0, 60, "overspeed"), row(0, 60, event="a/2", symptom="not-in-service", kind="near-miss")]
    assert scores(rows)["overspeed"].expected == 1


def test_no_alert_is_expected_for_an_episode_that_began_while_one_was_open() -> None:
    rows = [row(0, 60, F01), row(200, 260, F01, event="a/2")]
    for until_s, already_open in ((201, 1), (200, 0)):
        got = scores(rows, replace(raised(F01, 0, 30), until_ns=at(until_s)))[F01]
        assert (got.expected, got.found, got.excused["already_open"]) == (2 - already_open, 1, already_open)


def test_a_lift_that_lacks_what_the_rule_needs_is_not_expected_an_alert() -> None:
    got = scores([row(0, 60, F01)], not_judged={"a": frozenset({F01})})[F01]
    assert (got.expected, got.excused["not_judged"]) == (0, 1)


def test_a_critical_alert_of_a_sound_lift_during_a_sensor_fault_is_confusion() -> None:
    rows = [row(k * 1000, k * 1000 + 90, "sensor-fault", event=f"a/{k}") for k in range(4)]
    rows.append(row(3000, 3090, F01, event="a/9"))
    alerts = [raised(F01, 0, 30), raised(F01, 3000, 3030), raised("door-held-open", 1000, 1030, severity="minor")]
    (report,) = evaluate(EvaluationRun("night", "test", 7, ["a"], MONTH_S, frozenset({F01})), rows, alerts)
    assert report.confusion == share(1, 4)


def test_a_missed_episode_lowers_recall_and_a_false_alarm_lowers_precision() -> None:
    rows = [row(0, 40, F01), row(1000, 1040, F01, event="a/2")]
    got = scores(rows, raised(F01, 0, 30), raised(F01, 5000, 5030))[F01]
    assert (got.recall.value, got.precision.value, got.wrong) == (0.5, 0.5, 1)
    assert got.false_per_lift_month.value == pytest.approx(1.0)


def test_delay_runs_from_the_physical_onset_to_the_alert() -> None:
    rows = [row(k * 1000, k * 1000 + 100, F01, event=f"a/{k}") for k in range(3)]
    got = scores(rows, *(raised(F01, k * 1000 + 0.4, k * 1000 + 30 + k) for k in range(3)))[F01]
    assert got.delays_s == (30.0, 31.0, 32.0)
    assert (got.delay_median_s, got.delay_p99_s) == (31.0, pytest.approx(31.98))


def test_lead_time_is_counted_in_days_before_functional_failure_and_may_be_negative() -> None:
    day = 86_400.0
    label = row(0, 60 * day, F01, functional_failure=row(40 * day, 0)["onset"], form="growing")
    assert scores([label], raised(F01, 30 * day, 30 * day))[F01].lead_days == (10.0,)
    assert scores([label], raised(F01, 45 * day, 45 * day))[F01].lead_days == (-5.0,)


def test_a_rule_that_is_not_judged_has_an_unknown_recall() -> None:
    got = scores([row(0, 4000, "stalled")])["stalled"]
    assert (got.judged, got.expected) == (False, 1)


def test_shares_have_wilson_intervals_and_rates_have_exact_poisson_ones() -> None:
    # Newcombe 1998, table I: 81 of 263, and 0 of 20; Garwood 1936: 0 and 10 events.
    assert share(81, 263) == pytest.approx((0.3080, 0.2553, 0.3662), abs=5e-5)
    assert share(0, 20) == pytest.approx((0.0, 0.0, 0.1611), abs=5e-5)
    assert rate(0, 1.0) == pytest.approx((0.0, 0.0, 3.6889), abs=5e-5)
    assert rate(10, 2.0) == pytest.approx((5.0, 4.7954 / 2, 18.3904 / 2), abs=5e-5)


def test_a_share_of_nothing_is_unknown_and_not_zero() -> None:
    assert all(math.isnan(x) for x in (*share(0, 0), *rate(0, 0.0)))


def test_the_sets_halve_the_fleet_and_a_lift_stays_in_its_own() -> None:
    names = [f"sim-{k:05d}" for k in range(1, 2001)]
    held_out = [name for name in names if set_of(3, name) == HELD_OUT]
    assert 900 < len(held_out) < 1100
    assert held_out[:20] == [name for name in names[:60] if set_of(3, name) == HELD_OUT][:20]
    assert held_out != [name for name in names if set_of(4, name) == HELD_OUT]


def test_each_set_is_scored_by_its_own_lifts_and_time() -> None:
    names = [f"sim-{k:05d}" for k in range(1, 101)]
    rows = [row(0, 60, F01, lift_id=name, event=f"{name}/1") for name in names]
    reports = evaluate(
        EvaluationRun("night", "test", 3, names, MONTH_S, frozenset({F01})),
        rows,
        [raised(F01, 0, 30, n) for n in names],
    )
    assert [report.set_name for report in reports] == list(SETS)
    assert sum(report.lifts for report in reports) == 100
    assert all(report.scores[0].expected == report.scores[0].found == report.lifts for report in reports)
    assert all(report.lift_months == report.lifts for report in reports)
