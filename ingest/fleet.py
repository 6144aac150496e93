"""The index of each lift, by which columns are ordered, and the facts of the lifts.

A lift that leaves the registry keeps its index and is unregistered when it sends again. The number of unregistered
lifts is bounded; one that gives its place to another (`ingest.places`) gives its index too, if none of its rows are
held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from itertools import repeat, zip_longest
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.places import Places, UnregisteredLift
from ingest.senders import Accepts, Senders, accepts_every_sender
from registry.facts import FleetFacts, LiftFacts, fleet, updated_fleet
from store.records.lifts import UNREGISTERED_LIMIT
from telemetry.batch import Messages

NOBODY: Mapping[int, str] = MappingProxyType({})
NO_ROOM = -1
"""The index of an unregistered lift beyond the limit, and of a message of an unauthorised sender: both are refused."""


class Replacement:
    """The choice of the lift to replace when no place is free; `places` is made at its first use.

    `is_idle` returns whether the lift of an index has no held rows.
    """

    def __init__(self, make: Callable[[], Places], is_idle: Callable[[int], bool]) -> None:
        self._make, self.is_idle = make, is_idle

    @cached_property
    def places(self) -> Places:
        """The places at the first request for one."""
        return self._make()


class GaveWay(NamedTuple):
    """An unregistered lift that lost its place, and the index that it had."""

    lift: int
    lift_id: str
    district: str


@dataclass(slots=True)
class IndexedMessages:
    """The lift index of each message of a group, and the (id, district) of unregistered lifts that are new.

    `gave_way` are the lifts that these replace.
    """

    lift: NDArray[np.int32]
    unregistered: list[tuple[str, str]] = field(default_factory=list)
    gave_way: list[GaveWay] = field(default_factory=list)
    district_differs: int = 0


class Listing(NamedTuple):
    """The lifts as storing reads them while judging changes the fleet: the district of every listed lift, the free
    places for unregistered ones, the check of senders, and the lifts that do not send for themselves."""

    districts: Mapping[str, str]
    room: int
    accepts: Accepts = accepts_every_sender
    revoked: Set[str] = frozenset()


class Fleet:
    """Lifts by their index. `facts` are columns as long as the fleet; `crowds` are those of `ingest.places`."""

    def __init__(self) -> None:
        self.lift_ids: list[str] = []
        self.districts: list[str] = []
        self.crowds: list[str] = []
        self.known: list[LiftFacts | None] = []
        self.facts: FleetFacts = fleet(())
        self._indices: dict[str, int] = {}
        self._listed: dict[str, int] = {}
        self._unregistered = 0

    def __len__(self) -> int:
        return len(self.lift_ids)

    def index_of(self, lift_id: str) -> int | None:
        """Return the index of a lift, None without one."""
        return self._indices.get(lift_id)

    def listed_index(self, lift_id: str) -> int | None:
        """Return the index of a lift that the registry lists, None for any other."""
        return self._listed.get(lift_id)

    def listed(self) -> list[int]:
        """Return the indices of the lifts that the registry lists, unregistered ones included."""
        return sorted(self._listed.values())

    def listing(self, senders: Senders) -> Listing:
        """Return the listed lifts, a copy."""
        districts = {self.lift_ids[i]: self.districts[i] for i in self.listed()}
        return Listing(districts, self.room, senders.accepts, senders.revoked)

    @property
    def room(self) -> int:
        """The number of unregistered lifts that can still be listed."""
        return UNREGISTERED_LIMIT - self._unregistered

    def unregistered(self, seen_ns: NDArray[np.int64]) -> list[UnregisteredLift]:
        """Return the unregistered lifts; `seen_ns` is the arrival of each lift's last message."""
        places = [(lift_id, i) for lift_id, i in self._listed.items() if self.known[i] is None]
        return [
            UnregisteredLift(int(seen_ns[i]), lift_id, self.crowds[i] or self.districts[i]) for lift_id, i in places
        ]

    def lay_out(self, lift_ids: Iterable[str], crowds: Iterable[str] = ()) -> None:
        """Give these lifts the next indices in this order: the order of a snapshot's columns."""
        for lift_id, crowd in zip_longest(lift_ids, crowds, fillvalue=""):
            self.crowds[self._add(lift_id)] = crowd
        self.facts = updated_fleet(self.facts, len(self), {})

    def load(self, changed: Sequence[tuple[LiftFacts, bool]], deleted: Iterable[str] = ()) -> None:
        """Apply changes of the registry: facts, each registered or only listed, and deleted lifts."""
        listed = dict(self._listed)
        known: dict[int, LiftFacts | None] = {listed.pop(name): None for name in deleted if name in listed}
        for facts, registered in changed:
            i = listed[facts.lift_id] = self._add(facts.lift_id)
            self.districts[i] = facts.district
            known[i] = facts if registered else None
        for i, facts_now in known.items():
            self.known[i] = facts_now
        self._unregistered = sum(self.known[i] is None for i in listed.values())
        self._listed = listed  # assigned at once, because other threads read it
        self.facts = updated_fleet(self.facts, len(self), known)

    def index(
        self,
        messages: Messages,
        foreign: NDArray[np.bool_] | None = None,
        gateway_at: Mapping[int, str] = NOBODY,
        full: Replacement | None = None,
    ) -> IndexedMessages:
        """Return the lift index of each message, listing unregistered lifts while places are free.

        The messages that `foreign` marks have an unauthorised sender (`ingest.senders`): they get no index.
        `gateway_at` are the gateways of messages by position; `full` chooses the lift to replace once no place is free.
        """
        indices = list(map(self._listed.get, messages.lift_id, repeat(NO_ROOM)))
        indexed = IndexedMessages(np.array(indices, dtype=np.int32))
        is_new = indexed.lift == NO_ROOM
        if foreign is not None:
            indexed.lift[foreign] = NO_ROOM
            is_new &= ~foreign
        for row in np.flatnonzero(is_new).tolist():
            lift_id, district = messages.lift_id[row], messages.district[row]
            crowd = gateway_at.get(int(messages.position[row]), district)
            indexed.lift[row] = self._list(lift_id, district, crowd, indexed, full)
        if indexed.unregistered:
            self.facts = updated_fleet(self.facts, len(self), {})
        registered = [*self.districts, None]  # the last entry is for NO_ROOM
        pairs = zip(map(registered.__getitem__, indexed.lift.tolist()), messages.district, strict=True)
        indexed.district_differs = sum(ours != theirs for ours, theirs in pairs if ours is not None)
        return indexed

    def _list(self, lift_id: str, district: str, crowd: str, indexed: IndexedMessages, full: Replacement | None) -> int:
        if lift_id in self._listed:
            return self._listed[lift_id]
        if self.room <= 0 and not (full and self._give_way(lift_id, crowd, indexed, full)):
            return NO_ROOM
        self._unregistered += 1
        i = self._listed[lift_id] = self._add(lift_id)
        self.districts[i], self.crowds[i] = district, crowd
        indexed.unregistered.append((lift_id, district))
        return i

    def _give_way(self, lift_id: str, crowd: str, indexed: IndexedMessages, full: Replacement) -> bool:
        """Take a place from another unregistered lift, and its index where it is idle; return whether one gave way."""
        gone = full.places.give_way(crowd)
        if gone is None:
            return False
        i = self._listed.pop(gone)
        self._unregistered -= 1
        indexed.gave_way.append(GaveWay(i, gone, self.districts[i]))
        if full.is_idle(i) and lift_id not in self._indices:
            del self._indices[gone]
            self.lift_ids[i], self._indices[lift_id] = lift_id, i
        return True

    def _add(self, lift_id: str) -> int:
        i = self._indices.setdefault(lift_id, len(self.lift_ids))
        if i == len(self.lift_ids):
            self.lift_ids.append(lift_id)
            self.districts.append("")
            self.crowds.append("")
            self.known.append(None)
        return i
