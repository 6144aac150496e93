"""The slow baseline of each measure of a lift, and its deviations from it in standard deviations.

measure     . ' . ' . . ' . : ' : ' : |'.'.            | a repair: the baseline is learned anew from here
baseline    [ learning ]─────────────  [ learning ]
learns           all      slowly  not    all           not from days that look abnormal, for `HOLD_DAYS` at most

What is learned from few days is drawn towards the peers: their centre by how far healthy lifts differ, their spread
from day to day by the number of days.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from detectors.health.measures import MEASURES, PEER_SPREAD, SPREAD, nanmedian
from telemetry.arrays import F64, I64
from telemetry.compiled import compiled

LEARN_DAYS = 10
SLOW_DAYS = 90.0
FAST_DAYS = 4.0
HOLD_DAYS = 45.0
SUSPECT = 1.5
"""A day is not learned from while the average of the last days is so many standard deviations off."""
OUTLIER = 4.0
"""No single day counts for more than this many standard deviations."""
SHRINK_DAYS = 10.0
PEERS_LEAST = 8


class Norms(NamedTuple):
    """What is usual among peers: the centre of each measure, how far lifts differ from it, and from day to day."""

    centre: F64
    between: F64
    within: F64


UNKNOWN_PEERS = Norms(np.full(len(MEASURES), np.nan), PEER_SPREAD, SPREAD)


class Deviations(NamedTuple):
    """Of each day and measure: the baseline, its spread from day to day, and the deviation in spreads (z).

    NaN while the baseline is learned, and where the measure is unknown.
    """

    centre: F64
    scale: F64
    z: F64


def peer_norms(first_days: Sequence[F64]) -> Norms:
    """Return the norms of peers from the measures of the first days of each, (days, measures) a lift."""
    if len(first_days) < PEERS_LEAST:
        return UNKNOWN_PEERS
    own = np.array([nanmedian(days) for days in first_days])
    spreads = np.array([_spread(days) for days in first_days])
    between = np.fmax(1.4826 * nanmedian(np.abs(own - nanmedian(own))), SPREAD)
    within = np.fmax(nanmedian(spreads), SPREAD)
    few = (~np.isnan(own)).sum(axis=0) < PEERS_LEAST
    centre = np.where(few, np.nan, nanmedian(own))
    return Norms(centre, np.where(few, PEER_SPREAD, between), np.where(few, SPREAD, within))


def _spread(days: F64) -> F64:
    """Return the spread from day to day, robust and without a trend: from the differences of days in a row."""
    spread: F64 = 1.4826 / np.sqrt(2.0) * nanmedian(np.abs(np.diff(days, axis=0)))
    return spread


def deviations(day: I64, measures: F64, norms: Norms, resets: Sequence[int] = ()) -> Deviations:
    """Return the deviations of a lift.

    Parameters
    ----------
    day : the days in ascending order, (n,); days without trips may be missing
    measures : (n, len(MEASURES))
    norms : of the lift's peers
    resets : the first days after repairs, at which the baselines begin anew
    """
    centre, scale = np.full_like(measures, np.nan), np.full_like(measures, np.nan)
    cuts = [0, *np.searchsorted(day, sorted(resets)).tolist(), len(day)]
    for begin, end in pairwise(cuts):
        for place in range(measures.shape[1]):
            own = slice(begin, end), place
            _follow(day[begin:end], measures[own], norms, place, centre[own], scale[own])
    return Deviations(centre, scale, (measures - centre) / scale)


def _follow(day: I64, values: F64, norms: Norms, place: int, centre: F64, scale: F64) -> None:
    """Write the baseline and its spread from the end of the learning on."""
    known = np.flatnonzero(~np.isnan(values))
    if len(known) <= LEARN_DAYS:
        return
    learned = values[known[:LEARN_DAYS]]
    own_spread = float(_spread(learned[:, None])[0])
    variance = LEARN_DAYS * own_spread**2 + SHRINK_DAYS * norms.within[place] ** 2
    spread = max(float(np.sqrt(variance / (LEARN_DAYS + SHRINK_DAYS))), SPREAD[place])
    middle = float(np.median(learned))
    if not np.isnan(norms.centre[place]):
        own_weight, peer_weight = LEARN_DAYS / spread**2, 1.0 / norms.between[place] ** 2
        middle = (own_weight * middle + peer_weight * norms.centre[place]) / (own_weight + peer_weight)
    first = known[LEARN_DAYS]
    scale[first:] = spread
    _advance(day[first:].astype(np.float64), values[first:], middle, spread, centre[first:])


@compiled
def _advance(day: Any, values: Any, middle: float, spread: float, centre: Any) -> None:
    """Write the baseline before each day: it follows slowly, and not what looks abnormal."""
    average, held, before = 0.0, 0.0, day[0] - 1.0
    for k in range(len(day)):
        passed = day[k] - before
        before = day[k]
        centre[k] = middle
        if np.isnan(values[k]):
            continue
        z = min(max((values[k] - middle) / spread, -OUTLIER), OUTLIER)
        average += (1.0 - np.exp(-passed / FAST_DAYS)) * (z - average)
        is_suspect = abs(average) >= SUSPECT or abs(z) >= OUTLIER
        held = held + passed if is_suspect else 0.0
        if not is_suspect or held > HOLD_DAYS:
            middle += (1.0 - np.exp(-passed / SLOW_DAYS)) * z * spread
