"""The rules of conditions that last, once more: a blocked curtain, lost mains, empty runs, a faulty sensor."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from registry.facts import LiftFacts
from telemetry.streams import BATTERY, CLOSED, OPEN
from tests.detectors.naive_frozen import NaiveFrozen
from tests.detectors.naive_row import NAN, Clock, Row, RowScores, seen


@dataclass
class CurtainBlocked:
    """Blocked for 60 s at a closed door, or at the open door of an empty car."""

    facts: LiftFacts
    clock: Clock = field(default_factory=Clock)

    def row(self, row: Row) -> RowScores:
        door, curtain, person = row["door"], row["curtain"], row["presence"]
        blocked: bool | None = curtain == 1 and (door == CLOSED or (door == OPEN and person == 0))
        if not seen(curtain) or not seen(door) or row["stale"] or (door == OPEN and not seen(person)):
            blocked = None
        served_s = self.clock.tick(row, blocked)
        return [(served_s / 60.0, curtain == 0 if seen(curtain) else NAN, self.clock.since_ns)]


@dataclass
class PowerLoss:
    """On battery for 2 s, and then on mains for a minute, by the readings or between two reports."""

    facts: LiftFacts
    power: float = NAN
    since_ns: int = 0
    rows: list[tuple[int, bool]] = field(default_factory=list)
    reports: list[int] = field(default_factory=list)

    def row(self, row: Row) -> RowScores:
        after_ns = row["status_after_ns"]
        own_ns = row["t_ns"] + (int(after_ns) if seen(after_ns) else 0)
        if row["power"] != self.power:
            self.power, self.rows, self.reports, self.since_ns = row["power"], [], [], own_ns
        if not seen(self.power):
            return [(NAN, NAN, 0)]
        if row["missing"]:
            self.reports = []
        self.rows.append((row["t_ns"], row["missing"]))
        if seen(after_ns):
            self.reports.append(own_ns)
        lasted_ns = sum(then - before for (before, _), (then, missing) in pairwise(self.rows) if not missing)
        if self.reports:
            lasted_ns = max(lasted_ns, self.reports[-1] - self.reports[0])
        is_lost = self.power == BATTERY
        on, off = is_lost and lasted_ns >= 2_000_000_000, not is_lost and lasted_ns >= 60_000_000_000
        return [(on, off, self.since_ns)]


@dataclass
class EmptyRunning:
    """No rest of 30 s and nobody inside for 15 min, by a sensor that has changed within 50 trips before."""

    facts: LiftFacts
    clock: Clock = field(default_factory=Clock)
    person: float = NAN
    toggled_trips: float | None = None
    begun_trips: float = 0

    def row(self, row: Row) -> RowScores:
        person, still_s = row["presence"], row["still_s"]
        if seen(person):
            if seen(self.person) and person != self.person:
                self.toggled_trips = row["trips"]
            self.person = person
        over = still_s >= 30.0 or person == 1
        if not self.clock.since_ns:
            self.begun_trips = row["trips"]
        works = self.toggled_trips is not None and self.begun_trips - self.toggled_trips <= 50
        runs: bool | None = self.clock.since_ns > 0 or still_s == 0
        if over:
            runs = False
        elif row["stale"] or not seen(still_s) or not seen(person) or not works:
            runs = None
        served_s = self.clock.tick(row, runs)
        off = NAN if not seen(still_s) and person != 1 else over
        return [(served_s / 900.0, off, self.clock.since_ns)]


@dataclass
class SensorFault:
    """A person who cannot have come in, or a sensor that repeats itself in use."""

    facts: LiftFacts
    since_ns: int = 0
    frozen: NaiveFrozen = field(default_factory=NaiveFrozen)

    def row(self, row: Row) -> RowScores:
        person = bool(row["unentered"])
        faulty = any([*self.frozen.row(row), self.frozen.jumps(row), person])
        self.since_ns = (self.since_ns or int(row["t_ns"])) if faulty else 0
        if not seen(row["v"]) and not seen(row["z"]) and not person:
            return [(NAN, NAN, self.since_ns)]
        return [(faulty, not faulty, self.since_ns)]
