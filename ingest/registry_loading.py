"""Loads the registry, and its changes while judging runs, into the state of judging.

    registry   ──5──6──7──────────8──▶     changes, a bounded number at once
    judging    ═══════╪═══════════╪══▶     a snapshot before each change that matters to what was judged

What was judged before a change is never judged again by it, even after a restart.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ingest.state import State
from registry.facts import LiftFacts
from registry.partition import Partition
from store.records.lifts import EVERYTHING, RegistryChanges
from store.records.repository import Records

EVERY_S = 2.0
AT_ONCE, REST = 2_000, 4
"""How many changed lifts are loaded at once, and how many times as long as that took loading then rests: an import of a
hundred thousand lifts must not delay alarms."""


class RegistryLoading:
    """The revision of the registry that judging has loaded, and the time at which to look for a later one."""

    def __init__(self, records: Records, partition: Partition) -> None:
        self._records, self._partition = records, partition
        self._revision = self._devices_revision = EVERYTHING
        self._due_s = self._rests_until_s = 0.0

    def load_all(self, state: State) -> None:
        """Load the whole registry into a new state."""
        self._apply(self._records.registry_since(EVERYTHING), state)
        self._load_devices(state, lambda: None)

    def is_due(self, now_s: float) -> bool:
        """Return whether to look for changes although no message came."""
        return now_s >= self._due_s

    def load_changes(self, state: State, snapshot: Callable[[], None]) -> int:
        """Load changes, a bounded number, and return of how many own lifts; call `snapshot` before those that matter to
        what was judged."""
        begun_s = time.monotonic()
        if begun_s < self._rests_until_s:
            return 0
        self._due_s = begun_s + EVERY_S
        self._load_devices(state, snapshot)
        if self._records.revision() == self._revision:
            return 0
        changes = self._records.registry_since(self._revision, AT_ONCE)
        if _touches(changes, state):
            snapshot()
        loaded = self._apply(changes, state)
        ended_s = time.monotonic()
        self._rests_until_s = ended_s + REST * (ended_s - begun_s)
        if not changes.is_complete:
            self._due_s = 0.0
        return loaded

    def _load_devices(self, state: State, snapshot: Callable[[], None]) -> None:
        """Load the devices where one was added or revoked; call `snapshot` before that."""
        changed = self._records.lifts_of_devices(self._devices_revision)
        if changed is not None:
            revision, lifts_of = changed
            if lifts_of != state.senders.lifts_of:
                snapshot()
                state.senders.load_devices(lifts_of)
            self._devices_revision = revision

    def _apply(self, changes: RegistryChanges, state: State) -> int:
        own: list[tuple[LiftFacts, bool]] = [
            (each.facts, each.registered) for each in changes.lifts if self._partition.has(each.facts.lift_id)
        ]
        state.load(own, changes.deleted, changes.windows)
        state.senders.load(changes.lifts, changes.deleted)
        self._revision = changes.revision
        return len(own)


def _touches(changes: RegistryChanges, state: State) -> bool:
    """Return whether changes matter to what was judged: the monitor itself lists unregistered lifts and takes them
    off, and of a lift that is new nothing was judged."""
    registered = (each.facts.lift_id for each in changes.lifts if each.registered)
    gone = (lift_id for lift_id in changes.deleted if state.fleet.listed_index(lift_id) is not None)
    return bool(changes.windows) or state.remembers([*registered, *gone])
