"""What strikes a car: doors that set off and arrive, people who step in and out. Each blow rings and fades.

a (t) = A exp(-t / tau) sin(2 pi f t)     from its own moment on, into the next second
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.cars.state import Log
from telemetry.streams import CLOSED, OPEN

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Index = NDArray[np.intp]

ARRIVES_MPS2, SETS_OFF_MPS2 = 0.12, 0.04
STEP_MPS2, STEP_KG = 0.03, 75.0


@dataclass(frozen=True, slots=True)
class Blows:
    """Who is struck, when and how hard; how it rings, how fast it fades, and its shares in x, y and z."""

    lift: Index
    t_s: F64
    mps2: F64
    hz: float
    fades_s: float
    shares: tuple[float, float, float]


def of_second(log: Log) -> list[Blows]:
    """Return what struck cars in the second of this log."""
    doors = [
        Blows(
            lift,
            t_s,
            np.where((state == OPEN) | (state == CLOSED), ARRIVES_MPS2, SETS_OFF_MPS2),
            hz=14.0,
            fades_s=0.06,
            shares=(0.5, 1.0, 0.35),
        )
        for lift, t_s, state in log.door
    ]
    steps = [
        Blows(lift, t_s, STEP_MPS2 * np.abs(kg) / STEP_KG, hz=5.0, fades_s=0.12, shares=(0.6, 1.0, 0.5))
        for lift, t_s, kg in log.loads
    ]
    return doors + steps


def ring(blows: list[Blows], begin_s: F64, xyz: F32) -> None:
    """Add to the waveforms (lifts, 3, samples) what is heard of these blows in the second that begins at `begin_s`."""
    rate_hz = xyz.shape[2]
    for blow in blows:
        since_s = begin_s[blow.lift, None] - blow.t_s[:, None] + np.arange(rate_hz) / rate_hz
        after_s = np.maximum(since_s, 0.0)
        wave = blow.mps2[:, None] * np.exp(-after_s / blow.fades_s) * np.sin(2 * np.pi * blow.hz * after_s)
        heard = wave[:, None] * np.array(blow.shares)[:, None]
        np.add.at(xyz, blow.lift, heard.astype(np.float32))
