"""Alerts against labels: each alert is one thing, and only what its rule could find is found."""

from __future__ import annotations

import random

import pytest

from evaluation import labels
from evaluation.matching import BESIDE, FALSE, FOUND, PROVOKED, REPEAT, TOLERATED, match
from evaluation.raised import RaisedAlert
from simulator.faults.symptom_table import BY_SLUG
from tests.evaluation.labels import raised, row

F01, F04 = "entrapment-off-level", "stop-outside-zone"


def verdicts(rows: list[dict[str, object]], *alerts: object) -> list[str]:
    return [verdict.outcome for verdict in match(alerts, *labels.read_labels(rows))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("onset_s", "what"), [(64.9, BESIDE), (65.0, FOUND), (100.0, FOUND), (260.0, FOUND), (261.0, FALSE)]
)
def test_an_alert_finds_the_episode_that_it_overlaps_until_it_was_noticed(onset_s: float, what: str) -> None:
    rows = [row(100.0, 200.0, F01), row(80.0, 90.0, event="a/2")]
    assert verdicts(rows, raised(F01, onset_s, onset_s + 30)) == [what]


def test_a_second_alert_of_the_same_episode_is_a_repeat() -> None:
    assert verdicts([row(0, 100, F01)], raised(F01, 1, 31), raised(F01, 70, 100)) == [FOUND, REPEAT]


def test_intermittent_symptoms_of_one_event_are_one_episode() -> None:
    rows = [row(0, 40, F01), row(300, 340, F01), row(600, 640, F01)]
    _, episodes = labels.read_labels(rows)
    assert [(e.lasted_s, (e.end_ns - e.onset_ns) / 1e9) for e in episodes] == [(40.0, 640.0)]


def test_overlapping_symptoms_of_several_faults_are_one_episode() -> None:
    rows = [row(0, 100, F01), row(50, 150, F01, event="a/2"), row(300, 400, F01, event="a/3")]
    _, episodes = labels.read_labels(rows)
    assert [[event.event for event in episode.events] for episode in episodes] == [["a/1", "a/2"], ["a/3"]]
    assert verdicts(rows, raised(F01, 1, 31), raised(F01, 301, 331)) == [FOUND, FOUND]


def test_an_alert_of_another_rule_during_a_fault_is_beside() -> None:
    assert verdicts([row(0, 100, F01)], raised(F04, 20, 35)) == [BESIDE]


def test_a_fault_of_another_lift_does_not_excuse_an_alert() -> None:
    assert verdicts([row(0, 100, F01, lift_id="b")], raised(F01, 20, 50)) == [FALSE]


def test_a_near_miss_tolerates_minor_alerts_only() -> None:
    rows = [row(0, 300, F01, kind="near-miss", cause="removal")]
    assert verdicts(rows, raised(F01, 20, 50)) == [PROVOKED]
    assert verdicts(rows, raised("door-held-open", 20, 140, severity="minor")) == [TOLERATED]


def test_the_matching_equals_a_plain_loop_over_a_random_night() -> None:
    seed = 20010101
    dice = random.Random(seed)
    rows, alerts = [], []
    for k in range(60):
        lift, begin = dice.choice("abc"), dice.uniform(0, 20_000)
        kind = dice.choice(["fault", "fault", "near-miss"])
        rules = dice.sample([F01, F04], dice.randint(0, 2))
        rows.append(row(begin, begin + dice.uniform(1, 400), *rules, lift_id=lift, event=f"{lift}/{k}", kind=kind))
    for _ in range(300):
        onset = dice.uniform(0, 20_000)
        alert = raised(dice.choice([F01, F04]), onset, onset + dice.uniform(0, 40), dice.choice("abc"))
        alerts.append(alert)
    alerts.sort(key=lambda one: (one.noticed_ns, one.lift_id, one.rule))
    stretches: dict[tuple[str, str], list[list[float]]] = {}
    for label in sorted(rows, key=lambda label: label["onset"]):
        for rule in label["rules"] if label["kind"] == "fault" else ():
            theirs = stretches.setdefault((label["lift_id"], rule), [])
            if theirs and label["onset"] <= theirs[-1][1]:
                theirs[-1][1] = max(theirs[-1][1], label["end"])
            else:
                theirs.append([label["onset"], label["end"]])
    seen: list[list[float]] = []
    expected = []

    def touches(begin_ns: float, end_ns: float, one: RaisedAlert) -> bool:
        return begin_ns - 5e9 <= one.noticed_ns and one.onset_ns <= end_ns + 60e9

    for one in alerts:
        mine = [stretch for stretch in stretches.get((one.lift_id, one.rule), ()) if touches(*stretch, one)]
        kinds = {
            row["kind"] for row in rows if row["lift_id"] == one.lift_id and touches(row["onset"], row["end"], one)
        }
        if mine:
            expected.append(REPEAT if any(mine[-1] is stretch for stretch in seen) else FOUND)
            seen.append(mine[-1])
        else:
            expected.append(BESIDE if "fault" in kinds else PROVOKED if kinds else FALSE)
    assert verdicts(rows, *alerts) == expected, f"seed {seed}"
    assert set(expected) == {FOUND, REPEAT, BESIDE, PROVOKED, FALSE}


def test_the_symptoms_that_excuse_an_alert_are_symptoms_of_the_world() -> None:
    assert {labels.SILENCE, labels.NOT_IN_SERVICE} <= set(BY_SLUG)
