"""A small world of healthy lifts, independent of the detectors: jerk-limited rides, doors, people, noise.

A `Script` writes what one car does on a fine grid of time; `rows` samples it as a device would. Kinematics after
R. Peters, "Ideal Lift Kinematics". Time begins in 2001.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.rule import CRITICAL
from registry.facts import FleetFacts, Floor, LiftFacts, fleet
from telemetry.batch import CHANNELS, Batch, Waveforms, readings
from telemetry.streams import CLOSED, CLOSING, OPEN, OPENING

VIBRATION_HZ, MACHINE_HZ, VERTICAL = 100, 2560, 2
BEGIN_NS = 978_307_200_000_000_000
GRID_S = 0.01

Rows = dict[str, NDArray[Any]]


def tower(rated_mps: float = 1.75, floors: int = 10, pitch_m: float = 3.0, **more: Any) -> LiftFacts:
    """Return the facts of a lift with evenly spaced floors."""
    landings = tuple(Floor(str(i + 1), i * pitch_m) for i in range(floors))
    return LiftFacts("lift", "north", rated_speed_mps=rated_mps, floors=landings, **more)


def ride_speed(distance_m: float, rated_mps: float, accel: float = 0.8, jerk: float = 1.0) -> NDArray[np.float64]:
    """Return the speed of a ride over the grid, jerk-limited, covering exactly `distance_m` (signed)."""
    way = abs(distance_m)
    v, a = rated_mps, min(accel, float(np.sqrt(rated_mps * jerk)))
    if way < 2 * a**3 / jerk**2:
        a = np.cbrt(way * jerk * jerk / 2)
        v = a * a / jerk
    elif way < (a * a * v + v * v * jerk) / (jerk * a):
        v = a / 2 * (-a / jerk + np.sqrt((a / jerk) ** 2 + 4 * way / a))
    ramp, flat = a / jerk, max(v / a - a / jerk, 0.0)
    cruise = max(way / v - v / a - a / jerk, 0.0)
    times = np.cumsum([ramp, flat, ramp, cruise, ramp, flat, ramp])
    signs = np.array([jerk, 0, -jerk, 0, -jerk, 0, jerk, 0.0])
    t = np.arange(GRID_S, times[-1], GRID_S)
    speed = np.cumsum(np.cumsum(signs[np.searchsorted(times, t)]) * GRID_S) * GRID_S
    speed = np.maximum(speed, 0.0)
    return np.sign(distance_m) * speed * way / (speed.sum() * GRID_S)


@dataclass
class Script:
    """What one car does, second by second."""

    z_m: float = 0.0
    rated_mps: float = 1.75
    speeds: list[NDArray[np.float64]] = field(default_factory=list)
    events: list[tuple[float, str, float]] = field(default_factory=list)
    now_s: float = 0.0
    at_m: float = field(init=False)

    def __post_init__(self) -> None:
        self.at_m = self.z_m

    def move(self, speed: NDArray[np.float64]) -> Script:
        """Follow a series of speeds on the grid."""
        self.speeds.append(np.asarray(speed, dtype=np.float64))
        self.now_s += len(speed) * GRID_S
        self.at_m += float(np.sum(speed)) * GRID_S
        return self

    def rest(self, seconds: float) -> Script:
        return self.move(np.zeros(round(seconds / GRID_S)))

    def ride(self, to_m: float, accel: float = 0.8, jerk: float = 1.0) -> Script:
        return self.move(ride_speed(to_m - self.at_m, self.rated_mps, accel, jerk))

    def ramp(self, from_mps: float, to_mps: float, accel: float) -> Script:
        """Change the speed at a constant rate."""
        return self.move(np.linspace(from_mps, to_mps, max(round(abs(to_mps - from_mps) / accel / GRID_S), 1)))

    def event(self, after_s: float = 0.0, **channels: float) -> Script:
        """Add events of the event streams, `after_s` from now."""
        self.events += [(self.now_s + after_s, name, float(value)) for name, value in channels.items()]
        return self

    def open_door(self, seconds: float = 2.2, after_s: float = 0.0) -> Script:
        return self.event(after_s, door=OPENING).event(after_s + seconds, door=OPEN).rest(seconds + max(after_s, 0.0))

    def close_door(self, seconds: float = 2.8) -> Script:
        return self.event(door=CLOSING).event(seconds, door=CLOSED).rest(seconds)

    def rows(
        self,
        dt_s: float = 0.1,
        seed: int = 0,
        streams: Iterable[str] = ("v_mps", "z_m"),
        noise: float = 1.0,
        door_late_s: float = 0.0,
        drop: float = 0.0,
    ) -> Rows:
        """Sample the script: one row each `dt_s` with noise, and one row for each event."""
        rng = np.random.default_rng(seed)
        v = np.concatenate(self.speeds)
        z = self.z_m + np.cumsum(v) * GRID_S
        picked = np.arange(0, len(v), round(dt_s / GRID_S))
        picked = picked[rng.random(len(picked)) >= drop]
        rows = {
            "t_s": picked * GRID_S,
            "v_mps": v[picked] + noise * rng.normal(0, 0.01, len(picked)),
            "z_m": z[picked] + noise * rng.normal(0, 0.001, len(picked)),
        }
        for name in {"v_mps", "z_m"} - set(streams):
            rows[name] = np.full(len(picked), np.nan)
        late = [(t + door_late_s * (name == "door"), name, value) for t, name, value in self.events]
        for t, name, value in sorted(late, key=lambda event: event[0]):
            rows = _append(rows, max(t, 0.0) + 0.003, name, value)
        at = np.argsort(rows["t_s"], kind="stable")
        rows = {name: column[at] for name, column in rows.items()}
        t_ns = BEGIN_NS + np.round(rows.pop("t_s") * 1e9).astype(np.int64)
        _, first = np.unique(t_ns, return_index=True)
        return {"t_ns": t_ns[first], **{name: column[first] for name, column in rows.items()}}


def _append(rows: Rows, t_s: float, name: str, value: float) -> Rows:
    """Add an event's row (several channels of one instant share one)."""
    same = np.flatnonzero(rows["t_s"] == t_s)
    if not len(same):
        rows = {key: np.append(column, np.nan) for key, column in rows.items()}
        rows["t_s"][-1] = t_s
        same = np.array([-1])
    rows.setdefault(name, np.full(len(rows["t_s"]), np.nan))
    rows[name][same[0]] = value
    return rows


def healthy(seed: int = 0, trips: int = 8, facts: LiftFacts | None = None) -> Script:
    """Return rides with people, pre-opening doors, dwell, reversals, stopping errors and re-levelling."""
    rng = np.random.default_rng([seed, 1])
    facts = facts or tower()
    heights = [floor.height_m for floor in facts.floors]
    here = int(rng.integers(len(heights)))
    assert facts.rated_speed_mps is not None
    script = Script(z_m=heights[here], rated_mps=facts.rated_speed_mps)
    script.event(door=CLOSED, presence=0, curtain=0, mode=0, power=0).rest(rng.uniform(2, 6))
    script.open_door()
    for _ in range(trips):
        there = int(rng.choice([i for i in range(len(heights)) if i != here]))
        _board(script, rng)
        script.rest(rng.uniform(0.3, 0.7)).ride(heights[there] + rng.normal(0, 0.004))
        early_s = float(rng.choice([0.0, 0.5]))
        script.open_door(rng.uniform(2.0, 2.4), after_s=-early_s if early_s else rng.uniform(0.1, 0.6))
        if rng.random() < 0.3:
            script.ride(heights[there], accel=0.2, jerk=0.5)
        here = there
    script.event(0.5, presence=0).rest(4.0).close_door()
    return script.rest(rng.uniform(5, 10))


def _board(script: Script, rng: np.random.Generator) -> None:
    """Let people in or out, and close the door, now and then with a reversal."""
    script.rest(1.0).event(curtain=1).event(0.8, curtain=0).event(1.0, presence=float(rng.random() < 0.8))
    script.rest(rng.uniform(3, 5))
    if rng.random() < 0.1:
        script.event(door=CLOSING).rest(1.0).event(curtain=1).event(0.4, curtain=0).open_door(1.0).rest(2.0)
    script.close_door(rng.uniform(2.5, 3.1))


def batch(lifts: Iterable[Rows]) -> Batch:
    """Return one batch of the rows of several lifts."""
    all_rows = list(lifts)
    lift = np.repeat(np.arange(len(all_rows), dtype=np.int32), [len(rows["t_ns"]) for rows in all_rows])
    columns = {
        name: np.concatenate([rows.get(name, np.full(len(rows["t_ns"]), np.nan)) for rows in all_rows])
        for name in CHANNELS
    }
    return readings(lift, np.concatenate([rows["t_ns"] for rows in all_rows]), **columns)


def waves(
    signals: Iterable[tuple[int, int, int, NDArray[Any]]], block_s: float = 1.0, axis: int = VERTICAL
) -> Waveforms:
    """Return vibration along an axis, (lift, begin, rate in Hz, m/s²) each, in blocks as a device sends them."""
    parts = []
    for lift, begin_ns, hz, z in signals:
        size = round(block_s * hz)
        parts += [(lift, begin_ns + k * 1_000_000_000 // hz, hz, z[k : k + size]) for k in range(0, len(z), size)]
    parts.sort(key=lambda part: part[1])
    xyz = np.zeros((3, sum(len(part[3]) for part in parts)), np.float32)
    xyz[axis] = np.concatenate([part[3] for part in parts])
    return Waveforms(
        message=np.array([part[0] for part in parts], dtype=np.int32),
        t_ns=np.array([part[1] for part in parts]),
        dt_ns=np.array([1e9 / part[2] for part in parts]),
        first=np.cumsum([0, *(len(part[3]) for part in parts)]),
        xyz=xyz,
    )


def with_vibration(whole: Batch, faults: Mapping[int, Fault]) -> Batch:
    """Return a batch with the vibration of the faults that these lifts have."""
    sent = [
        (i, BEGIN_NS, VIBRATION_HZ, one.vibration_mps2) for i, one in faults.items() if one.vibration_mps2 is not None
    ]
    axis = next((one.axis for one in faults.values()), VERTICAL)
    whole = replace(whole, waveforms=waves(sent, axis=axis)) if sent else whole
    turned = [(i, BEGIN_NS, MACHINE_HZ, one.machine_mps2) for i, one in faults.items() if one.machine_mps2 is not None]
    if not turned:
        return whole
    machine = waves(turned)
    return replace(whole, machine=replace(machine, xyz=machine.xyz[VERTICAL:]))


def rows_of(whole: Batch, keep: NDArray[np.bool_]) -> Batch:
    """Return the rows of a batch where `keep` holds."""
    return Batch(**{name: getattr(whole, name)[keep] for name in ("lift", "t_ns", *CHANNELS)})


def facts_of(lifts: Mapping[int, LiftFacts] | Iterable[LiftFacts | None]) -> FleetFacts:
    return fleet(list(lifts.values()) if isinstance(lifts, Mapping) else list(lifts))


@dataclass
class Fault:
    """A script with one fault: when its condition began by the truth, and within what time it must be found."""

    script: Script
    onset_s: float
    within_s: float
    severity: int = CRITICAL
    facts: LiftFacts = field(default_factory=tower)
    dt_s: tuple[float, ...] = (0.1, 1.0)
    clears: bool = False
    vibration_mps2: NDArray[np.float64] | None = None
    """The vibration along `axis` from the script's beginning on, `VIBRATION_HZ` samples a second."""
    axis: int = VERTICAL
    machine_mps2: NDArray[np.float64] | None = None
    """The vibration of the machine, `MACHINE_HZ` samples a second."""

    def stream(self, dt_s: float = 0.1) -> Batch:
        """Return what a terminal reads of it."""
        return with_vibration(batch([self.script.rows(dt_s)]), {0: self})
