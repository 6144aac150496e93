"""Passengers waiting in a building or riding in one of its cars: one slot each, in columns (groups, slots).

    EMPTY_SLOT ──arrive──► WAITING ──board──► RIDING ──alight──► EMPTY_SLOT, and a row of the journeys

A building holds at most `SLOTS` passengers; others are turned away and counted. Passengers at a landing board in the
order of arrival.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import F64, Index

SLOTS = 256
JOURNEYS_LIMIT = 20_000
EMPTY_SLOT, WAITING, RIDING = range(3)
UP, DOWN = range(2)
ANY_CAR = -1
NO_PASSENGER = -1


class Passengers:
    """The passengers of each group. `waiting` (groups, 2, floors) counts those who wait to go up and down, and
    `calling` those of them who take any car."""

    def __init__(self, groups: int, floors: int) -> None:
        shape = (groups, SLOTS)
        self.state = np.zeros(shape, dtype=np.int8)
        self.origin = np.zeros(shape, dtype=np.int16)
        self.target = np.zeros(shape, dtype=np.int16)
        self.car = np.full(shape, ANY_CAR, dtype=np.int32)
        self.arrived_s = np.zeros(shape)
        self.boarded_s = np.zeros(shape)
        self.mass_kg = np.zeros(shape)
        self.waiting = np.zeros((groups, 2, floors), dtype=np.int32)
        self.calling = self.waiting.copy()
        self.turned_away = np.zeros(groups, dtype=np.int64)
        self.journeys = Journeys()

    def arrive(
        self, group: Index, t: F64, origin: Index, target: Index, mass_kg: F64, car: Index | int = ANY_CAR
    ) -> None:
        """Add one passenger at a landing of each of these groups, for any car or for one car only."""
        state = self.state[group]
        slot = (state == EMPTY_SLOT).argmax(axis=1)
        room = state[np.arange(len(group)), slot] == EMPTY_SLOT
        np.add.at(self.turned_away, group[~room], 1)
        car = np.broadcast_to(car, len(group))[room]
        group, slot, origin, target = group[room], slot[room], origin[room], target[room]
        self.state[group, slot] = WAITING
        self.origin[group, slot], self.target[group, slot] = origin, target
        self.car[group, slot] = car
        self.arrived_s[group, slot], self.mass_kg[group, slot] = t[room], mass_kg[room]
        self.waiting[group, side(target - origin), origin] += 1
        self.calling[group, side(target - origin), origin] += car == ANY_CAR

    def next_to_alight(self, group: Index, car: Index, floor: Index, everyone: NDArray[np.bool_]) -> Index:
        """Return the slot of a passenger who alights from each car here (of any passenger where `everyone` must), or
        -1."""
        mine = (self.state[group] == RIDING) & (self.car[group] == car[:, None])
        mine &= everyone[:, None] | (self.target[group] == floor[:, None])
        slot = mine.argmax(axis=1)
        return np.where(mine[np.arange(len(slot)), slot], slot, NO_PASSENGER)

    def next_to_board(self, group: Index, car: Index, floor: Index, heading: Index) -> Index:
        """Return the slot of the first passenger in the queue for each car here with its heading (any where 0), or
        -1."""
        origin = self.origin[group]
        fits = (self.state[group] == WAITING) & (origin == floor[:, None])
        fits &= (heading == 0)[:, None] | (np.sign(self.target[group] - origin) == heading[:, None])
        asked = self.car[group]
        fits &= (asked == ANY_CAR) | (asked == car[:, None])
        slot = np.where(fits, self.arrived_s[group], np.inf).argmin(axis=1)
        return np.where(fits[np.arange(len(slot)), slot], slot, NO_PASSENGER)

    def board(self, group: Index, slot: Index, car: Index, t: F64) -> None:
        """Move these waiting passengers into their cars."""
        origin, target = self.origin[group, slot], self.target[group, slot]
        self.waiting[group, side(target - origin), origin] -= 1
        self.calling[group, side(target - origin), origin] -= self.car[group, slot] == ANY_CAR
        self.state[group, slot], self.car[group, slot], self.boarded_s[group, slot] = RIDING, car, t

    def alight(self, group: Index, slot: Index, floor: Index, t: F64) -> None:
        """Remove these passengers from their cars; those at their target have completed a journey."""
        there = self.target[group, slot] == floor
        self.journeys.add(self, group[there], slot[there], t[there])
        self.state[group, slot], self.car[group, slot] = EMPTY_SLOT, ANY_CAR


class Journeys:
    """The newest completed journeys in a ring of `JOURNEYS_LIMIT`; `made` counts all of them."""

    NAMES = ("group", "car", "origin", "target", "came_s", "boarded_s", "left_s")

    def __init__(self) -> None:
        self.made = 0
        self._ring = np.zeros((len(self.NAMES), JOURNEYS_LIMIT))

    def add(self, people: Passengers, group: Index, slot: Index, left_s: F64) -> None:
        """Add the journeys that these passengers have completed."""
        place = (self.made + np.arange(len(group))) % JOURNEYS_LIMIT
        at = (group, slot)
        came, boarded = people.arrived_s[at], people.boarded_s[at]
        self._ring[:, place] = (group, people.car[at], people.origin[at], people.target[at], came, boarded, left_s)
        self.made += len(group)

    def columns(self) -> dict[str, F64]:
        """Return the journeys in the ring by name, unordered; the waiting time is `boarded_s - arrived_s`."""
        return dict(zip(self.NAMES, self._ring[:, : min(self.made, JOURNEYS_LIMIT)].copy(), strict=True))


def side(way: Index) -> Index:
    """Return UP or DOWN for differences of floors that are not 0."""
    return (way < 0).astype(np.intp)
