"""What the vibration of a machine shows of its bearings: kurtosis, velocity, and a comb in the envelope's spectrum.

    vibration  |\\___|\\___|\\___|\\___    each blow on a damaged race rings the housing
    envelope   /\\__/\\__/\\__/\\__       of the band from 500 Hz on
    spectrum   _|____|____|____|__       over the way of the car, since blows follow the angle of the sheave

Powers over `SEGMENT_M` of travel at a steady speed are averaged: a blow comes seldom, and one second has few of them.
After Randall and Antoni, "Rolling element bearing diagnostics, a tutorial", 2011.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import fft

from detectors.observe.features import FeatureColumns
from detectors.observe.gaps import NEVER_NS
from telemetry.arrays import F32, F64, I64, Memory
from telemetry.batch import Waveforms
from telemetry.compiled import copied, records

LEAST_HZ, LEAST_S, MOST_SAMPLES = 2_000.0, 0.5, 1 << 17
"""Slower or shorter blocks, or longer ones, are not looked at."""
VELOCITY_HZ, BAND_HZ, ENVELOPE_HZ = (10.0, 1_000.0), (500.0, 5_000.0), 256.0
SEGMENT_M, LINES = 5.0, 100
"""Lines are multiples of 1 / `SEGMENT_M` a metre."""
SEGMENTS, FEWEST = 24, 8
"""So many segments are averaged; with fewer there is no comb."""
SLOWEST_MPS, STEADY, GAP_NS = 0.3, 0.05, 50_000_000
MEMORY = np.dtype(
    [
        ("end_ns", np.int64),  # the end of the last block, and the speed at its begin
        ("v_mps", np.float64),
        ("way_m", np.float64),  # in this segment
        ("line", np.complex64, (LINES,)),
        ("power", np.float32, (LINES,)),
        ("segments", np.int64),
    ],
    align=True,
)


def start(n: int) -> Memory:
    """Return the records of `n` machines without vibration."""
    return records(n, MEMORY, end_ns=NEVER_NS, v_mps=np.nan)


def step(memory: Memory, machine: Waveforms | None, known_ns: I64 | None, shown: FeatureColumns) -> Memory:
    """Return the records after these blocks, and write what they show to their rows of `shown`.

    The rows of `shown` hold the speed of the car at the begin of each block.
    """
    if machine is None or not len(machine.message):
        return memory
    memory = copied(memory)
    known_ns = machine.t_ns if known_ns is None else known_ns
    order = np.lexsort((known_ns, machine.message))
    order = order[machine.first[1:][order] > machine.first[:-1][order]]
    for row, block in zip(np.flatnonzero(shown.of_machine), order, strict=True):
        samples = machine.xyz[0, machine.first[block] : machine.first[block + 1]]
        hz = 1e9 / machine.dt_ns[block] if machine.dt_ns[block] > 0 else 0.0
        own = memory[machine.message[block]]
        if hz < LEAST_HZ or not LEAST_S * hz <= len(samples) <= MOST_SAMPLES or not np.isfinite(samples).all():
            continue
        shown.machine_kurtosis[row], shown.machine_mmps[row], envelope = _shape(samples, hz)
        _take(own, envelope, int(machine.t_ns[block]), len(samples) / hz, float(shown.speed_mps[row]))
        shown.comb[row], shown.comb_per_m[row] = _comb(own)
    return memory


def _shape(samples: F32, hz: float) -> tuple[float, float, F64]:
    """Return kurtosis and RMS velocity (mm/s) of a block, and its envelope, `ENVELOPE_HZ` samples a second."""
    n = len(samples)
    a = samples.astype(np.float64) - samples.mean(dtype=np.float64)
    power = float(np.mean(a**2))
    spectrum, line_hz = fft.rfft(a), fft.rfftfreq(n, 1 / hz)
    slow = (line_hz >= VELOCITY_HZ[0]) & (line_hz <= VELOCITY_HZ[1])
    velocity = np.abs(spectrum[slow]) / (np.pi * n * line_hz[slow] * np.sqrt(2))
    ringing = np.zeros(n, dtype=np.complex128)
    band = (line_hz >= BAND_HZ[0]) & (line_hz <= min(BAND_HZ[1], 0.45 * hz))
    ringing[: len(line_hz)][band] = spectrum[band]
    square = np.abs(fft.ifft(ringing))
    envelope = _means(square - square.mean(), round(n / hz * ENVELOPE_HZ))
    kurtosis = float(np.mean(a**4)) / power**2 if power > 0 else np.nan
    return kurtosis, 1000.0 * float(np.sqrt(np.sum(velocity**2))), envelope


def _means(values: F64, parts: int) -> F64:
    """Return the means of parts of equal length, of which the first ones are longer by a value where it must be."""
    length, longer = divmod(len(values), parts)
    first = longer * (length + 1)
    means = (values[:first].reshape(longer, length + 1), values[first:].reshape(parts - longer, length))
    return np.concatenate([rows.mean(axis=1) for rows in means])


def _take(own: Any, envelope: F64, t_ns: int, length_s: float, v_mps: float) -> None:
    """Add a block to the spectrum of the segment; one that is complete is averaged, one that is broken forgotten."""
    follows = abs(t_ns - own["end_ns"]) <= GAP_NS and abs(v_mps - own["v_mps"]) <= STEADY * abs(v_mps)
    own["end_ns"], own["v_mps"] = t_ns + int(length_s * 1e9), v_mps
    if not (follows and abs(v_mps) >= SLOWEST_MPS):
        own["line"], own["way_m"] = 0.0, 0.0
        return
    step_m = abs(v_mps) * length_s / len(envelope)
    way_m = own["way_m"] + step_m * np.arange(len(envelope))
    turns = np.outer(np.arange(1, LINES + 1), way_m / SEGMENT_M)
    waves = np.exp(-2j * np.pi * turns) * (1 - np.cos(2 * np.pi * way_m / SEGMENT_M))
    until = int(np.searchsorted(way_m, SEGMENT_M))
    own["line"] += waves[:, :until] @ envelope[:until] * step_m
    own["way_m"] += step_m * len(envelope)
    if own["way_m"] >= SEGMENT_M:
        own["segments"] = min(own["segments"] + 1, SEGMENTS)
        own["power"] += (np.abs(own["line"]) ** 2 - own["power"]) / own["segments"]
        own["line"], own["way_m"] = 0.0, 0.0


def _comb(own: Any) -> tuple[float, float]:
    """Return the lower of the first two lines of the strongest comb over the median line, and its lines a metre."""
    if own["segments"] < FEWEST:
        return np.nan, np.nan
    lines = np.sqrt(own["power"].astype(np.float64))
    lines /= max(float(np.median(lines)), 1e-12)
    first = np.arange(2, LINES // 2)  # lines of less than 0.6 a metre are of the sheave's turning itself
    second = np.array([lines[2 * k : 2 * k + 3].max() for k in first])
    teeth = np.minimum(lines[first], second)
    best = int(np.argmax(teeth))
    return float(teeth[best]), float((first[best] + 1) / SEGMENT_M)
