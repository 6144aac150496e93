"""Runs the rules on a simulated world without messages: some seconds at a time become a batch."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from detectors.catalogue import RULES
from detectors.judge import Judge
from detectors.observe.arrivals import judged_arrivals
from detectors.rule import Finding
from registry.facts import FleetFacts, LiftFacts, fleet
from simulator.faults.labels import Label
from simulator.faults.symptom_table import BY_SLUG
from simulator.world.second import Second
from simulator.world.world import World
from telemetry.arrays import F64, I64, Index
from telemetry.batch import CHANNELS, Batch, readings

TURN_S = 10
"""So many seconds are judged together: however the readings are cut, the findings are the same."""
Piece = tuple[Index, I64, dict[str, F64]]


def pieces_of(w: World, second: Second) -> list[Piece]:
    """Return what the lifts send of a second: lifts, times and values of each kind."""
    pieces = []
    every = np.arange(len(w))
    samples_ns = second.t_ns[:, None] + np.arange(10) * 100_000_000
    pieces.append(
        (np.repeat(every, 10), samples_ns.ravel(), {"v_mps": second.v_mps.ravel(), "z_m": second.z_m.ravel()})
    )
    for events, names in ((second.door, ("door",)), (second.infrared, ("presence", "curtain"))):
        lift = np.repeat(every, np.diff(events.first))
        values = events.values.astype(np.float64).T
        pieces.append((lift, second.t_ns[lift] + events.offset_ms * 1_000_000, dict(zip(names, values, strict=True))))
    lifts = np.array(second.status, dtype=np.intp)
    status = {
        "alarm": w.cars.alarm[lifts],
        "power": w.cars.battery[lifts],
        "online": np.ones(len(lifts)),
        "mode": 0 * lifts,
    }
    pieces.append((lifts, second.t_ns[lifts], {name: column.astype(np.float64) for name, column in status.items()}))
    sends = [~second.silent[lift] for lift, _, _ in pieces]
    return [
        (lift[rows], t_ns[rows], {name: column[rows] for name, column in values.items()})
        for (lift, t_ns, values), rows in zip(pieces, sends, strict=True)
    ]


def batch_of(pieces: list[Piece]) -> Batch:
    """Return the rows of these pieces, one for each instant of a lift."""
    where = np.concatenate([np.stack([lift, t_ns]) for lift, t_ns, _ in pieces], axis=1)
    rows, place = np.unique(where, axis=1, return_inverse=True)
    columns = {name: np.full(rows.shape[1], np.nan) for name in CHANNELS}
    first = 0
    for lift, _, values in pieces:
        for name, column in values.items():
            columns[name][place[first : first + len(lift)]] = column
        first += len(lift)
    return readings(rows[0].astype(np.int32), rows[1], **columns)


def live(facts: list[LiftFacts], w: World, seconds: int) -> Iterator[tuple[list[Label], list[Finding]]]:
    """Simulate so many seconds; yield each turn's labels and the findings of the rules. Every lift has been seen
    before."""
    judge, columns = Judge(RULES, len(facts)), fleet(facts)
    arrive(judge, columns, np.arange(len(facts)), w.start_ns, np.ones(len(facts)))
    while w.seconds < seconds:
        pieces, labels, findings = list[Piece](), list[Label](), list[Finding]()
        for _ in range(min(TURN_S, seconds - w.seconds)):
            second = w.step()
            pieces += pieces_of(w, second)
            labels += second.labels
            findings += silence_findings(judge, columns, w, second)
        yield labels, judge.step(batch_of(pieces), columns) + findings


def fired_rules(facts: list[LiftFacts], w: World, seconds: int) -> dict[int, Counter[str]]:
    """Return for each lift how often each rule fired."""
    fired: dict[int, Counter[str]] = defaultdict(Counter)
    for _, findings in live(facts, w, seconds):
        for finding in findings:
            if finding.kind == "on":
                fired[finding.lift][finding.rule] += 1
    return fired


def first_firing_s(facts: list[LiftFacts], w: World, seconds: int) -> tuple[dict[int, dict[str, float]], list[Label]]:
    """Return for each lift how long after the first of its symptoms each rule first fired, and the labels."""
    labels: list[Label] = []
    first_ns: dict[int, dict[str, int]] = defaultdict(dict)
    for ended, findings in live(facts, w, seconds):
        labels += ended
        for finding in findings:
            if finding.kind == "on":
                first_ns[finding.lift].setdefault(finding.rule, finding.at_ns)
    labels += w.unfinished()
    since_s = {
        (label.lift, rule): label.symptom_onset_s
        for label in sorted(labels, key=lambda label: -(label.symptom_onset_s or label.onset_s))
        if label.symptom is not None
        for rule in BY_SLUG[label.symptom].rules
    }
    delays_s = {
        lift: {rule: (at - w.start_ns) / 1e9 - since_s.get((lift, rule), 0.0) for rule, at in rules.items()}
        for lift, rules in first_ns.items()
    }
    return delays_s, labels


def silence_findings(judge: Judge, facts: FleetFacts, w: World, second: Second) -> list[Finding]:
    """Return the findings of the silence rule: a silent lift sends nothing, except that its status is its last will."""
    now_ns = w.start_ns + w.seconds * 1_000_000_000
    online = np.where(second.silent, 0.0, np.nan)
    sends = ~second.silent
    sends[second.status] = True
    return arrive(judge, facts, np.flatnonzero(sends), now_ns, online[sends]) + judge.tick(now_ns, 0, facts)


def arrive(judge: Judge, facts: FleetFacts, lift: Index, now_ns: int, online: F64) -> list[Finding]:
    """Return the findings of the rules over arrivals at a message of each of these lifts that arrives now."""
    arrived = judged_arrivals(lift.astype(np.int32), np.full(len(lift), now_ns), online=online)
    return judge.step_arrivals(arrived, facts)
