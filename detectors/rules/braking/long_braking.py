"""F28 long braking distance: the machine brake stops the car more softly than it used to.

    stops    1.9 1.8 2.0 1.8 1.9 1.9 1.8 2.0   the usual: the median of the last eight braked stops
             1.3 1.2                           less than 0.7 of the usual on two of three stops: found
    trend    1.9 1.8 1.7 1.7 1.6 1.6 1.5 1.5   a straight line falls by 15 % over eight stops (p < 0.01): found

A braked stop is even from more than 0.8 m/s to rest, and harder than any drive brakes or ends outside the door zone.
Its mean deceleration follows from speed and distance, v²/2s. That the machine brake made it is inferred: a drive that
trips and brakes by itself looks the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from detectors.observe.gaps import NEVER_NS
from detectors.observe.row_table import RowTable
from detectors.rule import MAJOR, Level, Rule, Score
from detectors.tally import ones
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records

STOPS = 8
T_ONE_PERCENT = 3.143
"""Student's t of 6 degrees of freedom that chance exceeds in one case of a hundred."""
MEMORY = np.dtype(
    [
        ("t_ns", np.int64),  # the last reading of the speed
        ("v", np.float64),
        ("top_mps", np.float64),  # the greatest speed since the car last rested, and the least since the braking began
        ("low_mps", np.float64),
        ("brake_ns", np.int64),  # the reading at which a braking under way began: its speed and position
        ("brake_mps", np.float64),
        ("brake_m", np.float64),
        ("readings", np.int64),
        ("rests_ns", np.int64),  # when the speed reached zero by the line through its first and last reading
        ("resting", np.int64),
        ("usual", np.float32, (STOPS,)),  # the last stops that were not long, and the last ones of all; in rings
        ("last", np.float32, (STOPS,)),
        ("learned", np.int64),
        ("stops", np.int64),
        ("bits", np.int64),  # of the last three stops, 1: long
        ("unlearned", np.int64),
        ("since_ns", np.int64),
        ("found", np.float64),  # the score after the last stop, and its evidence
        ("good", np.float64),
        ("seen", np.float64, (5,)),
    ],
    align=True,
)


class BrakedStops(NamedTuple):
    """The thresholds of what a braked stop is, and of when it is long.

    `even_low`, `even_high`: twice the distance over speed and time, 1 for a constant deceleration; a stop that begins
    as the drive slows down has more, one that ends at crawling speed less. `fewest` readings make a braking.
    """

    from_mps: float = 0.8
    rest_mps: float = 0.1
    hard_mps2: float = 1.5
    drop_mps: float = 0.1
    fewest: int = 4
    even_low: float = 0.85
    even_high: float = 1.12
    long_share: float = 0.7
    good_share: float = 0.85
    trend_share: float = 0.15


@dataclass(frozen=True, slots=True)
class LongBraking:
    """Scores the usual deceleration over that of the stops that were long, and a trend as a share of its limit."""

    limits: BrakedStops = field(default_factory=BrakedStops)

    def start(self, n: int) -> Memory:
        """Return `n` cars without a stop."""
        return records(
            n, MEMORY, t_ns=NEVER_NS, v=np.nan, top_mps=np.nan, brake_ns=NEVER_NS, rests_ns=NEVER_NS, found=np.nan,
            seen=np.nan,
        )  # fmt: skip

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed: what the last stop showed."""
        state, since_ns = copied(state), np.zeros(len(rows), dtype=np.int64)
        on, off = np.full((2, len(rows)), np.nan)
        seen = np.full((5, len(rows)), np.nan)
        z = np.where(rows.z_doubt, np.nan, rows.z)
        _run(
            state, rows.lift, rows.t_ns, rows.gap_ns, rows.v, z, rows.at_rest, np.abs(rows.offset_m),
            facts.door_zone_m, self.limits, on, off, since_ns, seen,
        )  # fmt: skip
        names = ("from_mps", "distance_m", "decel_mps2", "usual_mps2", "change")
        limit_mps2 = self.limits.long_share * seen[3]
        return state, (Score(on, off, {**dict(zip(names, seen, strict=True)), "limit_mps2": limit_mps2}, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any, v: Any, z: Any, at_rest: Any, offset_m: Any, zone_m: Any,
    limits: Any, on: Any, off: Any, since_ns: Any, seen: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        if np.isnan(v[k]):
            continue
        own = memory[lift[k]]
        _follow(own, t_ns[k], gap_ns[k], abs(v[k]), z[k], limits)
        if own["resting"] >= 2 and own["brake_ns"] != NEVER_NS and at_rest[k] and not np.isnan(z[k]):
            outside = offset_m[k] > zone_m[lift[k]]
            _stop(own, z[k], outside, limits)
            own["brake_ns"], own["top_mps"] = NEVER_NS, 0.0
        on[k] = own["found"]
        off[k] = np.nan if np.isnan(own["found"]) else own["good"]
        since_ns[k] = own["since_ns"]
        seen[:, k] = own["seen"]


@compiled
def _follow(own: Any, t_ns: int, gap_ns: int, speed: float, z: float, limits: Any) -> None:
    """Follow the speed from reading to reading: where a braking begins, and where it ends at rest."""
    if t_ns - own["t_ns"] > gap_ns:
        own["top_mps"], own["brake_ns"], own["resting"] = speed, NEVER_NS, 0
    if speed < limits.rest_mps:
        if own["resting"] == 0 and own["brake_ns"] != NEVER_NS:
            gone_s = (own["t_ns"] - own["brake_ns"]) / 1e9
            lost_mps = own["brake_mps"] - own["v"]
            more_s = own["v"] * gone_s / lost_mps if lost_mps > 0.0 else np.nan
            if own["readings"] < limits.fewest or np.isnan(more_s):
                own["brake_ns"] = NEVER_NS
            else:
                own["rests_ns"] = own["t_ns"] + int(more_s * 1e9)
        own["resting"] += 1
        if own["brake_ns"] == NEVER_NS:
            own["top_mps"] = 0.0
    else:
        own["resting"] = 0
        own["top_mps"] = max(own["top_mps"], speed)
        if own["brake_ns"] != NEVER_NS and speed > own["low_mps"] + limits.drop_mps:
            own["brake_ns"], own["top_mps"] = NEVER_NS, speed
        if own["brake_ns"] != NEVER_NS:
            own["readings"] += 1
            own["low_mps"] = min(own["low_mps"], speed)
        elif speed < own["top_mps"] - limits.drop_mps and speed > limits.from_mps and not np.isnan(z):
            own["brake_ns"], own["brake_mps"], own["brake_m"], own["low_mps"] = t_ns, speed, z, speed
            own["readings"] = 1
    own["t_ns"], own["v"] = t_ns, speed


@compiled
def _stop(own: Any, z: float, outside: bool, limits: Any) -> None:
    """Take in a car at rest after a braking; judge it where the machine brake made the stop."""
    way_m, took_s = abs(z - own["brake_m"]), (own["rests_ns"] - own["brake_ns"]) / 1e9
    even = 2.0 * way_m / (own["brake_mps"] * took_s)
    decel = own["brake_mps"] ** 2 / (2.0 * max(way_m, 1e-3))
    if not (limits.even_low <= even <= limits.even_high and (decel > limits.hard_mps2 or outside)):
        return
    own["last"][own["stops"] % STOPS] = decel
    own["stops"] += 1
    usual = np.nan
    if own["learned"] >= STOPS:
        ordered = np.sort(own["usual"])
        usual = float(ordered[STOPS // 2 - 1] + ordered[STOPS // 2]) / 2.0
    is_long = decel < limits.long_share * usual
    change = _change(own["last"], own["stops"])
    own["bits"] = 0 if decel >= limits.good_share * usual else (own["bits"] << 1 | int(is_long)) & 7
    score = 0.0 if np.isnan(usual) else change / -limits.trend_share
    if ones(own["bits"], 3) >= 2:
        score = max(score, usual / decel * limits.long_share, 1.0)
    if not is_long and score < 1.0:
        own["since_ns"] = 0
    elif own["since_ns"] == 0:
        own["since_ns"] = own["brake_ns"]
    own["unlearned"] = own["unlearned"] + 1 if is_long else 0
    if not is_long or own["unlearned"] > STOPS:
        own["usual"][own["learned"] % STOPS] = decel
        own["learned"] += 1
    own["found"], own["good"] = score, 1.0 if own["bits"] == 0 and score < 1.0 else 0.0
    own["seen"][0], own["seen"][1], own["seen"][2] = own["brake_mps"], way_m, decel
    own["seen"][3], own["seen"][4] = usual, change


@compiled
def _change(last: Any, stops: int) -> float:
    """Return by what share the straight line through the last stops changes over them, 0 where chance explains it."""
    if stops < STOPS:
        return 0.0
    mean, middle = 0.0, (STOPS - 1) / 2.0
    for k in range(STOPS):
        mean += float(last[k]) / STOPS
    up = across = 0.0
    for k in range(STOPS):
        up += (k - middle) * (float(last[(stops + k) % STOPS]) - mean)
        across += (k - middle) ** 2
    slope, left = up / across, 0.0
    for k in range(STOPS):
        left += (float(last[(stops + k) % STOPS]) - mean - slope * (k - middle)) ** 2
    error = np.sqrt(left / (STOPS - 2) / across)
    if slope > -T_ONE_PERCENT * error:
        return 0.0
    return float((STOPS - 1) * slope / (mean - slope * middle))


RULE = Rule.from_catalogue(
    "long-braking", LongBraking(), (Level(MAJOR, readings=1, clear_readings=1),), needs=("floors", "position_source")
)
