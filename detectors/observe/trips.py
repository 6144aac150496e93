"""Trips: from coming out of rest to coming to rest, at another place.

The one definition of rest and of a trip, for the running state of each car and for a stored series of one lift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import F64, I32, I64

STILL_MPS = 0.05
STILL_S = 2.0
TRIP_MIN_M = 0.5
"""A shorter way is levelling."""


@dataclass(frozen=True, slots=True)
class Trips:
    """One row a trip, in the order of time.

    `start_ns` is the last reading before it moved, `stop_ns` the first at rest; `distance_m` is signed, up positive;
    `from_landing` and `to_landing` are indices into the floors, -1 where floors or positions are unknown.
    """

    start_ns: I64
    stop_ns: I64
    from_landing: I32
    to_landing: I32
    distance_m: F64
    peak_mps: F64

    def __len__(self) -> int:
        return len(self.start_ns)


def cut(t_ns: I64, v_mps: F64, z_m: F64, landings_m: F64) -> Trips:
    """Cut the trips out of a series of one lift.

    Parameters
    ----------
    t_ns : (n,) ascending instants
    v_mps, z_m : (n,) speed and position, NaN where not read; either may be all NaN
    landings_m : (floors,) heights of the landings, ascending; empty or NaN where unknown

    Returns
    -------
    Trips
        Those that begin and end in the series, with a rest of `STILL_S` or more before and after. The speed is worked
        out from the position where none was read.
    """
    spoke = ~(np.isnan(v_mps) & np.isnan(z_m))
    t_ns, v_mps, z_m = t_ns[spoke], v_mps[spoke], z_m[spoke]
    v_mps, z_m = _speed(t_ns, v_mps, z_m), _filled(t_ns, z_m)
    start, stop = _between_rests(t_ns, np.abs(v_mps) >= STILL_MPS)
    distance_m = z_m[stop] - z_m[start]
    if np.isnan(z_m).all():
        way = np.concatenate([[0.0], np.cumsum((v_mps[1:] + v_mps[:-1]) / 2 * np.diff(t_ns) / 1e9)])[: len(t_ns)]
        distance_m = way[stop] - way[start]
    far = np.abs(distance_m) > TRIP_MIN_M
    start, stop, distance_m = start[far], stop[far], distance_m[far]
    return Trips(
        start_ns=t_ns[start],
        stop_ns=t_ns[stop],
        from_landing=_landing(z_m[start], landings_m),
        to_landing=_landing(z_m[stop], landings_m),
        distance_m=distance_m,
        peak_mps=_peak(np.abs(v_mps), start, stop),
    )


def _speed(t_ns: I64, v_mps: F64, z_m: F64) -> F64:
    """Return the speed at each reading: as read, else between the readings on either side, else from the position."""
    if not np.isnan(v_mps).all():
        return _filled(t_ns, v_mps)
    if len(t_ns) < 2:
        return np.zeros(len(t_ns))
    speed: F64 = np.asarray(np.gradient(z_m, (t_ns - t_ns[0]) / 1e9))
    return speed


def _filled(t_ns: I64, x: F64) -> F64:
    """Return the column with what was not read put in linearly."""
    known = ~np.isnan(x)
    if known.all() or not known.any():
        return x
    filled: F64 = np.interp(t_ns - t_ns[0], t_ns[known] - t_ns[0], x[known])
    return filled


def _between_rests(t_ns: I64, moves: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the last reading of each long rest and the first of the next; a single odd reading ends no rest."""
    if not len(moves):
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    beside = np.zeros_like(moves)
    beside[1:] |= moves[:-1]
    beside[:-1] |= moves[1:]
    moves = moves & beside
    first = np.flatnonzero(np.concatenate([[True], moves[1:] != moves[:-1]]))
    last = np.concatenate([first[1:] - 1, [len(moves) - 1]])
    ends_ns = t_ns[np.minimum(last + 1, len(moves) - 1)]
    rests = ~moves[first] & (ends_ns - t_ns[first] >= int(STILL_S * 1e9))
    return last[rests][:-1], first[rests][1:]


def _landing(z_m: F64, landings_m: F64) -> I32:
    known = landings_m[~np.isnan(landings_m)]
    if not len(known) or not len(z_m) or np.isnan(z_m).any():
        return np.full(len(z_m), -1, dtype=np.int32)
    return np.asarray(np.abs(z_m[:, None] - known).argmin(axis=1), dtype=np.int32)


def _peak(speed: F64, start: NDArray[np.intp], stop: NDArray[np.intp]) -> F64:
    """Return the highest speed of each trip that a reading beside it bears out."""
    if not len(start):
        return np.empty(0)
    speed[1:-1] = np.minimum(speed[1:-1], np.maximum(speed[:-2], speed[2:]))
    bounds = np.stack([start, stop], axis=1).ravel()
    return np.asarray(np.maximum.reduceat(speed, bounds)[::2])
