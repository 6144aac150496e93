"""F38 stalled: the lift makes no trip although it is wanted, or for longer than it ever rests.

    trips    | | ||  |  |                        |
    person                ^  ^                       the door opened, or somebody came, and no trip followed
    idle                 |------- 15 min ------|     in a busy hour: found
                         |------- longer than 999 of 1 000 of its own pauses, and 20 % more: found

No stream carries the calls of landings: that a lift is wanted is inferred from people at it, and from its own habits. A
busy hour has a tenth of the trips of its day of the week or more, seen on two such days. Pauses that begin in a busy
hour are compared with each other, and so are all others. A gap in the data may hide a trip: the time begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from detectors.observe.gaps import NEVER_NS
from detectors.observe.row_table import RowTable
from detectors.rule import MINOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import CLOSED

HOUR_NS, DAYS, HOURS = 3_600_000_000_000, 7, 24
BINS, BINS_AN_OCTAVE, SHORTEST_S = 72, 4, 8.0
"""Pauses are counted in logarithmic bins, from `SHORTEST_S` over eighteen octaves: 24 days."""
MOST_PAUSES, MOST_DAYS = 60_000, 16
"""Counts are halved there: habits change."""
MEMORY = np.dtype(
    [
        ("pauses", np.uint16, (2, BINS)),  # that began in other hours, and in busy ones
        ("hours", np.uint16, (DAYS, HOURS)),  # the trips of each hour of the week, UTC
        ("days", np.int64, (DAYS,)),  # on how many days of the week trips were seen, and the last such day
        ("day", np.int64, (DAYS,)),
        ("t_ns", np.int64),
        ("trips", np.int64),
        ("stop_ns", np.int64),  # when the pause began, for how long it lasts, in which kind of hour it began
        ("idle_ns", np.int64),
        ("busy", np.int64),
        ("whole", np.bool_),  # whether a trip is known to have ended there
        ("limit_s", np.float64),  # of the pause by the lift's own habits, NaN before enough are known
        ("wanted", np.int64),  # how often somebody came in the pause
        ("used", np.bool_),
    ],
    align=True,
)


class Pauses(NamedTuple):
    """The thresholds of a pause that is too long: `idle_s` at least, in every case.

    `gap_s`: a longer gap may hide a trip. `after_s`: until then after a stop people leave the car.
    """

    idle_s: float = 900.0
    gap_s: float = 10.0
    after_s: float = 60.0
    busy_share: float = 0.1
    busy_days: int = 2
    fewest: int = 1_000
    share: float = 0.999
    margin: float = 1.2


@dataclass(frozen=True, slots=True)
class Stalled:
    """Scores the pause since the last trip as a share of its limit."""

    limits: Pauses = field(default_factory=Pauses)

    def start(self, n: int) -> Memory:
        """Return `n` lifts of which no trip is known."""
        return records(n, MEMORY, t_ns=NEVER_NS, day=-1, limit_s=np.nan)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed or a position of a resting car."""
        state, since_ns = copied(state), np.zeros(len(rows), dtype=np.int64)
        on, off, idle_min, limit_min, wanted = np.full((5, len(rows)), np.nan)
        _run(
            state, rows.lift, rows.t_ns, rows.gap_ns, rows.still_s, rows.trips, rows.still_since_ns, rows.presence,
            rows.curtain, rows.door, rows.v, rows.z, self.limits, on, off, since_ns, idle_min, limit_min, wanted,
        )  # fmt: skip
        return state, (Score(on, off, {"idle_min": idle_min, "limit_min": limit_min, "visits": wanted}, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any, still_s: Any, trips: Any, stop_ns: Any, presence: Any,
    curtain: Any, door: Any, v: Any, z: Any, limits: Any, on: Any, off: Any, since_ns: Any, idle_min: Any,
    limit_min: Any, wanted: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        if np.isnan(still_s[k]):
            continue
        passed_ns = t_ns[k] - own["t_ns"]
        if own["t_ns"] == NEVER_NS or passed_ns > max(gap_ns[k], int(limits.gap_s * 1e9)):
            own["idle_ns"], own["stop_ns"], own["whole"], own["wanted"] = 0, t_ns[k], False, 0
            own["busy"] = int(_is_busy(own, t_ns[k], limits))
        else:
            own["idle_ns"] += passed_ns
        own["t_ns"] = t_ns[k]
        if trips[k] != own["trips"]:
            if own["whole"]:
                _learn(own, own["idle_ns"] / 1e9)
            _begin(own, t_ns[k], stop_ns[k], limits)
            own["trips"] = trips[k]
        uses = presence[k] == 1.0 or curtain[k] == 1.0 or (door[k] != CLOSED and not np.isnan(door[k]))
        idle_s = own["idle_ns"] / 1e9
        if uses and not own["used"] and idle_s > limits.after_s:
            own["wanted"] += 1
        own["used"] = uses
        limit_s = max(own["limit_s"], limits.idle_s)  # NaN where no habit is known
        if own["wanted"] > 0 and idle_s >= limits.idle_s and door[k] == CLOSED and _is_busy(own, t_ns[k], limits):
            limit_s = limits.idle_s
        since_ns[k] = own["stop_ns"]
        if still_s[k] == 0.0 or (np.isnan(v[k]) and np.isnan(z[k])):
            continue  # the car moves, or nothing is read: only a finished trip ends the pause
        on[k] = 0.0 if np.isnan(limit_s) else idle_s / limit_s
        off[k] = 1.0 if own["whole"] and on[k] < 1.0 else (0.0 if on[k] >= 1.0 else np.nan)
        idle_min[k], limit_min[k], wanted[k] = idle_s / 60.0, limit_s / 60.0, own["wanted"]


@compiled
def _begin(own: Any, t_ns: int, stop_ns: int, limits: Any) -> None:
    """Begin a pause at the end of a trip, and count the trip for its hour."""
    own["stop_ns"], own["idle_ns"], own["whole"], own["wanted"] = stop_ns, t_ns - stop_ns, True, 0
    own["busy"] = int(_is_busy(own, stop_ns, limits))
    day, hour = stop_ns // (HOURS * HOUR_NS), stop_ns // HOUR_NS % HOURS
    own["hours"][day % DAYS, hour] += 1
    if own["day"][day % DAYS] != day:
        own["day"][day % DAYS] = day
        own["days"][day % DAYS] += 1
        if own["days"][day % DAYS] >= MOST_DAYS:
            own["days"][day % DAYS] //= 2
            for each in range(HOURS):
                own["hours"][day % DAYS, each] //= 2
    own["limit_s"] = _habit_s(own["pauses"][own["busy"]], limits)


@compiled
def _is_busy(own: Any, t_ns: int, limits: Any) -> bool:
    day, hour = t_ns // (HOURS * HOUR_NS) % DAYS, t_ns // HOUR_NS % HOURS
    if own["days"][day] < limits.busy_days:
        return False
    total = 0
    for each in range(HOURS):
        total += own["hours"][day, each]
    return bool(own["hours"][day, hour] >= limits.busy_share * total)


@compiled
def _learn(own: Any, pause_s: float) -> None:
    """Count a pause that ended with a trip."""
    place = int(BINS_AN_OCTAVE * np.log2(max(pause_s, SHORTEST_S) / SHORTEST_S))
    counts = own["pauses"][own["busy"]]
    counts[min(place, BINS - 1)] += 1
    if counts[min(place, BINS - 1)] >= MOST_PAUSES:
        for each in range(BINS):
            counts[each] //= 2


@compiled
def _habit_s(counts: Any, limits: Any) -> float:
    """Return the limit by the pauses that are counted, NaN where they are too few."""
    total = 0
    for each in range(BINS):
        total += counts[each]
    if total < limits.fewest:
        return np.nan
    so_far = 0
    for each in range(BINS):
        so_far += counts[each]
        if so_far >= limits.share * total:
            return float(limits.margin * SHORTEST_S * 2.0 ** ((each + 1) / BINS_AN_OCTAVE))
    return np.nan


RULE = Rule.from_catalogue("stalled", Stalled(), (Level(MINOR, clear_readings=1),))
