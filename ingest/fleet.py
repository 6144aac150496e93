"""Which lift is which: the index that columns are ordered by, and the facts behind it.

A place, once given, stands for that lift until the process ends; a lift that leaves the registry keeps its place and is
a stranger when it speaks again. Strangers are bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from registry.facts import FleetFacts, LiftFacts, fleet, refit
from telemetry.batch import Messages

STRANGERS_LIMIT = 1000
NOBODY = -1


@dataclass(slots=True)
class Heard:
    """Whose the messages of a group are: a place for each (`NOBODY` where there is no room for one more stranger)."""

    lift: NDArray[np.int32]
    strangers: list[tuple[str, str]] = field(default_factory=list)
    district_differs: int = 0


class Fleet:
    """Lifts by their place. `facts` are columns as long as the fleet."""

    def __init__(self) -> None:
        self.lift_ids: list[str] = []
        self.districts: list[str] = []
        self.known: list[LiftFacts | None] = []
        self.facts: FleetFacts = fleet(())
        self._places: dict[str, int] = {}
        self._listed: dict[str, int] = {}
        self._strangers = 0

    def __len__(self) -> int:
        return len(self.lift_ids)

    def place(self, lift_id: str) -> int | None:
        """Return the place of a lift, None for one that was never named here."""
        return self._places.get(lift_id)

    def listed(self) -> list[int]:
        """Return the places of the lifts that the registry lists, strangers included."""
        return sorted(self._listed.values())

    def lay_out(self, lift_ids: Iterable[str]) -> None:
        """Give places to these lifts in this order: the order in which a snapshot's columns stand."""
        for lift_id in lift_ids:
            self._settle(lift_id)
        self.facts = refit(self.facts, len(self), {})

    def load(self, changed: Sequence[tuple[LiftFacts, bool]], struck_off: Iterable[str] = ()) -> None:
        """Take over what changed in the registry: facts, whether the lift is registered or merely listed, who left."""
        listed = dict(self._listed)
        known: dict[int, LiftFacts | None] = {listed.pop(name): None for name in struck_off if name in listed}
        for facts, registered in changed:
            i = listed[facts.lift_id] = self._settle(facts.lift_id)
            self.districts[i] = facts.district
            known[i] = facts if registered else None
        for i, facts_now in known.items():
            self.known[i] = facts_now
        self._strangers = sum(self.known[i] is None for i in listed.values())
        self._listed = listed  # at once: others look on
        self.facts = refit(self.facts, len(self), known)

    def hear(self, messages: Messages) -> Heard:
        """Return whose each message is, making room for strangers while there is any."""
        places = list(map(self._listed.get, messages.lift_id, repeat(NOBODY)))
        heard = Heard(np.array(places, dtype=np.int32))
        for row in np.flatnonzero(heard.lift == NOBODY).tolist():
            heard.lift[row] = self._stranger(messages.lift_id[row], messages.district[row], heard)
        if heard.strangers:
            self.facts = refit(self.facts, len(self), {})
        stands = [*self.districts, None]  # the last is nobody's
        said = zip(map(stands.__getitem__, heard.lift.tolist()), messages.district, strict=True)
        heard.district_differs = sum(ours != theirs for ours, theirs in said if ours is not None)
        return heard

    def _stranger(self, lift_id: str, district: str, heard: Heard) -> int:
        if lift_id in self._listed:
            return self._listed[lift_id]
        if self._strangers >= STRANGERS_LIMIT:
            return NOBODY
        self._strangers += 1
        i = self._listed[lift_id] = self._settle(lift_id)
        self.districts[i] = district
        heard.strangers.append((lift_id, district))
        return i

    def _settle(self, lift_id: str) -> int:
        i = self._places.setdefault(lift_id, len(self.lift_ids))
        if i == len(self.lift_ids):
            self.lift_ids.append(lift_id)
            self.districts.append("")
            self.known.append(None)
        return i
