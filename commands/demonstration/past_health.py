"""The past health of a demonstration's fleet: what wears, and the health of each day, reckoned as the monitor does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.health.measures import FEATURE_FIELDS, TRIP_FIELDS, measure_day
from ingest.health.reckoning import DayMeasures, HealthReckoning
from registry.duty.civil_time import local_clock
from registry.facts import LiftFacts
from simulator.scenarios.past import DAY_S, S_NS, PastRows
from simulator.scenarios.past_rides import DOOR, LEVEL, ROUGH, SLIP, Wear
from store.records.repository import Records
from store.series.timeseries import TimeSeries, TimeSeriesUnavailable

WORN_SHARE = 0.16
GROWTH = {DOOR: (0.03, 0.15), LEVEL: (0.0002, 0.0007), ROUGH: (0.02, 0.06), SLIP: (0.0005, 0.0015)}
BEGINS_SHARE = (0.35, 0.8)
"""When a wear begins, as a share of the days: after the baselines are learned."""
UTC = "UTC"


def draw_wears(lifts: int, first_day_ns: int, days: int, seed: int) -> list[Wear]:
    """Return what wears in a fleet: a lift wears in one way at most."""
    rng = np.random.default_rng((seed, 33))
    found = []
    for lift in np.flatnonzero(rng.random(lifts) < WORN_SHARE):
        form = str(rng.choice(list(GROWTH)))
        begin_ns = first_day_ns + int(rng.uniform(*BEGINS_SHARE) * days * DAY_S * S_NS)
        found.append(Wear(int(lift), form, begin_ns, float(rng.uniform(*GROWTH[form]))))
    return found


class PastMeasures:
    """The measures of each lift and day, from the rows of the measurements `trip` and `feature` as they are drawn."""

    def __init__(self, lifts: Sequence[LiftFacts]) -> None:
        self.lifts = lifts
        self.days: list[list[DayMeasures]] = [[] for _ in lifts]
        self._trips: PastRows | None = None

    def take(self, day_ns: int, rows: PastRows) -> None:
        """Take in rows; the trips of a day come before their features."""
        if rows.stream == "trip":
            self._trips = rows
        if rows.stream != "feature" or self._trips is None:
            return
        for number, facts in enumerate(self.lifts):
            fields = {name: _own(self._trips, name, number) for name in TRIP_FIELDS}
            fields |= {name: _own(rows, name, number) for name in FEATURE_FIELDS}
            day = local_clock(day_ns + DAY_S * S_NS // 2, facts.timezone or UTC)[0]
            self.days[number].append((day, measure_day(fields, facts.rated_speed_mps or np.nan)))


def _own(rows: PastRows, name: str, lift: int) -> np.ndarray:
    """Return a field of the trips of one lift, NaN where the field is not drawn; the rows are in the order of lifts."""
    begin, end = np.searchsorted(rows.lift, [lift, lift + 1])
    return rows.channels[name][begin:end] if name in rows.channels else np.full(end - begin, np.nan)


def write_health(records: Records, measured: PastMeasures, now_ns: int) -> None:
    """Write the days of each lift that are over, with the health at the end of each."""
    reckoning = HealthReckoning(records, _no_series)
    for facts, days in zip(measured.lifts, measured.days, strict=True):
        today = local_clock(now_ns, facts.timezone or UTC)[0]
        over = [each for each in days if each[0] < today]
        ends = range(1, len(over) + 1)
        found = [reckoning.health_of_day(facts, over[:end], None, is_latest=end == len(over)) for end in ends]
        records.put_health([], found)


def _no_series() -> TimeSeries:
    raise TimeSeriesUnavailable("the measures of the past are drawn, not read")
