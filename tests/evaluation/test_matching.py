"""Alerts against labels: each alert is one thing, and only what its rule could find is found."""

from __future__ import annotations

import random

import pytest

from evaluation import truth
from evaluation.matching import BESIDE, FALSE, FOUND, PROVOKED, REPEAT, TOLERATED, match
from tests.evaluation.labels import raised, row

F01, F04 = "entrapment-off-level", "stop-outside-zone"


def verdicts(rows: list[dict[str, object]], *alerts: object) -> list[str]:
    return [verdict.what for verdict in match(alerts, *truth.read(rows))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("onset_s", "what"), [(94.9, BESIDE), (95.0, FOUND), (100.0, FOUND), (260.0, FOUND), (261.0, FALSE)]
)
def test_an_alert_finds_the_episode_that_its_onset_lies_in_or_near(onset_s: float, what: str) -> None:
    rows = [row(100.0, 200.0, F01), row(80.0, 90.0, event="a/2")]
    assert verdicts(rows, raised(F01, onset_s, onset_s + 30)) == [what]


def test_a_second_alert_of_the_same_episode_is_a_repeat() -> None:
    assert verdicts([row(0, 100, F01)], raised(F01, 1, 31), raised(F01, 70, 100)) == [FOUND, REPEAT]


def test_intermittent_symptoms_of_one_event_are_one_episode() -> None:
    rows = [row(0, 40, F01), row(300, 340, F01), row(600, 640, F01)]
    _, episodes = truth.read(rows)
    assert [(e.longest_s, (e.end_ns - e.onset_ns) / 1e9) for e in episodes] == [(40.0, 640.0)]


def test_another_rule_while_a_fault_is_at_work_stands_beside_it() -> None:
    assert verdicts([row(0, 100, F01)], raised(F04, 20, 35)) == [BESIDE]


def test_another_lift_s_fault_excuses_nothing() -> None:
    assert verdicts([row(0, 100, F01, lift_id="b")], raised(F01, 20, 50)) == [FALSE]


def test_a_near_miss_tolerates_a_ticket_and_nothing_more() -> None:
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
    seen: set[tuple[str, str]] = set()
    expected = []
    for one in alerts:
        best = None
        near = beside = False
        for label in rows:
            inside = label["onset"] - 5e9 <= one.onset_ns <= label["end"] + 60e9
            if label["lift_id"] != one.lift_id or not inside:
                continue
            if label["kind"] == "near-miss":
                near = True
                continue
            beside = True
            if one.rule in label["rules"] and (best is None or label["onset"] > best["onset"]):
                best = label
        if best is not None:
            name = (best["event"], one.rule)
            expected.append(REPEAT if name in seen else FOUND)
            seen.add(name)
        else:
            expected.append(BESIDE if beside else PROVOKED if near else FALSE)
    assert verdicts(rows, *alerts) == expected, f"seed {seed}"
    assert set(expected) == {FOUND, REPEAT, BESIDE, PROVOKED, FALSE}
