"""The sensors that repeat themselves, once more: as lists of what was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from telemetry.streams import CLOSED
from tests.detectors.naive_row import NAN, Row, seen

LONGEST_NS = 1_050_000_000


@dataclass
class Uses:
    """The state of a sensor, and the uses and trips since it changed."""

    was: float = NAN
    uses: int = 0
    trips: float = 0

    def update(self, state: float, used: int, trips: float) -> bool:
        """Return whether the sensor has not changed for thirty trips and ten uses."""
        self.uses += used
        if seen(state) and state != self.was:
            self.was, self.uses, self.trips = state, 0, trips
        return self.uses >= 10 and trips - self.trips >= 30


@dataclass
class NaiveFrozen:
    """The readings of speed and position since the last break, in the order in which they came."""

    readings: list[tuple[str, int, float]] = field(default_factory=list)
    frozen: dict[str, float] = field(default_factory=dict)
    last_ns: dict[str, int] = field(default_factory=dict)
    presence: Uses = field(default_factory=Uses)
    door: Uses = field(default_factory=Uses)
    curtain: float = NAN
    wild_ns: int | None = None
    place_ns: int = -(10**18)
    jump_ns: list[int] = field(default_factory=list)

    def row(self, row: Row) -> tuple[bool, bool, bool, bool]:
        """Return whether presence, position, speed and door repeat themselves."""
        breaks = row["gap_ns"] == 0
        for name in ("v", "z"):
            if seen(row[name]):
                breaks |= row["t_ns"] - self.last_ns.get(name, -(10**18)) > LONGEST_NS
        if breaks:
            self.readings = []
        for name in ("v", "z"):
            if not seen(row[name]):
                continue
            self.last_ns[name] = int(row["t_ns"])
            self.readings.append((name, int(row["t_ns"]), row[name]))
            if name in self.frozen and self.frozen[name] != row[name]:
                del self.frozen[name]
        for name, is_frozen in (("v", self._speed_is_frozen()), ("z", self._place_is_frozen())):
            if is_frozen:
                self.frozen[name] = next(value for kind, _, value in reversed(self.readings) if kind == name)
        return (*self._uses(row), "z" in self.frozen, "v" in self.frozen)  # type: ignore[return-value]

    def _same(self, name: str) -> list[int]:
        """Return the places of the last readings of one sensor that are the same."""
        places = [k for k, one in enumerate(self.readings) if one[0] == name]
        same = places[-1:]
        for k in reversed(places[:-1]):
            if self.readings[k][2] != self.readings[same[0]][2]:
                break
            same.insert(0, k)
        return same

    def _place_is_frozen(self) -> bool:
        same = self._same("z")
        if len(same) < 5:
            return False
        speeds = [(k, t, v) for k, (name, t, v) in enumerate(self.readings) if name == "v"]
        way_m = 0.0
        for (_, t0, v0), (k, t1, v1) in pairwise(speeds):
            if k > same[0] and abs(v0 + v1) / 2 >= 0.05:
                way_m += (v0 + v1) / 2 * (t1 - t0) / 1e9
        return abs(way_m) > 0.5

    def _speed_is_frozen(self) -> bool:
        same = self._same("v")
        places = [(k, z) for k, (name, _, z) in enumerate(self.readings) if name == "z"]
        if len(same) < 5 or not places:
            return False
        before = [z for k, z in places if k < same[0]]
        if before:
            begin, begins_at = before[-1], same[0]
        else:
            begins_at, begin = places[0]
        steps = sum(k1 > same[0] and abs(z1 - z0) >= 0.02 for (_, z0), (k1, z1) in pairwise(places))
        times = [self.readings[k][1] for k in same]
        counted = [(t1 - t0) / 1e9 for (t0, t1), k in zip(pairwise(times), same[1:], strict=True) if k > begins_at]
        v = self.readings[same[0]][2]
        rounded_m = 0.06 * sum(counted) if abs(v) >= 0.05 else 0.0
        return steps >= 3 and abs(places[-1][1] - begin - v * sum(counted)) > 0.5 + rounded_m

    def jumps(self, row: Row) -> bool:
        """Return whether five positions of the last ten minutes jumped and returned, each between two that follow."""
        t_ns = int(row["t_ns"])
        if row["set_aside"]:
            self.wild_ns = t_ns if t_ns - self.place_ns <= LONGEST_NS else None
        elif seen(row["z"]):
            if self.wild_ns and t_ns - self.wild_ns <= LONGEST_NS and not row["z_doubt"]:
                self.jump_ns.append(self.wild_ns)
            self.wild_ns, self.place_ns = None, t_ns
        return len(self.jump_ns) >= 5 and t_ns - self.jump_ns[-5] <= 600_000_000_000

    def _uses(self, row: Row) -> tuple[bool, bool]:
        interrupted = row["curtain"] == 1 and self.curtain != 1
        self.curtain = row["curtain"] if seen(row["curtain"]) else self.curtain
        changed = seen(row["presence"]) and row["presence"] != self.presence.was
        dead = self.presence.update(row["presence"], interrupted, row["trips"]) and self.presence.was == 0
        shut = self.door.update(row["door"], interrupted + changed, row["trips"]) and self.door.was == CLOSED
        return dead, shut
