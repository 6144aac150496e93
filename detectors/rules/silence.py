"""F41 offline: silence, counted from arrival on the monitor's clock and not from the lift's.

    heard ──3 heartbeats──▶ suspect (a state) ──max(6 min, 3 heartbeats)──▶ offline (F41)
      ▲                                                                        │ any message
      └── last will ──60 s──▶ offline          a lift never heard is never-seen, not offline

After a restart and while a backlog drains the count starts anew. `now_ns` is an argument; nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.observe.rows import RowTable
from detectors.rule import MINOR, NO_MEMORY, Finding, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.streams import HEARD, HEARTBEAT_DEFAULT_S, NEVER_SEEN, OFFLINE, SUSPECT

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ByArrival:
    """The detector of a rule that no reading can score: `Silence` judges it."""

    suspect_heartbeats: float = 3.0
    offline_s: float = 360.0
    will_s: float = 60.0

    def start(self, n: int) -> Memory:
        """Return `n` records of no memory."""
        return np.zeros(n, NO_MEMORY)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Readings say nothing of silence."""
        unknown = np.full(len(rows), np.nan)
        return state, (Score(unknown, unknown),)


RULE = Rule.from_catalogue("offline", ByArrival(), (Level(MINOR),))


class Silence:
    """When each lift was last heard, and which are offline. Columns over the fleet, 0 is never."""

    def __init__(self, limits: ByArrival | None = None) -> None:
        self.limits = limits or ByArrival()
        self.last_seen_ns: I64 = np.zeros(0, dtype=np.int64)
        self._counted_from_ns: I64 = np.zeros(0, dtype=np.int64)
        self._will_ns: I64 = np.zeros(0, dtype=np.int64)
        self._heartbeat_s: F64 = np.zeros(0)
        self._silent_from_ns: I64 = np.zeros(0, dtype=np.int64)
        self._offline: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self._now_ns = 0

    def grow(self, n: int) -> None:
        """Make room for `n` lifts; the new ones were never heard."""
        more = n - len(self.last_seen_ns)
        if more <= 0:
            return
        zeros = np.zeros(more, dtype=np.int64)
        self.last_seen_ns = np.r_[self.last_seen_ns, zeros]
        self._counted_from_ns = np.r_[self._counted_from_ns, zeros]
        self._will_ns = np.r_[self._will_ns, zeros]
        self._silent_from_ns = np.r_[self._silent_from_ns, zeros]
        self._heartbeat_s = np.r_[self._heartbeat_s, np.full(more, HEARTBEAT_DEFAULT_S)]
        self._offline = np.r_[self._offline, np.zeros(more, dtype=np.bool_)]

    def hear(self, lift: NDArray[np.int32], arrived_ns: I64, online: F64, heartbeat_s: F64) -> None:
        """Take in messages: whose, when they arrived, and what they said of being online and of their heartbeat.

        `online` 0 is a last will, which is not a sign of life; NaN is unchanged.
        """
        will = online == 0.0
        np.maximum.at(self._will_ns, lift[will], arrived_ns[will])
        np.maximum.at(self.last_seen_ns, lift[~will], arrived_ns[~will])
        told = heartbeat_s > 0
        self._heartbeat_s[lift[told]] = heartbeat_s[told]

    def step(self, now_ns: int, *, draining: bool = False, excused: NDArray[np.bool_] | None = None) -> list[Finding]:
        """Return who fell silent for too long and who was heard again; those who are `excused` may be silent."""
        self._now_ns = now_ns
        if draining:
            self.restart(now_ns)
        back = self._offline & (self.last_seen_ns > self._silent_from_ns)
        limit_s = np.maximum(self.limits.offline_s, self.limits.suspect_heartbeats * self._heartbeat_s)
        willed = self._will_ns > self.last_seen_ns
        since_ns = np.where(willed, self._will_ns, self.last_seen_ns)
        limit_s = np.where(willed, self.limits.will_s, limit_s)
        counted_s = (now_ns - np.maximum(since_ns, self._counted_from_ns)) / 1e9
        gone = ~self._offline & (since_ns > 0) & (counted_s >= limit_s)
        if excused is not None:
            gone &= ~excused
        self._silent_from_ns = np.where(gone, since_ns, self._silent_from_ns)
        self._offline = (self._offline & ~back) | gone
        found = [self._finding(i, "off", now_ns, 0.0) for i in np.flatnonzero(back).tolist()]
        found += [self._finding(i, "on", int(since_ns[i]), float(limit_s[i])) for i in np.flatnonzero(gone).tolist()]
        return found

    def link(self) -> NDArray[np.int8]:
        """Return for each lift whether it is heard, suspect, offline or was never seen (`telemetry.streams.LINKS`)."""
        quiet_s = (self._now_ns - np.maximum(self.last_seen_ns, self._counted_from_ns)) / 1e9
        suspect = quiet_s >= self.limits.suspect_heartbeats * self._heartbeat_s
        suspect |= self._will_ns > self.last_seen_ns
        link = np.where(suspect, SUSPECT, HEARD)
        link = np.where((self.last_seen_ns == 0) & (self._will_ns == 0), NEVER_SEEN, link)
        return np.where(self._offline, OFFLINE, link).astype(np.int8)

    def restart(self, now_ns: int) -> None:
        """Count anew from now: the monitor was away, or its clock set, and it does not know who was silent."""
        self._counted_from_ns[:] = now_ns
        np.minimum(self.last_seen_ns, now_ns, out=self.last_seen_ns)
        np.minimum(self._will_ns, now_ns, out=self._will_ns)
        self._now_ns = now_ns

    def forget(self, lifts: NDArray[np.bool_]) -> None:
        """Know no more of these lifts than of those that were never heard."""
        self.last_seen_ns[lifts] = self._will_ns[lifts] = 0
        self._heartbeat_s[lifts] = HEARTBEAT_DEFAULT_S
        self._offline[lifts] = False

    def reopen(self, lift: int) -> None:
        """Take over that this lift has an open alert, so that its next message clears it."""
        self._silent_from_ns[lift] = max(self.last_seen_ns[lift], self._will_ns[lift])
        self._offline[lift] = True

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Return what outlives a restart."""
        return {"last_seen_ns": self.last_seen_ns, "will_ns": self._will_ns, "heartbeat_s": self._heartbeat_s}

    def restore(self, snapshot: Mapping[str, NDArray[np.generic]]) -> None:
        """Take over a snapshot of as many lifts or fewer."""
        n = len(snapshot["last_seen_ns"])
        self.last_seen_ns[:n] = snapshot["last_seen_ns"]
        self._will_ns[:n] = snapshot["will_ns"]
        self._heartbeat_s[:n] = snapshot["heartbeat_s"]

    def _finding(self, lift: int, kind: str, onset_ns: int, limit_s: float) -> Finding:
        evidence = {"silent_s": (self._now_ns - onset_ns) / 1e9, "limit_s": limit_s} if kind == "on" else {}
        if kind == "off":
            onset_ns = int(self.last_seen_ns[lift])
        return Finding(lift, "offline", kind, MINOR, onset_ns, self._now_ns, False, evidence)
