"""The trips once more, as a plain loop over all readings since the car rested, and the rules over trips."""

from __future__ import annotations

from dataclasses import dataclass, field

from detectors.observe import gaps, ride
from detectors.observe.rest import PEAK_INTERVAL_NS, STILL_MPS
from registry.facts import LiftFacts
from telemetry.streams import BATTERY, EMERGENCY_POWER
from tests.detectors.naive_row import NAN, Row, RowScores, seen

NS = 1_000_000_000


@dataclass
class NaiveRide:
    """The speeds and positions since the car last rested; `speed` is the one before them."""

    rested_m: float = NAN
    speed: tuple[int, float] = (gaps.NEVER_NS, NAN)
    speeds: list[tuple[int, float]] = field(default_factory=list)
    places: list[tuple[int, float]] = field(default_factory=list)
    odd: bool = False

    def begin(self, rested_m: float) -> None:
        if self.speeds:
            self.speed = self.speeds[-1]
        self.rested_m, self.speeds, self.places, self.odd = rested_m, [], [], False

    def forget(self) -> None:
        self.speed, self.rested_m, self.places = (gaps.NEVER_NS, NAN), NAN, []
        self.speeds.append((gaps.NEVER_NS, NAN))

    def note(self, t_ns: int, v: float, believed: bool, z: float) -> None:
        self.odd = self.odd or (seen(v) and not believed)
        if believed:
            self.speeds.append((t_ns, v))
        if seen(z):
            self.places.append((t_ns, z))

    def summary(self, still_since_ns: int, way_m: float, distance_m: float, peak: float, is_whole: bool) -> Row:
        return {
            "way_m": way_m if is_whole and self._is_read(still_since_ns) else NAN,
            "back_m": self._back_m(distance_m > 0) if is_whole else NAN,
            "steady_mps": self._steady(peak),
        }

    def _is_read(self, still_since_ns: int) -> bool:
        pairs = list(zip([self.speed, *self.speeds], self.speeds, strict=False))
        whole = all(
            later[0] - before[0] <= PEAK_INTERVAL_NS or (abs(before[1]) < STILL_MPS and abs(later[1]) < STILL_MPS)
            for before, later in pairs
            if later[0] != gaps.NEVER_NS
        )
        last = (self.speeds or [self.speed])[-1]
        return whole and not self.odd and last[0] >= still_since_ns

    def _back_m(self, up: bool) -> float:
        gone = [(t_ns, z - self.rested_m) for t_ns, z in self.places]
        first = next((t_ns for t_ns, m in gone if abs(m) > ride.LEFT_M), None)
        early = [m for t_ns, m in gone if first is not None and first <= t_ns <= first + NS]
        back = max([0.0, *(-m if up else m for m in early)])
        return back if len(early) >= 3 and back <= ride.BACK_MOST_M else NAN

    def _steady(self, peak: float) -> float:
        best, mean, lasted_s, last_ns = 0.0, NAN, 0.0, self.speed[0]
        for t_ns, v in self.speeds:
            dt_s = (t_ns - last_ns) / 1e9
            near = (
                t_ns - last_ns <= PEAK_INTERVAL_NS and abs(abs(v) - mean) <= ride.STEADY_SHARE * mean + ride.STEADY_MPS
            )
            if near:
                lasted_s += dt_s
                mean += (abs(v) - mean) * dt_s / lasted_s
                best = max(best, mean) if lasted_s >= ride.STEADY_S else best
            elif t_ns != gaps.NEVER_NS:
                mean, lasted_s = abs(v), 0.0
            last_ns = t_ns
        return best if best >= ride.STEADY_OF_PEAK * peak else NAN


def is_rescue(trip: Row) -> bool:
    return trip["mode"] == EMERGENCY_POWER or trip["power"] == BATTERY


@dataclass
class LastTrips:
    """Whether each of the last trips was bad, and when each began."""

    of: int
    trips: list[tuple[bool, int]] = field(default_factory=list)
    good: int = 0
    first_ns: int = 0

    def add(self, bad: bool, start_ns: float) -> int:
        if bad and not any(was for was, _ in self.trips[-self.of + 1 :]):
            self.first_ns = int(start_ns)
        self.trips.append((bad, int(start_ns)))
        self.good = 0 if bad else self.good + 1
        return sum(was for was, _ in self.trips[-self.of :])


@dataclass
class Underspeed:
    """Three of the last five long trips were steady below 92 % of the rated speed; over after ten normal ones."""

    facts: LiftFacts
    last: LastTrips = field(default_factory=lambda: LastTrips(5))

    def row(self, trip: Row) -> RowScores:
        rated = self.facts.rated_speed_mps or NAN
        is_long = abs(trip["distance_m"]) > rated * 0.5 / 0.5 + rated**2 / 0.5
        if not is_long or is_rescue(trip) or not seen(trip["steady_mps"]):
            return [(NAN, NAN, self.last.first_ns)]
        slow = self.last.add(trip["steady_mps"] < 0.92 * rated, trip["start_ns"])
        return [(slow / 3, self.last.good >= 10, self.last.first_ns)]


@dataclass
class StartRollback:
    """Three of ten starts went back by 10 mm, or one by 30 mm; over after twenty that did not."""

    facts: LiftFacts
    last: LastTrips = field(default_factory=lambda: LastTrips(10))

    def row(self, trip: Row) -> RowScores:
        back = trip["back_m"]
        if not seen(back):
            return [(NAN, NAN, self.last.first_ns), (NAN, NAN, int(trip["start_ns"]))]
        bad = self.last.add(back > 0.010, trip["start_ns"])
        over = self.last.good >= 20
        return [(bad / 3, over, self.last.first_ns), (back / 0.030, over, int(trip["start_ns"]))]


@dataclass
class PositionLost:
    """Speed and position do not agree over a trip, or it ended beside a landing; twice in a row."""

    facts: LiftFacts

    def row(self, trip: Row) -> RowScores:
        limit = max(0.25, 0.015 * abs(trip["distance_m"]))
        apart, offset = abs(trip["way_m"] - (trip["to_m"] - trip["from_m"])), trip["offset_m"]
        shares = [share for share in (apart / limit, offset / 0.25) if seen(share)]
        if is_rescue(trip) or not seen(apart):
            return [(NAN, NAN, int(trip["start_ns"]))]
        return [(max(shares), not apart > limit and not offset > 0.05, int(trip["start_ns"]))]
