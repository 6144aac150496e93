"""The rules of the car that stands, once more: outside its zone, with somebody in it, and the alarm button."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.facts import LiftFacts
from telemetry.streams import CLOSED, OPEN
from tests.detectors.naive_row import NAN, SPECIAL, Clock, Row, RowScores, at_rest, read, seen


@dataclass
class StopOutsideZone:
    """Stands outside the door zone for 15 s."""

    facts: LiftFacts
    clock: Clock = field(default_factory=Clock)

    def row(self, row: Row) -> RowScores:
        offset = abs(row["offset_m"])
        holds = None
        known = seen(offset) and not row["z_doubt"]
        if read(row) and seen(row["still_s"]) and known and not row["stale"]:
            holds = at_rest(row) and offset > self.facts.door_zone_m and row["mode"] not in SPECIAL
        served_s = self.clock.tick(row, holds)
        back = offset <= self.facts.door_zone_m if seen(row["z"]) and known else NAN
        return [(served_s / 15.0, back, self.clock.since_ns)]


@dataclass
class AlarmButton:
    """A press, from when the car is not known to stand in its zone with the door open."""

    facts: LiftFacts
    called: bool = False

    def row(self, row: Row) -> RowScores:
        can_leave = row["door"] == OPEN and abs(row["offset_m"]) <= self.facts.door_zone_m
        calls = row["alarm"] == 1 and not can_leave and not self.called
        self.called = row["alarm"] == 1 and (self.called or calls or bool(row["stale"]))
        return [(calls, not calls, 0) if seen(row["alarm"]) else (NAN, NAN, 0)]


@dataclass
class Entrapment:
    """A person in a standing car with its door closed, off level for 30 s or at a landing for 90 s.

    One who is not seen for less than 30 s stops the clock. Over with a door open in the zone, or a trip, and nobody
    seen shut in since. At a landing it is critical with a person who was seen to board, or who presses the button.
    """

    facts: LiftFacts
    off_level: bool
    since_ns: int = 0
    last_ns: int = 0
    served_ns: int = 0
    unseen_ns: int = 0
    was_seen: bool = False
    let_out: bool = False
    trips: float = 0
    was: float = NAN
    passed: bool = False
    stays: bool = False
    sealed: bool = False
    called: bool = False
    places: list[tuple[float, float]] = field(default_factory=list)
    """Instant and position of each reading within 20 mm of the first of them."""

    def stays_there(self, row: Row) -> bool:
        z = NAN if row["z_doubt"] else row["z"]
        if seen(z):
            late = bool(self.places) and row["t_ns"] - self.places[-1][0] > row["gap_ns"]
            if not self.places or late or abs(z - self.places[0][1]) > 0.02:
                self.places = []
            self.places.append((row["t_ns"], z))
        if not self.places or row["t_ns"] - self.places[-1][0] > row["gap_ns"]:
            return False
        return self.places[-1][0] - self.places[0][0] >= 10_000_000_000

    def shut_in(self, row: Row) -> bool | None:
        offset, zone = abs(row["offset_m"]), self.facts.door_zone_m
        stands = self.stays_there(row) or at_rest(row)
        if row["stale"]:
            return None
        if row["mode"] in SPECIAL or (seen(row["door"]) and row["door"] != CLOSED):
            return False
        if read(row) and seen(row["still_s"]) and not stands:
            return False
        if read(row) and seen(offset) and (offset > zone) != self.off_level:
            return False
        if not read(row) or not seen(row["still_s"]) or not seen(offset) or not seen(row["door"]):
            return None
        return True

    def row(self, row: Row) -> RowScores:
        t_ns, shut = int(row["t_ns"]), self.shut_in(row)
        person = row["presence"]
        on = NAN
        is_seen = shut is True and person == 1
        if shut is False or (shut and seen(person)):
            on = self._tick(row, t_ns, bool(shut), is_seen)
        way_out = read(row) and row["door"] == OPEN and abs(row["offset_m"]) <= self.facts.door_zone_m
        self.let_out = not is_seen and (self.let_out or way_out)
        if on >= 1:
            self.trips = row["trips"]
        over = self.let_out or row["trips"] > self.trips
        off = over if read(row) else NAN
        self._board(row)
        self.called = bool(self.since_ns) and (self.called or row["alarm"] == 1)
        if self.off_level:
            return [(on, off, self.since_ns)]
        sure = self.stays or self.called
        return [(on * (not sure), off, self.since_ns), (on * sure, off, self.since_ns)]

    def _board(self, row: Row) -> None:
        shut, person = row["door"] == CLOSED, row["presence"]
        way = row["curtain"] == 1 or (not seen(row["curtain"]) and not shut)
        self.passed |= way
        if person == 0:
            self.stays, self.passed = False, self.passed and not shut
        if person == 1 and self.was == 0:
            self.stays, self.sealed = self.passed, False
        if shut:
            self.sealed = True
        elif self.sealed and way and seen(row["door"]):
            self.stays = False
        self.was = person if seen(person) else self.was

    def _tick(self, row: Row, t_ns: int, shut: bool, is_seen: bool) -> float:
        if self.since_ns and t_ns - self.last_ns <= row["gap_ns"]:
            if self.was_seen:
                self.served_ns += t_ns - self.last_ns
            else:
                self.unseen_ns += t_ns - self.last_ns
        if is_seen:
            self.unseen_ns = 0
            self.since_ns = self.since_ns or t_ns
        self.was_seen, self.last_ns = is_seen, t_ns
        if not shut or (not is_seen and (not self.since_ns or self.unseen_ns >= 30_000_000_000)):
            self.since_ns = self.served_ns = self.unseen_ns = 0
            return 0.0
        return self.served_ns / 1e9 / (30.0 if self.off_level else 90.0) if is_seen else NAN
