"""Lift groups: the cars of a building that share its hall calls, in columns over the buildings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GROUP_LIMIT = 8
NO_CAR = -1


class Groups:
    """The groups of a range of lifts, identified by the `number` of the building (that of its first lift).

    `cars` is (groups, 8): the rows of a group's cars in the order of their numbers, -1 after the last. `of` and `place`
    are each car's group and its index in the group; `first` is the row of each group's first car.
    """

    def __init__(self, building: NDArray[np.int64], lift_number: NDArray[np.int64]) -> None:
        if len(building) != len(lift_number):
            raise ValueError(f"buildings: {len(building)} names for {len(lift_number)} lifts; give one for each")
        self.number, self.of = np.unique(building, return_inverse=True)
        order = np.lexsort((lift_number, self.of))
        begin = np.searchsorted(self.of[order], np.arange(len(self.number)))
        self.place = np.empty(len(building), dtype=np.intp)
        self.place[order] = np.arange(len(building)) - begin[self.of[order]]
        if self.place.max() >= GROUP_LIMIT:
            raise ValueError(f"buildings: a group has at most {GROUP_LIMIT} lifts")
        self.cars = np.full((len(self.number), GROUP_LIMIT), NO_CAR, dtype=np.intp)
        self.cars[self.of, self.place] = np.arange(len(building))
        self.first = self.cars[:, 0]
        self.size = (self.cars != NO_CAR).sum(axis=1)

    def __len__(self) -> int:
        return len(self.number)
