"""The rules of conditions that last, once more: a blocked curtain, lost mains, empty runs, a faulty sensor."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.facts import LiftFacts
from telemetry.streams import BATTERY, CLOSED, OPEN
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
    """On battery."""

    facts: LiftFacts

    def row(self, row: Row) -> RowScores:
        if not seen(row["power"]):
            return [(NAN, NAN, 0)]
        return [(row["power"] == BATTERY, row["power"] != BATTERY, 0)]


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
    """A speed that repeats itself against the positions, a position that does against the speeds, or a person who
    cannot have come in."""

    facts: LiftFacts
    speeds: list[Row] = field(default_factory=list)
    places: list[Row] = field(default_factory=list)
    way_m: float = 0.0
    last_ns: float = NAN
    speed_bad: bool = False
    place_bad: bool = False
    person_ns: int = 0

    def row(self, row: Row) -> RowScores:
        if seen(row["v"]):
            self._speed(row)
        if seen(row["z"]):
            self._place(row)
        person = bool(row["unentered"])
        self.person_ns = (self.person_ns or int(row["t_ns"])) if person else 0
        since_ns = self.person_ns
        if self.place_bad:
            since_ns = int(self.places[0]["t_ns"])
        if self.speed_bad:
            since_ns = int(self.speeds[0]["t_ns"])
        bad = self.speed_bad or self.place_bad or person
        if not seen(row["v"]) and not seen(row["z"]) and not person:
            return [(NAN, NAN, since_ns)]
        return [(bad, not bad, since_ns)]

    def _speed(self, row: Row) -> None:
        near = row["t_ns"] - self.last_ns <= row["gap_ns"]
        if near:
            self.way_m += row["v"] * (row["t_ns"] - self.last_ns) / 1e9
        first = self.speeds[0] if self.speeds else row
        if not near or not self.speeds or row["v"] != first["v"] or not seen(first["z_last"]):
            self.speeds, self.speed_bad = [], False
        self.speeds.append(row)
        self.last_ns = row["t_ns"]
        way_m = row["v"] * (row["t_ns"] - self.speeds[0]["t_ns"]) / 1e9
        apart_m = abs(row["z_last"] - self.speeds[0]["z_last"] - way_m)
        if len(self.speeds) > 5 and apart_m > 0.5 + 0.05 * abs(way_m):
            self.speed_bad = True

    def _place(self, row: Row) -> None:
        if not self.places or row["z"] != self.places[0]["z"]:
            self.places, self.way_m, self.place_bad = [], 0.0, False
        self.places.append(row)
        if len(self.places) > 5 and abs(self.way_m) > 0.5:
            self.place_bad = True
