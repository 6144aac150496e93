"""Impacts on a car: doors that start and stop, and steps of passengers. Each impact is a decaying oscillation.

a (t) = A exp(-t / tau) sin(2 pi f t)     from the impact on, into the next second
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.cars.state import EventLog
from telemetry.arrays import F32, F64, Index
from telemetry.streams import CLOSED, OPEN

ARRIVES_MPS2, SETS_OFF_MPS2 = 0.12, 0.04
STEP_MPS2, STEP_KG = 0.03, 75.0


@dataclass(frozen=True, slots=True)
class Impacts:
    """Impacts of one kind: lifts, times, amplitudes, frequency, decay time, and shares in x, y and z."""

    lift: Index
    t_s: F64
    mps2: F64
    hz: float
    fades_s: float
    shares: tuple[float, float, float]


def door_and_step_impacts(log: EventLog) -> list[Impacts]:
    """Return the impacts in the second of this log."""
    door_readings = [
        Impacts(
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
        Impacts(lift, t_s, STEP_MPS2 * np.abs(kg) / STEP_KG, hz=5.0, fades_s=0.12, shares=(0.6, 1.0, 0.5))
        for lift, t_s, kg in log.loads
    ]
    return door_readings + steps


def add_ringing(impacts: list[Impacts], begin_s: F64, xyz: F32) -> None:
    """Add the oscillations of these impacts to the waveforms (lifts, 3, samples) of the second that begins at
    `begin_s`."""
    rate_hz = xyz.shape[2]
    for impact in impacts:
        since_s = begin_s[impact.lift, None] - impact.t_s[:, None] + np.arange(rate_hz) / rate_hz
        after_s = np.maximum(since_s, 0.0)
        wave = impact.mps2[:, None] * np.exp(-after_s / impact.fades_s) * np.sin(2 * np.pi * impact.hz * after_s)
        components = wave[:, None] * np.array(impact.shares)[:, None]
        np.add.at(xyz, impact.lift, components.astype(np.float32))
