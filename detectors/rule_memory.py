"""The memory of a judge by name: an array for each table, detector and level, with one record for each lift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detectors import trigger
from detectors.behaviour import table as behaviour
from detectors.observe import arrivals, clock, tables
from detectors.observe.rides import memory as ride_memory
from detectors.rule import Rule
from telemetry.arrays import Memory


def start(rules: Sequence[Rule], n: int) -> dict[str, Memory]:
    """Return the initial memory of the tables, of the observation of behaviour and of these rules."""
    shared = {"arrivals": arrivals.start(n), "clock": clock.start(n), "behaviour": behaviour.start(n)}
    return tables.start(n) | shared | start_rules(rules, n)


def start_rules(rules: Sequence[Rule], n: int) -> dict[str, Memory]:
    """Return the initial memory of each rule: of its detector and of each of its levels."""
    states: dict[str, Memory] = {}
    for rule in rules:
        states[f"{rule.slug}/detector"] = rule.detector.start(n)
        states |= {f"{rule.slug}/{i}": trigger.start(n) for i in range(len(rule.levels))}
    return states


def carry(known: Mapping[str, Memory], fresh: dict[str, Memory]) -> dict[str, Memory]:
    """Copy the fields of `known` into fresh records of as many lifts or more, except fields of another type.

    The records of the vibration are packed in `known`.
    """
    for key, state in fresh.items():
        if key == ride_memory.VIBRATIONS:
            continue
        old = known.get(key, state[:0])
        for name in set(state.dtype.names or ()) & set(old.dtype.names or ()):
            if old.dtype[name] == state.dtype[name] and len(old) <= len(state):
                state[name][: len(old)] = old[name]
    ride_memory.unpack(known, fresh)
    return fresh
