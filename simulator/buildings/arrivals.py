"""Arrivals of passengers at the landings of each building: a Poisson process of parties.

The population of a building follows from the up-peak handling capacity of its lifts. Arrivals depend on (seed,
building, traffic) only, never on the cars.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.buildings.groups import Groups
from simulator.buildings.passengers import Passengers
from simulator.buildings.traffic import Traffic
from simulator.maths.rng import ARRIVALS, POPULATION, RandomStreams
from telemetry.arrays import F64, Index

REDRAW_S = 600.0
PLANNED_PERCENT = ((28.0, 80.0), (11.0, 17.0))
"""The up-peak handling capacity in five minutes as per cent of the population: ranges for residential buildings and for
offices."""
BODY_KG, BODY_SD_KG, BODY_LIMITS_KG = 75.0, 13.0, (30.0, 130.0)


class Arrivals:
    """The Poisson arrivals of each building; `next_s` is the time of its next party, or of the next look-up of the
    rate."""

    def __init__(
        self,
        groups: Groups,
        seed: int,
        traffic: Traffic,
        kind: Index,
        floors: Index,
        lobby: Index,
        handling_capacity: F64,
    ) -> None:
        self.traffic, self.kind, self.lobby = traffic, kind, lobby
        self.people, self.shares = _population(groups, seed, traffic, kind, floors, lobby, handling_capacity)
        self.random = RandomStreams(seed, groups.number, ARRIVALS)
        self.next_s = np.zeros(len(groups))
        self._due_is_arrival = np.zeros(len(groups), dtype=np.bool_)

    def wait(self, group: Index, t: F64, hour: F64) -> None:
        """Draw the time of the next party; the rate is looked up at least every `REDRAW_S` because it depends on the
        hour."""
        rate = self.traffic.rate_per_s(self.kind[group], self.people[group], hour)
        wait_s = -np.log1p(-self.random.uniform(group)) / rate
        self._due_is_arrival[group] = wait_s < REDRAW_S
        self.next_s[group] = t + np.minimum(wait_s, REDRAW_S)

    def arrive(self, passengers: Passengers, group: Index, t: F64, hour: F64, deserted: NDArray[np.bool_]) -> Index:
        """Add the passengers of due parties; return the landing of each building's party, -1 where none arrived."""
        landing = np.full(len(group), -1)
        came = self._due_is_arrival[group] & ~deserted
        here, at, random = group[came], t[came], self.random
        draws = (random.uniform(here), random.uniform(here), random.uniform(here), random.uniform(here))
        kind = self.kind[here]
        origin, target = self.traffic.journey(kind, hour[came], self.shares[here], self.lobby[here], draws)
        landing[came] = origin
        size = self.traffic.party_size(kind, random.uniform(here))
        for k in range(int(size.max(initial=0))):
            more = size > k
            mass_kg = np.clip(BODY_KG + BODY_SD_KG * random.normal(here[more]), *BODY_LIMITS_KG)
            passengers.arrive(here[more], at[more], origin[more], target[more], mass_kg)
        self.wait(group, t, hour)
        return landing


def _population(
    groups: Groups, seed: int, traffic: Traffic, kind: Index, floors: Index, lobby: Index, handling_capacity: F64
) -> tuple[F64, F64]:
    """Return each building's population, and its cumulative share (groups, floors) up to each landing."""
    random, every = RandomStreams(seed, groups.number, POPULATION), np.arange(len(groups))
    low, high = np.array(PLANNED_PERCENT)[kind].T
    people = handling_capacity * 100 / random.uniform(every, low, high)
    landing = np.arange(int(floors.max()))
    weights = np.stack([1 + traffic.uneven * random.uniform(every, -1.0, 1.0) for _ in landing], axis=1)
    occupied = (landing > lobby[:, None]) & (landing < floors[:, None])
    shares = np.cumsum(np.where(occupied, weights, 0.0), axis=1)
    return people, shares / shares[:, -1:]
