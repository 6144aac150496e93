"""Reckons the health of lifts from their stored trips and alerts, and stores it.

trips of a local day ─► measures ─► days of the lift ─► trends ─┐
                        peers ─► norms ─────────────────┘       ├─► health ─► records
alerts: open, and of the last month ────────────────────────────┘
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import orjson

from detectors.health.assessment import RECENT_DAYS, AlertOfLift, Assessment, assess
from detectors.health.baseline import UNKNOWN_PEERS, Norms, peer_norms
from detectors.health.combined import peer_chart
from detectors.health.document import health_document
from detectors.health.measures import FEATURE_FIELDS, MEASURES, TRIP_FIELDS, measure_day
from detectors.health.trends import ALARMS_DEFAULT, Trend, course, find_trends, limit_of_rate
from detectors.series.pca import PCAChart
from registry.duty.civil_time import instant_of, local_clock
from registry.facts import LiftFacts
from store.records.repository import HealthDay, HealthRecord, PastAlert, Records
from store.series.timeseries import TimeSeries
from telemetry.arrays import F64, I64
from telemetry.instant import DAY_NS

DAYS_READ = 150
MEASURED_DAYS = 14
"""A part counts as measured where one of its measures was known in so many days."""
PEERS_MOST, PEER_DAYS = 300, 30
SPEED_STEP_MPS = 1.0
UTC = "UTC"


DayMeasures = tuple[int, F64]
"""A local day and its measures."""


class Peers(NamedTuple):
    """The norms of each measure among peers, and the control chart of all together, None with too few days."""

    norms: Norms
    chart: PCAChart | None


NO_PEERS = Peers(UNKNOWN_PEERS, None)


class LiftTrends(NamedTuple):
    """The trends of a lift up to a day, the parts of which it has measures, and how many days have any."""

    last_day: int
    trends: list[Trend]
    measured: frozenset[str]
    days: int


class HealthReckoning:
    """Reckons health; `series` opens the time series at the first use. Not safe for several threads."""

    def __init__(
        self, records: Records, series: Callable[[], TimeSeries], alarms_per_lift_month: float = ALARMS_DEFAULT
    ) -> None:
        self._records, self._series = records, series
        self._limit = limit_of_rate(alarms_per_lift_month)
        self._peers: dict[object, Peers] = {}
        self._trends: dict[str, LiftTrends] = {}
        self._norms_day = 0
        self._learning: tuple[int, Iterator[None]] | None = None

    def learn_norms(self, lifts: Mapping[str, LiftFacts], day: int, end_s: float) -> bool:
        """Learn what is usual before `day` until `end_s` of `monotonic`; return whether that is complete.

        The next call goes on from there.
        """
        while self._norms_day < day:
            learned_day, steps = self._learning or (day, self._norms_by_steps(list(lifts.values()), day))
            self._learning = None  # an exception ends the generator
            for _ in steps:
                if time.monotonic() > end_s:
                    self._learning = learned_day, steps
                    return False
            self._norms_day = learned_day
        return True

    def forget_norms(self) -> None:
        """Learn norms anew at the next use: the clock was set back."""
        self._norms_day, self._learning = 0, None

    def _norms_by_steps(self, lifts: Sequence[LiftFacts], day: int) -> Iterator[None]:
        """Learn what is usual among the peers of each lift, from the days before `day` of some lifts of each kind.

        A step reads a lift, or finds the norms of a kind; the last one puts the norms into use.
        """
        days: dict[object, list[tuple[I64, F64]]] = {}
        for facts in lifts:
            of_kinds = [days.setdefault(kind, []) for kind in (_kind(facts), None)]
            lacking = [of_kind for of_kind in of_kinds if len(of_kind) < PEERS_MOST]
            if lacking and (found := self._records.health_days(facts.lift_id, day - PEER_DAYS)):
                read = np.array([each.day for each in found]), np.array([each.measures for each in found])
                for of_kind in lacking:
                    of_kind.append(read)
            yield
        peers: dict[object, Peers] = {}
        for kind, many in days.items():
            norms = peer_norms([table for _, table in many])
            peers[kind] = Peers(norms, peer_chart(many, norms))
            yield
        self._peers = peers

    def peers_of(self, facts: LiftFacts) -> Peers:
        """Return the peers of a lift: those of its kind, or the fleet where the kind is too small."""
        own = self._peers.get(_kind(facts), NO_PEERS)
        return self._peers.get(None, NO_PEERS) if own.norms is UNKNOWN_PEERS else own

    def first_day(self, facts: LiftFacts, day: int, until: int) -> int:
        """Return the first local day from `day` on with a stored trip of a lift, `until` where no day before it has."""
        zone = facts.timezone or UTC
        trips = self._series().readings(facts.lift_id, "trip", instant_of(day, 0, zone), instant_of(until, 0, zone))
        return local_clock(int(trips.t_ns[0]), zone)[0] if len(trips) else until

    def measure(self, facts: LiftFacts, day: int) -> F64:
        """Return the measures of a local day of a lift, from its stored trips."""
        zone = facts.timezone or UTC
        begin_ns, end_ns = instant_of(day, 0, zone), instant_of(day + 1, 0, zone)
        fields: dict[str, F64] = {}
        for stream, names in (("trip", TRIP_FIELDS), ("feature", FEATURE_FIELDS)):
            read = self._series().readings(facts.lift_id, stream, begin_ns, end_ns)
            fields |= (
                {name: np.asarray(read.channels[name], dtype=np.float64) for name in names}
                if len(read)
                else {name: np.empty(0) for name in names}
            )
        return measure_day(fields, facts.rated_speed_mps or np.nan)

    def stored_days(self, lift_id: str, before_day: int) -> list[DayMeasures]:
        """Return the stored days of a lift before a day, in their order."""
        stored = self._records.health_days(lift_id, before_day - DAYS_READ)
        return [(one.day, one.measures) for one in stored if one.day < before_day]

    def health_of_day(
        self, facts: LiftFacts, days: Sequence[DayMeasures], unknown: str | None, is_latest: bool
    ) -> HealthDay:
        """Return the last of these days with the health at its end; an earlier day without any measure has none."""
        (day, measures), found = days[-1], self._find(facts, days)
        end_ns = instant_of(day + 1, 0, facts.timezone or UTC)
        alerts = self._alerts([facts.lift_id], end_ns).get(facts.lift_id, [])
        seen = [alert for alert in alerts if is_latest or not alert.is_open]
        is_silent = not is_latest and bool(np.isnan(measures).all())
        health = assess(seen, found.trends, found.measured, "offline" if is_silent else unknown)
        if is_latest:
            self._trends[facts.lift_id] = found
        parts = {part.part: None if part.health is None else float(round(part.health)) for part in health.parts}
        score = None if health.health is None else float(round(health.health))
        return HealthDay(facts.lift_id, day, measures, score, health.grade, {} if score is None else parts)

    def present(self, lifts: Sequence[LiftFacts], unknown: Mapping[str, str], now_ns: int) -> list[HealthRecord]:
        """Return the health of lifts now; `unknown` has the reason for each lift that is not judged."""
        alerts = self._alerts([facts.lift_id for facts in lifts], now_ns)
        made = []
        for facts in lifts:
            found = self._trends_of(facts, now_ns)
            health = assess(alerts.get(facts.lift_id, []), found.trends, found.measured, unknown.get(facts.lift_id))
            made.append(_record(facts, now_ns, health, found))
        return made

    def without_trends(self, facts: LiftFacts, unknown: str, now_ns: int) -> HealthRecord:
        """Return the health of a lift whose trends cannot be found: unknown, with the grade of its open alerts."""
        alerts = self._alerts([facts.lift_id], now_ns).get(facts.lift_id, [])
        return _record(facts, now_ns, assess(alerts, [], frozenset(), unknown), LiftTrends(0, [], frozenset(), 0))

    def forget(self, lift_ids: Iterable[str]) -> None:
        """Reckon the trends of lifts anew at the next use: a repair was recorded, or their facts changed."""
        for lift_id in lift_ids:
            self._trends.pop(lift_id, None)

    def _trends_of(self, facts: LiftFacts, now_ns: int) -> LiftTrends:
        if facts.lift_id not in self._trends:
            today = local_clock(now_ns, facts.timezone or UTC)[0]
            self._trends[facts.lift_id] = self._find(facts, self.stored_days(facts.lift_id, today))
        return self._trends[facts.lift_id]

    def _find(self, facts: LiftFacts, days: Sequence[DayMeasures]) -> LiftTrends:
        day = np.array([number for number, _ in days], dtype=np.int64)
        table = np.array([measures for _, measures in days]).reshape(-1, len(MEASURES))
        known = ~np.isnan(table)
        if not known.any():
            return LiftTrends(int(day[-1]) if len(day) else 0, [], frozenset(), 0)
        zone = facts.timezone or UTC
        repaired = self._records.repairs([facts.lift_id]).get(facts.lift_id, [])
        resets = [local_clock(at_ns, zone)[0] + 1 for at_ns in repaired]
        resets = [each for each in resets if day[0] < each <= day[-1]]
        norms, chart = self.peers_of(facts)
        found = find_trends(day, table, course(day, table, norms, resets, self._limit, chart))
        recent = known[day > day[-1] - MEASURED_DAYS].any(axis=0)
        measured = frozenset(measure.part for measure, is_known in zip(MEASURES, recent, strict=True) if is_known)
        return LiftTrends(int(day[-1]), found, measured, int(known.any(axis=1).sum()))

    def _alerts(self, lift_ids: Sequence[str], at_ns: int) -> dict[str, list[AlertOfLift]]:
        from_ns = at_ns - int(RECENT_DAYS * DAY_NS)
        by_lift: dict[str, list[AlertOfLift]] = {}
        for alert in self._records.alerts_for_health(lift_ids, from_ns, at_ns):
            by_lift.setdefault(alert.lift_id, []).append(_alert(alert, at_ns))
        return by_lift


def _alert(alert: PastAlert, at_ns: int) -> AlertOfLift:
    return AlertOfLift(alert.rule, alert.severity, alert.is_open, max(0.0, (at_ns - alert.onset_ns) / DAY_NS))


def _record(facts: LiftFacts, now_ns: int, health: Assessment, found: LiftTrends) -> HealthRecord:
    document = health_document(facts.lift_id, facts.district, now_ns, health, found.trends, found.days)
    score = None if health.health is None else float(document["health"])
    text = orjson.dumps(document).decode()
    return HealthRecord(facts.lift_id, facts.district, now_ns, score, health.grade, text)


def _kind(facts: LiftFacts) -> object:
    """Return what a lift has in common with its peers: the type of its building, its speed and its age."""
    speed = None if facts.rated_speed_mps is None else round(facts.rated_speed_mps / SPEED_STEP_MPS)
    age = None if facts.installed_on is None else int(facts.installed_on[:4]) // 10
    return facts.building_type, speed, age
