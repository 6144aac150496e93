"""Trips to and fro with a vibration of each while the car runs, for the rules over rides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from telemetry.streams import CLOSED
from tests.detectors.world import VIBRATION_HZ, Script

WAITS_S = 31.0
"""A ride without a door that opens is complete 30 s after its stop."""
TRIP_M = 18.0


def trips(
    count: int, way_m: float = TRIP_M, waits_s: float = WAITS_S, opens: bool = False
) -> tuple[Script, list[tuple[float, float]]]:
    """Return trips of so far, and when each begins and ends in seconds; the door `opens` after each, or stays shut."""
    script, spans = Script(z_m=0.0).event(door=CLOSED).rest(4.0), list[tuple[float, float]]()
    for k in range(count):
        begin_s = script.now_s
        script.ride(way_m if k % 2 == 0 else 0.0)
        spans.append((begin_s, script.now_s))
        if opens:
            script.open_door(1.5).rest(0.5).close_door(2.0)
        script.rest(waits_s)
    return script, spans


def vibration(
    script: Script, spans: Sequence[tuple[float, float]], peaks_mps2: Sequence[float], hz: float = 6.0
) -> NDArray[np.float64]:
    """Return a sine of such an amplitude over each trip."""
    t_s = np.arange(round(script.now_s * VIBRATION_HZ)) / VIBRATION_HZ
    signal = np.zeros_like(t_s)
    for (begin_s, end_s), peak in zip(spans, peaks_mps2, strict=True):
        signal += np.where((t_s >= begin_s) & (t_s < end_s), peak * np.sin(2 * np.pi * hz * t_s), 0.0)
    return signal
