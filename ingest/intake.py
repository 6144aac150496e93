"""The intake of judging: which messages of a group are judged now, and which wait, are refused or were judged before.

entries ─► decode ─► of the own partition ─► authorised ─► index of the lift ─┬─► judged now
              └─► refused      └─► refused             └─► refused, no place  ├─► wait: their lift sent too much
                                                                              └─► judged before a restart
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from alerts.book import Occurrence
from detectors.observe.arrivals import MessageArrivals
from detectors.rule import Finding
from ingest import heard
from ingest.failing.quarantine import Quarantine
from ingest.fleet import NO_ROOM, IndexedMessages
from ingest.refusals import refusals_of
from ingest.senders import attributed, foreign, gateways
from ingest.state import State
from ingest.waiting.backlogs import POSTPONED_BYTES, Backlogs, of_share
from registry.partition import Partition
from store.journal import Journal
from telemetry.arrays import I32, Bools
from telemetry.batch import Decoded, Refusal
from telemetry.groups import joined, of_lifts, only, picked
from telemetry.streams import UNJUDGEABLE, Entry, parse_topic
from telemetry.wire.decode import decode, undecoded

log = logging.getLogger("liftwatch.judge")

BACKLOG_SHARE = 0.5
"""The share of the journal's limit that may come after the oldest message that waits."""
OUTRUN = "%s sends faster than its messages are judged: %d messages that wait are given up"
NOT_DECODED = "judging goes on without %d messages, of which that at journal position %d %s"
REPORTED = ("mode", "power")
"""The channels that are shown as reported last, also of lifts whose messages wait."""
DECODED_AT_ONCE = ("status", "gateway")
"""Streams whose messages are never decoded later."""
ListUnregistered = Callable[[Sequence[tuple[str, str]], Sequence[str]], object]
"""Lists new unregistered lifts, each with its district, in the records, and deletes those that gave way."""


class Group(NamedTuple):
    """A decoded group of messages, or a share of those that waited.

    `now` marks the messages that are judged now, of the lifts `lift`. `waiting` is the lift of each message that waits.
    `others` are the arrivals of those that wait or were refused. `ended` are the findings of unregistered lifts that
    gave way. `has_no_room` marks messages that are refused because their lift has no place, or their sender is not
    accepted. A group that is not whole holds messages that are decoded in their turn.
    """

    decoded: Decoded
    now: Bools
    lift: I32
    has_no_room: Bools
    waiting: I32
    others: Sequence[MessageArrivals] = ()
    refused: Sequence[Refusal] = ()
    ended: Sequence[Occurrence] = ()
    gave_way: int = 0
    district_differs: int = 0
    is_whole: bool = True
    entries: Sequence[Entry] = ()

    def judged(self) -> tuple[Decoded, I32]:
        """Return the messages that are judged now, and their lifts."""
        return only(self.decoded, self.now), self.lift[self.now]


class Intake:
    """The intake of one run of judging over a state."""

    def __init__(
        self,
        state: State,
        backlogs: Backlogs,
        journal: Journal,
        partition: Partition,
        quarantine: Quarantine,
        list_unregistered: ListUnregistered,
    ) -> None:
        self._state, self._backlogs, self._journal, self._partition = state, backlogs, journal, partition
        self._quarantine, self._list_unregistered = quarantine, list_unregistered
        self._reported: dict[str, dict[int, float]] = {name: {} for name in REPORTED}

    def group(self, entries: Sequence[Entry]) -> Group:
        """Return the next messages of the journal."""
        state, is_in_doubt = self._state, self._quarantine.in_doubt(entries[0].position)
        postponed = {} if is_in_doubt else self._postponed(entries)
        decoded = self._read(entries, postponed)
        gateway_at = gateways(entries)
        forged = foreign(decoded.messages, gateway_at, state.senders.accepts, state.senders.revoked)
        indexed = state.index(decoded.messages, forged, gateway_at)
        ended = self._replaced(indexed, entries[-1].arrived_ns)
        has_no_room = indexed.lift == NO_ROOM
        refused = refusals_of(
            decoded,
            entries,
            foreign=forged,
            roomless=has_no_room & ~forged,
            set_aside=self._quarantine.set_aside,
            senders=state.senders,
        )
        lift = np.where(state.sequencer.has_stepped(decoded.messages.position, indexed.lift), NO_ROOM, indexed.lift)
        waits = np.zeros(len(lift), dtype=np.bool_)
        if not is_in_doubt:
            waits = self._backlogs.defer(decoded, lift, sum(len(entry.payload) for entry in entries), postponed)
        waiting = np.where(waits, lift, NO_ROOM)
        others = [heard.waiting(decoded, waiting)] if waits.any() else []
        self._backlogs.hurry(self._note_changes(decoded, waiting))
        others += self._arrivals(refused, entries)
        now = ~waits & (lift != NO_ROOM)
        counts = len(indexed.gave_way), indexed.district_differs, not postponed
        return Group(decoded, now, lift, has_no_room, waiting, others, refused, ended, *counts, entries)

    def share(self) -> tuple[Group, dict[int, set[int]]]:
        """Return some of the messages that wait, and which they are: they wait until they are `done`."""
        fleet, (lifts_at, postponed) = self._state.fleet, self._backlogs.share()
        entries = [self._journal.read(one - 1, 1)[0] for one in sorted(lifts_at.keys() - self._quarantine.unread)]
        decoded = self._decoded(entries)
        refused = attributed([one for one in decoded.refusals if one.position in postponed], self._state.senders)
        indices = [fleet.index_of(lift_id) for lift_id in decoded.messages.lift_id]
        lift = np.array([NO_ROOM if index is None else index for index in indices], dtype=np.int32)
        now, waiting = of_share(decoded, lift, lifts_at), np.full_like(lift, NO_ROOM)
        others = self._arrivals(refused, entries)
        return Group(decoded, now, lift, lift == NO_ROOM, waiting, others, refused, entries=entries), lifts_at

    def give_up(self) -> tuple[int, list[Finding]]:
        """Give up the messages that wait and for which the journal has no room: return how many, and what the rules
        over arrivals find."""
        messages, found = 0, list[Finding]()
        for lift, count, last in self._backlogs.give_up(self._journal.limit_bytes * BACKLOG_SHARE):
            log.warning(OUTRUN, self._state.fleet.lift_ids[lift], count)
            found += self._state.give_up(lift, self._journal.read(last - 1, 1)[0].arrived_ns)
            messages += count
        return messages, found

    def reported(self) -> dict[str, dict[int, float]]:
        """Return the mode and the power that lifts reported last in messages that wait."""
        behind = self._backlogs.behind(len(self._state.fleet))
        for name, by_lift in self._reported.items():
            self._reported[name] = {lift: value for lift, value in by_lift.items() if behind[lift]}
        return self._reported

    def _note_changes(self, decoded: Decoded, waiting: I32) -> I32:
        """Return the lifts of which a waiting message reports another mode or power than was judged last."""
        status, known = decoded.samples["status"], self._state.judge.states["rows"]
        lift = waiting[status.message]
        changes = np.zeros(len(lift), dtype=np.bool_)
        for name, by_lift in self._reported.items():
            value = status.channels[name]
            is_reported = ~np.isnan(value) & (lift != NO_ROOM)
            by_lift.update(zip(lift[is_reported].tolist(), value[is_reported].tolist(), strict=True))
            changes |= is_reported & (value != known[name][lift])
        return np.unique(lift[changes])

    def _postponed(self, entries: Sequence[Entry]) -> dict[int, int]:
        """Return the positions and sizes of the messages that are decoded in their turn."""
        fleet, postponed, read_bytes = self._state.fleet, dict[int, int](), Counter[int]()
        for entry in entries:
            topic = parse_topic(entry.topic) if len(entry.payload) > POSTPONED_BYTES else None
            if topic is None or topic.stream in DECODED_AT_ONCE:
                continue
            lift = fleet.index_of(topic.lift_id)
            if lift is None:
                continue
            read_bytes[lift] += len(entry.payload)
            if self._backlogs.postpones(lift, entry.payload, read_bytes[lift]):
                postponed[entry.position] = len(entry.payload)
        return postponed

    def _read(self, entries: Sequence[Entry], postponed: Mapping[int, int]) -> Decoded:
        """Return the messages of a group, those that are postponed without readings."""
        read = [entry for entry in entries if entry.position not in self._quarantine.unread]
        if not postponed:
            return self._decoded(read)
        later = of_lifts(undecoded([entry for entry in read if entry.position in postponed]), self._partition.has)
        both = joined([self._decoded([entry for entry in read if entry.position not in postponed]), later])
        return picked(both, np.argsort(both.messages.position, kind="stable"))

    def _arrivals(self, refused: Sequence[Refusal], entries: Sequence[Entry]) -> list[MessageArrivals]:
        """Return the arrivals of the messages that were refused."""
        if not refused:
            return []
        retained = frozenset(entry.position for entry in entries if entry.retained)
        return [heard.refused(refused, self._state.fleet, retained)]

    def _decoded(self, entries: Sequence[Entry]) -> Decoded:
        decoded = of_lifts(decode(entries), self._partition.has)
        if failed := [one for one in decoded.refusals if one.reason == UNJUDGEABLE]:
            log.error(NOT_DECODED, len(failed), failed[0].position, failed[0].detail)
        return decoded

    def _replaced(self, indexed: IndexedMessages, arrived_ns: int) -> list[Occurrence]:
        """List new unregistered lifts, forget those whose places they take, and return the findings that this ends."""
        ended: list[Occurrence] = []
        for gone in indexed.gave_way:
            self._backlogs.forget(gone.lift)
            ended += self._state.forget(gone, arrived_ns)
        if indexed.unregistered:
            self._list_unregistered(indexed.unregistered, [gone.lift_id for gone in indexed.gave_way])
        return ended
