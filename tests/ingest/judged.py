"""Judging by itself, on a journal and records, and the alerts that it commits."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from detectors.catalogue import RULES
from detectors.rule import Rule
from ingest.judging import Judging
from ingest.receiving.listening import Stretch
from ingest.receiving.source import Arrival
from store.journal import Journal
from store.records.repository import AlertFilter, Records, Snapshot
from store.snapshot_file import SnapshotFile
from telemetry.streams import topic
from tests.ingest.running import DISTRICT

S_NS = 1_000_000_000
Message = tuple[str, str, dict[str, Any]]
"""A lift, a stream, and what the lift sends."""


def listened(since_ns: int = 0, until_ns: int | None = None) -> Stretch:
    """Return a stretch up to now, or up to `until_ns` on another clock."""
    now_ns = time.time_ns()
    return Stretch(since_ns, now_ns if until_ns is None else until_ns, now_ns)


@contextmanager
def judging(
    journal: Journal,
    records: Records,
    rules: Sequence[Rule] = RULES,
    stretch: Callable[[], Stretch] = listened,
    batch_messages: int = 10_000,
) -> Iterator[Judging]:
    """Give judging that runs."""
    offer, committed = lambda _: None, lambda: None
    made = Judging(journal, records, rules, offer, committed, stretch, batch_s=0.01, batch_messages=batch_messages)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def newest_snapshot(journal: Journal, records: Records) -> Snapshot:
    """Return the snapshot from which judging would go on."""
    found = SnapshotFile(journal.folder).newest(records.resume())
    assert found is not None
    return found


def alerts(records: Records) -> set[tuple[str, str]]:
    """Return the lift and the rule of each alert."""
    return {(one.lift_id, one.rule) for one in records.alerts(AlertFilter(), limit=100).items}


class Turns:
    """What was judged when each turn began; judging asks `next` for the stretch of each turn."""

    def __init__(self, records: Records) -> None:
        self.counts: Mapping[str, int] = {}
        self.rows: list[int] = []
        self.alarmed: dict[str, int] = {}
        self._records = records

    def next(self) -> Stretch:
        """Note the rows judged so far, and the lifts whose alarm became an alert since the last turn."""
        for lift, rule in alerts(self._records):
            if rule == "alarm-button":
                self.alarmed.setdefault(lift, len(self.rows))
        self.rows.append(self.counts.get("rows", 0))
        return listened()

    def rows_before(self, lift: str) -> int:
        """Return how many rows were judged when the alarm of a lift had become an alert."""
        return self.rows[self.alarmed[lift]]


class Subscribed:
    """A source of `messages`."""

    last_error = None
    is_subscribed = True

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def take(self, wait_s: float) -> list[Arrival]:
        time.sleep(wait_s)
        taken, self.messages = self.messages, []
        return [
            Arrival(time.time_ns(), topic(DISTRICT, lift, stream), json.dumps(body).encode(), False, None)
            for lift, stream, body in taken
        ]

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None: ...

    def close(self) -> None: ...
