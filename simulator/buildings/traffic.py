"""Traffic demand: how many passengers travel, when, and between which landings, by building type and hour.

Parties arrive as a Poisson process with an intensity in per cent of the population in five minutes, as is usual in lift
traffic planning. A journey is incoming (from the main terminal or a basement to a floor), outgoing, or interfloor. The
daily profiles follow Barney, "Elevator Traffic Handbook", and CIBSE Guide D: offices have an up-peak, two-way lunch
traffic and a down-peak; residential buildings empty in the morning and fill in the evening.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from telemetry.arrays import F64, Index

RESIDENTIAL, OFFICE = range(2)
KINDS = ("residential", "office")
INTERVAL_S = 300.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """The traffic of a day; each table is (kinds, 24 hours).

    `intensity` is in per cent of the population in five minutes. `incoming` and `outgoing` are shares of the journeys;
    the rest is interfloor. `basement` is the share of incoming and outgoing journeys that use a basement, where there
    is one. `parties` (kinds, sizes) is the distribution of party sizes 1, 2, ..; `uneven` is the spread of population
    between floors (0: equal).
    """

    intensity: F64
    incoming: F64
    outgoing: F64
    basement: float
    parties: F64
    uneven: float

    def rate_per_s(self, kind: Index, population: F64, hour: F64) -> F64:
        """Return the rate of parties of each of these buildings at this local hour, per second."""
        people = population * self.intensity[kind, _hour_index(hour)] / 100 / INTERVAL_S
        return people / (self.parties @ np.arange(1, 1 + self.parties.shape[1]))[kind]

    def busy(self, kind: Index, hour: F64) -> F64:
        """Return the intensity at this hour as a share of the busiest hour's."""
        return (self.intensity / self.intensity.max(axis=1, keepdims=True))[kind, _hour_index(hour)]

    def incoming_share(self, kind: Index, hour: F64) -> F64:
        """Return the share of incoming journeys."""
        return self.incoming[kind, _hour_index(hour)]

    def party_size(self, kind: Index, draws: F64) -> Index:
        """Return party sizes from one uniform number each."""
        return 1 + (draws[:, None] >= np.cumsum(self.parties, axis=1)[kind, :-1]).sum(axis=1)

    def journey(self, kind: Index, hour: F64, floors: F64, lobby: Index, draws: tuple[F64, ...]) -> tuple[Index, Index]:
        """Return the landings (origin, target) of journeys, which always differ, from four uniform numbers each.

        `floors` is (journeys, floors): the cumulative share of the population up to each landing.
        """
        sort, entrance, one, other = draws
        whole = _hour_index(hour)
        comes, goes = self.incoming[kind, whole], self.outgoing[kind, whole]
        by_car = entrance < self.basement
        gate = np.where(
            by_car, (entrance / max(self.basement, np.spacing(1.0)) * lobby * by_car).astype(np.intp), lobby
        )
        home, away = _landing(floors, one), _landing_but(floors, other, _landing(floors, one))
        interpolate = sort >= comes + goes
        origin = np.where(sort < comes, gate, home)
        target = np.where(sort < comes, home, np.where(interpolate, away, gate))
        return origin, target


def _hour_index(hour: F64) -> Index:
    return hour.astype(np.intp) % 24


def _landing(shares: F64, draws: F64) -> Index:
    """Return landings distributed like the population."""
    return (draws[:, None] >= shares).sum(axis=1)


def _landing_but(shares: F64, draws: F64, not_here: Index) -> Index:
    """Return landings distributed like the population of all landings except `not_here`."""
    row = np.arange(len(draws))
    end = shares[row, not_here]
    begin = np.where(not_here > 0, shares[row, not_here - 1], 0.0)
    along = draws * (1 - (end - begin))
    along = np.where(along >= begin, np.maximum(along + (end - begin), end), along)
    return _landing(shares, np.minimum(along, np.nextafter(1.0, 0.0)))


_HOMES = [0.25, 0.1, 0.08, 0.08, 0.1, 0.25, 1, 3, 2.6, 1.2, 1, 1.3, 1.4, 1, 0.9, 1, 1.3, 2.6, 2.9, 2, 1.4, 1, 0.7, 0.4]
_OFFICES = [0.1, 0.1, 0.1, 0.1, 0.1, 0.15, 0.6, 3.5, 11, 6, 3, 5, 10, 7, 3.5, 3, 3.5, 9, 6, 2.5, 1, 0.5, 0.25, 0.15]
_INTENSITY = np.array([_HOMES, _OFFICES])
_INCOMING = np.array(
    [
        [0.6] * 6
        + [0.15, 0.12, 0.15, 0.3, 0.4, 0.55, 0.55, 0.4, 0.4, 0.45, 0.55, 0.7, 0.75, 0.7, 0.65, 0.65, 0.7, 0.7],
        [0.45] * 6 + [0.85, 0.85, 0.85, 0.7, 0.4, 0.2, 0.4, 0.6, 0.4, 0.4, 0.35, 0.1, 0.1, 0.15, 0.2, 0.3, 0.4, 0.45],
    ]
)
_BETWEEN = np.array(
    [[0.06] * 24, [0.1] * 6 + [0.05, 0.05, 0.05, 0.1, 0.3, 0.2, 0.1, 0.1, 0.3, 0.3, 0.3, 0.05, 0.05] + [0.1] * 5]
)

DAILY_TRAFFIC = Traffic(
    intensity=_INTENSITY,
    incoming=_INCOMING,
    outgoing=1 - _INCOMING - _BETWEEN,
    basement=0.25,
    parties=np.array([[0.68, 0.22, 0.07, 0.03], [0.8, 0.13, 0.05, 0.02]]),
    uneven=0.5,
)
"""An ordinary working day."""

UP_PEAK = Traffic(
    intensity=np.full((2, 24), 40.0),
    incoming=np.ones((2, 24)),
    outgoing=np.zeros((2, 24)),
    basement=0.0,
    parties=np.array([[1.0], [1.0]]),
    uneven=0.0,
)
"""Nothing but people coming in at the main terminal, one by one and more than the lifts can carry."""
