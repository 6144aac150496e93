"""F13 emergency stop: the running car is braked to rest harder than any drive does it.

    speed ‾‾‾‾\\                 fine feed: > 1.5 m/s² for 0.2 s, or 1.4 on average from 90 to 10 % of the speed
               \\____            coarse feed (>= 0.4 s a reading): from > 1.5 m/s to rest between two readings
    onset      ^    ^ two readings at rest

1.5 m/s² is the most that GB/T 10058 allows a drive. A slow car stops before readings of 10 Hz have shown it for 0.2 s:
its average is taken over the whole stop, between the two instants at which the speed passed these shares. Where the
car's vibration is received, it must confirm the stop (`detectors.observe.stop_confirmation`). That the safety chain
opened is inferred, not seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from detectors.observe import stop_confirmation
from detectors.observe.gaps import NEVER_NS
from detectors.observe.row_table import RowTable
from detectors.observe.sensor import ACCEL_TAU_S
from detectors.observe.stop_confirmation import StopConfirmation
from detectors.rule import MAJOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records

FIELDS = [
    ("t_ns", np.int64),  # the last reading: its instant, speed and position
    ("v", np.float64),
    ("z", np.float64),
    ("t_before_ns", np.int64),  # the reading before that
    ("v_before", np.float64),
    ("z_before", np.float64),
    ("smooth_mps2", np.float64),  # the smoothed deceleration
    ("braking", np.int64),  # the readings of the hard braking that is under way
    ("braking_ns", np.int64),  # the time that they span
    ("begin_ns", np.int64),  # when it began, from which speed, and its greatest deceleration
    ("begin_mps", np.float64),
    ("peak_mps2", np.float64),
    ("brake_ns", np.int64),  # the same of the latest braking that was hard for long enough
    ("from_mps", np.float64),
    ("decel_mps2", np.float64),
    ("top_mps", np.float64),  # the speed at which the car began to slow down, and when
    ("top_ns", np.int64),
    ("slowed_ns", np.int64),  # when it passed the upper share of that speed
    ("between", np.int64),  # the readings between the two shares
    ("rest_ns", np.int64),  # when the car last came to rest
    ("resting", np.int64),  # the readings at rest since
    ("trips", np.int64),  # the completed trips at the latest stop
    *stop_confirmation.FIELDS,
]
MEMORY = np.dtype(FIELDS, align=True)
START: dict[str, float] = {
    **dict.fromkeys(("v", "z", "v_before", "z_before"), np.nan),
    **dict.fromkeys(("t_ns", "t_before_ns", "begin_ns", "brake_ns", "top_ns", "slowed_ns", "rest_ns"), NEVER_NS),
    **stop_confirmation.START,
}
UPPER, LOWER = 0.9, 0.1
"""The shares of a speed between which a whole stop is averaged."""


class HardBraking(NamedTuple):
    """The thresholds by which a braking is an emergency stop.

    `mean_mps2`: over the whole way to rest at least this; a drive that seems to brake hard for a moment, because the
    device's clock stumbled, slows down by less.
    `within_s`: the car is at rest within this time, or within that of a braking by `brake_mps2`.
    `short_mps`: a whole stop is averaged from these speeds; slower cars level, or are moved by a mechanic, and faster
    ones brake for longer. It is hard by `short_mps2`: a drive within 1.5 m/s² and 2.5 m/s³ averages 1.3 at most.
    `smooth_below_s`: readings closer together are smoothed (noise over a short time looks like braking).
    `rise_mps`, `agree_mps`: the speed before the stop is trusted as far as it had not risen, and on a coarse feed also
    where the positions agree with it: a single wild reading does neither.
    """

    brake_mps2: float = 1.5
    mean_mps2: float = 1.2
    brake_s: float = 0.2
    within_s: float = 2.0
    rest_mps: float = 0.1
    short_mps: tuple[float, float] = (0.4, 1.5)
    short_mps2: float = 1.4
    smooth_below_s: float = 0.15
    coarse_s: float = 0.4
    coarse_within_s: float = 1.05
    coarse_from_mps: float = 1.5
    rise_mps: float = 0.1
    agree_mps: float = 0.3


@dataclass(frozen=True, slots=True)
class EmergencyStop:
    """Scores 1 at a car that rests after hard braking that its vibration confirms."""

    limits: HardBraking = field(default_factory=HardBraking)
    confirmation: StopConfirmation = field(default_factory=StopConfirmation)

    def start(self, n: int) -> Memory:
        """Return `n` cars of which no speed has been read."""
        return records(n, MEMORY, **START)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed."""
        state = copied(state)
        on, off, from_mps, decel_mps2 = np.empty((4, len(rows)))
        since_ns, rest_ns = np.empty((2, len(rows)), dtype=np.int64)
        _run(
            state, rows.lift, rows.t_ns, rows.v, rows.z_last, rows.accel, rows.at_rest, rows.trips, self.limits, on,
            off, from_mps, decel_mps2, since_ns, rest_ns,
        )  # fmt: skip
        stopped = on == 1.0
        agrees, vibration_loss_mps = self.confirmation.step(state, rows, stopped, since_ns, rest_ns, from_mps)
        agrees = np.where(rows.accelerometer_doubt, 1.0, agrees)  # a sensor in doubt refutes nothing
        on = np.where(stopped, agrees, on)
        evidence = {
            "from_mps": from_mps,
            "decel_mps2": decel_mps2,
            "limit_mps2": np.full(len(rows), self.limits.brake_mps2),
            "vibration_loss_mps": vibration_loss_mps,
        }
        return state, (Score(on, off, evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, v: Any, z: Any, accel: Any, at_rest: Any, trips: Any, limits: Any, on: Any,
    off: Any, from_mps: Any, decel_mps2: Any, since_ns: Any, rest_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        reads = not np.isnan(v[k])
        if reads:
            _brake(own, t_ns[k], v[k], accel[k], limits)
            _come_to_rest(own, t_ns[k], v[k], limits)
            own["t_before_ns"], own["v_before"], own["z_before"] = own["t_ns"], own["v"], own["z"]
            own["t_ns"], own["v"], own["z"] = t_ns[k], v[k], z[k]
        braked_s = (own["rest_ns"] - own["brake_ns"]) / 1e9
        within_s = max(limits.within_s, own["from_mps"] / limits.brake_mps2)
        stopped = at_rest[k] and own["resting"] >= 2 and 0.0 <= braked_s <= within_s
        stopped = stopped and own["from_mps"] >= limits.mean_mps2 * braked_s
        if stopped:
            own["trips"] = trips[k]
        on[k] = (1.0 if stopped else 0.0) if reads else np.nan
        off[k] = (1.0 if trips[k] > own["trips"] else 0.0) if reads else np.nan
        since_ns[k] = own["brake_ns"] if stopped else 0
        rest_ns[k] = own["rest_ns"]
        from_mps[k], decel_mps2[k] = own["from_mps"], own["decel_mps2"]


@compiled
def _brake(own: Any, t_ns: int, v: float, accel: float, limits: Any) -> None:
    """Follow a braking from reading to reading; once it is hard for long enough, keep its onset, speed and peak."""
    if np.isnan(accel):  # after a jump of the speed, or at the first reading
        own["smooth_mps2"], own["braking"], own["braking_ns"] = 0.0, 0, 0
        own["top_mps"], own["top_ns"], own["between"] = abs(v), t_ns, 0
        return
    dt_ns = t_ns - own["t_ns"]
    dt_s, before = dt_ns / 1e9, abs(own["v"])
    decel = (before - abs(v)) / max(dt_s, 1e-3)
    own["smooth_mps2"] += (decel - own["smooth_mps2"]) * dt_s / (ACCEL_TAU_S + dt_s)
    fine = dt_s < limits.smooth_below_s
    hard = dt_s < limits.coarse_s and (own["smooth_mps2"] if fine else decel) > limits.brake_mps2
    if not hard or decel <= limits.brake_mps2 / 2:  # the memory of the smoothing is no braking
        own["braking"], own["braking_ns"] = 0, 0
    elif own["braking"] == 0:
        own["braking"], own["braking_ns"], own["begin_ns"], own["peak_mps2"] = 1, 0, own["t_ns"], decel
        own["begin_mps"] = np.fmin(before, abs(own["v_before"]) + limits.rise_mps)
    else:
        own["braking"] += 1
        own["braking_ns"] += dt_ns
        own["peak_mps2"] = max(own["peak_mps2"], decel)
    if own["braking"] >= (3 if fine else 2) and own["braking_ns"] >= int(limits.brake_s * 1e9):
        own["brake_ns"], own["from_mps"], own["decel_mps2"] = own["begin_ns"], own["begin_mps"], own["peak_mps2"]
    elif _fell(own, dt_s, v, limits):
        own["brake_ns"], own["from_mps"], own["decel_mps2"] = own["t_ns"], before, decel
    mean_mps2 = _stop_mean(own, t_ns, dt_ns, before, abs(v), limits)
    if mean_mps2 > limits.short_mps2 and own["brake_ns"] < own["top_ns"]:
        own["brake_ns"], own["from_mps"], own["decel_mps2"] = own["top_ns"], own["top_mps"], mean_mps2


@compiled
def _stop_mean(own: Any, t_ns: int, dt_ns: int, before: float, now: float, limits: Any) -> float:
    """Follow a slowing car; return its mean deceleration once it has passed `LOWER` of its speed, else 0.

    At least one reading between `UPPER` and `LOWER` must show that it slowed down, rather than that readings fell out.
    """
    if dt_ns >= int(limits.coarse_s * 1e9) or before - now <= limits.brake_mps2 / 2 * dt_ns / 1e9:
        own["top_mps"], own["top_ns"], own["between"] = now, t_ns, 0
        return 0.0
    top_mps, falls_mps = own["top_mps"], before - now
    if now < UPPER * top_mps <= before:
        own["slowed_ns"] = own["t_ns"] + int((before - UPPER * top_mps) / falls_mps * dt_ns)
    if now > LOWER * top_mps:
        own["between"] += now < UPPER * top_mps
        return 0.0
    is_stop = own["between"] > 0 and before > LOWER * top_mps and limits.short_mps[0] <= top_mps <= limits.short_mps[1]
    stopped_ns = own["t_ns"] + int((before - LOWER * top_mps) / falls_mps * dt_ns)
    return (UPPER - LOWER) * top_mps / max((stopped_ns - own["slowed_ns"]) / 1e9, 1e-3) if is_stop else 0.0


@compiled
def _fell(own: Any, dt_s: float, v: float, limits: Any) -> bool:
    """Return whether a coarse feed goes from a trusted running speed to rest between two readings."""
    before, earlier = own["v"], own["v_before"]
    if not limits.coarse_s <= dt_s <= limits.coarse_within_s:
        return False
    if not (abs(before) > limits.coarse_from_mps and abs(v) < limits.rest_mps):
        return False
    gone_s = (own["t_ns"] - own["t_before_ns"]) / 1e9
    expected_m = (before + earlier) / 2 * gone_s
    agrees = abs(own["z"] - own["z_before"] - expected_m) <= limits.agree_mps * gone_s
    steady = before * earlier > 0.0 and abs(before) <= abs(earlier) + limits.rise_mps
    return bool(agrees or steady)


@compiled
def _come_to_rest(own: Any, t_ns: int, v: float, limits: Any) -> None:
    """Count the readings at rest."""
    if abs(v) >= limits.rest_mps:
        own["resting"] = 0
        return
    if own["resting"] == 0:
        own["rest_ns"] = t_ns
    own["resting"] += 1


RULE = Rule.from_catalogue("emergency-stop", EmergencyStop(), (Level(MAJOR),))
