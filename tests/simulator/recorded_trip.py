"""Records a run of one lift, and evaluates its accelerometer by ISO 18738."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.facts import Floor, LiftFacts
from simulator.cars import drive
from simulator.world.world import World
from telemetry.arrays import F64
from tests.simulator.recorded_world import START_NS

ONE = np.array([0])


@dataclass
class Ride:
    """A run, recorded from a second before the start: true position, drive speed and acceleration, and waveforms (3,
    samples)."""

    hz: int
    z: F64
    v: F64
    a: F64
    xyz: F64

    @property
    def cruises(self) -> NDArray[np.bool_]:
        """Where the speed is constant."""
        return np.abs(self.v) > 0.999 * np.abs(self.v).max()


def lift(speed_mps: float = 1.75, floors: int = 21, **more: object) -> LiftFacts:
    """Return the facts of a lift with landings every 4 m."""
    heights = tuple(Floor(str(k + 1), 4.0 * k) for k in range(floors))
    facts: dict[str, object] = {"roping": "1:1", "sheave_diameter_m": 0.4, "rated_load_kg": 1000.0} | more
    return LiftFacts("one", "test", rated_speed_mps=speed_mps, floors=heights, **facts)  # type: ignore[arg-type]


def standing(facts: LiftFacts, seed: int = 1, wave_hz: int = 200, **more: object) -> World:
    """Return a world of one lift that stands at its lowest landing and gets no calls."""
    alone: dict[str, Any] = {"buildings": [0], "hour": 3.0, "vibration": True, "wave_hz": wave_hz}
    w = World([facts], seed, START_NS, **alone | more)
    w.cars.due_s[:] = np.inf
    w.cars.floor[:] = 0
    w.cars.trajectories.z[:] = 0.0
    return w


def ride(w: World, to_m: float) -> Ride:
    """Run the lift to a position, and record until two seconds after the stop."""
    w.cars.trajectories.run_to(ONE, w.begin_s + 1.0, np.array([to_m]), drive.run_limits(w.cars, ONE))
    return record(w, int(w.cars.trajectories.end_s[0] - w.begin_s[0]) + 3)


def record(w: World, seconds: int) -> Ride:
    """Record so many seconds."""
    hz = w._suspension.rate_hz
    columns: list[list[F64]] = [[], [], [], []]
    for _ in range(seconds):
        second, motion = w.step(), w.motion
        moved = len(motion.lift) > 0
        still = np.zeros(hz)
        truth = (
            (motion.z_m[0], motion.v_mps[0], motion.a_mps2[0]) if moved else (still + motion.rest_m[0], still, still)
        )
        for column, values in zip(columns, (*truth, second.vibration_mps2[0]), strict=True):
            column.append(values)
    return Ride(hz, *(np.concatenate(column, axis=-1).astype(np.float64) for column in columns))


def weighted(x: F64, hz: int, kind: str) -> F64:
    """Return a signal weighted by ISO 2631's Wk or Wd, in the frequency domain (domain notes, section 3.3)."""
    f = np.fft.rfftfreq(len(x), 1 / hz)
    return np.fft.irfft(np.fft.rfft(x - x.mean()) * gain(f, kind), len(x))


def gain(f: F64, kind: str) -> NDArray[np.complex128]:
    """Return the complex gain of Wk or Wd."""
    s = 2j * np.pi * np.maximum(f, 1e-6)
    w = {
        name: 2 * np.pi * hz for name, hz in {"hp": 0.4, "lp": 100.0, "k": 12.5, "d": 2.0, "5": 2.37, "6": 3.35}.items()
    }
    band = s**2 / (s**2 + w["hp"] * np.sqrt(2) * s + w["hp"] ** 2)
    band = band * w["lp"] ** 2 / (s**2 + w["lp"] * np.sqrt(2) * s + w["lp"] ** 2)
    at = w[kind]
    weight = band * (1 + s / at) / (1 + s / (0.63 * at) + (s / at) ** 2)
    if kind == "k":
        up = [1 + s / (0.91 * w[n]) + (s / w[n]) ** 2 for n in "56"]
        weight = weight * up[0] / up[1] * (2.37 / 3.35) ** 2
    return weight


def half_cycles(x: F64) -> F64:
    """Return the peak-to-peak values of a weighted signal, as ISO 18738-1 pairs them."""
    sign = np.signbit(x)
    crossings = np.flatnonzero(sign[1:] != sign[:-1]) + 1
    if crossings.size < 2:
        return np.empty(0)
    peaks = np.maximum.reduceat(np.abs(x), np.r_[0, crossings])
    return np.asarray(peaks[:-1] + peaks[1:])


def a95(r: Ride) -> tuple[float, float, float]:
    """Return A95 of x, y between the boundaries, and of z at constant speed, m/s²."""
    between = (np.abs(r.z - r.z[0]) > 0.5) & (np.abs(r.z - r.z[-1]) > 0.5)
    x, y = (half_cycles(weighted(r.xyz[axis], r.hz, "d")[between]) for axis in range(2))
    z = half_cycles(weighted(r.xyz[2], r.hz, "k")[r.cruises][r.hz :])
    return tuple(float(np.percentile(one, 95)) for one in (x, y, z))  # type: ignore[return-value]
