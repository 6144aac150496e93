"""Uncommitted findings and refusals of judging, and the snapshot of its state with its position.

found ──┐
refused ┼─► one transaction of the records: alerts, dead letters, position ─► now and then a snapshot
        └── killed before it, the same is found again from the last snapshot on; after it, found again is a repeat

The snapshot follows in a file of its own, or, where what was found must not be found again, in the same transaction.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from alerts.alert import Change
from alerts.book import Occurrence
from detectors.rule import Rule
from ingest.state import OnBroken, State
from store.journal import Journal
from store.journal_files import JournalUnavailable
from store.outage import Outage
from store.records.monitors.snapshots import Resume, Snapshot
from store.records.repository import Records
from store.snapshot_file import REMEDY, SnapshotFile
from telemetry.batch import Refusal

log = logging.getLogger("liftwatch.judge")

READER = "judge"
SNAPSHOT_EVERY_S = 30.0
GENERATION_BITS = 62


class Committing:
    """Findings and refusals since the last commit. `committed_to` is the journal's position of that commit.

    `unknown_messages` were judged before the present state began, and it does not follow from them.
    """

    def __init__(self, journal: Journal, records: Records) -> None:
        self.committed_to = self.unknown_messages = 0
        self.refusals: list[Refusal] = []
        self.refused_in_turn: list[Refusal] = []
        self.occurrences: list[Occurrence] = []
        self._journal, self._records = journal, records
        self._snapshot_due_s = 0.0
        self._generation, self._is_new, self._is_bound = 0, False, False
        self._file = SnapshotFile(journal.folder)

    @property
    def pending(self) -> bool:
        """Return whether there are findings or refusals."""
        return bool(self.occurrences or self.refusals or self.refused_in_turn)

    def begin_at(self, position: int) -> None:
        """Discard all findings: judging begins again after `position`."""
        self.occurrences, self.refusals, self.refused_in_turn, self.committed_to = [], [], [], position

    def resume(self, resume: Resume, rules: Sequence[Rule], on_broken: OnBroken, set_aside: Iterable[str]) -> State:
        """Return the state of the snapshot, a fresh one without a snapshot; judging begins again after its position.

        Open alerts that a version without incidents left get theirs. Where the snapshot is not from the file, the next
        commit begins a new generation, of which no file of another folder is; without any, it takes the first.
        """
        self._records.adopt_open_alerts(time.time_ns())
        forgotten = self._journal.continue_after(resume.position)
        if forgotten:
            log.warning("the journal is older than the records: %d messages, judged long ago, are forgotten", forgotten)
        snapshot, before = self._file.newest(resume), self._journal.first - 1
        self._generation, self._is_bound, self._is_new = resume.generation, False, snapshot is resume.snapshot
        if snapshot is None:
            if resume.position:
                self.unknown_messages = before
                log.error(
                    "no snapshot in %s or in the records, which were judged up to position %d: judging begins anew with"
                    " message %d. %s",
                    *(self._journal.folder, resume.position, before + 1, REMEDY),
                )
            self.begin_at(before)
            self.bind_snapshot()
            return State(rules, on_broken, set_aside)
        if snapshot.position < before:
            self.unknown_messages = before - snapshot.position
            log.error(
                "the snapshot is of position %d, and the journal %s begins with message %d: judging goes on without the"
                " messages between. %s",
                *(snapshot.position, self._journal.folder, before + 1, REMEDY),
            )
        self.begin_at(max(snapshot.position, before))
        return State.unpacked(rules, snapshot.state, on_broken, set_aside)

    def found(self, occurrences: Sequence[Occurrence]) -> None:
        """Add findings."""
        self.occurrences += occurrences

    def refused(self, refusals: Sequence[Refusal]) -> None:
        """Add refusals of messages as they are read."""
        self.refusals += refusals

    def refused_waiting(self, refusals: Sequence[Refusal]) -> None:
        """Add refusals of messages that waited for their turn."""
        self.refused_in_turn += refusals

    def request_snapshot(self) -> None:
        """Take a snapshot after the next commit."""
        self._snapshot_due_s = 0.0

    def bind_snapshot(self) -> None:
        """Take a snapshot in the transaction of the next commit: what it has found must not be found again."""
        self._snapshot_due_s, self._is_bound = 0.0, True

    def finish_snapshot(self) -> None:
        """Wait until the snapshot of the last commit is on the disk, or has failed."""
        self._file.finish()

    def require_snapshot(self) -> None:
        """Wait until the snapshot of the last commit is on the disk; raise `SnapshotNotWritten` where it has failed."""
        self._file.require()

    @property
    def snapshot_outage(self) -> Outage:
        """The outage of the snapshot's file."""
        return self._file.outage

    def commit(
        self, position: int, complete_to: int, freeze: Callable[[], Callable[[], bytes | memoryview]] | None
    ) -> list[Change]:
        """Commit everything up to `position` in one transaction; return the changes of alerts.

        `freeze` copies the state and returns what packs the copy; it is called where a snapshot is due, which waits
        where there is no `freeze`. From there judging reads on after `complete_to`, up to which no message waits to be
        judged. What was found does not wait for the copy, nor judging for the packing, unless the snapshot is bound.
        """
        is_bound = self._is_bound
        is_due = time.monotonic() >= self._snapshot_due_s and (self._snapshot_due_s == 0.0 or not self._file.is_writing)
        taken = freeze if is_due else None
        snapshot = Snapshot(complete_to, bytes(taken()())) if taken is not None and is_bound else None
        is_new = self._is_new or snapshot is not None
        generation = secrets.randbits(GENERATION_BITS) | 1 if is_new else None
        changes = self._records.judge(
            position=position,
            occurrences=self.occurrences,
            refusals=self.refusals,
            refused_in_turn=self.refused_in_turn,
            now_ns=time.time_ns(),
            snapshot=snapshot,
            generation=generation,
        )
        self.begin_at(position)
        if generation is not None:
            self._generation, self._is_new = generation, False
        if taken is not None:
            self._snapshot_due_s, self._is_bound = time.monotonic() + SNAPSHOT_EVERY_S, False
            if is_bound:
                self._mark(complete_to)
            else:
                self._file.begin(complete_to, taken(), self._generation, lambda: self._mark(complete_to))
        return changes

    def _mark(self, position: int) -> None:
        with suppress(JournalUnavailable):  # the mark is for trimming alone: the next snapshot makes it again
            self._journal.mark(READER, position)
