"""Which lift is which: the index that columns are ordered by, and the facts behind it.

An index, once given, stands for that lift until the process ends; a lift that leaves the registry keeps its index and
is unregistered when it speaks again. The number of unregistered lifts is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from registry.facts import FleetFacts, LiftFacts, fleet, updated_fleet
from store.records.lifts import UNREGISTERED_LIMIT
from telemetry.batch import Messages

NO_ROOM = -1
"""The index of an unregistered lift beyond the limit, and of a lift that does not hear its sender: both are refused."""


@dataclass(slots=True)
class IndexedMessages:
    """The lift index of each message of a group, and the (id, district) of unregistered lifts that are new."""

    lift: NDArray[np.int32]
    unregistered: list[tuple[str, str]] = field(default_factory=list)
    district_differs: int = 0


class Fleet:
    """Lifts by their index. `facts` are columns as long as the fleet."""

    def __init__(self) -> None:
        self.lift_ids: list[str] = []
        self.districts: list[str] = []
        self.known: list[LiftFacts | None] = []
        self.facts: FleetFacts = fleet(())
        self._indices: dict[str, int] = {}
        self._listed: dict[str, int] = {}
        self._unregistered = 0

    def __len__(self) -> int:
        return len(self.lift_ids)

    def index_of(self, lift_id: str) -> int | None:
        """Return the index of a lift, None for one that has none."""
        return self._indices.get(lift_id)

    def listed_index(self, lift_id: str) -> int | None:
        """Return the index of a lift that the registry lists, None for any other."""
        return self._listed.get(lift_id)

    def listed(self) -> list[int]:
        """Return the indices of the lifts that the registry lists, unregistered ones included."""
        return sorted(self._listed.values())

    @property
    def room(self) -> int:
        """How many more unregistered lifts can be listed."""
        return UNREGISTERED_LIMIT - self._unregistered

    def lay_out(self, lift_ids: Iterable[str]) -> None:
        """Give these lifts the next indices in this order: the order of a snapshot's columns."""
        for lift_id in lift_ids:
            self._add(lift_id)
        self.facts = updated_fleet(self.facts, len(self), {})

    def load(self, changed: Sequence[tuple[LiftFacts, bool]], deleted: Iterable[str] = ()) -> None:
        """Apply what changed in the registry: facts, each registered or merely listed, and the lifts that left."""
        listed = dict(self._listed)
        known: dict[int, LiftFacts | None] = {listed.pop(name): None for name in deleted if name in listed}
        for facts, registered in changed:
            i = listed[facts.lift_id] = self._add(facts.lift_id)
            self.districts[i] = facts.district
            known[i] = facts if registered else None
        for i, facts_now in known.items():
            self.known[i] = facts_now
        self._unregistered = sum(self.known[i] is None for i in listed.values())
        self._listed = listed  # at once: others look on
        self.facts = updated_fleet(self.facts, len(self), known)

    def index(self, messages: Messages, foreign: NDArray[np.bool_] | None = None) -> IndexedMessages:
        """Return the lift index of each message, listing unregistered lifts while there is room.

        The messages that `foreign` marks are not their lift's own (`ingest.senders`): they get no index.
        """
        indices = list(map(self._listed.get, messages.lift_id, repeat(NO_ROOM)))
        indexed = IndexedMessages(np.array(indices, dtype=np.int32))
        is_new = indexed.lift == NO_ROOM
        if foreign is not None:
            indexed.lift[foreign] = NO_ROOM
            is_new &= ~foreign
        for row in np.flatnonzero(is_new).tolist():
            indexed.lift[row] = self._list(messages.lift_id[row], messages.district[row], indexed)
        if indexed.unregistered:
            self.facts = updated_fleet(self.facts, len(self), {})
        registered = [*self.districts, None]  # the last stands for NO_ROOM
        pairs = zip(map(registered.__getitem__, indexed.lift.tolist()), messages.district, strict=True)
        indexed.district_differs = sum(ours != theirs for ours, theirs in pairs if ours is not None)
        return indexed

    def _list(self, lift_id: str, district: str, indexed: IndexedMessages) -> int:
        if lift_id in self._listed:
            return self._listed[lift_id]
        if not self.room:
            return NO_ROOM
        self._unregistered += 1
        i = self._listed[lift_id] = self._add(lift_id)
        self.districts[i] = district
        indexed.unregistered.append((lift_id, district))
        return i

    def _add(self, lift_id: str) -> int:
        i = self._indices.setdefault(lift_id, len(self.lift_ids))
        if i == len(self.lift_ids):
            self.lift_ids.append(lift_id)
            self.districts.append("")
            self.known.append(None)
        return i
