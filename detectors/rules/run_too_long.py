"""F23 run too long: a trip takes longer than its distance needs, or a running car passes no landing.

    position   ___/‾‾‾‾‾‾‾‾‾\\___       trend: longer than 1.3 times the time of its distance, and 3 s
                 |---------|
    landing    __/________________      major: 60 s without the next landing, and longer than an express zone takes

The time of a distance is that of a gentle drive at rated speed. A car that stops on its way, be it for a moment, made
two runs, and no time is known of either, nor where readings are more than a second apart. A car that does not move at
all is F22's. Rescue runs in emergency-power mode or on battery are not judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.observe.gaps import NEVER_NS
from detectors.observe.rest import PEAK_INTERVAL_NS, STILL_MPS, STILL_S, TRIP_MIN_M
from detectors.observe.row_table import RowTable
from detectors.rule import MAJOR, TREND, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import F64, Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import BATTERY, CLOSED, EMERGENCY_POWER

MEMORY = np.dtype(
    [
        ("trips", np.int64),  # the completed trips at the last row
        ("left_ns", np.int64),  # the last row of a rest, and the position there
        ("from_m", np.float64),
        ("stopped", np.bool_),  # whether the car has stopped since, and whether it has set off again after that
        ("paused", np.bool_),
        ("read_ns", np.int64),  # the last reading, and the longest interval between two since the rest
        ("interval_ns", np.int64),
        ("landing", np.int64),  # the landing that was nearest at last, since when, and the position then
        ("landing_ns", np.int64),
        ("landing_m", np.float64),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class RunTooLong:
    """Scores the time of a trip as a share of its limit, and the time since a running car passed a landing.

    `gentle_mps2`, `gentle_mps3`: acceleration and jerk of a slow drive. `moved_m`: a car that has come no further than
    this by its position is not known to run.
    """

    share: float = 1.3
    more_s: float = 3.0
    landing_s: float = 60.0
    landing_more_s: float = 10.0
    gentle_mps2: float = 0.5
    gentle_mps3: float = 0.5
    moved_m: float = 0.2

    def start(self, n: int) -> Memory:
        """Return `n` cars that have neither rested nor passed a landing."""
        never = dict.fromkeys(("left_ns", "read_ns", "landing_ns"), NEVER_NS)
        return records(n, MEMORY, **never)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score the row that ends a trip, and each row of a running car."""
        state, n = copied(state), len(rows)
        trip, passed, run_s, limit_s = np.full((4, n), np.nan)
        since_ns, landing_ns = np.empty((2, n), np.int64)
        rescue = (rows.mode == EMERGENCY_POWER) | (rows.power == BATTERY)
        unknown = np.isnan(rows.z_last) | rows.z_doubt | rows.stale | rescue
        reads = ~(np.isnan(rows.v) & np.isnan(rows.z))  # a single odd reading leaves it open whether the car rests
        waits = (rows.door != CLOSED) & ~np.isnan(rows.door) & (np.abs(rows.v_last) < STILL_MPS)
        gentle = (self.share, self.more_s, self.gentle_mps2, self.gentle_mps3)
        landing_s = self._landing_s(facts)
        _run(
            state, rows.lift, rows.t_ns, rows.gap_ns, reads, unknown, waits, rows.still_s, rows.still_since_ns,
            rows.z_last, rows.landing, rows.trips, facts.rated_speed_mps, landing_s, gentle, self.moved_m, trip,
            limit_s, passed, run_s, since_ns, landing_ns,
        )  # fmt: skip
        whole, part = {"run_s": run_s, "limit_s": limit_s}, {"run_s": run_s, "limit_s": landing_s[rows.lift]}
        rests = np.where(unknown | ~reads | np.isnan(rows.still_s), np.nan, rows.still_s >= STILL_S)
        in_time = np.where(np.isnan(trip), np.nan, trip < 1.0)
        return state, (Score(trip, in_time, whole, since_ns), Score(passed, rests, part, landing_ns))

    def _landing_s(self, facts: FleetFacts) -> F64:
        """Return how long the longest way between two landings of each lift may take, NaN unknown."""
        pitches_m = np.diff(facts.landings_m, axis=1, append=np.nan)
        way_m = np.fmax.reduce(pitches_m, axis=1)
        way_s: F64 = way_m / facts.rated_speed_mps * self.share + self.landing_more_s
        return np.maximum(way_s, self.landing_s)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any, reads: Any, unknown: Any, waits: Any, still_s: Any,
    still_since_ns: Any, z_last: Any, landing: Any, trips: Any, rated_mps: Any, landing_s: Any,
    gentle: tuple[float, float, float, float], moved_m: float, trip: Any, limit_s: Any,
    passed: Any, run_s: Any, since_ns: Any, landing_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        since_ns[k] = own["left_ns"]
        if reads[k]:
            if t_ns[k] - own["read_ns"] > gap_ns[k]:
                own["landing_ns"] = NEVER_NS
            own["interval_ns"] = max(own["interval_ns"], t_ns[k] - own["read_ns"])
            own["read_ns"] = t_ns[k]
        finished = trips[k] > own["trips"]
        own["trips"] = trips[k]
        if unknown[k]:
            own["left_ns"] = own["landing_ns"] = NEVER_NS
        elif reads[k] and still_s[k] >= STILL_S:
            if finished and not own["paused"] and own["left_ns"] != NEVER_NS and own["interval_ns"] <= PEAK_INTERVAL_NS:
                run_s[k] = (still_since_ns[k] - own["left_ns"] - 2 * own["interval_ns"]) / 1e9
                limit_s[k] = _limit_s(abs(z_last[k] - own["from_m"]), rated_mps[lift[k]], gentle)
                trip[k] = run_s[k] / limit_s[k]
            _leave(own, t_ns[k])
            own["from_m"] = z_last[k]
        elif reads[k] and waits[k] and abs(z_last[k] - own["from_m"]) < TRIP_MIN_M:
            _leave(own, t_ns[k])  # people who step in move the car on its ropes
        elif reads[k] and not np.isnan(still_s[k]):
            own["paused"] = own["paused"] or (own["stopped"] and still_s[k] == 0.0)
            own["stopped"] = own["stopped"] or still_s[k] > 0.0
        if not unknown[k] and reads[k] and not np.isnan(still_s[k]):
            rests = still_s[k] >= STILL_S or waits[k]
            if rests or landing[k] != own["landing"] or own["landing_ns"] == NEVER_NS:
                own["landing"], own["landing_ns"], own["landing_m"] = landing[k], t_ns[k], z_last[k]
            moves = not rests and abs(z_last[k] - own["landing_m"]) >= moved_m
            if moves:
                run_s[k] = (t_ns[k] - own["landing_ns"]) / 1e9
            passed[k] = run_s[k] / landing_s[lift[k]] if moves else 0.0
        landing_ns[k] = max(own["landing_ns"], 0)
        since_ns[k] = max(since_ns[k], 0)


@compiled
def _leave(own: Any, t_ns: int) -> None:
    """Note a row at which the car has not left yet."""
    own["left_ns"], own["interval_ns"], own["stopped"], own["paused"] = t_ns, 0, False, False


@compiled
def _limit_s(way_m: float, rated_mps: float, gentle: tuple[float, float, float, float]) -> float:
    """Return how long a trip of this way may take: the time of a gentle drive, with its share and more.

    R. Peters, "Ideal Lift Kinematics": with the rated speed reached, without, and with neither speed nor acceleration.
    """
    share, more_s, a, j = gentle
    if way_m >= (a * a * rated_mps + rated_mps * rated_mps * j) / (j * a):
        time_s = way_m / rated_mps + rated_mps / a + a / j
    elif way_m >= 2 * a**3 / j**2:
        time_s = a / j + np.sqrt((a / j) ** 2 + 4 * way_m / a)
    else:
        time_s = (32 * way_m / j) ** (1 / 3)
    return float(share * time_s + more_s)


LEVELS = (Level(TREND, readings=1, clear_readings=1), Level(MAJOR))
NEEDS = ("floors", "position_source", "rated_speed_mps")
RULE = Rule.from_catalogue("run-too-long", RunTooLong(), LEVELS, needs=NEEDS)
