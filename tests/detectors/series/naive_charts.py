"""The charts of `detectors.series` as plain loops over one feature."""

from __future__ import annotations

import math


def ewma(values: list[float], t_s: list[float], mean: float, interval_s: float, tau_s: float) -> list[tuple]:
    """Return the average and its spread (as a share of a value's) after each value, NaN as long as none is known.

    The average is written out as the sum of all values with their weights.
    """
    out: list[tuple] = []
    for k in range(len(values)):
        known = [i for i in range(k + 1) if not math.isnan(values[i])]
        if not known:
            out.append((mean, math.nan))
            continue
        rest, weights = 1.0, []
        for i, j in zip(reversed(known), [*reversed(known[:-1]), None], strict=True):
            dt_s = t_s[i] - (t_s[j] if j is not None else t_s[0] - interval_s)
            weights.append(rest * (1.0 - math.exp(-dt_s / tau_s)))
            rest *= math.exp(-dt_s / tau_s)
        average = rest * mean + sum(w * values[i] for w, i in zip(weights, reversed(known), strict=True))
        out.append((average, math.sqrt(sum(w * w for w in weights))))
    return out


def cusum(z: list[float], slack: float) -> list[tuple[float, float]]:
    """Return both sums after each value: the greatest sum of any run of values that ends there."""
    out = []
    for k in range(len(z)):
        known = [value for value in z[: k + 1] if not math.isnan(value)]
        ups = [sum(value - slack for value in known[first:]) for first in range(len(known) + 1)]
        downs = [sum(-value - slack for value in known[first:]) for first in range(len(known) + 1)]
        out.append((max(ups), max(downs)))
    return out


def mean_of_windows(scores: list[float], length: int) -> list[float]:
    """Return for each row the mean of the known windows that hold the row."""
    out = []
    for row in range(len(scores) + length - 1):
        held = [s for first, s in enumerate(scores) if first <= row < first + length and not math.isnan(s)]
        out.append(sum(held) / len(held) if held else math.nan)
    return out
