"""Judges the messages of the journal, turn by turn: decode, index, put in order, score, and commit what was found.

    journal ─► decode ─► fleet ─► sequencer ─► judge ─► findings ──► records: alerts + position, one transaction
                  └─► offered to storing          ▲
                                     clock ───────┘ a tick each second

Restarted, it loads the snapshot, reads on from its position and finds the same again; the alert book passes over what
it has already applied. After a failure of our own it does the same, and the message that fails by itself is set aside.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from prometheus_client import Histogram

from detectors.rule import Finding, Rule
from ingest.backlogs import Backlogs, of_share
from ingest.committing import READER, Committing
from ingest.fleet import NO_ROOM
from ingest.listening import Stretch
from ingest.partition import of_partition
from ingest.quarantine import Quarantine
from ingest.refusals import not_its_lift, unjudgeable, without_room
from ingest.retrying import retry_while_unavailable
from ingest.senders import attributed, foreign, gateways
from ingest.state import State
from ingest.storing import DecodedGroup, Listing
from mqtt.backoff import Backoff
from registry.facts import LiftFacts
from registry.partition import EVERY_LIFT, Partition
from store.journal import Journal
from store.journal_files import JournalUnavailable
from store.live import RULE_SET_ASIDE, LiveTable
from store.outage import Outage
from store.records.database import RecordsUnavailable
from store.records.lifts import EVERYTHING, RegistryChanges
from store.records.repository import Records
from telemetry.batch import Batch
from telemetry.streams import Entry
from telemetry.wire.decode import decode

log = logging.getLogger("liftwatch.judge")

COMMIT_EVERY_S = 1.0
PICTURE_EVERY_S = 0.5
REGISTRY_EVERY_S = 2.0
REGISTRY_AT_ONCE, REGISTRY_REST = 2_000, 4
"""How many changed lifts are taken in at once, and how many times as long as that took they then wait: an import of a
hundred thousand lifts must not hold up alarms."""
TURN_BUCKETS_S = (0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0)
FIRST_PAUSE_S = 0.25
RETRY_LIMIT_S = 10.0
DAY_NS = 86_400 * 1_000_000_000
READ_BYTES = 4 << 20
"""How much of the journal is read in a turn."""
TICK_NS = 1_000_000_000
"""How far the clock moves between two ticks, at which silence is judged."""


def turn_time_metric() -> Histogram:
    """Return the metric of how long a turn takes."""
    return Histogram("liftwatch_monitor_turn_seconds", "A turn of judging", buckets=TURN_BUCKETS_S, registry=None)


class Judging(threading.Thread):
    """The one writer of alerts. `wake` it when something was journalled. It has offered up to `offered_to`, and
    judged every message up to `judged_to`: what waits because its lift sent too much comes after.

    `journalled_to` returns an instant up to which everything that has arrived is in the journal.
    """

    def __init__(
        self,
        journal: Journal,
        records: Records,
        rules: Sequence[Rule],
        offer: Callable[[DecodedGroup], None],
        committed: Callable[[], None],
        stretch: Callable[[], Stretch],
        *,
        before_resuming: Callable[[], None] = lambda: None,
        journalled_to: Callable[[], int] = time.time_ns,
        partition: Partition = EVERY_LIFT,
        keep_days: float = math.inf,
        batch_s: float = 0.2,
        batch_messages: int = 10_000,
    ) -> None:
        super().__init__(name="judge", daemon=True)
        self.wake = threading.Event()
        self.counts: Counter[str] = Counter()
        self.turn_time = turn_time_metric()
        self.turned_s, self.held_rows = time.monotonic(), 0
        self.picture: LiveTable | None = None
        self.offered_to = self.judged_to = 0
        self._journal, self._records, self._offer, self._committed = journal, records, offer, committed
        self._stretch, self._journalled_to, self._partition = stretch, journalled_to, partition
        self._before_resuming = before_resuming
        self._keep_ns = keep_days * DAY_NS
        self._rules = {rule.slug: rule for rule in rules}
        self._batch_s, self._batch_messages = batch_s, batch_messages
        self._state: State | None = None
        self._broken: set[str] = set()
        self._revision = EVERYTHING
        self._position = self._read_to = self._known_to = 0
        self._in_rows = False
        self._quarantine = Quarantine()
        self._backlogs = Backlogs()
        self._committing = Committing(journal, records)
        self._backoff = Backoff(FIRST_PAUSE_S, RETRY_LIMIT_S)
        self.outage = Outage("judging waits", log)
        self._ticked_ns = 0
        self._due = dict.fromkeys(("commit", "registry", "picture"), 0.0)
        self._registry_rests_until_s = 0.0
        self._stopping = threading.Event()

    @property
    def state(self) -> State:
        """The fleet and everything that is remembered of it."""
        assert self._state is not None, "judging has not resumed"
        return self._state

    def listing(self) -> Listing | None:
        """Return the district of each listed lift, the room for unregistered ones, and the check of senders; None
        before they are loaded."""
        if self._state is None:
            return None
        fleet = self._state.fleet
        districts = {fleet.lift_ids[i]: fleet.districts[i] for i in fleet.listed()}
        return Listing(districts, fleet.room, self._state.senders.accepts)

    def stop(self) -> None:
        """Judge the messages already read, commit, write a snapshot, and end."""
        self._stopping.set()
        self.wake.set()
        self.join()

    def run(self) -> None:
        """Judge until stopped, whatever fails."""
        while not self._stopping.is_set():
            try:
                if self._retry(self._resume):
                    self._judge_on()
            except JournalUnavailable as error:
                self.outage.failed(error)
                self._stopping.wait(self._backoff.pause_s())
            except Exception as error:  # a bug must not stop later messages
                log.exception("judging failed; it goes back to the snapshot")
                self._failed(error)

    def _judge_on(self) -> None:
        while not self._stopping.is_set():
            started = time.monotonic()
            before = self._position
            more = self._turn()
            self._note_turn(started, before)
            if not more:
                self._stopping.wait(max(0.0, self._batch_s - (time.monotonic() - started)))
                self.wake.wait(self._batch_s)
                self.wake.clear()
        self._committing.request_snapshot()
        self._retry(self._commit, attempts=1)

    def _note_turn(self, started: float, before: int) -> None:
        """Note how long a turn took, and what it left waiting; log the batch where it read any message."""
        self.turned_s, self.held_rows = time.monotonic(), self.state.sequencer.held
        self.judged_to = self._complete_to
        took_s = self.turned_s - started
        self.turn_time.observe(took_s)
        if self._position > before:
            batch = (self._position - before, self._position, self.held_rows, took_s)
            log.debug("judged messages=%d position=%d held_rows=%d took_s=%.3f", *batch)

    def _failed(self, error: Exception) -> None:
        """Suspect every message since the last commit, or set a single one aside; wait before the next try."""
        self.counts["judging_failed"] += 1
        reason = f"{type(error).__name__}: {error}"
        first = min(self._committing.committed_to, self._complete_to) + 1
        self._quarantine.failed(first, self._read_to, reason, in_rows=self._in_rows)
        self._stopping.wait(self._backoff.pause_s())

    def _turn(self) -> bool:
        """Judge one group; return whether more messages wait."""
        now_ns, stretch, heard_to_ns = time.time_ns(), self._stretch(), self._journalled_to()
        state = self.state
        limit = self._quarantine.group_limit(self._position + 1, self._batch_messages)
        while self._backlogs and self._quarantine.in_doubt(self._position + 1):
            self._judge_share()
        entries = self._journal.read(self._position, limit, READ_BYTES)
        if self._is_due("registry", REGISTRY_EVERY_S) or entries:  # what came after a change is judged by it
            self._retry(self._load_registry)
        if entries:
            self._judge_group(entries)
            if entries[-1].position < self._journal.last:
                heard_to_ns = entries[-1].arrived_ns
        behind = None
        if self._backlogs:
            self._judge_share()
            behind = self._backlogs.behind(len(state.fleet))
        self._judge_batch(state.sequencer.idle(heard_to_ns, behind))
        late_s = (now_ns - entries[-1].arrived_ns) / 1e9 if entries else 0.0
        # Every message up to this arrival has been judged, however late that is: silence counts up to here.
        read_to_ns = min(stretch.until_ns, entries[-1].arrived_ns) if entries else stretch.until_ns
        is_known = self._position < self._known_to  # read again after a restart: the snapshot has later arrivals
        if not is_known and abs(read_to_ns - self._ticked_ns) >= TICK_NS:
            self._ticked_ns = read_to_ns
            self._found(state.tick(read_to_ns, stretch.since_ns), now_ns)
        if self._is_due("picture", PICTURE_EVERY_S):
            self.picture = state.picture()
        in_doubt = self._quarantine.in_doubt(self._position + 1)
        if self._committing.pending or in_doubt or self._is_due("commit", COMMIT_EVERY_S):
            self._retry(self._commit)
        return late_s > self._batch_s or in_doubt or bool(self._backlogs)

    def _judge_group(self, entries: Sequence[Entry]) -> None:
        self._read_to = entries[-1].position
        state, unread = self.state, self._quarantine.unread
        decoded = of_partition(decode([entry for entry in entries if entry.position not in unread]), self._partition)
        gateway_at = gateways(entries)
        forged = foreign(decoded.messages, gateway_at, state.senders.accepts)
        indexed = state.index(decoded.messages, forged, gateway_at)
        for gone in indexed.gave_way:
            self._backlogs.forget(gone.lift)
            self._committing.found(state.forget(gone, entries[-1].arrived_ns))
        if indexed.unregistered:
            gave_way = [gone.lift_id for gone in indexed.gave_way]
            self._retry(lambda: self._records.add_unregistered(indexed.unregistered, gave_way))
        self.counts["unregistered_gave_way"] += len(indexed.gave_way)
        refused = attributed(
            [
                *decoded.refusals,
                *not_its_lift(decoded, forged, entries),
                *without_room(decoded, (indexed.lift == NO_ROOM) & ~forged, entries),
                *unjudgeable(entries, self._quarantine.set_aside),
            ],
            state.senders,
        )
        self._committing.refused(refused)
        lift = np.where(state.sequencer.has_stepped(decoded.messages.position, indexed.lift), NO_ROOM, indexed.lift)
        waiting = None
        if not self._quarantine.in_doubt(entries[0].position):
            waits = self._backlogs.defer(decoded, lift)
            lift, waiting = np.where(waits, NO_ROOM, lift), np.where(waits, lift, NO_ROOM)
        batch, counts = state.sequencer.step(decoded, lift)
        repeated = state.sequencer.repeated
        self.counts.update(counts)
        self.counts["messages"] += len(entries)
        self.counts["bundles"] += len(decoded.messages.lift_id)
        self.counts["district_differs"] += indexed.district_differs
        retained = frozenset(entry.position for entry in entries if entry.retained)
        self._found(state.step_arrivals(decoded, lift, waiting, refused, retained), time.time_ns())
        self._position = self._read_to
        self._judge_batch(batch)
        left_out = repeated | (indexed.lift == NO_ROOM)
        self._offer(DecodedGroup(entries[0].position, self._position, decoded, left_out))
        self.offered_to = self._position

    def _judge_share(self) -> None:
        """Judge some of the messages that wait because their lifts sent more than a turn's share."""
        state, lifts_at = self.state, self._backlogs.share()
        positions = sorted(lifts_at.keys() - self._quarantine.unread)
        decoded = of_partition(decode([self._journal.read(one - 1, 1)[0] for one in positions]), self._partition)
        indices = [state.fleet.index_of(lift_id) for lift_id in decoded.messages.lift_id]
        lift = np.array([NO_ROOM if index is None else index for index in indices], dtype=np.int32)
        lift[~of_share(decoded, lift, lifts_at)] = NO_ROOM
        batch, counts = state.sequencer.step(decoded, lift)
        self.counts.update(counts)
        self._found(state.step_arrivals(decoded, lift), time.time_ns())
        self._judge_batch(batch)
        self._backlogs.done(lifts_at)

    def _judge_batch(self, batch: Batch) -> None:
        if self._read_to in self._quarantine.skips_rows_after:
            return
        self.counts["rows"] += len(batch)
        self._in_rows = True
        state = self.state
        self._found(state.judge.step(batch, state.fleet.facts, state.windows), time.time_ns())
        self._in_rows = False

    @property
    def _complete_to(self) -> int:
        """The position up to which every message was judged."""
        oldest = self._backlogs.oldest
        return self._position if oldest is None else oldest - 1

    def _found(self, findings: Sequence[Finding], now_ns: int) -> None:
        judged = (finding for finding in findings if finding.rule in self._rules)
        self._committing.found([self.state.occurrence(one, self._rules[one.rule], now_ns) for one in judged])

    def _rule_broke(self, slug: str, error: Exception) -> None:
        """Set a rule aside until the monitor restarts, also after a return to the snapshot."""
        self._broken.add(slug)
        self.counts[f"{RULE_SET_ASIDE}:{slug}"] = 1
        log.error("the rule %s broke and is set aside; its alerts stay as they are", slug, exc_info=error)

    def _commit(self) -> None:
        refusals = self._committing.refusals
        changes = self._committing.commit(self._position, self._complete_to, self.state.pack)
        self.counts.update(f"refused:{refusal.reason}" for refusal in refusals)
        self.counts["transitions"] += len(changes)
        self._backoff.reset()
        self._quarantine.forget(self._journal.position(READER))
        if changes:
            self._committed()

    def _resume(self) -> None:
        """Load the snapshot and the registry, and continue at the snapshot's position."""
        self._before_resuming()
        resume = self._records.resume()
        forgotten = self._journal.continue_after(resume.position)
        if forgotten:
            log.warning("the journal is older than the records: %d messages, judged long ago, are forgotten", forgotten)
        rules, snapshot, position = tuple(self._rules.values()), resume.snapshot, 0
        state = State(rules, self._rule_broke, self._broken)
        if snapshot is not None:
            state = State.unpacked(rules, snapshot.state, self._rule_broke, self._broken)
            position = snapshot.position
        changes = self._records.registry_since(EVERYTHING)
        state.keep_ns = self._keep_ns
        state.load(self._own(changes), changes.deleted, changes.windows)
        state.senders.load(changes.lifts)
        state.resume_arrivals(self._records.open_alerts())
        self._state, self._revision, self._in_rows = state, changes.revision, False
        self._position = self._read_to = max(position, self._journal.first - 1)
        self._known_to = resume.position
        self._backlogs = Backlogs()
        self._committing.begin_at(self._position)
        self.offered_to = max(self.offered_to, self._position)
        log.info("judging %d rules from journal position %d", len(self._rules), self._position)

    def _load_registry(self) -> None:
        """Take in what changed; what was judged before it is never judged again by it, even after a restart."""
        begun_s = time.monotonic()
        if begun_s < self._registry_rests_until_s or self._records.revision() == self._revision:
            return
        changes = self._records.registry_since(self._revision, REGISTRY_AT_ONCE)
        own = self._own(changes)
        if self._touch_judging(changes):
            self._committing.request_snapshot()
            self._commit()
        self.state.load(own, changes.deleted, changes.windows)
        self.state.senders.load(changes.lifts, changes.deleted)
        self._revision = changes.revision
        self.counts["registry_lifts"] += len(own)
        if not changes.is_complete:
            self._due["registry"] = 0.0
        ended_s = time.monotonic()
        self._registry_rests_until_s = ended_s + REGISTRY_REST * (ended_s - begun_s)

    def _touch_judging(self, changes: RegistryChanges) -> bool:
        """Return whether changes matter to what was judged: the monitor itself lists unregistered lifts and takes them
        off, and of a lift that is new nothing was judged."""
        registered = (each.facts.lift_id for each in changes.lifts if each.registered)
        gone = (lift_id for lift_id in changes.deleted if self.state.fleet.listed_index(lift_id) is not None)
        return bool(changes.windows) or self.state.remembers([*registered, *gone])

    def _own(self, changes: RegistryChanges) -> list[tuple[LiftFacts, bool]]:
        """Return the facts of the changed lifts of the own partition, and whether each is registered."""
        own = (each for each in changes.lifts if self._partition.has(each.facts.lift_id))
        return [(each.facts, each.registered) for each in own]

    def _is_due(self, what: str, every_s: float) -> bool:
        now = time.monotonic()
        if now < self._due[what]:
            return False
        self._due[what] = now + every_s
        return True

    def _retry(self, act: Callable[[], object], attempts: int | None = None) -> bool:
        """Call `act` until the records are there: nothing is read meanwhile, so nothing is lost."""
        return retry_while_unavailable(
            act, RecordsUnavailable, self._stopping, self.outage, limit_s=RETRY_LIMIT_S, attempts=attempts
        )
