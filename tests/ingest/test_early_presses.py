"""A press of the alarm button is an alert at once, also behind the backlog of its own lift, and makes no second one."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alerts.answers import Answer
from alerts.wire import to_json
from detectors.catalogue import RULES
from detectors.rule import Finding
from ingest.fleet import NO_ROOM
from ingest.waiting import backlogs
from ingest.waiting.positions import NewestPositions
from registry.actor import Actor
from store.journal import Journal
from store.records.repository import AlertFilter, Records
from telemetry.wire.decode import decode
from tests.ingest.judged import Message, judging
from tests.ingest.running import T0_MS, bundle, facts
from tests.ingest.test_floods import append
from tests.loopback import until

LIFT, SECONDS, PRESSED_S, ROWS = "L1", 2_400, 2_000, 24_001
ARRIVED_NS = (T0_MS + 3_600_000) * 1_000_000
BY_THE_LIFTS_CLOCK = [rule for rule in RULES if rule.table != "arrivals"]
FAST_S = range(1_000, 1_003)
"""When the lift is too fast, before its press."""
RESULT_OF_WHEN = ("noticed", "evidence", "summary")
"""Of the place of the car, only the newest position is known as the press arrives."""


def backlog() -> list[Message]:
    """Return the messages of a lift that was away, with a press of the alarm button that is let go later."""
    messages: list[Message] = []
    for second in range(SECONDS):
        body = bundle(second, *((-2.3, 30.0) if second in FAST_S else (0.0, 3.0)))
        messages.append((LIFT, "bundle", body | {"seq": len(messages)}))
        if second in (PRESSED_S, PRESSED_S + 5):
            status = {"boot": "1", "seq": len(messages), "t": T0_MS + 1000 * second + 990, "alarm": second == PRESSED_S}
            messages.append((LIFT, "status", status))
    return messages


@pytest.fixture(autouse=True)
def _few_rows_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlogs, "TURN_ROWS", 1_000)


def alerts(records: Records, *, of_a_press: bool | None = None) -> list[dict[str, Any]]:
    """Return the alerts of the lift, without what is not known before the turn of a press."""
    found = [to_json(one) for one in records.alerts(AlertFilter(), limit=100).items]
    kept = [one for one in found if of_a_press in (None, one["rule"] == "alarm-button")]
    return [{name: value for name, value in one.items() if name not in RESULT_OF_WHEN} for one in kept]


def judged_to_the_end(journal: Journal, records: Records) -> int:
    """Judge what is left; return how many rows that were."""
    with judging(journal, records, BY_THE_LIFTS_CLOCK) as made:
        until(lambda: made.judged_to == journal.last, "the end of the journal")
        assert made.counts["late"] == made.counts["gaps"] == made.counts["repeats"] == 0
    return int(made.counts["rows"])


def test_a_press_behind_the_backlog_of_its_lift_is_raised_at_once_and_changes_no_other_alert(
    journal: Journal, records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(journal, *backlog(), arrived_ns=ARRIVED_NS)
    with judging(journal, records, BY_THE_LIFTS_CLOCK) as made:
        until(lambda: bool(alerts(records, of_a_press=True)), "the alert")
        assert made.counts["rows"] < 10 * PRESSED_S, "the backlog was judged first"
        until(lambda: made.judged_to == journal.last, "the end of the backlog")
        assert made.counts["late"] == made.counts["gaps"] == made.counts["repeats"] == 0
    (press,) = records.alerts(AlertFilter(rule=("alarm-button",)), limit=10).items
    assert press.onset_ns == (T0_MS + 1000 * PRESSED_S + 990) * 1_000_000
    assert press.evidence == {"position_m": 3.0, "position_age_s": 0.09}
    monkeypatch.setattr(backlogs, "LIFT_ROWS", 10**9)
    with Records.open(f"sqlite:///{tmp_path}/in-turn.db") as in_turn:
        in_turn.put_lifts([facts(LIFT)], Actor.named("test"), 0)
        judged_to_the_end(journal, in_turn)
        assert {one["rule"] for one in alerts(in_turn)} >= {"alarm-button", "overspeed"}
        assert alerts(in_turn) == alerts(records)


@pytest.mark.parametrize(
    ("pressed_s", "position"),
    [(90, (6.0, 0.1)), (95, (6.0, 5.1)), (89.5, (6.0, 0.0)), (60, (4.5, 0.1)), (151, (None, None))],
)
def test_a_press_that_is_raised_before_its_turn_has_the_newest_position_before_it(
    journal: Journal, pressed_s: float, position: tuple[float | None, float | None]
) -> None:
    """Two groups of messages: up to 59 s at 4.5 m, and from 80 s to 89.9 s at 6 m."""
    bodies = [(59, 4.5), *((second, 6.0) for second in range(80, 90))]
    append(journal, *((LIFT, "displacement", {"t": T0_MS + 1000 * s, "dt": 100, "z": [z] * 10}) for s, z in bodies))
    newest, own = NewestPositions(), np.zeros(1, np.int32)
    newest.note(decode(journal.read(0, 1)), own, own == 0)
    pressed_ns = (T0_MS + int(1000 * pressed_s)) * 1_000_000
    press = Finding(0, "alarm-button", "on", 3, pressed_ns + 7, pressed_ns, True, {}, onset_ahead_ns=7)
    evidence = newest.added(press, decode(journal.read(1)), np.zeros(10, np.int32)).evidence
    assert (evidence.get("position_m"), evidence.get("position_age_s")) == pytest.approx(position)
    assert newest.added(press, decode(journal.read(1)), np.full(10, NO_ROOM)).evidence.get("position_m") == (
        4.5 if pressed_s < 119 else None
    )


@pytest.mark.parametrize("ends", ["killed", "stopped"])
@pytest.mark.parametrize("resolved", [False, True])
def test_a_press_is_not_raised_again_in_its_turn_after_a_restart_and_a_resolve(
    journal: Journal, records: Records, tmp_path: Path, ends: str, resolved: bool
) -> None:
    append(journal, *backlog(), arrived_ns=ARRIVED_NS)
    with judging(journal, records, BY_THE_LIFTS_CLOCK) as made:
        until(lambda: bool(alerts(records, of_a_press=True)), "the alert")
        with sqlite3.connect(tmp_path / "records.db") as now, sqlite3.connect(tmp_path / "killed.db") as killed:
            now.backup(killed)
    assert made.counts["rows"] < 10 * PRESSED_S, "the backlog was judged before the restart"
    with Records.open(f"sqlite:///{tmp_path}/{'killed' if ends == 'killed' else 'records'}.db") as restarted:
        (press,) = alerts(restarted, of_a_press=True)
        if resolved:
            restarted.answer(press["id"], Answer("resolve", Actor.named("ann")), time.time_ns())
        judged_to_the_end(journal, restarted)
        (after,) = alerts(restarted, of_a_press=True)
        assert (after["id"], after["count"]) == (press["id"], 1)
        assert after["state"] == ("closed" if resolved else "firing")
