"""F14 safety chain open: a running car is braked to rest between landings, with the mains on.

    speed   ‾‾‾‾\\                     an emergency stop (F13), or a softer one by a brake that holds less
                 \\________________    ending outside the door zone, where no drive ends a run
    door    ______________________    a door that opens there shows that the controller takes it for a landing
    mains   ‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾    lost mains drop the brake in the same way: that is power loss (F37)

No stream carries the safety chain: that it opened is inferred, and a drive that trips looks the same. Only a brake
stops a car as hard as F13 has it: major. A brake must stop an overloaded car that goes down, so that it stops other
cars harder than that, but not harder than every drive: a softer stop is weaker evidence, and minor. A car that is
braked just short of its landing looks like an ordinary stop. A softer stop has a place once a position was read at
rest: an older one may be that of the car before it arrived.

Nothing is inferred where another rule has the reason of the stop: the car ran with its door open (F05 to F07), ran away
(F08, F09), or rests beyond its last landing (F11, F12).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from detectors.observe.gaps import NEVER_NS
from detectors.observe.row_table import RowTable
from detectors.rule import MAJOR, MINOR, Level, Rule, Score
from detectors.rules.braking import emergency_stop
from detectors.rules.braking.emergency_stop import EmergencyStop
from detectors.rules.overspeed import DANGEROUS
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, records
from telemetry.streams import BATTERY, CLOSED

MEMORY = np.dtype(
    [
        ("soft_ns", np.int64),  # the last reading of the speed
        ("soft_mps", np.float64),
        ("soft_top_mps", np.float64),  # the greatest speed since the car last rested, and the least of the slow-down
        ("soft_low_mps", np.float64),
        ("soft_begin_ns", np.int64),  # the reading at which a slow-down under way began, its speed, and its readings
        ("soft_begin_mps", np.float64),
        ("soft_readings", np.int64),
        ("soft_mps2", np.float64),  # the mean deceleration of the braked stop, 0: there is none; and its begin
        ("soft_since_ns", np.int64),
        ("soft_from_mps", np.float64),
        ("soft_door", np.float64),  # the door as the car came to rest
        ("soft_placed", np.bool_),  # whether a position has been read since then
        ("on_battery", np.bool_),  # whether the mains failed since the car last ran
        ("explained", np.bool_),  # whether its last run had another fault that stopped it; whether it rested since
        ("rested", np.bool_),
        ("soft_trips", np.int64),  # the completed trips at the latest braked stop outside the door zone
        *emergency_stop.FIELDS,  # last: Numba takes a record that only adds fields for one of the same type
    ],
    align=True,
)
START: dict[str, float] = {
    **emergency_stop.START,
    **dict.fromkeys(("soft_mps", "soft_door"), np.nan),
    **dict.fromkeys(("soft_ns", "soft_begin_ns"), NEVER_NS),
}


class SoftBraking(NamedTuple):
    """The thresholds by which a stop was braked, be it more softly than a drive may brake.

    `from_mps`: slower cars level, or are brought home after a fault. `least_mps2`: the mean deceleration of a gentle
    drive; a car that takes longer was not braked. `fewest` readings show that the car slowed down, rather than that
    readings fell out. `drop_mps`: noise of the speed.
    """

    from_mps: float = 0.4
    rest_mps: float = 0.1
    least_mps2: float = 0.5
    drop_mps: float = 0.1
    fewest: int = 2


@dataclass(frozen=True, slots=True)
class SafetyChainOpen:
    """Scores 1 at a car that rests outside its door zone after it was braked with the mains on: softly, and hard.

    `dangerous`: the share of its rated speed from which a car has run away.
    """

    stop: EmergencyStop = field(default_factory=EmergencyStop)
    limits: SoftBraking = field(default_factory=SoftBraking)
    dangerous: float = DANGEROUS

    def start(self, n: int) -> Memory:
        """Return `n` cars of which no speed has been read."""
        return records(n, MEMORY, **START)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed; where the position is unknown at a stop, nothing is concluded."""
        state, (stopped,) = self.stop.step(state, rows, facts)
        offset_m, zone_m = np.abs(rows.offset_m), facts.door_zone_m[rows.lift]
        outside = np.where(np.isnan(offset_m) | rows.z_doubt, np.nan, offset_m > zone_m)
        beyond = (rows.z_last > facts.top_m[rows.lift]) | (rows.z_last < facts.landings_m[rows.lift, 0])
        outside = np.where(beyond & (outside == 1.0), 0.0, outside)
        braked, unexplained, ended, from_mps, decel_mps2 = np.empty((5, len(rows)))
        begin_ns = np.empty(len(rows), dtype=np.int64)
        _run(
            state, rows.lift, rows.t_ns, rows.gap_ns, rows.v, rows.z, rows.door, rows.power, rows.at_rest, rows.trips,
            outside, self.dangerous * facts.rated_speed_mps, self.limits, braked, unexplained, ended, from_mps,
            decel_mps2, begin_ns,
        )  # fmt: skip
        outside = np.where(unexplained == 0.0, 0.0, outside)
        is_hard = stopped.on == 1.0
        is_soft = (braked == 1.0) & ~is_hard
        evidence = {
            "from_mps": np.where(is_hard, stopped.evidence["from_mps"], from_mps),
            "decel_mps2": np.where(is_hard, stopped.evidence["decel_mps2"], decel_mps2),
            "offset_m": offset_m,
            "door_zone_m": zone_m,
        }
        soft = np.where(is_soft, outside, np.where(is_hard, 0.0, stopped.on))
        hard = np.where(is_hard, outside, stopped.on)
        assert stopped.since_ns is not None
        off = np.minimum(stopped.off, ended)
        softly = Score(soft, off, evidence, np.where(is_soft, begin_ns, 0))
        return state, (softly, Score(hard, off, evidence, np.where(is_hard, stopped.since_ns, 0)))


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any, v: Any, z: Any, door: Any, power: Any, at_rest: Any, trips: Any,
    outside: Any, dangerous_mps: Any, limits: Any, braked: Any, unexplained: Any, ended: Any, from_mps: Any,
    decel_mps2: Any, begin_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        reads = not np.isnan(v[k])
        if at_rest[k]:
            own["rested"] = True
        elif reads and abs(v[k]) >= limits.rest_mps:
            runs_away = abs(v[k]) > dangerous_mps[lift[k]] and own["soft_mps"] > dangerous_mps[lift[k]]
            _explain(own, runs_away or door[k] > CLOSED)
        if reads:
            _follow(own, t_ns[k], gap_ns[k], abs(v[k]), door[k], limits)
        if power[k] == BATTERY:
            own["on_battery"] = True
        elif reads and abs(v[k]) > limits.from_mps:
            own["on_battery"] = False
        if door[k] > CLOSED and own["soft_door"] == CLOSED:
            own["soft_mps2"] = 0.0
        own["soft_placed"] = at_rest[k] and (own["soft_placed"] or not np.isnan(z[k]))
        stopped = reads and at_rest[k] and own["soft_placed"] and own["soft_mps2"] > 0.0
        is_explained = own["on_battery"] or own["explained"]
        unexplained[k] = 0.0 if is_explained else 1.0
        if stopped and outside[k] == 1.0 and not is_explained:
            own["soft_trips"] = trips[k]
        braked[k] = 1.0 if stopped else 0.0
        ended[k] = 1.0 if trips[k] > own["soft_trips"] else 0.0
        from_mps[k], decel_mps2[k], begin_ns[k] = own["soft_from_mps"], own["soft_mps2"], own["soft_since_ns"]


@compiled
def _explain(own: Any, has_reason: bool) -> None:
    """Note whether a car that runs has a reason to be stopped, in this run."""
    if own["rested"]:
        own["rested"], own["explained"] = False, False
    own["explained"] = own["explained"] or has_reason


@compiled
def _follow(own: Any, t_ns: int, gap_ns: int, speed: float, door: float, limits: Any) -> None:
    """Follow the speed from reading to reading; at rest, keep the mean deceleration of a car that was braked."""
    if t_ns - own["soft_ns"] > gap_ns:
        own["soft_top_mps"], own["soft_begin_ns"], own["soft_mps2"] = speed, NEVER_NS, 0.0
    if speed < limits.rest_mps:
        if own["soft_begin_ns"] != NEVER_NS:
            _stop(own, door, limits)
        own["soft_top_mps"], own["soft_begin_ns"] = 0.0, NEVER_NS
    else:
        own["soft_top_mps"] = max(own["soft_top_mps"], speed)
        if own["soft_begin_ns"] != NEVER_NS and speed > own["soft_low_mps"] + limits.drop_mps:
            own["soft_top_mps"], own["soft_begin_ns"] = speed, NEVER_NS
        if own["soft_begin_ns"] != NEVER_NS:
            own["soft_readings"] += 1
            own["soft_low_mps"] = min(own["soft_low_mps"], speed)
        elif speed < own["soft_top_mps"] - limits.drop_mps and own["soft_top_mps"] > limits.from_mps:
            own["soft_begin_ns"], own["soft_begin_mps"] = t_ns, speed
            own["soft_low_mps"], own["soft_readings"] = speed, 1
        if speed > limits.from_mps:
            own["soft_mps2"] = 0.0
    own["soft_ns"], own["soft_mps"] = t_ns, speed


@compiled
def _stop(own: Any, door: float, limits: Any) -> None:
    """Take in a car that comes to rest after a slow-down."""
    lost_mps, took_s = own["soft_begin_mps"] - own["soft_mps"], (own["soft_ns"] - own["soft_begin_ns"]) / 1e9
    if own["soft_readings"] >= limits.fewest and lost_mps >= limits.least_mps2 * took_s:
        own["soft_mps2"], own["soft_door"] = lost_mps / max(took_s, 1e-3), door
        own["soft_since_ns"], own["soft_from_mps"] = own["soft_begin_ns"], own["soft_top_mps"]


LEVELS = (Level(MINOR, hold_s=2.0), Level(MAJOR, hold_s=2.0))
RULE = Rule.from_catalogue("safety-chain-open", SafetyChainOpen(), LEVELS, needs=("floors", "position_source"))
