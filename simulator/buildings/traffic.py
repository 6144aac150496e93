"""How many people travel, when, and from which landing to which: by building type and hour of the day.

People come in parties by a Poisson process; its intensity is given as lift traffic is, in per cent of a building's
population in five minutes. A journey comes in (from the main terminal or a basement to a floor), goes out, or is
between floors. The shape of the days follows Barney, "Elevator Traffic Handbook", and CIBSE Guide D: an office has an
up-peak, two-way traffic at lunch and a down-peak; homes empty in the morning and fill in the evening.
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

    `intensity` is in per cent of the population in five minutes; `incoming` and `outgoing` are shares of the journeys,
    the rest is between floors. `basement` is the share of those who enter or leave that do so by a basement, where
    there is one; `parties` (kinds, sizes) is how often 1, 2, .. people come together; `uneven` is by how much floors
    differ in their population (0: all alike).
    """

    intensity: F64
    incoming: F64
    outgoing: F64
    basement: float
    parties: F64
    uneven: float

    def rate_per_s(self, kind: Index, population: F64, hour: F64) -> F64:
        """Return parties a second of each of these buildings at this local hour."""
        people = population * self.intensity[kind, _hour_index(hour)] / 100 / INTERVAL_S
        return people / (self.parties @ np.arange(1, 1 + self.parties.shape[1]))[kind]

    def busy(self, kind: Index, hour: F64) -> F64:
        """Return how busy this hour is, from 0 to 1 in the busiest."""
        return (self.intensity / self.intensity.max(axis=1, keepdims=True))[kind, _hour_index(hour)]

    def incoming_share(self, kind: Index, hour: F64) -> F64:
        """Return the share of incoming journeys."""
        return self.incoming[kind, _hour_index(hour)]

    def party_size(self, kind: Index, dice: F64) -> Index:
        """Return how many people come together, from one uniform number for each."""
        return 1 + (dice[:, None] >= np.cumsum(self.parties, axis=1)[kind, :-1]).sum(axis=1)

    def journey(self, kind: Index, hour: F64, floors: F64, lobby: Index, dice: tuple[F64, ...]) -> tuple[Index, Index]:
        """Return landings (from, to), never the same, from four uniform numbers for each.

        `floors` is (journeys, floors): the cumulative share of the population up to each landing.
        """
        sort, entrance, one, other = dice
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


def _landing(shares: F64, dice: F64) -> Index:
    """Return a landing, as likely as people live there."""
    return (dice[:, None] >= shares).sum(axis=1)


def _landing_but(shares: F64, dice: F64, not_here: Index) -> Index:
    """Return a landing other than `not_here`: its part of the line of shares is left out."""
    row = np.arange(len(dice))
    end = shares[row, not_here]
    begin = np.where(not_here > 0, shares[row, not_here - 1], 0.0)
    along = dice * (1 - (end - begin))
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
