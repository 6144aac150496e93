"""F41 offline: no message of a lift arrived for too long, by the monitor's clock and not the lift's.

    heard ──3 heartbeats──▶ suspect (a state) ──max(6 min, 3 heartbeats)──▶ offline (F41)
      ▲                                                                        │ any message
      └── last will ──60 s──▶ offline          a lift never heard is never-seen, not offline

A lift in a mode of the always-judged rules only, or in maintenance, may be silent; its next message counts in any mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.observe.arrivals import ArrivalTable
from detectors.rule import MINOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import copied, records
from telemetry.streams import NEVER_SEEN, OFFLINE, ONLINE, SUSPECT

MEMORY = np.dtype([("link", np.int8)], align=True)
"""ONLINE, SUSPECT or NEVER_SEEN at the lift's latest row; whether the lift is offline stands in the level."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Scores 1 where a lift has been silent for its limit."""

    suspect_heartbeats: float = 3.0
    offline_s: float = 360.0
    will_s: float = 60.0

    def start(self, n: int) -> Memory:
        """Return `n` lifts that were never seen."""
        return records(n, MEMORY, link=NEVER_SEEN)

    def step(self, state: Memory, arrivals: ArrivalTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score the rows: silent for too long, and a sign of life again."""
        suspect_s = self.suspect_heartbeats * arrivals.heartbeat_s
        limit_s = np.where(arrivals.willed, self.will_s, np.maximum(self.offline_s, suspect_s))
        never, unknown = arrivals.since_ns == 0, np.isnan(arrivals.counted_s)
        on = np.where(unknown, np.nan, arrivals.counted_s >= limit_s)
        off = np.where(arrivals.heard, 1.0, np.nan)  # a tick does not show whether the lift is away
        suspect = arrivals.willed | (arrivals.counted_s >= suspect_s)
        state = copied(state)
        link_of_row = np.where(never, NEVER_SEEN, np.where(suspect, SUSPECT, ONLINE))
        is_shown = never | ~unknown
        state["link"][arrivals.lift[is_shown]] = link_of_row[is_shown]
        evidence = {"silent_s": arrivals.silent_s, "limit_s": limit_s}
        return state, (Score(on, off, evidence, since_ns=arrivals.since_ns),)


LEVEL = Level(MINOR, readings=1, clear_readings=1, clears_in_every_mode=True)
RULE = Rule.from_catalogue("offline", Silence(), (LEVEL,), table="arrivals")


def link(states: Mapping[str, Memory]) -> NDArray[np.int8]:
    """Return from a judge's states whether each lift is online, suspect, offline or never seen (`streams.ONLINE`, ...).

    Where the rule is not judged no lift is suspect or offline.
    """
    if f"{RULE.slug}/0" not in states:
        return np.where(states["arrivals"]["seen_ns"] == 0, NEVER_SEEN, ONLINE).astype(np.int8)
    return np.where(states[f"{RULE.slug}/0"]["open"], OFFLINE, states[f"{RULE.slug}/detector"]["link"]).astype(np.int8)
