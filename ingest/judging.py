"""Judges what the journal holds: decode, index, put in order, score, and commit what was found with how far it came.

    journal ─► decode ─► fleet ─► sequencer ─► judge ─► findings ─┬─► records: alerts + position, one transaction
                  └─► offered to storing          silence ────────┘
The state (sequence, rules) is snapshotted with the position it belongs to. Restarted, it loads the snapshot, reads on
from there, finds the same again, and the book passes over what it has already applied.
"""

from __future__ import annotations

import io
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerts.book import Occurrence
from detectors.judge import Judge
from detectors.rule import Finding, Rule
from detectors.silence import Silence
from ingest.fleet import NOBODY, Fleet
from ingest.storing import Group
from store.journal import Journal
from store.live import LiveTable
from store.records import Records, RecordsUnavailable, Snapshot
from telemetry.batch import Batch, Decoded, Refusal
from telemetry.decode import decode
from telemetry.sequence import Sequencer
from telemetry.streams import Entry

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
    """The one writer of alerts. `wake` it when something was journalled."""

    def __init__(
        self,
        journal: Journal,
        records: Records,
        rules: Sequence[Rule],
        offer: Callable[[Group], None],
        committed: Callable[[], None],
        *,
        batch_s: float = 0.2,
        batch_messages: int = 10_000,
    ) -> None:
        super().__init__(name="judge", daemon=True)
        self.wake = threading.Event()
        self.fleet = Fleet()
        self.counts: Counter[str] = Counter()
        self.picture: LiveTable | None = None
        self._journal, self._records, self._offer, self._committed = journal, records, offer, committed
        self._rules = {rule.slug: rule for rule in rules}
        self._batch_s, self._batch_messages = batch_s, batch_messages
        self._judge = Judge(rules, 0)
        self._sequencer = Sequencer()
        self._silence = Silence()
        self._position = 0
        self._answered_to = 0
        self._revision = -1
        self._found: list[Occurrence] = []
        self._refused: list[Refusal] = []
        self._due = dict.fromkeys(("commit", "registry", "snapshot", "picture"), 0.0)
        self._stopping = threading.Event()

    def districts(self) -> Mapping[str, str]:
        """Return the district that stands for each listed lift."""
        return {self.fleet.lift_ids[i]: self.fleet.districts[i] for i in self.fleet.listed()}

    def stop(self) -> None:
        """Judge what is at hand, commit and snapshot it, and end."""
        self._stopping.set()
        self.wake.set()
        self.join()

    def run(self) -> None:
        """Judge until stopped."""
        self._surely(self._resume)
        while not self._stopping.is_set():
            started = time.monotonic()
            more = self._turn()
            if not more:
                self._stopping.wait(max(0.0, self._batch_s - (time.monotonic() - started)))
                self.wake.wait(self._batch_s)
                self.wake.clear()
        self._due["snapshot"] = 0.0
        self._surely(self._commit, attempts=1)

    def _turn(self) -> bool:
        """Judge one group; return whether more waits."""
        if self._is_due("registry", REGISTRY_EVERY_S):
            self._surely(self._load_registry)
        now_ns = time.time_ns()
        full = self._sequencer.waiting > WAITING_LIMIT_ROWS
        entries = [] if full else self._journal.read(self._position, self._batch_messages)
        if entries:
            self._judge_group(entries, now_ns)
        else:
            self._judge_batch(self._sequencer.idle(now_ns - UNJOURNALLED_NS))
        late_s = (now_ns - entries[-1].arrived_ns) / 1e9 if entries else 0.0
        behind = late_s > BEHIND_S or self._sequencer.waiting > 0
        self._take_findings(self._silence.step(now_ns, draining=behind), now_ns)
        if self._is_due("picture", PICTURE_EVERY_S):
            self.picture = self._picture()
        if self._found or self._refused or self._is_due("commit", COMMIT_EVERY_S):
            self._surely(self._commit)
        return late_s > self._batch_s or self._sequencer.waiting > 0

    def _judge_group(self, entries: Sequence[Entry], now_ns: int) -> None:
        decoded = decode(entries)
        heard = self.fleet.hear(decoded.messages)
        self._grow()
        if heard.strangers:
            self._surely(lambda: self._records.add_unregistered(heard.strangers))
        self._refused += decoded.refusals + crowded_out(decoded, heard.lift, entries)
        batch, counts = self._sequencer.step(decoded, heard.lift, now_ns)
        self.counts.update(counts)
        self.counts["messages"] += len(entries)
        self.counts["bundles"] += len(decoded.messages.lift_id)
        self.counts["district_differs"] += heard.district_differs
        self._hear_links(decoded, heard.lift)
        self._position = entries[-1].position
        self._judge_batch(batch)
        self._offer(Group(entries[0].position, self._position, decoded))

    def _judge_batch(self, batch: Batch) -> None:
        if len(batch):
            self.counts["rows"] += len(batch)
            self._take_findings(self._judge.step(batch, self.fleet.facts), time.time_ns())

    def _hear_links(self, decoded: Decoded, lift: NDArray[np.int32]) -> None:
        messages = decoded.messages
        online, heartbeat_s = np.full(len(lift), np.nan), np.full(len(lift), np.nan)
        status = decoded.samples.get("status")
        if status is not None:
            online[status.message] = status.channels["online"]
            heartbeat_s[status.message] = status.channels["heartbeat_s"]
        kept = (lift != NOBODY) & ~messages.retained_stale
        self._silence.hear(lift[kept], messages.arrived_ns[kept], online[kept], heartbeat_s[kept])

    def _take_findings(self, findings: Sequence[Finding], now_ns: int) -> None:
        for finding in findings:
            lift_id, district = self.fleet.lift_ids[finding.lift], self.fleet.districts[finding.lift]
            self._found.append(Occurrence(lift_id, district, finding, self._rules[finding.rule], now_ns))

    def _commit(self) -> None:
        """Commit findings, refusals and position in one transaction; then take in what people answered."""
        snapshot = None
        if self._is_due("snapshot", SNAPSHOT_EVERY_S):
            snapshot = Snapshot(self._position, self._answered_to, self._pack())
        judged = self._records.judge(
            position=self._position,
            occurrences=self._found,
            refusals=self._refused,
            now_ns=time.time_ns(),
            answered_to=self._answered_to,
            snapshot=snapshot,
        )
        self.counts.update(f"refused:{refusal.reason}" for refusal in self._refused)
        self.counts["transitions"] += len(judged.changes)
        self._found, self._refused = [], []
        for lift_id, slug in [(answer.lift_id, answer.rule) for answer in judged.answers] + judged.let_go:
            place = self.fleet.place(lift_id)
            if place is not None and slug in self._rules:
                self._judge.release(place, slug)
                self.counts["released"] += 1
                self._due["snapshot"] = 0.0
        if judged.answers:
            self._answered_to = judged.answers[-1].transition_id
        if snapshot is not None:
            self._journal.mark(READER, snapshot.position)
        if judged.changes:
            self._committed()

    def _resume(self) -> None:
        """Load the snapshot and the registry, and stand where the snapshot stood."""
        resume = self._records.resume()
        if resume.snapshot is not None:
            self._unpack(resume.snapshot.state)
            self._position, self._answered_to = resume.snapshot.position, resume.snapshot.answered_to
        self._position = max(self._position, self._journal.first - 1)
        self._load_registry()
        self._silence.restart(time.time_ns())
        for alert in self._records.open_alerts():
            place = self.fleet.place(alert.lift_id)
            if place is not None and alert.rule == "offline":
                self._silence.reopen(place)
        log.info("judging %d rules from journal position %d", len(self._rules), self._position)

    def _load_registry(self) -> None:
        revision = self._records.revision()
        if revision == self._revision:
            return
        self._revision, registry = self._records.registry()
        self.fleet.load([(entry.facts, entry.registered) for entry in registry])
        self._grow()

    def _grow(self) -> None:
        n = len(self.fleet)
        self._judge.grow(n)
        self._sequencer.grow(n)
        self._silence.grow(n)

    def _pack(self) -> bytes:
        """Return the whole state as bytes: the order of the lifts, the sequence of messages, the rules."""
        out = io.BytesIO()
        parts: dict[str, Any] = {"lifts": np.array(self.fleet.lift_ids, dtype=np.str_)}
        parts |= {f"judge/{name}": column for name, column in self._judge.snapshot().items()}
        parts |= {f"sequence/{name}": column for name, column in self._sequencer.snapshot().items()}
        parts |= {f"silence/{name}": column for name, column in self._silence.snapshot().items()}
        np.savez(out, allow_pickle=False, **parts)
        return out.getvalue()

    def _unpack(self, state: bytes) -> None:
        with np.load(io.BytesIO(state), allow_pickle=False) as parts:
            self.fleet.lay_out(parts["lifts"].tolist())
            self._grow()

            def part(prefix: str) -> dict[str, NDArray[Any]]:
                return {name.removeprefix(prefix): parts[name] for name in parts if name.startswith(prefix)}

            self._judge.restore(part("judge/"))
            self._sequencer.restore(part("sequence/"))
            self._silence.restore(part("silence/"))

    def _picture(self) -> LiveTable:
        """Return the latest state of every listed lift."""
        listed = np.array(self.fleet.listed(), dtype=np.intp)
        counted = self._sequencer.counts()
        columns = self._judge.latest() | {name: counted[name] for name in ("received", "gaps", "repeats", "late")}
        columns |= {"last_seen_ns": self._silence.last_seen_ns, "link": self._silence.link()}
        return LiveTable(
            lift_id=np.array([self.fleet.lift_ids[i] for i in listed], dtype=np.str_),
            district=np.array([self.fleet.districts[i] for i in listed], dtype=np.str_),
            **{name: column[listed] for name, column in columns.items()},
        )

    def _is_due(self, what: str, every_s: float) -> bool:
        now = time.monotonic()
        if now < self._due[what]:
            return False
        self._due[what] = now + every_s
        return True

    def _surely(self, act: Callable[[], object], attempts: int | None = None) -> None:
        """Do `act`, waiting with full jitter while the records are away: nothing is read meanwhile, nothing is lost."""
        failures = 0
        while True:
            try:
                act()
                return
            except RecordsUnavailable as error:
                failures += 1
                log.warning("judging waits for the records: %s", error)
                pause_s = random.uniform(0, min(RETRY_LIMIT_S, 0.25 * 2 ** min(failures, 8)))
                if failures == attempts or self._stopping.wait(pause_s):
                    return


def crowded_out(decoded: Decoded, lift: NDArray[np.int32], entries: Sequence[Entry]) -> list[Refusal]:
    """Return the refusals of messages of strangers for whom there is no room."""
    first = entries[0].position
    refusals = []
    for row in np.flatnonzero(lift == NOBODY).tolist():
        entry = entries[int(decoded.messages.position[row]) - first]
        detail = f"{decoded.messages.lift_id[row]}: too many lifts that the registry does not know; register it"
        refusals.append(Refusal("unregistered", detail, entry.topic, entry.payload, entry.arrived_ns, entry.position))
    return refusals
