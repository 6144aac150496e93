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

from detectors.rule import Rule
from ingest.committing import READER, Committing
from ingest.failing.quarantine import Quarantine
from ingest.fleet import Listing
from ingest.intake import Intake
from ingest.judging_run import JudgingRun
from ingest.pacing import TurnPace
from ingest.receiving.listening import Stretch
from ingest.registry_loading import RegistryLoading
from ingest.retrying import retry_while_unavailable
from ingest.state import State
from ingest.waiting.backlogs import Backlogs
from ingest.waiting.measured import MeasuredWaiting
from ingest.waiting.offered import DecodedGroup
from mqtt.backoff import Backoff
from registry.partition import EVERY_LIFT, Partition
from store.journal import Journal
from store.journal_files import JournalUnavailable
from store.live import LiveTable
from store.monitor_counts import RULE_SET_ASIDE, UNKNOWN_MESSAGES
from store.outage import Outage
from store.records.database import RecordsUnavailable
from store.records.repository import Records
from store.snapshot_file import SnapshotNotWritten
from telemetry.instant import DAY_NS
from telemetry.streams import Entry

log = logging.getLogger("liftwatch.judge")

COMMIT_EVERY_S = 1.0
PICTURE_EVERY_S = 0.5
FIRST_PAUSE_S = 0.25
RETRY_LIMIT_S = 10.0
READ_BYTES = 8 << 20
"""How much of the journal is read in a turn."""
TICK_NS = 1_000_000_000
"""How far the clock moves between two ticks, at which silence is judged."""


class Judging(threading.Thread):
    """The one writer of alerts: has offered messages up to `offered_to`, and judged all of them up to `judged_to`."""

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
        partition: Partition = EVERY_LIFT,
        keep_days: float = math.inf,
        batch_s: float = 0.2,
        batch_messages: int = 10_000,
    ) -> None:
        super().__init__(name="judge", daemon=True)
        self.counts: Counter[str] = Counter()
        self.pace, self.held_rows = TurnPace(batch_s), 0
        self.picture: LiveTable | None = None
        self.offered_to = self.judged_to = 0
        self._journal, self._records, self._offer, self._committed = journal, records, offer, committed
        self._stretch, self._partition, self._before_resuming = stretch, partition, before_resuming
        self._keep_ns = keep_days * DAY_NS
        self._rules = {rule.slug: rule for rule in rules}
        self._batch_s, self._batch_messages = batch_s, batch_messages
        self._run: JudgingRun | None = None
        self._broken: set[str] = set()
        self._registry = RegistryLoading(records, partition)
        self._known_to = self._ticked_ns = 0
        self._quarantine = Quarantine()
        self._committing = Committing(journal, records)
        self._backoff = Backoff(FIRST_PAUSE_S, RETRY_LIMIT_S)
        self.outage, self.snapshot_outage = Outage("judging waits", log), self._committing.snapshot_outage

    @property
    def _running(self) -> JudgingRun:
        """The present run."""
        assert self._run is not None, "judging has not resumed"
        return self._run

    @property
    def state(self) -> State:
        """The fleet and everything that is remembered of it."""
        return self._running.state

    def listing(self) -> Listing | None:
        """Return the district of each listed lift, the room for unregistered ones, and the check of senders; None
        before they are loaded."""
        return None if self._run is None else self.state.fleet.listing(self.state.senders)

    def measured(self) -> dict[str, MeasuredWaiting]:
        """Return the rides and the observations that are not stored yet; none before the state is loaded."""
        return {} if self._run is None else {"rides": self.state.rides, "behaviour": self.state.behaviour}

    def stop(self) -> None:
        """Judge the messages already read, commit, write a snapshot, and end."""
        self.pace.stop()
        self.join()

    def run(self) -> None:
        """Judge until stopped, whatever fails."""
        while not self.pace.stopping.is_set():
            try:
                if self._retry(self._resume):
                    self._judge_on()
            except JournalUnavailable as error:
                self.outage.failed(error)
                self.pace.stopping.wait(self._backoff.pause_s())
            except Exception as error:  # a bug must not stop later messages
                log.exception("judging failed; it goes back to the snapshot")
                self._failed(error)
        self._committing.finish_snapshot()

    def _judge_on(self) -> None:
        while not self.pace.stopping.is_set():
            before = self._running.position
            self.pace.begin()
            more = self._turn()
            self._note_turn(self.pace.end(), before)
            if not more:
                self.pace.pause(is_calm=not self.held_rows)
        self._retry(self._commit_snapshot, attempts=1)
        self._retry(self._commit_bound_snapshot, attempts=1)

    def _note_turn(self, took_s: float, before: int) -> None:
        """Note what a turn left waiting; log the batch where the turn read any message."""
        self.held_rows, self.judged_to = self.state.sequencer.held, self._running.complete_to
        position = self._running.position
        if position > before:
            batch = (position - before, position, self.held_rows, took_s)
            log.debug("judged messages=%d position=%d held_rows=%d took_s=%.3f", *batch)

    def _failed(self, error: Exception) -> None:
        """Suspect every message since the last commit, or set a single one aside; wait before the next try."""
        self.counts["judging_failed"] += 1
        if (run := self._run) is not None:
            first, reason = min(self._committing.committed_to, run.complete_to) + 1, f"{type(error).__name__}: {error}"
            self._quarantine.failed(first, run.read_to, reason, in_rows=run.in_rows)
        self.pace.stopping.wait(self._backoff.pause_s())

    def _turn(self) -> bool:
        """Judge one group, and some of what waits; return whether more messages wait."""
        now_ns, stretch, run = time.time_ns(), self._stretch(), self._running
        entries = self._read()
        if entries or self._registry.is_due(time.monotonic()):  # what came after a change is judged by it
            self._retry(self._load_registry)
        read_to_ns, released_to_ns, is_behind = stretch.until_ns, stretch.journalled_ns, False
        if entries:
            self._offer(run.judge_group(entries))
            self.offered_to = run.position
            arrived_ns = entries[-1].arrived_ns
            # Every message up to this arrival has been judged, however late that is: silence counts up to here.
            read_to_ns = min(read_to_ns, arrived_ns)
            if entries[-1].position < self._journal.last:
                released_to_ns, is_behind = arrived_ns, (now_ns - arrived_ns) / 1e9 > self._batch_s
        run.judge_backlogs(is_behind)
        run.judge_rows(run.state.sequencer.idle(released_to_ns, run.backlogs.behind(len(run.state.fleet))))
        is_known = run.position < self._known_to  # read again after a restart: the snapshot has later arrivals
        if not is_known and abs(read_to_ns - self._ticked_ns) >= TICK_NS:
            self._ticked_ns = read_to_ns
            run.found(run.state.tick(read_to_ns, stretch.since_ns), now_ns)
        if self.pace.is_due("picture", PICTURE_EVERY_S):
            self.picture = run.state.picture(run.intake.reported())
        in_doubt = self._quarantine.in_doubt(run.position + 1)
        if self._committing.pending or in_doubt or self.pace.is_due("commit", COMMIT_EVERY_S):
            self._retry(self._commit)
        return is_behind or in_doubt or bool(run.backlogs)

    def _read(self) -> list[Entry]:
        """Return the next group; a message in doubt by itself, when none waits any more."""
        run = self._running
        limit = self._quarantine.group_limit(run.position + 1, self._batch_messages)
        while run.backlogs and self._quarantine.in_doubt(run.position + 1):
            run.judge_piece()
        return self._journal.read(run.position, limit, READ_BYTES)

    def _rule_broke(self, slug: str, error: Exception) -> None:
        """Set a rule, or the observation of behaviour, aside until a restart, also after a return to the snapshot."""
        self._broken.add(slug)
        self.counts[f"{RULE_SET_ASIDE}:{slug}"] = 1
        log.error("the rule %s broke and is set aside; its alerts stay as they are", slug, exc_info=error)

    def _commit(self) -> None:
        refusals = [*self._committing.refusals, *self._committing.refused_in_turn]
        run = self._running
        freeze = None if run.state.share else run.state.frozen
        changes = self._committing.commit(run.position, run.complete_to, freeze)
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
        self._known_to = resume.position
        state = self._committing.resume(resume, tuple(self._rules.values()), self._rule_broke, self._broken)
        self.counts[UNKNOWN_MESSAGES] = self._committing.unknown_messages
        state.keep_ns = self._keep_ns
        self._registry.load_all(state)
        state.resume_arrivals(self._records.open_alerts())
        backlogs = Backlogs()
        intake = Intake(state, backlogs, self._journal, self._partition, self._quarantine, self._add_unregistered)
        run = JudgingRun(state, intake, backlogs, self._quarantine, self._committing, self._rules, self.counts)
        self._run, self.offered_to = run, max(self.offered_to, run.position)
        log.info("judging %d rules from journal position %d", len(self._rules), run.position)

    def _add_unregistered(self, seen: Sequence[tuple[str, str]], gave_way: Sequence[str]) -> None:
        self._retry(lambda: self._records.add_unregistered(seen, gave_way))

    def _load_registry(self) -> None:
        self.counts["registry_lifts"] += self._registry.load_changes(self.state, self._commit_snapshot)

    def _commit_snapshot(self) -> None:
        self._running.finish_share()
        self._committing.request_snapshot()
        self._commit()
        self._committing.require_snapshot()

    def _commit_bound_snapshot(self) -> None:
        """Leave the state in the records too: a monitor with another data folder goes on from there."""
        self._committing.bind_snapshot()
        self._commit()

    def _retry(self, act: Callable[[], object], attempts: int | None = None) -> bool:
        """Call `act` until the records are there: nothing is read meanwhile, so nothing is lost."""
        return retry_while_unavailable(
            act,
            (RecordsUnavailable, SnapshotNotWritten),
            self.pace.stopping,
            self.outage,
            limit_s=RETRY_LIMIT_S,
            attempts=attempts,
        )
