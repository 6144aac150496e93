"""The ride quality of a whole recorded ride by whole-array filters: what the streaming recurrence must equal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from detectors.observe.rides import weighting
from telemetry.arrays import F64
from telemetry.batch import Waveforms
from tests.detectors.world import BEGIN_NS


class Signal(NamedTuple):
    """A car's vibration (3, samples) at a rate, from `BEGIN_NS` on."""

    xyz: F64
    hz: int


def blocks_of(signals: dict[int, Signal], block_s: float = 1.0) -> Waveforms:
    """Return signals of lifts in blocks, sorted by lift and time."""
    parts = [
        (lift, BEGIN_NS + at * 1_000_000_000 // signal.hz, 1e9 / signal.hz, signal.xyz[:, at : at + size])
        for lift, signal in sorted(signals.items())
        for size in [round(block_s * signal.hz)]
        for at in range(0, signal.xyz.shape[1], size)
    ]
    lift, t_ns, dt_ns, xyz = zip(*parts, strict=True)
    first = np.cumsum([0, *(part.shape[1] for part in xyz)])
    whole = np.concatenate(xyz, axis=1).astype(np.float32)
    return Waveforms(np.array(lift, np.int32), np.array(t_ns), np.array(dt_ns), first, whole)


def chain(sections: tuple[weighting.AnalogueSection, ...], hz: int, x: F64) -> F64:
    """Return a signal after the sections."""
    for section in sections:
        b0, b1, b2, a1, a2 = weighting.matched(section, hz)
        x = lfilter([b0, b1, b2], [1.0, a1, a2], x)
    return x


def peak_to_peak(x: F64) -> tuple[NDArray[np.intp], F64]:
    """Return where each pair of half waves ends, and the sum of their peaks."""
    negative = np.signbit(x)
    crossings = np.flatnonzero(negative[1:] != negative[:-1]) + 1
    peaks = np.maximum.reduceat(np.abs(x), np.r_[0, crossings])
    return crossings[1:], peaks[:-1][1:] + peaks[:-1][:-1]


def values_between(signal: Signal, axis: int, way_m: F64) -> F64:
    """Return the peak-to-peak values of an axis between the boundaries, given the way at each sample."""
    sections = weighting.WK if axis == 2 else weighting.WD
    end, values = peak_to_peak(chain(sections, signal.hz, signal.xyz[axis].astype(np.float32).astype(np.float64)))
    return values[(way_m[end] >= 0.5) & (way_m[end] <= way_m[-1] - 0.5)]
