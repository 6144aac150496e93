"""The vibration of a sound car: its own acceleration, ropes and rails while it runs, people who step in and out.

None of it is beyond a limit of GB/T 10058; people shake a car with its door open more than a fault may shake it shut.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.detectors.world import GRID_S, VIBRATION_HZ, Script

BIAS_MPS2 = np.array([[0.02], [-0.03], [0.04]])
PEAK_TO_PEAK_MPS2 = np.array([[0.14], [0.14], [0.2]])
"""Of the steady vibration under way, noise apart: about three quarters of the limit."""
LINES_HZ = np.array([[2.3], [3.7], [6.1]])
BOARDING_S, BOARDING_HZ, BOARDING_MPS2 = 2.5, 2.0, 0.6


def felt(script: Script) -> NDArray[np.float64]:
    """Return the acceleration along x, y and z, m/s²; a person steps in or out where the light curtain is blocked."""
    rng, step = np.random.default_rng(7), round(1 / GRID_S / VIBRATION_HZ)
    speed = np.concatenate(script.speeds)
    xyz = np.zeros((3, len(speed[::step])))
    t_s = np.arange(xyz.shape[1]) / VIBRATION_HZ
    xyz[2] += np.gradient(speed, GRID_S)[::step]
    xyz += PEAK_TO_PEAK_MPS2 / 2 * np.sin(2 * np.pi * LINES_HZ * t_s) * (np.abs(speed[::step]) > 0.0)
    for begin_s, channel, value in script.events:
        if channel == "curtain" and value:
            here = (t_s >= begin_s) & (t_s < begin_s + BOARDING_S)
            xyz += np.where(here, BOARDING_MPS2 * np.sin(2 * np.pi * BOARDING_HZ * t_s), 0.0)
    return xyz + BIAS_MPS2 + rng.normal(0.0, 0.008, xyz.shape)
