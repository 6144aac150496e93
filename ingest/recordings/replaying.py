"""Judges a recording or a simulated world without broker, journal, database and clock.

    groups ─► wider groups ─► fleet ─► sequencer ─► judge ─► ledger ─► changes

The monitor's own sequencer, rules and alert book judge, so that the same messages make the same alerts, however they
are cut into groups. `noticed` is the lift's time at which a rule could detect the condition. With `silence`, silence
counts by arrival, with one tick a group. With `attended_s`, an alert that clears by hand is resolved that long after it
was noticed; otherwise it would stay open and hide later ones.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import orjson

from alerts.alert import Alert, Change
from alerts.answers import Answer
from alerts.ledger import Ledger
from alerts.wire import to_json
from detectors.observe.rides.table import RideTable
from detectors.rule import Finding, Rule
from ingest.state import State
from registry.actor import Actor
from registry.facts import LiftFacts
from telemetry.batch import Batch, Decoded
from telemetry.groups import joined

FAR_NS = 1 << 62
ATTENDANT = Actor.named("attendant")
TICK_S = 10.0
"""With silence counted, no more arrives between two ticks: silence is found so much later at most."""
AT_ONCE_MESSAGES = 20_000
"""Judging more at once saves little more, and no longer fits the processor's caches."""


class Line(NamedTuple):
    """A transition as a line: its time, its lift, and the alert as the contract has it."""

    at_ns: int
    lift_id: str
    alert: bytes


class Replay:
    """One run of all rules over a fleet whose facts are known from the start.

    `on_rides` is called with the ids of all lifts, and the rides that are complete.
    """

    def __init__(
        self,
        facts: Sequence[LiftFacts],
        rules: Sequence[Rule],
        silence: bool = False,
        attended_s: float = math.inf,
        on_rides: Callable[[Sequence[str], RideTable], None] | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._rules = {rule.slug: rule for rule in rules}
        self._silence, self._attended_s = silence, attended_s
        self.tick_s = TICK_S if silence else math.inf
        self._by_hand: dict[str, Alert] = {}
        self._state = State(rules)
        self._state.judge.on_rides = None  # a replay stores nothing
        if on_rides is not None:
            self._state.judge.on_rides = lambda rides: on_rides(self._state.fleet.lift_ids, rides)
        self._state.load([(lift, True) for lift in facts])
        self._ledger = Ledger()

    def step(self, decoded: Decoded) -> list[Change]:
        """Return the changes of alerts by these messages."""
        state = self._state
        indexed = state.fleet.index(decoded.messages)
        state.grow()
        batch, counts = state.sequencer.step(decoded, indexed.lift)
        self.counts.update(counts)
        self.counts.update(f"refused:{refusal.reason}" for refusal in decoded.refusals)
        changes = self._judge(batch)
        if self._silence and len(indexed.lift):
            changes += self._take(state.step_arrivals(decoded, indexed.lift))
            changes += self._take(state.tick(int(decoded.messages.arrived_ns.max())))
        if len(indexed.lift):
            changes += self._attend(changes, int(decoded.messages.t_end_ns.max()))
        return changes

    def finish(self) -> list[Change]:
        """Return the changes of alerts by the rows that were still held."""
        return self._judge(self._state.sequencer.idle(FAR_NS))

    def _attend(self, changes: Sequence[Change], now_ns: int) -> list[Change]:
        """Resolve the alerts that clear by hand and were noticed `attended_s` ago or earlier."""
        self._by_hand |= {change.alert.id: change.alert for change in changes if change.alert.by_hand}
        due = [alert for alert in self._by_hand.values() if now_ns - alert.noticed_ns >= self._attended_s * 1e9]
        for alert in due:
            del self._by_hand[alert.id]
            self._ledger.answer(alert.lift_id, alert.rule, Answer("resolve", ATTENDANT), now_ns)
        return self._drain_changes()

    def _judge(self, batch: Batch) -> list[Change]:
        self.counts["rows"] += len(batch)
        return self._take(self._state.judge.step(batch, self._state.fleet.facts))

    def _take(self, findings: Sequence[Finding]) -> list[Change]:
        ledger = self._ledger
        found = [self._state.occurrence(one, self._rules[one.rule], one.at_ns - one.ahead_ns) for one in findings]
        ledger.apply(found)
        return self._drain_changes()

    def _drain_changes(self) -> list[Change]:
        """Return the changes with a transition since the last call, and clear the ledger's lists."""
        ledger = self._ledger
        changes = [change for change in ledger.changes if change.transition is not None]
        ledger.changes.clear()
        ledger.changed.clear()
        return changes


def wider(groups: Iterable[Decoded], messages: int = AT_ONCE_MESSAGES, within_s: float = math.inf) -> Iterator[Decoded]:
    """Yield the groups joined to some thousand messages each, or to those that arrive `within_s` of each other."""
    waiting: list[Decoded] = []
    held, first_ns = 0, FAR_NS
    for group in groups:
        waiting.append(group)
        held += len(group.messages.seq)
        arrived_ns = group.messages.arrived_ns
        first_ns = min(first_ns, int(arrived_ns.min(initial=FAR_NS)))
        if held >= messages or arrived_ns.max(initial=0) - first_ns >= within_s * 1e9:
            yield joined(waiting)
            waiting, held, first_ns = [], 0, FAR_NS
    if waiting:
        yield joined(waiting)


def lines(changes: Iterable[Change]) -> Iterator[Line]:
    """Yield the transitions as lines."""
    for change in changes:
        if change.transition is not None:
            yield Line(change.transition.at_ns, change.alert.lift_id, orjson.dumps(to_json(change.alert)))


def in_order(unordered: Iterable[Line]) -> list[bytes]:
    """Return lines in the order of time and lifts, which no cut of the stream and no number of processes changes."""
    return [line.alert for line in sorted(unordered, key=lambda line: line[:2])]


def replay(run: Replay, groups: Iterable[Decoded]) -> Iterator[list[Change]]:
    """Yield the changes of alerts, group by group, to the end."""
    for group in wider(groups, within_s=run.tick_s):
        yield run.step(group)
    yield run.finish()
