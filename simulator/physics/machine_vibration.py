"""Vibration of the hoisting machine, 2 560 samples a second, for selected lifts: bearing, gear, motor and noise.

    bearing   a defect is overrolled BPFO, BPFI or BSF times per turn of the sheave; each impact rings the housing
    geared    the mesh of the worm, with sidebands of the sheave          gearless   the motor's f_e, 6 f_e and 12 f_e

All frequencies follow the angle of the sheave (`traction_sheave`), 2 r z / D; the speed is used only for amplitudes and
for the time since the last impact. Formulas: docs/world.md, section 5.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from simulator.cars.lifts import LiftParameters
from simulator.cars.state import Cars
from simulator.maths import rng
from simulator.physics.traction_sheave import sheave_speed_mps, sheave_travel_m
from telemetry.arrays import F32, F64, Index

MACHINE_HZ = 2560
DECIMALS = 3
HUM_MPS2, HUM_RUNNING_MPS2 = 0.01, 0.02
BALLS, BALL_PER_PITCH = 8, 0.2
SLIPS = 0.01
"""A rolling bearing slips by up to this share, which lowers its frequencies."""
DEFECT_SHARES = (0.5, 0.3, 0.2)
DEFECT_MPS2, RESONANCE_HZ, FADES_S = 1.5, 900.0, 0.003
GEARED_UP_TO_MPS, MESH_PER_TURN, MESH_MPS2 = 1.0, 46, (0.08, 0.03)
POLE_PAIRS, ELECTRIC_MPS2 = 10, ((1, 0.02), (6, 0.03), (12, 0.015))
SLOWEST_MPS = 0.05


def bearing_orders(balls: int = BALLS, ball_per_pitch: float = BALL_PER_PITCH) -> dict[str, float]:
    """Return the defect frequencies of a bearing per turn of its shaft (contact angle 0)."""
    return {
        "BPFO": balls / 2 * (1 - ball_per_pitch),
        "BPFI": balls / 2 * (1 + ball_per_pitch),
        "BSF": (1 - ball_per_pitch**2) / (2 * ball_per_pitch),
        "FTF": (1 - ball_per_pitch) / 2,
    }


class MachineSensors:
    """The machine accelerometers of some lifts of a range; `lift` are their rows."""

    def __init__(self, lifts: LiftParameters, seed: int, lift: Index) -> None:
        self.lift = lift
        number = lifts.number[lift]
        every, traits = np.arange(len(lift)), rng.RandomStreams(seed, number, rng.MACHINE)
        self._key, self._blows = (
            rng.stream_keys(seed, number, purpose) for purpose in (rng.MACHINE_NOISE, rng.BEARING_IMPACTS)
        )
        orders = bearing_orders()
        kind = np.searchsorted(np.cumsum(DEFECT_SHARES)[:-1], traits.uniform(every), "right")
        slip = 1 - SLIPS * traits.uniform(every)
        self.defect = np.array(["BPFO", "BPFI", "BSF"])[kind]
        self._per_turn = slip * np.array([orders[name] for name in ("BPFO", "BPFI", "BSF")])[kind]
        loaded = np.array([0.0, 1.0, orders["FTF"]])[kind]
        self._loaded_per_turn = np.where(kind == 2, slip * loaded, loaded)
        self._phase = traits.uniform(every)
        self.turns_per_m = lifts.rope_ratio[lift] / (np.pi * lifts.sheave_m[lift])
        self._rated_mps = lifts.rated_mps[lift]
        self._geared = self._rated_mps <= GEARED_UP_TO_MPS

    def step(self, cars: Cars, begin_s: F64, second: int) -> dict[int, F32]:
        """Return the waveform of one second, m/s², of each lift with a machine sensor."""
        if not len(self.lift):
            return {}
        samples = np.arange(MACHINE_HZ)
        z, v, _ = cars.trajectories.at(self.lift, begin_s[self.lift, None] + samples / MACHINE_HZ)
        z, v = sheave_travel_m(cars, self.lift, z), sheave_speed_mps(cars, self.lift, v)
        pace = np.abs(v) / self._rated_mps[:, None]
        turns = self.turns_per_m[:, None] * z + self._phase[:, None]
        hum = rng.normal_rows(self._key, (second * MACHINE_HZ + samples)[None])
        a = (HUM_MPS2 + HUM_RUNNING_MPS2 * pace) * hum
        a += pace * np.where(self._geared[:, None], _mesh(turns), _motor(turns))
        a += cars.condition.bearing[self.lift, None] * pace * self._bearing(turns, v)
        return dict(zip(self.lift.tolist(), np.round(a, DECIMALS).astype(np.float32), strict=True))

    def _bearing(self, turns: F64, v: F64) -> F64:
        """Return the ringing after the last impact of each machine's bearing defect."""
        rolled = turns * self._per_turn[:, None] * np.where(v < 0, -1.0, 1.0)
        impact = np.floor(rolled)
        per_s = np.maximum(np.abs(v), SLOWEST_MPS) * (self.turns_per_m * self._per_turn)[:, None]
        since_s = (rolled - impact) / per_s
        draws = rng.uniform(rng.hash_bits(self._blows[:, None], impact.astype(np.int64)))
        loaded = np.where(
            self._loaded_per_turn[:, None] > 0,
            (1 + np.cos(2 * np.pi * self._loaded_per_turn[:, None] * turns)) / 2,
            1.0,
        )
        return (
            DEFECT_MPS2
            * (0.7 + 0.6 * draws)
            * loaded
            * np.exp(-since_s / FADES_S)
            * np.sin(2 * np.pi * RESONANCE_HZ * since_s)
        )


def monitored_rows(row: dict[str, int], machine: bool | Collection[str]) -> Index:
    """Return the rows of the lifts with a machine sensor: all, none, or those with these ids."""
    if isinstance(machine, bool):
        return np.arange(len(row) if machine else 0)
    return np.array([k for lift_id, k in row.items() if lift_id in machine], dtype=np.intp)


def _mesh(turns: F64) -> F64:
    """Return the vibration of a worm gear: its mesh frequency and twice that, modulated once per turn."""
    angle = 2 * np.pi * turns
    swell = 1 + 0.3 * np.cos(angle)
    return swell * sum(size * np.sin(k * MESH_PER_TURN * angle) for k, size in enumerate(MESH_MPS2, start=1))


def _motor(turns: F64) -> F64:
    """Return the vibration of a gearless motor: electrical frequency and torque ripple."""
    return np.asarray(sum(size * np.sin(2 * np.pi * k * POLE_PAIRS * turns) for k, size in ELECTRIC_MPS2))
