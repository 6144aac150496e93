"""A monitor that is killed at any moment raises no alert and opens no incident twice, and loses none.

A real process, a real kill.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store.records.monitors.snapshots import Snapshot
from store.records.repository import AlertFilter, IncidentFilter, Records
from tests.alerts.rules import DOOR, OVERSPEED, STOP, T0, S, occurrence
from tests.forked import forked

LIFTS, STEPS, KILLS, SEED = 5, 120, 6, 20010101


def judge_story(ready: Callable[[], None], url: str, steps: int) -> None:
    """Judge the story from where a snapshot stood, a few steps before what was committed, as the monitor does.

    It is ready after a number of steps, so that a kill finds it at work however busy the machine is.
    """
    with Records.open(url) as records:
        snapshot = records.resume().snapshot
        begin = snapshot.position + 1 if snapshot else 1
        for position in range(begin, STEPS + 1):
            if position == begin + steps:
                ready()
            kept = Snapshot(position, b"") if position % 7 == 0 else None
            records.judge(position=position, occurrences=story(position), now_ns=T0, snapshot=kept)
        ready()


def story(position: int) -> list[Any]:
    """Return the findings of the journal's entry `position`: the same at every reading."""
    chance = random.Random(SEED * position)
    found = []
    for lift in range(LIFTS):
        rule = chance.choice([STOP, DOOR, OVERSPEED])
        level = chance.choice(rule.levels)
        kind = chance.choice(["on", "off"])
        found.append(occurrence(rule, kind, position * 20.0, level.severity, lift_id=f"l{lift}"))
    return found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/killed.db"
    return str(request.getfixturevalue("postgres_url"))


def test_a_monitor_killed_at_any_moment_ends_where_an_undisturbed_one_ends(url: str, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    for _ in range(KILLS):
        with forked(judge_story, url, chance.randrange(20)):
            time.sleep(chance.uniform(0, 0.02))  # any moment will do: what is asserted holds for all of them
    with forked(judge_story, url, 0) as last:
        last.join()
        assert last.exitcode == 0
    with Records.open(url) as killed, Records.open(f"sqlite:///{tmp_path}/undisturbed.db") as undisturbed:
        for position in range(1, STEPS + 1):
            undisturbed.judge(position=position, occurrences=story(position), now_ns=T0)
        everything = AlertFilter(to_ns=T0 + 10**9 * S)
        assert killed.alerts(everything, limit=9999).items == undisturbed.alerts(everything, limit=9999).items
        assert [one.alert_json for one in killed.transitions_since(0, 9999)] == [
            one.alert_json for one in undisturbed.transitions_since(0, 9999)
        ], f"seed {SEED}"
        assert [one.incident for one in killed.incidents(IncidentFilter(), limit=9999).items] == [
            one.incident for one in undisturbed.incidents(IncidentFilter(), limit=9999).items
        ]
        assert [one.incident_json for one in killed.incident_entries_since(0, 9999)] == [
            one.incident_json for one in undisturbed.incident_entries_since(0, 9999)
        ], f"seed {SEED}"
        assert len(killed.incidents(IncidentFilter(), limit=9999).items) == LIFTS
        assert (killed.resume().position, len(killed.transitions_since(0, 9999)) > STEPS) == (STEPS, True)
