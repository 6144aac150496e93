"""Filters of ride quality for any sampling rate: the weightings Wd and Wk of ISO 8041, a low-pass and band-passes.

A weighting is a chain of sections of second order (ISO 8041, the table of parameters): band-limiting by a high-pass
and a low-pass, the transition from acceleration to velocity, and for Wk an upward step. Each section is matched to its
analogue response: the poles by z = exp(s/fs), the zeros so that the gain is exact at 0 Hz, at half the rate and at one
frequency between. The bilinear transform would lose 4 dB at 31.5 Hz of a signal of 100 Hz.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from telemetry.arrays import F64
from telemetry.ride_fields import AXES

HIGH_PASS_HZ, LOW_PASS_HZ, BUTTERWORTH_Q = 0.4, 100.0, 0.5**0.5
TRANSITION_Q = 0.63
TRANSITION_D_HZ, TRANSITION_K_HZ = 2.0, 12.5
STEP_HZ, STEP_Q = (2.37, 3.35), 0.91
MOTION_HZ = 10.0
BANDS_HZ = ((1.0, 4.0), (4.0, 16.0), (16.0, 50.0))
SHAPE_HZ = (2.0, 50.0)
"""The band in which kurtosis, crest factor and shocks are measured."""


class AnalogueSection(NamedTuple):
    """An analogue section (b0 + b1 s + b2 s²) / (a0 + a1 s + a2 s²), and a frequency at which it must be exact, Hz."""

    b: tuple[float, float, float]
    a: tuple[float, float, float]
    at_hz: float

    def gain(self, hz: F64) -> F64:
        """Return the gain at these frequencies."""
        s = 2j * np.pi * hz
        return np.abs(np.polyval(self.b[::-1], s) / np.polyval(self.a[::-1], s))


def high_pass(hz: float) -> AnalogueSection:
    """Return a Butterworth high-pass of two poles."""
    w = 2 * np.pi * hz
    return AnalogueSection((0.0, 0.0, 1 / w**2), (1.0, 1 / (BUTTERWORTH_Q * w), 1 / w**2), hz)


def low_pass(hz: float) -> AnalogueSection:
    """Return a Butterworth low-pass of two poles."""
    w = 2 * np.pi * hz
    return AnalogueSection((1.0, 0.0, 0.0), (1.0, 1 / (BUTTERWORTH_Q * w), 1 / w**2), hz)


def band_pass(low_hz: float, high_hz: float) -> AnalogueSection:
    """Return a Butterworth band-pass of two poles, 3 dB down at both frequencies."""
    w, width = 2 * np.pi * np.sqrt(low_hz * high_hz), 2 * np.pi * (high_hz - low_hz)
    return AnalogueSection((0.0, width, 0.0), (w**2, width, 1.0), float(np.sqrt(low_hz * high_hz)))


def transition(hz: float) -> AnalogueSection:
    """Return the transition from acceleration to velocity at a frequency (f3 = f4)."""
    w = 2 * np.pi * hz
    return AnalogueSection((1.0, 1 / w, 0.0), (1.0, 1 / (TRANSITION_Q * w), 1 / w**2), hz)


def upward_step() -> AnalogueSection:
    """Return the upward step of Wk: 1 above both its frequencies, (f5 / f6)² below."""
    w5, w6 = (2 * np.pi * hz for hz in STEP_HZ)
    low = (STEP_HZ[0] / STEP_HZ[1]) ** 2
    return AnalogueSection(
        (low, low / (STEP_Q * w5), low / w5**2), (1.0, 1 / (STEP_Q * w6), 1 / w6**2), float(np.prod(STEP_HZ)) ** 0.5
    )


BAND_LIMIT = (high_pass(HIGH_PASS_HZ), low_pass(LOW_PASS_HZ))
WD = (*BAND_LIMIT, transition(TRANSITION_D_HZ))
WK = (*BAND_LIMIT, transition(TRANSITION_K_HZ), upward_step())


def matched(section: AnalogueSection, fs_hz: float) -> tuple[float, float, float, float, float]:
    """Return b0, b1, b2, a1 and a2 of the digital section.

    Source: M. Vicanek, "Matched Second Order Digital Filters" (2016): |B|² and |A|² are linear in 1, sin² and their
    product, so three gains give b0, b1 and b2.
    """
    a0, a1, a2 = section.a
    poles = np.exp(np.roots([a2, a1, a0]) / fs_hz)
    d1, d2 = -float(np.real(poles.sum())), float(np.real(poles.prod()))
    at_hz = min(section.at_hz, fs_hz / 4)
    p = np.sin(np.pi * np.array([0.0, at_hz, fs_hz / 2]) / fs_hz) ** 2
    squares = np.array([(1 + d1 + d2) ** 2, (1 - d1 + d2) ** 2, -4 * d2])
    terms = np.array([1 - p, p, 4 * p * (1 - p)])
    wanted = (squares @ terms) * section.gain(np.array([0.0, at_hz, fs_hz / 2])) ** 2
    sum_b, difference_b = np.sqrt(wanted[0]), np.sqrt(wanted[2])
    square = (wanted[1] - wanted[0] * terms[0, 1] - wanted[2] * terms[1, 1]) / terms[2, 1]
    middle = (sum_b + difference_b) / 2
    b0 = (middle + np.sqrt(max(middle**2 + square, 0.0))) / 2
    return float(b0), float((sum_b - difference_b) / 2), float(-square / (4 * b0)), d1, d2


PASS = (1.0, 0.0, 0.0, 0.0, 0.0)
"""A section that changes nothing: an axis with fewer sections is filled up with it."""
CHAIN, BANDS, SHAPES = 4, len(BANDS_HZ), 2


@lru_cache(64)
def filters(hz: int) -> F64:
    """Return the sections of a rate as an array (sections, 5 coefficients, 3 axes x, y, z).

    First the `CHAIN` sections of Wd, Wd and Wk, then the `BANDS` band-passes, the `SHAPES` sections of `SHAPE_HZ`, and
    the low-pass of the motion.
    """
    wd, wk = ([matched(each, hz) for each in chain] for chain in (WD, WK))
    wd.append(PASS)
    weighted = [[d, d, k] for d, k in zip(wd, wk, strict=True)]
    same = (
        *(band_pass(*band) for band in BANDS_HZ),
        high_pass(SHAPE_HZ[0]),
        low_pass(SHAPE_HZ[1]),
        low_pass(MOTION_HZ),
    )
    others = [[matched(section, hz)] * AXES for section in same]
    return np.ascontiguousarray(np.array([*weighted, *others]).transpose(0, 2, 1))
