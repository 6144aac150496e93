"""All rules over all lifts: from batches to findings. The state between two batches is arrays that a snapshot holds.

One car state is shared by all rules; each rule has the state of its detector and of each of its levels. However the
stream is cut into batches, the findings are the same. Rules over arrivals depend on the monitor's clock instead: they
are judged at each message that arrives (`step_arrivals`) and at each tick of that clock (`tick`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors import rule_memory, trigger
from detectors.behaviour import table as behaviour
from detectors.checking import check
from detectors.observe import arrivals, clock, tables
from detectors.observe.arrivals import MessageArrivals
from detectors.observe.rides import memory as ride_memory
from detectors.observe.rides.table import RideTable
from detectors.rule import Finding, Level, Rule, Score
from registry.facts import FleetFacts
from registry.maintenance import NO_WINDOWS, MaintenanceWindows
from telemetry.arrays import Bools, Memory
from telemetry.batch import Batch
from telemetry.compiled import copied
from telemetry.streams import NORMAL, RESTRICTED_MODES

RIDES, BEHAVIOUR = "rides", "behaviour"
"""The names under which passing on rides, and the observation of behaviour, are set aside, as a rule is by its slug."""
KINDS = {trigger.OPENED: "on", trigger.AGAIN: "on", trigger.SHUT: "off", trigger.GREW: "more"}


class NotObserved(Exception):
    """The tables of a batch cannot be made, by a mistake of ours: nothing has changed, and parts of it may succeed."""


class Judge:
    """The rules and their state for `n` lifts, which `step`, `step_arrivals` and `tick` advance.

    Rules in `set_aside` are not judged. With `on_broken` a rule that breaks is set aside, `on_broken` gets its slug and
    its error, and the others go on; without, the error is raised. So it is with rides and behaviour.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        n: int,
        on_broken: Callable[[str, Exception], None] | None = None,
        set_aside: Iterable[str] = (),
    ) -> None:
        self.rules = tuple(rules)
        self._over_arrivals = [rule for rule in rules if rule.table == "arrivals"]
        self.n = n
        self._states = rule_memory.start(self.rules, n)
        self._on_broken = on_broken
        self._set_aside = set(set_aside)
        self.on_rides: Callable[[RideTable], None] | None = None
        """Called with the rides that are complete; their times are those of each lift's own clock."""
        self.on_behaviour: Callable[[Memory], None] | None = None
        """Called with the observations that are over, records of `observation.OBSERVATION` by each lift's own clock."""
        self._facts: FleetFacts | None = None
        self._lacks: dict[str, Bools] = {}

    def step(self, batch: Batch, facts: FleetFacts, windows: MaintenanceWindows = NO_WINDOWS) -> list[Finding]:
        """Return the findings of this batch, in the order in which they were made.

        In maintenance `windows`, as in some modes, only the always-judged rules are judged. Raises NotObserved.
        """
        self._check_size(facts)
        if not len(batch) and batch.waveforms is None and batch.machine is None:
            return []
        try:
            memory, seen = tables.advance(self._states, batch, facts)
        except Exception as error:
            raise NotObserved(f"{type(error).__name__}: {error}") from error
        self._states |= memory | {"clock": clock.step(self._states["clock"], batch.steps)}
        for name, observe in ((RIDES, self._pass_on_rides), (BEHAVIOUR, self._observe_behaviour)):
            if name not in self._set_aside:
                self._guarded(name, partial(observe, seen, facts))
        return self._judge(seen._asdict(), facts, windows)

    def _pass_on_rides(self, seen: tables.Tables, _: FleetFacts) -> tuple[dict[str, Memory], list[Finding]]:
        """Pass on the rides that are complete; return that no memory has changed, and no findings."""
        if self.on_rides is not None and len(seen.rides):
            self.on_rides(self._by_its_clock(seen.rides))
        return {}, []

    def _observe_behaviour(self, seen: tables.Tables, facts: FleetFacts) -> tuple[dict[str, Memory], list[Finding]]:
        """Pass on the observations of behaviour that are over; return the memory after them, and no findings."""
        memory, observed = behaviour.step(self._states["behaviour"], seen.rows, seen.features, facts)
        if self.on_behaviour is not None and len(observed):
            for name in ("start_ns", "end_ns"):
                observed[name] -= clock.ahead_ns(self._states["clock"], observed["lift"], observed[name])
            self.on_behaviour(observed)
        return {"behaviour": memory}, []

    def _by_its_clock(self, rides: RideTable) -> RideTable:
        """Return rides with the begin and the end of each by its lift's clock."""
        start_ns, stop_ns = (
            t_ns - clock.ahead_ns(self._states["clock"], rides.lift, t_ns) for t_ns in (rides.start_ns, rides.stop_ns)
        )
        return RideTable(**{**rides._asdict(), "start_ns": start_ns, "stop_ns": stop_ns})

    def step_arrivals(
        self, arrived: MessageArrivals, facts: FleetFacts, windows: MaintenanceWindows = NO_WINDOWS
    ) -> list[Finding]:
        """Return the findings of the rules over arrivals at these messages."""
        self._check_size(facts)
        mode = self._states["rows"]["mode"]
        self._states["arrivals"], seen = arrivals.step(self._states["arrivals"], arrived, mode)
        return self._judge({"arrivals": seen}, facts, windows)

    def tick(
        self, now_ns: int, listening_since_ns: int, facts: FleetFacts, windows: MaintenanceWindows = NO_WINDOWS
    ) -> list[Finding]:
        """Return the findings of the rules over arrivals at `now_ns`, after a step with every message up to then.

        Silence counts from `listening_since_ns` on: before, no message could be received.
        """
        self._check_size(facts)
        mode = self._states["rows"]["mode"]
        self._states["arrivals"], seen = arrivals.tick(self._states["arrivals"], now_ns, listening_since_ns, mode)
        return self._judge({"arrivals": seen}, facts, windows)

    def resume_arrivals(self, firing: Iterable[tuple[str, int, int, int]]) -> None:
        """Open the levels over arrivals that are `firing`, and shut all others.

        `firing` holds a slug, a severity, a lift and an onset each. A snapshot cannot have them: what a rule over
        arrivals finds depends on when the clock ticks.
        """
        keys = {
            (rule.slug, level.severity): f"{rule.slug}/{i}"
            for rule in self._over_arrivals
            for i, level in enumerate(rule.levels)
        }
        self._states |= {key: trigger.start(self.n) for key in keys.values()}
        for slug, severity, lift, onset_ns in firing:
            if key := keys.get((slug, severity)):
                self._states[key]["open"][lift] = True
                self._states[key]["since_ns"][lift] = onset_ns

    def forget(self, lift: int, at_ns: int) -> list[Finding]:
        """Reset the state of a lift, so that its index can be reused; return the end of each finding that was open."""
        ended = [
            Finding(lift, rule.slug, KINDS[trigger.SHUT], level.severity, at_ns, at_ns, level.by_hand, {})
            for rule in self.rules
            for i, level in enumerate(rule.levels)
            if self._states[f"{rule.slug}/{i}"]["open"][lift]
        ]
        for key, fresh in rule_memory.start(self.rules, 1).items():
            self._states[key][lift] = fresh[0]
        return ended

    def forget_arrivals(self, lifts: Bools) -> None:
        """Reset the arrivals of these lifts, and the levels of the rules over arrivals."""
        fresh = {"arrivals": arrivals.start(self.n), **rule_memory.start_rules(self._over_arrivals, self.n)}
        for key, state in fresh.items():
            state[~lifts] = self._states[key][~lifts]
        self._states |= fresh

    def _judge(self, seen: Mapping[str, Any], facts: FleetFacts, windows: MaintenanceWindows) -> list[Finding]:
        """Return the findings of the rules over these tables."""
        restricted = {name: self._restricted(name, table, windows) for name, table in seen.items()}
        found: list[Finding] = []
        for rule in self.rules:
            table = seen.get(rule.table)
            if table is None or not len(table) or rule.slug in self._set_aside:
                continue
            idle = None if rule.always_judged else restricted[rule.table]
            found += self._guarded(rule.slug, partial(self._step_rule, rule, table, facts, idle))
        return sorted(found, key=lambda finding: (finding.at_ns, finding.lift))

    def _check_size(self, facts: FleetFacts) -> None:
        if len(facts) != self.n:
            raise ValueError(f"facts of {len(facts)} lifts for a judge of {self.n}: call grow({len(facts)}) first")

    def _guarded(self, slug: str, step: Callable[[], tuple[dict[str, Memory], list[Finding]]]) -> list[Finding]:
        """Return the findings of a rule; set aside a rule that raises or returns scores that do not fit its levels.

        Its memory does not change, so that its alerts stay open and do not clear.
        """
        try:
            memory, found = step()
        except Exception as error:
            if self._on_broken is None:
                raise
            self._set_aside.add(slug)
            self._on_broken(slug, error)
            return []
        self._states |= memory
        return found

    def _step_rule(
        self, rule: Rule, table: Any, facts: FleetFacts, idle: NDArray[np.bool_] | None
    ) -> tuple[dict[str, Memory], list[Finding]]:
        memory, found, key = dict[str, Memory](), list[Finding](), f"{rule.slug}/detector"
        memory[key], scores = rule.detector.step(self._states[key], table, facts)
        check(scores, rule.levels, len(table))
        unknown = table.stale
        if (lacking := self._lacking(rule, facts)).any():
            unknown = unknown | lacking[table.lift]
        for i, (level, score) in enumerate(zip(rule.levels, scores, strict=True)):
            key = f"{rule.slug}/{i}"
            memory[key], edges = trigger.step(self._states[key], level, score, table, unknown, idle)
            if len(edges.place):
                found += self._findings(rule, level, score, table, edges)
        return memory, found

    def _restricted(self, name: str, table: Any, windows: MaintenanceWindows) -> Bools:
        """Return the rows at which only the always-judged rules are judged."""
        ahead_ns = 0 if name == "arrivals" else clock.ahead_ns(self._states["clock"], table.lift, table.t_ns)
        worked_on: Bools = windows.contain(table.lift, table.t_ns - ahead_ns)
        if (table.mode > NORMAL).any():
            return worked_on | np.isin(table.mode, RESTRICTED_MODES)
        return worked_on

    def _findings(self, rule: Rule, level: Level, score: Score, table: Any, edges: trigger.Edges) -> list[Finding]:
        lift, at_ns, onset_ns = table.lift[edges.place], table.t_ns[edges.place], edges.onset_ns
        if score.is_reported and score.since_ns is not None:
            onset_ns = np.where(edges.kind == trigger.AGAIN, score.since_ns[edges.place], onset_ns)
        ahead_ns = onset_ahead_ns = np.zeros(len(lift), dtype=np.int64)
        if rule.table != "arrivals":
            ahead_ns = clock.ahead_ns(self._states["clock"], lift, at_ns)
            began_ns = at_ns if score.is_reported else onset_ns
            onset_ahead_ns = clock.ahead_ns(self._states["clock"], lift, began_ns)
        return [
            Finding(
                lift=int(lift[k]),
                rule=rule.slug,
                kind=KINDS[kind],
                severity=level.severity,
                onset_ns=int(onset_ns[k]),
                at_ns=int(at_ns[k]),
                by_hand=level.by_hand,
                evidence={
                    name: float(column[edges.place[k]])
                    for name, column in score.evidence.items()
                    if kind != trigger.GREW or name == level.peak
                },
                ahead_ns=int(ahead_ns[k]),
                onset_ahead_ns=int(onset_ahead_ns[k]),
                is_reported=score.is_reported,
            )
            for k, kind in enumerate(edges.kind.tolist())
        ]

    def _lacking(self, rule: Rule, facts: FleetFacts) -> Bools:
        """Return for each lift whether a fact that the rule needs is missing."""
        if self._facts is not facts:
            self._facts, self._lacks = facts, {}
        if rule.slug not in self._lacks:
            missing = [facts.lacking[need] for need in rule.needs]
            self._lacks[rule.slug] = np.logical_or.reduce(missing) if missing else np.zeros(len(facts), dtype=np.bool_)
        return self._lacks[rule.slug]

    def grow(self, n: int) -> None:
        """Extend the state to `n` lifts; the records of the new ones are initial."""
        if n < self.n:
            raise ValueError(f"a judge of {self.n} lifts cannot shrink to {n}")
        if n == self.n:
            return
        packed = ride_memory.packed(self._states, np.arange(self.n))
        self._states = rule_memory.carry(self._states | packed, rule_memory.start(self.rules, n))
        self.n = n

    def snapshot(self, lifts: NDArray[np.intp] | None = None) -> dict[str, Memory]:
        """Return the whole state: records of `rows`, `features`, `overspeed/detector`, `overspeed/0` and so on.

        With `lifts`, of these only, in this order.
        """
        states = {key: state for key, state in self._states.items() if state.dtype.names}
        shaken = ride_memory.packed(states, np.arange(self.n) if lifts is None else lifts)
        del states[ride_memory.VIBRATIONS]
        return shaken | {key: copied(state) if lifts is None else state[lifts] for key, state in states.items()}

    def restore(self, snapshot: Mapping[str, Memory]) -> None:
        """Restore a snapshot of as many lifts or fewer; state that the snapshot lacks (of a newer rule) is initial."""
        self._states = rule_memory.carry(snapshot, rule_memory.start(self.rules, self.n))

    @property
    def states(self) -> Mapping[str, Memory]:
        """The whole state, by the names of `snapshot`; read only."""
        return self._states
