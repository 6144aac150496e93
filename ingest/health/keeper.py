"""Keeps the health of the own lifts up to date: a day of each lift after its local midnight, and each lift on change.

alert opened, ended ─┐
blind, heard again  ─┼─► changed lifts, at most `AT_ONCE` a round ─► health
a day is over       ─┘   days that are owed, as long as `ROUND_S` lasts

A round rests `REST` times as long as it worked, so that judging has the processor. Where the records or the time
series are away, the next round tries again. What was missed while the monitor was down is caught up with, a day after
the other, from the first one of which a trip is stored.

A clock that is ahead for a while: a day is owed once a lift of the fleet has made a trip on it or later by the lift's
clock. When the clock was set back by more than `LATE_NS`, and at each start, stored days that are not over are deleted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date

import orjson

from detectors.health.assessment import FAILED
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
OUTAGES = (RecordsUnavailable, TimeSeriesUnavailable, TimeSeriesRefused)
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
        self.counts: Counter[str] = Counter({"health_days": 0, "health_changes": 0, "health_failures": 0})
        self.outage = Outage("health waits", log)
        self._records, self._open_series, self._clock = records, open_series, clock
        self._series: TimeSeries | None = None
        self._reckoning = HealthReckoning(records, self._opened, alarms_per_lift_month)
        self._stopping = threading.Event()
        self._revision = EVERYTHING
        self._lifts: dict[str, LiftFacts] = {}
        self._last_day: dict[str, int] | None = None
        self._now_ns = 0
        self._newest_trip_ns = 0
        self._failed: dict[str, int] = {}
        self._unreckoned: set[str] = set()
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
            except Exception as error:  # an error must not end the thread
                more, pause_s = False, backoff.pause_s()
                self.outage.failed(error, exc_info=not isinstance(error, OUTAGES))
            self._stopping.wait(pause_s if more else max(pause_s, POLL_S))
        if self._series is not None:
            self._series.close()

    def round(self) -> bool:
        """Take in what changed, and reckon for `ROUND_S` at most; return whether there is more to do."""
        now_ns, end_s = self._clock(), time.monotonic() + ROUND_S
        self._load_registry()
        self._load_status()
        self._load_transitions()
        if now_ns < self._now_ns - LATE_NS:
            self._last_day, self._signatures = None, None
            self._reckoning.forget_norms()
            self._reckoned_ns.clear()
            self._failed.clear()
            self._unreckoned.clear()
        self._now_ns = now_ns
        try:
            more = self._reckon_days(now_ns, end_s)
        finally:  # alerts change the health while the time series are away too
            is_waiting = self._reckon_changed(now_ns)
        return is_waiting or more

    def _reckon_days(self, now_ns: int, end_s: float) -> bool:
        """Reckon days that are owed until `end_s`, and store them together; return whether others wait."""
        days: list[HealthDay] = []
        try:
            for facts, day, last_owed in self._owed(now_ns):
                if time.monotonic() > end_s or not self._reckoning.learn_norms(self._lifts, last_owed, end_s):
                    return True
                if (found := self._reckon_day(facts, day, days, day == last_owed)) is not None:
                    days.append(found)
            return False
        finally:
            self._records.put_health([], days)
            for one in days:
                self._known_days()[one.lift_id] = one.day
                self._changed[one.lift_id] = None
            self.counts["health_days"] += len(days)

    def _reckon_day(self, facts: LiftFacts, day: int, made: list[HealthDay], is_latest: bool) -> HealthDay | None:
        """Return a day of a lift, of which days may be in `made`; None where it cannot be reckoned."""
        lift_id = facts.lift_id
        try:
            before = [(one.day, one.measures) for one in made if one.lift_id == lift_id]
            days = [*self._reckoning.stored_days(lift_id, day), *before, (day, self._reckoning.measure(facts, day))]
            found = self._reckoning.health_of_day(facts, days, self._unknown.get(lift_id), is_latest)
        except OUTAGES:
            raise
        except Exception:  # one lift must not end the health of the others
            self._note_failure(lift_id, day)
            self._unreckoned.add(lift_id)
            self._changed[lift_id] = None
            self._known_days()[lift_id] = day
            return None
        self._unreckoned.discard(lift_id)
        return found

    def _note_failure(self, lift_id: str, day: int) -> None:
        """Count the failure of a lift, and log the exception under way once for the lift and day."""
        self.counts["health_failures"] += 1
        if self._failed.get(lift_id) != day:
            self._failed[lift_id] = day
            log.exception("the health of lift %s on %s is not reckoned", lift_id, date.fromordinal(day))

    def _reckon_changed(self, now_ns: int) -> bool:
        """Reckon the health of some changed lifts; return whether others wait."""
        stale = (each for each in self._lifts if now_ns - self._reckoned_ns.get(each, 0) > REFRESH_NS)
        waiting = dict.fromkeys([*self._changed, *stale])
        chosen = [self._lifts[each] for each in waiting if each in self._lifts][:AT_ONCE]
        found = self._present(chosen, now_ns)
        other = [one for one in found if self._stored().get(one.lift_id) != _signature(one)]
        self._records.put_health(other)
        self._stored().update({one.lift_id: _signature(one) for one in other})
        for facts in chosen:
            self._changed.pop(facts.lift_id, None)
            self._reckoned_ns[facts.lift_id] = now_ns
        self.counts["health_changes"] += len(other)
        return len(waiting) > len(chosen)

    def _present(self, lifts: list[LiftFacts], now_ns: int) -> list[HealthRecord]:
        """Return the present health of lifts: unknown where it or the last day that is over cannot be reckoned."""
        try:
            return self._reckoning.present(lifts, dict.fromkeys(self._unreckoned, FAILED) | self._unknown, now_ns)
        except OUTAGES:
            raise
        except Exception:
            if len(lifts) == 1:
                self._note_failure(lifts[0].lift_id, _today(lifts[0], now_ns))
                return [self._reckoning.without_trends(lifts[0], FAILED, now_ns)]
        return [one for facts in lifts for one in self._present([facts], now_ns)]

    def _stored(self) -> dict[str, int]:
        """Return the signature of the stored health of each lift: what says the same is not stored again."""
        if self._signatures is None:
            stored = self._records.healths_since(0)
            self._signatures = {one.lift_id: _signature(one) for one in stored if one.at_ns <= self._now_ns}
        return self._signatures

    def _owed(self, now_ns: int) -> Iterator[tuple[LiftFacts, int, int]]:
        """Yield the days that lifts owe, the oldest first, each with the last one that its lift owes."""
        last_days, last_owed = self._known_days(), dict[str, int]()
        for facts in list(self._lifts.values()):
            zone = facts.timezone or UTC
            if zone not in last_owed:
                last_owed[zone] = local_clock(now_ns - LATE_NS, zone)[0] - 1
                if self._newest_trip_ns:
                    last_owed[zone] = min(last_owed[zone], local_clock(self._newest_trip_ns, zone)[0])
            until = last_owed[zone]
            last = last_days.get(facts.lift_id, until - CATCH_UP_DAYS)
            for day in range(self._first_owed(facts, max(last, until - CATCH_UP_DAYS) + 1, until), until + 1):
                yield facts, day, until

    def _first_owed(self, facts: LiftFacts, day: int, until: int) -> int:
        """Return the first day from `day` on with a trip, `until` where none has one: days before it are not stored."""
        if day >= until:
            return day
        try:
            return self._reckoning.first_day(facts, day, until)
        except OUTAGES:
            raise
        except Exception:  # `_reckon_day` reads the same rows, and notes the failure
            return day

    def _known_days(self) -> dict[str, int]:
        if self._last_day is None:
            today = {facts.lift_id: _today(facts, self._now_ns) for facts in self._lifts.values()}
            stored = self._records.last_health_days()
            early = {lift_id: today[lift_id] for lift_id, day in stored.items() if day >= today.get(lift_id, day + 1)}
            if early:
                log.warning("deleting days of health that are not over, of %d lifts: the clock was ahead", len(early))
                self._records.delete_health_days(early)
                self._reckoning.forget(early)
                self._changed |= dict.fromkeys(early)
                stored = self._records.last_health_days()
            self._last_day = stored
        return self._last_day

    def _load_registry(self) -> None:
        if self._records.revision() == self._revision:
            return
        changes = self._records.registry_since(self._revision)
        self._revision = changes.revision
        for gone in changes.deleted:
            self._lifts.pop(gone, None)
            for by_lift in (self._last_day, self._reckoned_ns, self._signatures):
                if by_lift is not None:
                    by_lift.pop(gone, None)
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
            self._newest_trip_ns = max(self._newest_trip_ns, int(table.last_trip_ns.max(initial=0)))
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


def _today(facts: LiftFacts, now_ns: int) -> int:
    return local_clock(now_ns, facts.timezone or UTC)[0]


def _unknown(link: int, blind: str) -> str:
    """Return why a lift is not judged, "" where it is."""
    if link == NEVER_SEEN:
        return "never-seen"
    if blind:
        return "blind"
    return "offline" if link == OFFLINE else ""
