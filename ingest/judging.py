"""Judges what the journal holds: decode, index, put in order, score, and commit what was found with how far it came.

    journal ─► decode ─► fleet ─► sequencer ─► judge ─► findings ─┬─► records: alerts + position, one transaction
                  └─► offered to storing          silence ────────┘
The state (sequence, rules) is snapshotted with the position it belongs to. Restarted, it loads the snapshot, reads on
from there, finds the same again, and the book passes over what it has already applied. The same way it gets over a
mistake of our own: back to the snapshot, on to where it failed, there message by message, and the one that fails by
itself becomes a dead letter.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from alerts.book import Occurrence
from detectors.rule import Finding, Rule
from ingest.fleet import NOBODY
from ingest.partition import EVERY_LIFT, Partition
from ingest.state import State
from ingest.storing import Group
from store.journal import Journal
from store.live import LiveTable
from store.records.repository import EVERYTHING, Records, RecordsUnavailable, Snapshot
from telemetry.batch import Batch, Decoded, Refusal
from telemetry.streams import Entry
from telemetry.wire.decode import decode

log = logging.getLogger("liftwatch.judge")

READER = "judge"
COMMIT_EVERY_S = 1.0
PICTURE_EVERY_S = 0.5
REGISTRY_EVERY_S = 2.0
SNAPSHOT_EVERY_S = 30.0
RETRY_LIMIT_S = 10.0
WAITING_LIMIT_ROWS = 1_000_000
"""With more rows of backlogs waiting to be judged the journal is not read further."""
UNJOURNALLED_NS = 500_000_000
"""How long a message may be on its way from its arrival into the journal."""
BEHIND_S = 10.0
"""Messages that arrived longer ago than this are a backlog: silence is not counted while one drains."""


class Judging(threading.Thread):
    """The one writer of alerts. `wake` it when something was journalled; `reached` is as far as it has offered."""

    def __init__(
        self,
        journal: Journal,
        records: Records,
        rules: Sequence[Rule],
        offer: Callable[[Group], None],
        committed: Callable[[], None],
        hearing: Callable[[], bool],
        *,
        partition: Partition = EVERY_LIFT,
        batch_s: float = 0.2,
        batch_messages: int = 10_000,
    ) -> None:
        super().__init__(name="judge", daemon=True)
        self.wake = threading.Event()
        self.counts: Counter[str] = Counter()
        self.picture: LiveTable | None = None
        self.reached = 0
        self._journal, self._records, self._offer, self._committed = journal, records, offer, committed
        self._hearing, self._partition = hearing, partition
        self._rules = {rule.slug: rule for rule in rules}
        self._batch_s, self._batch_messages = batch_s, batch_messages
        self._state = State(rules)
        self._position = self._committed_to = self._read_to = 0
        self._looked_ns = 0
        self._failures = 0
        self._doubted = range(0)
        self._set_aside: dict[int, str] = {}
        self._passed_over: set[int] = set()
        self._in_rules = False
        self._revision = EVERYTHING
        self._found: list[Occurrence] = []
        self._refused: list[Refusal] = []
        self._due = dict.fromkeys(("commit", "registry", "snapshot", "picture"), 0.0)
        self._stopping = threading.Event()
        forgotten = journal.begin_after(records.resume().position)
        if forgotten:
            log.warning("the journal is older than the records: %d messages, judged long ago, are forgotten", forgotten)

    def districts(self) -> Mapping[str, str]:
        """Return the district that stands for each listed lift."""
        fleet = self._state.fleet
        return {fleet.lift_ids[i]: fleet.districts[i] for i in fleet.listed()}

    def stop(self) -> None:
        """Judge what is at hand, commit and snapshot it, and end."""
        self._stopping.set()
        self.wake.set()
        self.join()

    def run(self) -> None:
        """Judge until stopped, whatever fails."""
        while not self._stopping.is_set():
            try:
                if self._surely(self._resume):
                    self._judge_on()
            except Exception as error:  # a mistake of our own must not stop what follows
                log.exception("judging failed; it goes back to the snapshot")
                self._doubt(error)

    def _judge_on(self) -> None:
        while not self._stopping.is_set():
            started = time.monotonic()
            more = self._turn()
            if not more:
                self._stopping.wait(max(0.0, self._batch_s - (time.monotonic() - started)))
                self.wake.wait(self._batch_s)
                self.wake.clear()
        self._due["snapshot"] = 0.0
        self._surely(self._commit, attempts=1)

    def _doubt(self, error: Exception) -> None:
        """Doubt every message since the last commit; set aside the only one, or the rows that came out after it."""
        self.counts["judging_failed"] += 1
        suspects = range(self._committed_to + 1, self._read_to + 1)
        if len(suspects) > 1:
            self._doubted = suspects
        else:
            self._set_aside |= dict.fromkeys(suspects, f"{type(error).__name__}: {error}")
            if self._in_rules:
                self._passed_over.add(self._read_to)
        self._failures += 1
        self._stopping.wait(random.uniform(0, min(RETRY_LIMIT_S, 0.25 * 2 ** min(self._failures, 8))))

    def _at_once(self) -> int:
        """Return how many messages to judge together: those that are in doubt come one by one."""
        following = self._position + 1
        if following in self._doubted:
            return 1
        ahead = self._doubted.start - following
        return min(ahead, self._batch_messages) if ahead > 0 else self._batch_messages

    def _turn(self) -> bool:
        """Judge one group; return whether more waits."""
        now_ns = time.time_ns()
        sequencer = self._state.sequencer
        full = sequencer.waiting > WAITING_LIMIT_ROWS
        entries = [] if full else self._journal.read(self._position, self._at_once())
        if self._is_due("registry", REGISTRY_EVERY_S) or entries:  # what came after a change is judged by it
            self._surely(self._load_registry)
        if entries:
            self._judge_group(entries)
        else:
            self._judge_batch(sequencer.idle(now_ns - UNJOURNALLED_NS))
        late_s = (now_ns - entries[-1].arrived_ns) / 1e9 if entries else 0.0
        behind = late_s > BEHIND_S or full
        deaf, excused = self._was_deaf(now_ns), self._state.excused(now_ns)
        self._take_findings(self._state.silence.step(now_ns, draining=behind or deaf, excused=excused), now_ns)
        if self._is_due("picture", PICTURE_EVERY_S):
            self.picture = self._state.picture()
        in_doubt = self._position + 1 in self._doubted
        if self._found or self._refused or in_doubt or self._is_due("commit", COMMIT_EVERY_S):
            self._surely(self._commit)
        return late_s > self._batch_s or sequencer.waiting > 0 or in_doubt

    def _was_deaf(self, now_ns: int) -> bool:
        """Say whether nobody could be heard since the last look: no connection, or the clock was set or stood still."""
        since_s = (now_ns - self._looked_ns) / 1e9
        self._looked_ns = now_ns
        return not self._hearing() or not 0 <= since_s <= BEHIND_S

    def _judge_group(self, entries: Sequence[Entry]) -> None:
        self._read_to = entries[-1].position
        unread = self._set_aside.keys() - self._passed_over
        decoded = self._partition.of_group(decode([entry for entry in entries if entry.position not in unread]))
        heard = self._state.fleet.hear(decoded.messages)
        self._state.grow()
        if heard.strangers:
            self._surely(lambda: self._records.add_unregistered(heard.strangers))
        self._refused += decoded.refusals + crowded_out(decoded, heard.lift, entries)
        self._refused += unjudgeable(entries, self._set_aside)
        batch, counts = self._state.sequencer.step(decoded, heard.lift)
        repeated = self._state.sequencer.repeated
        self.counts.update(counts)
        self.counts["messages"] += len(entries)
        self.counts["bundles"] += len(decoded.messages.lift_id)
        self.counts["district_differs"] += heard.district_differs
        self._state.hear_links(decoded, heard.lift)
        self._position = self._read_to
        self._judge_batch(batch)
        self._offer(Group(entries[0].position, self._position, decoded, repeated | (heard.lift == NOBODY)))
        self.reached = self._position

    def _judge_batch(self, batch: Batch) -> None:
        if self._read_to in self._passed_over:
            return
        self.counts["rows"] += len(batch)
        self._in_rules = True
        state = self._state
        self._take_findings(state.judge.step(batch, state.fleet.facts, state.windows), time.time_ns())
        self._in_rules = False

    def _take_findings(self, findings: Sequence[Finding], now_ns: int) -> None:
        known = (finding for finding in findings if finding.rule in self._rules)
        self._found += [self._state.occurrence(finding, self._rules[finding.rule], now_ns) for finding in known]

    def _commit(self) -> None:
        """Commit findings, refusals and position in one transaction."""
        snapshot = None
        if self._is_due("snapshot", SNAPSHOT_EVERY_S):
            snapshot = Snapshot(self._position, self._state.pack())
        changes = self._records.judge(
            position=self._position,
            occurrences=self._found,
            refusals=self._refused,
            now_ns=time.time_ns(),
            snapshot=snapshot,
        )
        self.counts.update(f"refused:{refusal.reason}" for refusal in self._refused)
        self.counts["transitions"] += len(changes)
        self._found, self._refused = [], []
        self._committed_to, self._failures = self._position, 0
        if snapshot is not None:
            self._journal.mark(READER, snapshot.position)
        if changes:
            self._committed()

    def _resume(self) -> None:
        """Load the snapshot and the registry, and stand where the snapshot stood."""
        resume = self._records.resume()
        self._state, self._revision = State(tuple(self._rules.values())), EVERYTHING
        self._found, self._refused, self._in_rules = [], [], False
        self._position = 0
        if resume.snapshot is not None:
            self._state = self._unpacked(resume.snapshot)
            self._position = resume.snapshot.position
        self._position = self._committed_to = self._read_to = max(self._position, self._journal.first - 1)
        self.reached = max(self.reached, self._position)
        self._load_registry()
        silence, fleet = self._state.silence, self._state.fleet
        silence.restart(time.time_ns())
        for alert in self._records.open_alerts():
            place = fleet.place(alert.lift_id)
            if place is not None and alert.rule == "offline":
                silence.reopen(place)
        log.info("judging %d rules from journal position %d", len(self._rules), self._position)

    def _unpacked(self, snapshot: Snapshot) -> State:
        """Return the snapshot's state; a fresh one where it cannot be read, as it may be after an update of ours."""
        rules = tuple(self._rules.values())
        try:
            state = State(rules)
            state.unpack(snapshot.state)
            return state
        except Exception:
            log.exception("the snapshot cannot be read: judging begins with nothing known of any lift")
            return State(rules)

    def _load_registry(self) -> None:
        """Take in what changed; what was judged before it is never judged again by it, even after a restart."""
        if self._records.revision() == self._revision:
            return
        changes = self._records.registry_since(self._revision)
        if self._revision != EVERYTHING and changes.touch_judging:
            self._due["snapshot"] = 0.0
            self._commit()
        lifts = [(each.facts, each.registered) for each in changes.lifts]
        self._state.load(lifts, changes.struck_off, changes.windows)
        self._revision = changes.revision

    def _is_due(self, what: str, every_s: float) -> bool:
        now = time.monotonic()
        if now < self._due[what]:
            return False
        self._due[what] = now + every_s
        return True

    def _surely(self, act: Callable[[], object], attempts: int | None = None) -> bool:
        """Do `act`, waiting with full jitter while the records are away: nothing is read meanwhile, nothing is lost.

        Return whether it was done: it is not where the end came first.
        """
        failures = 0
        while True:
            try:
                act()
                return True
            except RecordsUnavailable as error:
                failures += 1
                log.warning("judging waits for the records: %s", error)
                pause_s = random.uniform(0, min(RETRY_LIMIT_S, 0.25 * 2 ** min(failures, 8)))
                if failures == attempts or self._stopping.wait(pause_s):
                    return False


def crowded_out(decoded: Decoded, lift: NDArray[np.int32], entries: Sequence[Entry]) -> list[Refusal]:
    """Return the refusals of messages of strangers for whom there is no room."""
    first = entries[0].position
    refusals = []
    for row in np.flatnonzero(lift == NOBODY).tolist():
        entry = entries[int(decoded.messages.position[row]) - first]
        why = f"{decoded.messages.lift_id[row]}: too many lifts that the registry does not know; register it"
        refusals.append(refusal(entry, "unregistered", why))
    return refusals


def unjudgeable(entries: Sequence[Entry], why: Mapping[int, str]) -> list[Refusal]:
    """Return the refusals of messages at positions that were set aside."""
    aside = [entry for entry in entries if entry.position in why]
    report = "could not be judged, by a mistake of the monitor's; please report it"
    return [refusal(entry, "unjudgeable", f"{report}: {why[entry.position]}") for entry in aside]


def refusal(entry: Entry, reason: str, detail: str) -> Refusal:
    """Return the refusal of a whole message."""
    return Refusal(reason, detail, entry.topic, entry.payload, entry.arrived_ns, entry.position)
