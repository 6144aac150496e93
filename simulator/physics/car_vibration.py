"""The accelerometer on the car floor: synthesised from the vibration sources, in the frame of the car.

    z     the car's acceleration on its ropes (`suspension`), sheave orders 1 and 2, car pulley, rope lay
    x, y  the guides (`guide_rails`): rollers, rail joints, sway
    all   impacts (doors, steps), a brake that drags at start and stop, worn shoes; noise, bias, temperature

A source that rotates or is fixed to the shaft is a function of the car's position, so its frequency follows the speed
and its phase is continuous. Frequencies: docs/world.md, section 4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.cars.lifts import LiftParameters
from simulator.cars.state import START, Cars, EventLog
from simulator.faults.condition import Condition
from simulator.maths import rng
from simulator.physics.guide_rails import GuideRails
from simulator.physics.impacts import Impacts, add_ringing, door_and_step_impacts
from simulator.physics.sensors import apply_sensor_faults
from simulator.physics.suspension import Motion
from simulator.physics.traction_sheave import sheave_speed_mps, sheave_travel_m
from telemetry.arrays import F32, F64, Index

WAVE_HZ, WAVE_HZ_LIMITS = 100, (100, 400)
CHUNK_SAMPLES = 25_600
DECIMALS = 3
BIAS_MPS2 = 0.05
WARMTH_C, WARMTH_MPS2_PER_C, DAY_S = 8.0, 0.0005, 86_400.0
SHEAVE_MPS2, SHEAVE_WORN, ROPES_UNEVEN = (0.032, 0.018), 4.0, 1.5
SPIN_LOUD = 0.2
"""The extra vibration of a sheave that turns under the ropes of a standing car, m/s² at rated speed."""
PULLEY_M, PULLEY_MPS2 = 0.32, 0.010
ROPE_LAY_M, ROPE_LAY_MPS2 = 0.065, 0.12
FILTER_SHARE = 0.45
"""The sensor's low-pass filter removes frequencies above this share of the sampling rate."""
DRAG_S, DRAG_MPS2, SHOE_MPS2 = 0.3, 0.028, 0.06
"""How long a brake drags, and the rms of a dragging brake and of worn shoes, the latter at rated speed."""
_PURPOSES = (rng.X_NOISE, rng.Y_NOISE, rng.Z_NOISE)


class Vibration:
    """The car accelerometers of a range of lifts."""

    def __init__(self, lifts: LiftParameters, seed: int, start_ns: int, rate_hz: int = WAVE_HZ) -> None:
        low, high = WAVE_HZ_LIMITS
        if rate_hz % 10 or not low <= rate_hz <= high:
            raise ValueError(f"wave_hz: {rate_hz} is not a multiple of 10 from {low} to {high}")
        self.rate_hz, self._start_s = rate_hz, start_ns / 1e9
        self._noise = np.stack([rng.stream_keys(seed, lifts.number, purpose) for purpose in _PURPOSES], axis=1)
        self._grinding = rng.stream_keys(seed, lifts.number, rng.GRINDING)
        self._spikes = rng.stream_keys(seed, lifts.number, rng.SPIKES)
        traits = lifts.trait
        self._bias = BIAS_MPS2 * (2 * np.stack([traits[f"{axis}_bias"] for axis in "xyz"], axis=1) - 1)
        self._rough = ((0.7 + 0.6 * traits["smooth"]) * lifts.equipment.vertical).astype(np.float32)
        self._noise_mps2 = lifts.equipment.accelerometer_noise_mps2[:, None, None]
        self._phase = (2 * np.pi * traits["phase"]).astype(np.float32)
        self._sheave_per_m = (2 * lifts.rope_ratio / lifts.sheave_m).astype(np.float32)
        self._rope_ratio, self._rated_mps = lifts.rope_ratio.astype(np.float32), lifts.rated_mps.astype(np.float32)
        self._guide_rails = GuideRails(lifts, seed)
        self._last_impacts: list[Impacts] = []
        self._last = np.zeros((len(lifts.number), 3), dtype=np.float32)

    def step(self, cars: Cars, log: EventLog, motion: Motion, begin_s: F64, second: int) -> F32:
        """Return the waveforms of one second, (lifts, 3, samples), m/s², without gravity."""
        samples = second * self.rate_hz + np.arange(self.rate_hz)
        xyz = self._sensor_noise(samples, len(begin_s))
        self._add_brake_and_shoe_noise(cars, begin_s, samples, motion, xyz)
        warm = WARMTH_MPS2_PER_C * WARMTH_C * np.sin(2 * np.pi * (self._start_s + begin_s) / DAY_S)
        xyz += (self._bias + warm[:, None])[:, :, None].astype(np.float32)
        chunk = CHUNK_SAMPLES // self.rate_hz
        for first in range(0, len(motion.lift), chunk):
            part = slice(first, first + chunk)
            self._add_travel_sources(cars, motion, part, xyz)
        impacts = door_and_step_impacts(log)
        add_ringing(self._last_impacts + impacts, begin_s, xyz)
        self._last_impacts = impacts
        self._spoil(cars.condition, samples, xyz)
        return np.round(xyz, DECIMALS)

    def _sensor_noise(self, samples: NDArray[np.int64], lifts: int) -> F32:
        """Return the noise of the sensors."""
        noise = np.empty((lifts, 3, self.rate_hz), dtype=np.float32)
        chunk = CHUNK_SAMPLES // self.rate_hz
        for first in range(0, lifts, chunk):
            part = slice(first, first + chunk)
            numbers = rng.normal_rows(self._noise[part].ravel(), samples[None])
            noise[part] = self._noise_mps2[part] * numbers.reshape(-1, 3, self.rate_hz)
        return noise

    def _add_brake_and_shoe_noise(
        self, cars: Cars, begin_s: F64, samples: NDArray[np.int64], motion: Motion, xyz: F32
    ) -> None:
        """Add the noise of a dragging brake, before the start and before the stop, and of worn guide shoes."""
        starting = cars.phase == START
        start_s = np.where(starting, cars.due_s, cars.trajectories.t[0])
        lift = np.flatnonzero(starting | (cars.trajectories.end_s > begin_s))
        t_s = begin_s[lift, None] + np.arange(self.rate_hz) / self.rate_hz
        lead_s, left_s = start_s[lift, None] - t_s, cars.trajectories.end_s[lift, None] - t_s
        drags = ((lead_s > 0) & (lead_s < DRAG_S)) | ((left_s > 0) & (left_s < DRAG_S))
        row = np.flatnonzero(drags.any(axis=1))
        if len(row):
            xyz[lift[row]] += self._broadband(lift[row], samples) * (DRAG_MPS2 * drags[row, None]).astype(np.float32)
        row = np.flatnonzero(cars.condition.shoe[motion.lift])
        if not len(row):
            return
        worn = motion.lift[row]
        pace = np.abs(motion.v_mps[row]) / self._rated_mps[worn, None]
        loud = (SHOE_MPS2 * cars.condition.shoe[worn, None] * pace).astype(np.float32)
        xyz[worn, :2] += self._broadband(worn, samples)[:, :2] * loud[:, None]

    def _broadband(self, lift: Index, samples: NDArray[np.int64]) -> F32:
        """Return broadband noise of rms 1 for these lifts, (lifts, 3, samples)."""
        counter = 3 * samples + np.arange(3)[:, None]
        numbers = rng.normal_rows(np.repeat(self._grinding[lift], 3), counter)
        return numbers.reshape(-1, 3, self.rate_hz).astype(np.float32)

    def _add_travel_sources(self, cars: Cars, motion: Motion, part: slice, xyz: F32) -> None:
        """Add the sources that depend on the travel of some of the cars."""
        condition, lift = cars.condition, motion.lift[part]
        z, v = motion.z_m[part].astype(np.float32), np.abs(motion.v_mps[part], dtype=np.float32)
        pace = np.asarray(v / self._rated_mps[lift, None], dtype=np.float32)
        x, y = self._guide_rails.lateral_acceleration(condition, lift, z, pace)
        vertical = np.float32(PULLEY_MPS2) * (self._rope_ratio[lift, None] - 1) * np.sin(z * np.float32(2 / PULLEY_M))
        uneven = condition.rope_tension[lift]
        row = np.flatnonzero(uneven)
        if len(row):
            lay_hz = self._rope_ratio[lift[row], None] * v[row] / np.float32(ROPE_LAY_M)
            lay = np.sin(self._rope_ratio[lift[row], None] * z[row] * np.float32(2 * np.pi / ROPE_LAY_M))
            passed = (lay_hz < FILTER_SHARE * self.rate_hz) * np.float32(ROPE_LAY_MPS2)
            vertical[row] += passed * lay * uneven[row, None].astype(np.float32)
        vertical = (
            motion.a_mps2[part].astype(np.float32) + pace * vertical + self._sheave_acceleration(cars, motion, part)
        )
        xyz[lift] += np.stack([x, y, vertical], axis=1)

    def _sheave_acceleration(self, cars: Cars, motion: Motion, part: slice) -> F32:
        """Return the vertical acceleration by the sheave orders for some of the cars."""
        condition, lift = cars.condition, motion.lift[part]
        turned = sheave_travel_m(cars, lift, motion.drive_m[part]).astype(np.float32)
        pace = np.abs(sheave_speed_mps(cars, lift, motion.v_mps[part]) / self._rated_mps[lift, None], dtype=np.float32)
        angle = self._sheave_per_m[lift, None] * turned + self._phase[lift, None]
        one, two = (np.float32(order) for order in SHEAVE_MPS2)
        worn = 1 + SHEAVE_WORN * condition.sheave[lift] + ROPES_UNEVEN * condition.rope_tension[lift]
        spins = SPIN_LOUD * condition.spins_mps[lift] / self._rated_mps[lift]
        strength = pace * worn.astype(np.float32)[:, None] * (one + two * 2 * np.cos(angle))
        strength += spins.astype(np.float32)[:, None]
        return np.asarray(self._rough[lift, None] * strength * np.sin(angle), dtype=np.float32)

    def _spoil(self, condition: Condition, samples: NDArray[np.int64], xyz: F32) -> None:
        """Apply the faults of accelerometers, in place; keep each one's last reading."""
        faults = condition.accelerometer
        lift = faults.faulty
        for axis in range(3) if len(lift) else ():
            xyz[lift, axis] = apply_sensor_faults(faults, lift, xyz[lift, axis], self._spikes[lift], 3 * samples + axis)
        stuck = lift[faults.stuck[lift]]
        xyz[stuck] = self._last[stuck, :, None]
        self._last = xyz[:, :, -1].copy()
