"""What an accelerometer on the car floor reads: 3 x 100 Hz, synthesised from the sources that shake a car.

    z     the car's own acceleration, the traction sheave's first order
    x, y  guide rollers (first order), rail joints: shocks that stay where the joints are
    all   sensor noise and bias

The law: a source that turns or stands with the car's position is a function of that position, so its frequency follows
the speed and its phase never jumps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator import chance
from simulator.cars import Lifts
from simulator.suspension import Motion

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

WAVE_HZ = 100
CHUNK_LIFTS = 256
NOISE_MPS2 = 0.01
BIAS_MPS2 = 0.05
DECIMALS = 3
SHEAVE_MPS2 = 0.022
ROLLER_DIAMETER_M = 0.125
ROLLER_MPS2 = (0.018, 0.015)
RAIL_M = 5.0
JOINT_WIDTH_M = 0.03
JOINT_MPS2 = (0.03, 0.02)
_SAMPLES = np.arange(WAVE_HZ)
_PURPOSES = (chance.X_NOISE, chance.Y_NOISE, chance.Z_NOISE)


class Vibration:
    """The accelerometers of a range of lifts."""

    def __init__(self, lifts: Lifts, seed: int) -> None:
        self._noise = np.stack([chance.keys(seed, lifts.number, purpose) for purpose in _PURPOSES], axis=1)
        traits = lifts.trait
        self._bias = BIAS_MPS2 * (2 * np.stack([traits[f"{axis}_bias"] for axis in "xyz"], axis=1) - 1)
        self._rough = 0.7 + 0.6 * traits["smooth"]
        self._phase = 2 * np.pi * traits["phase"]
        self._sheave_per_m = 2 * lifts.rope_ratio / lifts.sheave_m
        self._rated_mps = lifts.rated_mps

    def step(self, motion: Motion, second: int) -> F32:
        """Return the waveforms of one second, (lifts, 3, 100), m/s², gravity removed."""
        xyz = np.empty((len(motion.rest_m), 3, WAVE_HZ), dtype=np.float32)
        samples = second * WAVE_HZ + _SAMPLES
        for first in range(0, len(xyz), CHUNK_LIFTS):
            part = slice(first, first + CHUNK_LIFTS)
            noise = chance.bell(chance.words(self._noise[part, :, None], samples))
            xyz[part] = NOISE_MPS2 * noise + self._bias[part, :, None]
        for first in range(0, len(motion.lift), CHUNK_LIFTS):
            part = slice(first, first + CHUNK_LIFTS)
            moved = motion.lift[part], motion.z_m[part], motion.v_mps[part], motion.a_mps2[part]
            xyz[motion.lift[part]] += self._ride(*moved).astype(np.float32)
        return np.round(xyz, DECIMALS)

    def _ride(self, lift: NDArray[np.intp], z: F64, v: F64, a: F64) -> F64:
        """Return what moving adds, (lifts, 3, 100)."""
        pace = np.abs(v) / self._rated_mps[lift, None]
        strength, phase = self._rough[lift, None] * pace, self._phase[lift, None]
        roller = 2 * z / ROLLER_DIAMETER_M + phase
        from_joint_m = (z + phase) % RAIL_M - RAIL_M / 2
        joint = np.exp(-((from_joint_m / JOINT_WIDTH_M) ** 2)) * pace
        shake = np.empty((len(lift), 3, WAVE_HZ))
        for axis, wave in enumerate((np.sin(roller), np.cos(roller))):
            shake[:, axis] = strength * (ROLLER_MPS2[axis] * wave + JOINT_MPS2[axis] * joint)
        shake[:, 2] = a + SHEAVE_MPS2 * strength * np.sin(self._sheave_per_m[lift, None] * z + phase)
        return shake
