"""Keeps the health of the own lifts up to date: a day of each lift after its local midnight, and each lift on change.

alert opened, ended ─┐
blind, heard again  ─┼─► changed lifts, at most `AT_ONCE` a round ─► health
a day is over       ─┘   days that are owed, as long as `ROUND_S` lasts

A round rests `REST` times as long as it worked, so that judging has the processor. Where the records or the time
series are away, the next round tries again. What was missed while the monitor was down is caught up with, a day after
the other, as far as trips are stored.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import orjson

from detectors.health.trends import ALARMS_DEFAULT
from ingest.health.reckoning import UTC, HealthReckoning
from mqtt.backoff import Backoff
from registry.duty.civil_time import local_clock
from registry.facts import LiftFacts
from store.live import decode_live
from store.outage import Outage
from store.records.repository import EVERYTHING, HealthDay, HealthRecord, Records, RecordsUnavailable
from store.series.timeseries import TimeSeries, TimeSeriesRefused, TimeSeriesUnavailable
from telemetry.streams import NEVER_SEEN, OFFLINE

log = logging.getLogger("liftwatch.health")

POLL_S, ROUND_S, REST = 2.0, 0.2, 9.0
AT_ONCE = 50
STATUS_EVERY_S = 10.0
REFRESH_NS = 6 * 3600 * 1_000_000_000
"""How often a health is reckoned without a change: what is over counts less from day to day."""
LATE_NS = 600 * 1_000_000_000
"""Trips of a day are stored by then after its end."""
CATCH_UP_DAYS = 30
TRANSITIONS_AT_ONCE = 1_000
RETRY_FIRST_S, RETRY_LIMIT_S = 0.5, 30.0


class HealthKeeper(threading.Thread):
    """Reckons and stores health until stopped."""

    def __init__(
        self,
        records: Records,
        open_series: Callable[[], TimeSeries],
        alarms_per_lift_month: float = ALARMS_DEFAULT,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        super().__init__(name="health", daemon=True)
        self.wake = threading.Event()
        self.counts: Counter[str] = Counter({"health_days": 0, "health_changes": 0})
        self.outage = Outage("health waits", log)
        self._records, self._open_series, self._clock = records, open_series, clock
        self._series: TimeSeries | None = None
        self._reckoning = HealthReckoning(records, self._opened, alarms_per_lift_month)
        self._stopping = threading.Event()
        self._revision = EVERYTHING
        self._lifts: dict[str, LiftFacts] = {}
        self._last_day: dict[str, int] | None = None
        self._norms_day = 0
        self._transition: int | None = None
        self._live_version, self._status_s = 0, -STATUS_EVERY_S
        self._unknown: dict[str, str] = {}
        self._heard: dict[str, str] = {}
        self._changed: dict[str, None] = {}
        self._reckoned_ns: dict[str, int] = {}
        self._signatures: dict[str, int] | None = None

    def register(self) -> None:
        """Do nothing: every lift without a health gets one."""

    def stop(self) -> None:
        """End the thread after the round under way."""
        self._stopping.set()
        self.wake.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """Keep health until stopped."""
        backoff = Backoff(RETRY_FIRST_S, RETRY_LIMIT_S)
        while not self._stopping.is_set():
            began_s = time.monotonic()
            try:
                more = self.round()
                backoff.reset()
                self.outage.over()
                pause_s = REST * (time.monotonic() - began_s)
            except Exception as error:  # one lift must not end the health of all
                more, pause_s = False, backoff.pause_s()
                expected = RecordsUnavailable | TimeSeriesUnavailable | TimeSeriesRefused
                self.outage.failed(error, exc_info=not isinstance(error, expected))
            self._stopping.wait(pause_s if more else max(pause_s, POLL_S))
        if self._series is not None:
            self._series.close()

    def round(self) -> bool:
        """Take in what changed, and reckon for `ROUND_S` at most; return whether there is more to do."""
        now_ns, end_s = self._clock(), time.monotonic() + ROUND_S
        self._load_registry()
        self._load_status()
        self._load_transitions()
        days: list[HealthDay] = []
        more = False
        for facts, day, is_latest in self._owed(now_ns):
            if time.monotonic() > end_s:
                more = True
                break
            known = [*self._reckoning.stored_days(facts.lift_id, day), (day, self._reckoning.measure(facts, day))]
            unknown = self._unknown.get(facts.lift_id)
            days.append(self._reckoning.health_of_day(facts, known, unknown, is_latest))
            self._records.put_health([], days[-1:])
            self._known_days()[facts.lift_id] = day
            self._changed[facts.lift_id] = None
        self.counts["health_days"] += len(days)
        return self._reckon_changed(now_ns) or more

    def _reckon_changed(self, now_ns: int) -> bool:
        """Reckon the health of some changed lifts; return whether others wait."""
        stale = (each for each in self._lifts if now_ns - self._reckoned_ns.get(each, 0) > REFRESH_NS)
        waiting = dict.fromkeys([*self._changed, *stale])
        chosen = [self._lifts[each] for each in waiting if each in self._lifts][:AT_ONCE]
        found = self._reckoning.present(chosen, self._unknown, now_ns)
        other = [one for one in found if self._stored().get(one.lift_id) != _signature(one)]
        self._records.put_health(other)
        self._stored().update({one.lift_id: _signature(one) for one in other})
        for facts in chosen:
            self._changed.pop(facts.lift_id, None)
            self._reckoned_ns[facts.lift_id] = now_ns
        self.counts["health_changes"] += len(other)
        return len(waiting) > len(chosen)

    def _stored(self) -> dict[str, int]:
        """Return the signature of the stored health of each lift: what says the same is not stored again."""
        if self._signatures is None:
            self._signatures = {one.lift_id: _signature(one) for one in self._records.healths_since(0)}
        return self._signatures

    def _owed(self, now_ns: int) -> Iterator[tuple[LiftFacts, int, bool]]:
        """Yield the days that lifts owe, the oldest first, and whether each is the latest of its lift."""
        last_days, yesterdays = self._known_days(), dict[str, int]()
        for facts in list(self._lifts.values()):
            zone = facts.timezone or UTC
            if zone not in yesterdays:
                yesterdays[zone] = local_clock(now_ns - LATE_NS, zone)[0] - 1
            yesterday = yesterdays[zone]
            last = last_days.get(facts.lift_id, yesterday - CATCH_UP_DAYS)
            if last >= yesterday:
                continue
            if self._norms_day < yesterday:
                self._reckoning.load_norms(list(self._lifts.values()), yesterday)
                self._norms_day = yesterday
            for day in range(max(last + 1, yesterday - CATCH_UP_DAYS + 1), yesterday + 1):
                yield facts, day, day == yesterday

    def _known_days(self) -> dict[str, int]:
        if self._last_day is None:
            self._last_day = self._records.last_health_days()
        return self._last_day

    def _load_registry(self) -> None:
        if self._records.revision() == self._revision:
            return
        changes = self._records.registry_since(self._revision)
        self._revision = changes.revision
        for gone in changes.deleted:
            self._lifts.pop(gone, None)
            self._known_days().pop(gone, None)
            self._reckoned_ns.pop(gone, None)
            self._stored().pop(gone, None)
        for entry in changes.lifts:
            lift_id = entry.facts.lift_id
            if entry.registered and self._records.partition.has(lift_id):
                self._lifts[lift_id] = entry.facts
                self._changed[lift_id] = None
                self._reckoning.forget([lift_id])

    def _load_status(self) -> None:
        """Note which lifts are not judged now, and why."""
        if time.monotonic() - self._status_s < STATUS_EVERY_S:
            return
        self._status_s = time.monotonic()
        for state in self._records.live(self._live_version):
            self._live_version = max(self._live_version, state.version)
            table = decode_live(state.lifts)
            columns = zip(table.lift_id.tolist(), table.link.tolist(), table.blind.tolist(), strict=True)
            self._heard |= {lift_id: _unknown(link, blind) for lift_id, link, blind in columns}
        before = self._unknown
        self._unknown = {lift_id: why for lift_id in self._lifts if (why := self._heard.get(lift_id, "never-seen"))}
        differing = before.items() ^ self._unknown.items()
        self._changed |= dict.fromkeys(lift_id for lift_id, _ in differing)

    def _load_transitions(self) -> None:
        if self._transition is None:  # every lift is reckoned after a start
            self._transition = self._records.last_transition()
        found = self._records.transitions_since(self._transition, TRANSITIONS_AT_ONCE)
        if found:
            lift_ids = dict.fromkeys(one.lift_id for one in found)
            self._changed |= lift_ids
            self._reckoning.forget(lift_ids)
            self._transition = found[-1].id

    def _opened(self) -> TimeSeries:
        if self._series is None:
            self._series = self._open_series()
        return self._series


def _signature(record: HealthRecord) -> int:
    """Return a number that is the same for healths that say the same at different times."""
    document = orjson.loads(record.document)
    return hash(orjson.dumps({**document, "at": None}))


def _unknown(link: int, blind: str) -> str:
    """Return why a lift is not judged, "" where it is."""
    if link == NEVER_SEEN:
        return "never-seen"
    if blind:
        return "blind"
    return "offline" if link == OFFLINE else ""
