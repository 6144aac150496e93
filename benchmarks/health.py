"""Measures the trends of lifts that wear: recall, false alarms a lift-month, and how long before the failure they warn.

`python -m benchmarks.health` simulates lifts with vibration at some shares of each wear (`LEVELS`), judges their rides,
and makes days from them: the trips of a day are drawn from the rides of the two nearest levels, and a wear grows from
nothing to the functional failure in the days of its cause. Half of the lifts give the norms and, with `--calibrate`,
the limits for rates of false alarms; the other half is scored.
"""

from __future__ import annotations

import argparse
import os
import time
from typing import NamedTuple

import numpy as np

from detectors.health.baseline import peer_norms
from detectors.health.combined import peer_chart
from detectors.health.measures import FEATURE_FIELDS, MEASURES, TRIP_FIELDS, measure_day, shown
from detectors.health.trends import ALARMS_DEFAULT, course, find_trends, limit_of_rate
from detectors.judge import Judge
from detectors.observe.rides.table import RideTable
from ingest.fleet import Fleet
from ingest.health.reckoning import Peers
from ingest.recordings.replaying import wider
from simulator.faults.cause_table import CAUSES
from simulator.playback.simulation import Simulation
from simulator.scenarios.scenario import Scenario
from telemetry.arrays import F64, I64
from telemetry.order.sequence import Sequencer

WEARS = (
    *("door-friction", "level-drift", "ropes-slip-on-sheave", "rollers-worn", "shoes-worn", "sheave-worn"),
    "rope-tension-uneven",
)
LEVELS = (0.0, 0.1, 0.3, 1.0)
LIFTS_EACH, MINUTES = 8, 30
RIDES_LEAST = 12
START_NS = 978_307_200 * 1_000_000_000
TRIPS_A_DAY, LEARNED_DAYS, PEER_DAYS, HEALTHY_DAYS = 60, 20, 30, 120
DAY_SHARE, DAY_ERROR_M = 0.02, 0.0005
"""How much a day differs beside its trips: weather and load move door times and vibration, and the stop error."""
MONTH_DAYS = 30.4
RATES = (1.0, 0.3, 0.1, 0.03, 0.01)


class Pool(NamedTuple):
    """The rides of each lift at each level: (rides, fields) arrays by level and lift; and the facts of the lifts."""

    rides: list[list[F64]]
    rated_mps: list[float]


def simulate(lifts_each: int, minutes: float, seed: int) -> Pool:
    """Return the rides of lifts at each level; lift k wears by `WEARS[k // lifts_each]`."""
    pools, rated = [], list[float]()
    for level in LEVELS:
        scenario = Scenario(
            lifts=lifts_each * len(WEARS), hours=minutes / 60, hour=8.5, idle_hz=1, vibration=True, seed=seed
        )
        simulation = Simulation(scenario, START_NS)
        for place, slug in enumerate(WEARS):
            own = slice(place * lifts_each, (place + 1) * lifts_each)
            for name, (mild, worst) in CAUSES[slug].condition.items():
                getattr(simulation.world.cars.condition, name)[own] += level * (mild + worst) / 2
        pools.append(_judged(simulation))
        rated = [facts.rated_speed_mps or np.nan for facts in simulation.facts]
    return Pool(pools, rated)


def _judged(simulation: Simulation) -> list[F64]:
    """Return the rides of each lift of a simulation as (rides, fields of a day)."""
    lifts = len(simulation.facts)
    fleet, sequencer, judge, found = Fleet(), Sequencer(), Judge((), lifts), list[RideTable]()
    fleet.load([(facts, True) for facts in simulation.facts])
    judge.on_rides = found.append
    reports = (simulation.columns.decoded(simulation.report()) for _ in range(simulation.scenario.seconds))
    for group in wider(reports):
        indexed = fleet.index(group.messages)
        judge.step(sequencer.step(group, indexed.lift)[0], fleet.facts)
    columns = [np.column_stack([ride.column(name) for name in (*TRIP_FIELDS, *FEATURE_FIELDS)]) for ride in found]
    lift, values = np.concatenate([ride.lift for ride in found]), np.concatenate(columns)
    return [values[lift == number] for number in range(lifts)]


def days_of(pool: Pool, lift: int, shares: F64, rng: np.random.Generator) -> F64:
    """Return the measures of days at these shares of the wear of a lift, (days, measures)."""
    made = []
    for share in shares:
        upper = min(int(np.searchsorted(LEVELS, share, side="right")), len(LEVELS) - 1)
        weight = (share - LEVELS[upper - 1]) / (LEVELS[upper] - LEVELS[upper - 1])
        low, high = (
            each[rng.integers(len(each), size=TRIPS_A_DAY)]
            for each in (pool.rides[upper - 1][lift], pool.rides[upper][lift])
        )
        trips = (1.0 - weight) * low + weight * high
        fields = {name: trips[:, place].copy() for place, name in enumerate((*TRIP_FIELDS, *FEATURE_FIELDS))}
        for name in ("door_open_s", "door_close_s", *FEATURE_FIELDS):
            fields[name] *= np.exp(DAY_SHARE * rng.normal())
        fields["stop_error_m"] += DAY_ERROR_M * rng.normal()
        made.append(measure_day(fields, pool.rated_mps[lift]))
    return np.array(made)


class WearOutcome(NamedTuple):
    """A wear of a lift: how many days before the failure a trend was found, NaN where none was before; and whether a
    band of remaining time contains the true time (NaN without a band)."""

    wear: str
    lead_days: float
    in_band: float


def wear_out(pool: Pool, lifts: list[int], peers: Peers, limit: float, seed: int, rounds: int) -> list[WearOutcome]:
    """Return the outcome of each wear, some times for each lift."""
    outcomes = []
    for round_ in range(rounds):
        for lift in lifts:
            slug = WEARS[lift // (len(pool.rated_mps) // len(WEARS))]
            rng = np.random.default_rng((seed, round_, lift))
            growth = int(rng.uniform(*CAUSES[slug].growth_days))
            shares = np.concatenate([np.zeros(LEARNED_DAYS), np.arange(1, growth + 1) / growth])
            day, measures = np.arange(len(shares)), days_of(pool, lift, shares, rng)
            on = np.flatnonzero(
                course(day, measures, peers.norms, (), limit, peers.chart).is_on[LEARNED_DAYS:].any(axis=1)
            )
            lead = float(growth - 1 - on[0]) if len(on) and on[0] < growth - 1 else np.nan
            outcomes.append(WearOutcome(slug, lead, _in_band(day, measures, peers, limit, growth)))
    return outcomes


def _in_band(day: I64, measures: F64, peers: Peers, limit: float, growth: int) -> float:
    """Return whether the band of the largest trend, half way to the failure, contains the day at which its measure
    passes its limit; NaN without a band, and where the measure does not pass it."""
    end = LEARNED_DAYS + growth // 2
    found = find_trends(
        day[:end], measures[:end], course(day[:end], measures[:end], peers.norms, (), limit, peers.chart)
    )
    banded = [trend for trend in found if trend.remaining]
    if not banded or banded[0].remaining is None:
        return np.nan
    measure, band = MEASURES[banded[0].place], banded[0].remaining
    values = measure.worse * shown(banded[0].place, measures[:, banded[0].place])
    passed = np.flatnonzero(values[end:] >= measure.worse * measure.limit)
    return float(band.earliest <= passed[0] <= band.latest) if len(passed) else np.nan


def false_alarms(pool: Pool, lifts: list[int], peers: Peers, limits: F64, seed: int, rounds: int) -> F64:
    """Return the false alarms a lift-month of healthy lifts for each limit."""
    alarms, months = np.zeros(len(limits)), 0.0
    for round_ in range(rounds):
        for lift in lifts:
            rng = np.random.default_rng((seed, 99, round_, lift))
            day, measures = np.arange(HEALTHY_DAYS), days_of(pool, lift, np.zeros(HEALTHY_DAYS), rng)
            months += (HEALTHY_DAYS - LEARNED_DAYS) / MONTH_DAYS
            for place, limit in enumerate(limits):
                is_on = course(day, measures, peers.norms, (), float(limit), peers.chart).is_on.any(axis=1)
                alarms[place] += (np.diff(is_on.astype(int), prepend=0) == 1).sum()
    return alarms / months


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.health", description=__doc__)
    parser.add_argument("--lifts-each", type=int, default=LIFTS_EACH, help="lifts of each wear (default 8)")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="simulated minutes at each level (default 30)")
    parser.add_argument("--rounds", type=int, default=5, help="days drawn anew so often (default 5)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calibrate", action="store_true", help="print the limit for each rate of false alarms")
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} as it began")
    began_s = time.process_time()
    pool = simulate(asked.lifts_each, asked.minutes, asked.seed)
    rides = sum(len(each) for level in pool.rides for each in level)
    print(f"{rides} rides of {len(pool.rated_mps)} lifts, {time.process_time() - began_s:.0f} s of CPU")
    usable = [
        lift for lift in range(len(pool.rated_mps)) if min(len(level[lift]) for level in pool.rides) >= RIDES_LEAST
    ]
    training, held_out = usable[::2], usable[1::2]
    rng = np.random.default_rng(asked.seed)
    days = [days_of(pool, lift, np.zeros(PEER_DAYS), rng) for lift in training]
    norms = peer_norms(days)
    peers = Peers(norms, peer_chart([(np.arange(PEER_DAYS), table) for table in days], norms))
    if asked.calibrate:
        limits = np.arange(4.0, 25.0, 1.0)
        found = false_alarms(pool, training, peers, limits, asked.seed, asked.rounds)
        for rate in RATES:
            fitting = limits[found <= rate]
            print(f"{rate} a lift-month: limit {fitting[0] if len(fitting) else 'above ' + str(limits[-1])}")
    limit = limit_of_rate(ALARMS_DEFAULT)
    report(wear_out(pool, held_out, peers, limit, asked.seed, asked.rounds))
    rate = false_alarms(pool, held_out, peers, np.array([limit]), asked.seed, asked.rounds)[0]
    print(f"false alarms: {rate:.3f} a lift-month at a setting of {ALARMS_DEFAULT} ({len(held_out)} lifts)")


def report(outcomes: list[WearOutcome]) -> None:
    """Print recall, lead and bands of each wear and of all."""
    print(f"{'wear':24}{'n':>5}{'recall':>8}{'lead, median':>14}{'10 %':>7}{'in band':>9}{'bands':>7}")
    for slug in (*WEARS, "all"):
        own = [one for one in outcomes if slug in (one.wear, "all")]
        lead, in_band = np.array([one.lead_days for one in own]), np.array([one.in_band for one in own])
        known, banded = lead[~np.isnan(lead)], in_band[~np.isnan(in_band)]
        low, middle = np.percentile(known, [10, 50]) if len(known) else (np.nan, np.nan)
        share = banded.mean() if len(banded) else np.nan
        recall = len(known) / max(1, len(own))
        print(f"{slug:24}{len(own):5}{recall:8.2f}{middle:12.0f} d{low:5.0f} d{share:9.2f}{len(banded):7}")


if __name__ == "__main__":
    main()
