"""The speed and position sensors, ten samples a second.

    true motion ─► gain, bias, weather, noise ─► quantisation ─► faults: gain, offset, spikes; dead, mute, stuck

A reading is a function of (seed, lift, sample), the true motion, and the sensor's condition; only a stuck sensor has
memory: its last reading. Most lifts read their position from an absolute tape or a laser; a barometer is affected by
the weather. Values: docs/world.md, section 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.cars.lifts import LiftParameters
from simulator.cars.state import Cars
from simulator.faults.condition import Condition, SensorFaults
from simulator.maths import rng
from simulator.physics.suspension import Motion
from simulator.physics.traction_sheave import sheave_speed_mps
from telemetry.arrays import F64, Bools, Index
from telemetry.streams import CLOSED

DoorChanges = tuple[Index, F64, NDArray[np.int8]]

SAMPLE_HZ: Final = 10
DECIMALS = 4
SPEED_GAIN_ERROR = 2e-4
TAPE_BIAS_M = 0.0005
HPA_PER_M = 0.12
BAROMETER_NOISE_HPA = 0.01
BAROMETER_STEP_M = 0.001 / HPA_PER_M
WEATHER_M = 1.1
WEATHER_PERIODS_S = (19_000.0, 34_000.0, 61_000.0)
DAY_S = 86_400.0
SAMPLES = np.arange(SAMPLE_HZ)


class Sensors:
    """The speed and position sensors of a range of lifts; barometers by the lifts' facts, and a share of the others."""

    def __init__(self, lifts: LiftParameters, seed: int, start_ns: int, barometers: float = 0.0) -> None:
        number = lifts.number
        self._speed_key = rng.stream_keys(seed, number, rng.SPEED_NOISE)
        self._position_key = rng.stream_keys(seed, number, rng.POSITION_NOISE)
        self._spike_key = rng.stream_keys(seed, number, rng.SPIKES)
        every, traits = np.arange(len(number)), rng.RandomStreams(seed, number, rng.SENSORS)
        self._speed_gain = 1 + SPEED_GAIN_ERROR * traits.normal(every)
        barometer = (traits.uniform(every) < barometers) | lifts.barometer
        self._noise_m = np.where(barometer, BAROMETER_NOISE_HPA / HPA_PER_M, lifts.equipment.tape_noise_m)
        self._speed_noise_mps = lifts.equipment.speed_noise_mps[:, None]
        self._bias_m = np.where(barometer, 0.0, TAPE_BIAS_M * traits.normal(every))
        self._zeroed_at_s = DAY_S * traits.uniform(every)
        self._weather = Weather(seed)
        self._start_s = start_ns / 1e9
        self.barometer = np.flatnonzero(barometer)
        self._last = {"speed": np.zeros(len(number)), "position": lifts.heights_m[:, 0].copy()}

    def read(self, cars: Cars, motion: Motion, begin_s: F64, second: int) -> tuple[F64, F64]:
        """Return speeds, m/s, and positions, m, both (lifts, 10), of the second that begins at `begin_s`.

        The position is that of the car, the speed that of the sheave.
        """
        samples = second * SAMPLE_HZ + SAMPLES
        v = self._speed_noise_mps * rng.normal_rows(self._speed_key, samples[None])
        z = self._noise_m[:, None] * rng.normal_rows(self._position_key, samples[None])
        z += (motion.rest_m + self._bias_m)[:, None]
        lift, every = motion.lift, motion.z_m.shape[1] // SAMPLE_HZ
        z[lift] += motion.z_m[:, ::every] - motion.rest_m[lift, None]
        v[lift] += sheave_speed_mps(cars, lift, motion.v_mps[:, ::every]) * self._speed_gain[lift, None]
        if len(self.barometer):
            air_m = (self._weather_m(begin_s) + cars.condition.gust_m)[self.barometer]
            read_m = z[self.barometer] + air_m[:, None]
            z[self.barometer] = np.round(read_m / BAROMETER_STEP_M) * BAROMETER_STEP_M
        v, z = np.round(v, DECIMALS), np.round(z, DECIMALS)
        self._spoil(cars.condition.speed, "speed", v, samples)
        self._spoil(cars.condition.position, "position", z, samples + (1 << 40))
        return v, z

    def _weather_m(self, begin_s: F64) -> F64:
        """Return the error of each barometer by the weather since its last daily calibration, m."""
        now_s = self._start_s + begin_s
        zeroed_s = np.maximum((now_s - self._zeroed_at_s) // DAY_S * DAY_S + self._zeroed_at_s, self._start_s)
        return self._weather.height_m(now_s) - self._weather.height_m(zeroed_s)

    def _spoil(self, faults: SensorFaults, sensor: str, readings: F64, samples: NDArray[np.int64]) -> None:
        """Apply the faults of one kind of sensor to `readings`, in place; keep each sensor's last reading."""
        lift = faults.faulty
        if len(lift):
            readings[lift] = apply_sensor_faults(faults, lift, readings[lift], self._spike_key[lift], samples)
            stuck = lift[faults.stuck[lift]]
            readings[stuck] = self._last[sensor][stuck, None]
        self._last[sensor] = readings[:, -1].copy()


def infrared_readings(
    condition: Condition, seen: Sequence[tuple[Index, F64, Bools, Bools]]
) -> list[tuple[Index, F64, NDArray[np.bool_]]]:
    """Return the readings of presence sensors and light curtains: lifts, times, (presence, curtain)."""
    return [
        (
            lift,
            t_s,
            np.stack(
                (
                    (presence | condition.presence_stuck[lift]) & ~condition.presence_dead[lift],
                    (curtain | condition.curtain_blocked[lift]) & ~condition.curtain_dead[lift],
                ),
                axis=1,
            ),
        )
        for lift, t_s, presence, curtain in seen
    ]


def door_readings(condition: Condition, did: Sequence[DoorChanges]) -> list[tuple[Index, F64, NDArray[np.int8]]]:
    """Return the readings of door sensors: lifts, times, states."""
    return [(lift, t_s, np.where(condition.door_stuck[lift], CLOSED, state)[:, None]) for lift, t_s, state in did]


def apply_sensor_faults(
    faults: SensorFaults, lift: NDArray[np.intp], readings: F64, key: rng.U64, samples: NDArray[np.int64]
) -> F64:
    """Return the readings (lifts, samples) of these sensors with gain, offset, spikes, 0 or NaN applied."""
    output = readings * faults.gain[lift, None] + faults.offset[lift, None]
    draws = rng.uniform(rng.hash_bits(key[:, None], samples))
    share = faults.spike_share[lift, None]
    output += np.where(draws < share, np.where(draws < share / 2, 1.0, -1.0) * faults.spike[lift, None], 0.0)
    output = np.round(output, DECIMALS)
    output[faults.dead[lift]] = 0.0
    output[faults.mute[lift]] = np.nan
    return output


class Weather:
    """The air pressure over all lifts of a seed as an apparent height: slow waves, metres over hours."""

    def __init__(self, seed: int) -> None:
        draw = rng.uniform_numbers(seed, -1, rng.WEATHER)
        self._waves = [(WEATHER_M * (0.6 + 0.4 * next(draw)), 2 * np.pi * next(draw)) for _ in WEATHER_PERIODS_S]

    def height_m(self, t_s: F64) -> F64:
        """Return by how many metres a barometer reads high; `t_s` counts from 1970."""
        waves = zip(self._waves, WEATHER_PERIODS_S, strict=True)
        return sum(
            (size_m * np.sin(2 * np.pi * t_s / period_s + phase) for (size_m, phase), period_s in waves),
            np.zeros_like(t_s),
        )
