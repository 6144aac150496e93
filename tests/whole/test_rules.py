"""Every rule, fired once by readings built from the catalogue: bundles at 10 Hz and single streams at 1 Hz."""

from __future__ import annotations

from typing import Any

import pytest

from tests.whole.installation import System, seconds, until
from tests.whole.rule_stories import STORIES, Expected
from tests.whole.story import FEEDS, Story

pytestmark = pytest.mark.broker

ALERT = {
    "id": str,
    "lift_id": str,
    "district": str,
    "rule": str,
    "severity": str,
    "state": str,
    "onset": str,
    "noticed": str,
    "cleared": (str, type(None)),
    "count": int,
    "acknowledged": bool,
    "assigned_to": (str, type(None)),
    "shelved_until": (str, type(None)),
    "inhibited_by": (str, type(None)),
    "evidence": dict,
    "codes": dict,
    "summary": dict,
}
ONSET_SLACK_S = {"bundles": 0.5, "singles": 1.6}
CASES = [pytest.param(case, feed, id=f"{case.story.__name__}-{feed}") for case in STORIES for feed in FEEDS]


def name(case: Expected, feed: str) -> str:
    return f"{case.story.__name__}-{feed}"


@pytest.fixture(scope="session")
def played(system: System) -> dict[str, Story]:
    """Every story, published to its end by a lift of its own."""
    stories = {name(case, feed): (case.story(), feed) for case in STORIES for feed in FEEDS}
    system.register(*stories)
    for lift_id, (story, feed) in stories.items():
        system.voice.play(lift_id, story, feed)
    system.voice.ended(*stories)
    return {lift_id: story for lift_id, (story, _) in stories.items()}


@pytest.mark.parametrize(("case", "feed"), CASES)
def test_a_rule_fires_once_and_clears_as_in_the_catalogue(
    system: System, played: dict[str, Story], case: Expected, feed: str
) -> None:
    lift_id = name(case, feed)
    transitions = system.voice.of(lift_id, case.rule)
    assert transitions, f"nothing of {case.rule}; announced: {[alert['rule'] for alert in system.voice.of(lift_id)]}"
    assert len({alert["id"] for alert in transitions}) == 1
    assert transitions[-1]["severity"] == case.severity
    assert transitions[-1]["state"] == case.ends
    assert [alert["count"] for alert in transitions] == [1] * len(transitions)


@pytest.mark.parametrize(("case", "feed"), CASES)
def test_no_other_alert_is_raised(system: System, played: dict[str, Story], case: Expected, feed: str) -> None:
    rules = {alert["rule"] for alert in system.voice.of(name(case, feed))}
    assert rules - {case.rule, "alarm-button"} <= set(case.beside)


@pytest.mark.parametrize(("case", "feed"), CASES)
def test_the_onset_is_when_the_condition_began(
    system: System, played: dict[str, Story], case: Expected, feed: str
) -> None:
    lift_id = name(case, feed)
    marks = played[lift_id].marks
    if "onset" in marks:
        assert seconds(system.voice.of(lift_id, case.rule)[0]["onset"]) == pytest.approx(
            marks["onset"], abs=ONSET_SLACK_S[feed]
        )


@pytest.mark.parametrize(("case", "feed"), CASES)
def test_an_alert_has_the_fields_of_the_contract(
    system: System, played: dict[str, Story], case: Expected, feed: str
) -> None:
    for alert in system.voice.of(name(case, feed), case.rule):
        holds_the_contract(alert)
        assert any("limit" in key for key in alert["evidence"])
        if case.codes:
            assert alert["codes"]["gbt24476"] == case.codes


def holds_the_contract(alert: dict[str, Any]) -> None:
    assert list(alert) == list(ALERT)
    for key, kind in ALERT.items():
        assert isinstance(alert[key], kind), key
    assert alert["severity"] in ("critical", "major", "minor", "trend")
    assert alert["state"] in ("firing", "cleared", "closed")
    assert (alert["cleared"] is None) == (alert["state"] == "firing")
    assert all(isinstance(value, int | float) for value in alert["evidence"].values())
    assert set(alert["summary"]) == {"en", "zh"}
    assert all(alert["summary"].values())


def test_alerts_come_once_for_each_transition_and_are_not_retained(system: System, played: dict[str, Story]) -> None:
    for topic, qos, retained, alert in system.voice.received:
        assert topic == f"lift/v1/{alert['district']}/{alert['lift_id']}/alert"
        assert qos == 1
        assert not retained


def test_the_evidence_of_an_open_alert_contains_the_greatest_distance(system: System, played: dict[str, Story]) -> None:
    """The message was sent at 0.2 m; the car went on for 1.95 m."""
    (case,) = [case for case in STORIES if case.rule == "unintended-movement"]
    (fired,) = system.voice.of(name(case, "bundles"), case.rule)
    assert fired["evidence"]["max_z_m"] < 0.5
    asked = f"/api/v1/alerts/{fired['id']}"
    until(lambda: system.get(asked)["evidence"]["max_z_m"] > 1.9, "the greatest distance")
    assert system.get(asked)["evidence"]["max_z_m"] == pytest.approx(1.95, abs=0.05)
