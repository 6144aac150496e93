"""From scores to alerts that clear by hand: no condition that holds is lost, whoever resolves and restarts whenever."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.alert import FIRING, Alert
from alerts.answers import Answer
from alerts.book import Occurrence
from alerts.ledger import Ledger
from detectors.judge import Judge
from detectors.observe.row_table import RowTable
from detectors.rule import AGAIN_S, CRITICAL, NO_MEMORY, Level, Rule, Score
from registry.actor import Actor
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from tests.alerts.rules import DISTRICT, LIFT, T0, S
from tests.detectors.world import batch, facts_of

HOLD_S = 2.0
FOUND_WITHIN_S = AGAIN_S + HOLD_S + 1.0
"""A level is found again `AGAIN_S` after it opened, at the second reading from then on."""


@dataclass(frozen=True)
class Pressed:
    """A detector that scores the last reading of the alarm button."""

    def start(self, n: int) -> Memory:
        return np.zeros(n, NO_MEMORY)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score]]:
        return state, (Score(rows.alarm, 1.0 - rows.alarm),)


RULE = Rule("F00", "held", Pressed(), (Level(CRITICAL, hold_s=HOLD_S, by_hand=True),), {"en": "Held"}, {})
seconds = st.lists(st.sampled_from("111110?"), max_size=60).map("".join)


class Monitor:
    """A judge and the alerts; one reading a second, `1`, `0`, or `?` for none."""

    def __init__(self) -> None:
        self.judge, self.ledger = Judge([RULE], 1), Ledger()
        self.alerts: dict[str, Alert] = {}

    def read(self, readings: str, first: int) -> None:
        """Judge a group of readings and apply what is found."""
        at_s = [first + k for k, mark in enumerate(readings) if mark != "?"]
        if not at_s:
            return
        alarm = np.array([float(mark) for mark in readings if mark != "?"])
        rows = {"t_ns": T0 + np.array(at_s, dtype=np.int64) * S, "alarm": alarm}
        found = self.judge.step(batch([rows]), facts_of([None]))
        self.ledger.apply([Occurrence(LIFT, DISTRICT, one, RULE, one.at_ns) for one in found])
        self.alerts |= self.ledger.changed

    def resolve(self, at_s: int) -> None:
        """Resolve the newest alert, where there is one."""
        if LIFT in self.ledger.newest:
            self.ledger.answer(LIFT, RULE.slug, Answer("resolve", Actor.named("ann")), T0 + at_s * S)
            self.alerts |= self.ledger.changed

    @property
    def firing(self) -> list[Alert]:
        return [alert for alert in self.alerts.values() if alert.state == FIRING]


@settings(deadline=None)
@given(seconds, st.sets(st.integers(0, 60), max_size=4))
def test_a_condition_that_is_read_to_hold_has_a_firing_alert_and_only_a_person_ends_one(
    readings: str, resolves: set[int]
) -> None:
    monitor, held_s, resolved_s = Monitor(), 0, -1
    for k, mark in enumerate(readings):
        before = monitor.firing
        monitor.read(mark, k)
        held_s = held_s + 1 if mark == "1" else 0
        assert [alert.id for alert in monitor.firing][: len(before)] == [alert.id for alert in before]
        assert len(monitor.firing) <= 1
        assert all(alert.count == 1 for alert in monitor.alerts.values())
        if min(held_s, k - resolved_s) > FOUND_WITHIN_S:
            assert monitor.firing, f"{readings} resolved at {resolves}: nothing fires at {k}"
        if k in resolves:
            monitor.resolve(k)
            resolved_s = k


@settings(deadline=None)
@given(seconds, st.sets(st.integers(0, 60), max_size=4), st.integers(0, 60), st.integers(0, 60))
def test_a_restart_from_any_snapshot_at_any_moment_changes_no_alert(
    readings: str, resolves: set[int], kept: int, killed: int
) -> None:
    steady, restarted = Monitor(), Monitor()
    snapshot, first = restarted.judge.snapshot(), 0
    for k, mark in enumerate(readings):
        for monitor in (steady, restarted):
            monitor.read(mark, k)
            if k in resolves:
                monitor.resolve(k)
        if k == kept:
            snapshot, first = restarted.judge.snapshot(), k + 1
        if k == killed:
            restarted.judge = Judge([RULE], 1)
            restarted.judge.restore(snapshot)
            restarted.read(readings[first : k + 1], first)
    assert restarted.alerts == steady.alerts


def test_what_ended_before_it_was_resolved_is_not_raised_again_and_a_return_is() -> None:
    monitor = Monitor()
    monitor.read("1110", 0)
    monitor.resolve(4)
    monitor.read("0" * 30, 4)
    assert (len(monitor.alerts), monitor.firing) == (1, [])
    monitor.read("111", 34)
    assert (len(monitor.alerts), [alert.onset_ns for alert in monitor.firing]) == (2, [T0 + 34 * S])
