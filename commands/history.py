"""`liftwatch history`: past days of a simulated fleet, written before the monitor's first start.

The demonstration runs it. Readings are drawn, not simulated (`simulator.scenarios.past`). An installation that has
incidents is left as it is.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from commands import arguments
from commands.demonstration.firms import add_firms
from commands.demonstration.past_health import PastMeasures, draw_wears, write_health
from commands.demonstration.past_incidents import draw_troubles, open_tickets, write_incidents
from commands.wiring.series import open_series
from configuration import Configuration
from registry.actor import Actor
from registry.facts import LiftFacts
from simulator.buildings.fleet import fleet
from simulator.scenarios.past import DAY_S, S_NS, Trouble, past_day
from simulator.scenarios.past_rides import Wear
from simulator.scenarios.scenario import LOCAL_TIME
from store.records.repository import IncidentFilter, Records, RecordsUnavailable
from store.series.timeseries import Points, TimeSeries, TimeSeriesRefused, TimeSeriesUnavailable

EXPECTED_ERRORS = (RecordsUnavailable, TimeSeriesUnavailable, TimeSeriesRefused)
LIFTS_LIMIT = 100
"""Lifts with a history; the others of a larger fleet begin with the demonstration."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--lifts", type=arguments.count, default=50, help="how many lifts (default 50)")
    parser.add_argument("--seed", type=arguments.seed, default=1, help="which fleet (default 1)")
    firms = "with people, rosters and telephones of the maintenance firms"
    parser.add_argument("--firms", action="store_true", help=firms)
    parser.add_argument("--days", type=arguments.count, default=30, help="how many days (default 30)")


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """Write the history, and print how much it is."""
    began_s, now_ns = time.monotonic(), time.time_ns()
    lifts = fleet(min(options.lifts, LIFTS_LIMIT), options.seed)
    first_day_ns = local_midnight_ns(now_ns, options.days)
    troubles = draw_troubles(lifts, first_day_ns, options.days, options.seed)
    with Records.open(settings.records_url, settings.records_key_path) as records:
        if records.incidents(IncidentFilter(), limit=1).items:
            print("history: the records have incidents already; nothing was written")
            return 0
        records.put_lifts(lifts, Actor.named("simulator"), now_ns - options.days * DAY_S * S_NS)
        if options.firms:
            add_firms(records, now_ns)
        write_incidents(records, lifts, troubles)
        open_tickets(records, lifts, now_ns)
    wears = draw_wears(len(lifts), first_day_ns, options.days, options.seed)
    measured = PastMeasures(lifts)
    series = open_series(settings, writable=True)
    try:
        rows = write_days(series, lifts, troubles, first_day_ns, now_ns, options.seed, wears, measured)
    finally:
        series.close()
    with Records.open(settings.records_url, settings.records_key_path) as records:
        write_health(records, measured, now_ns)
    took_s = time.monotonic() - began_s
    print(
        f"history: {options.days} days, {len(lifts)} lifts, {rows} readings, {len(troubles)} incidents, {took_s:.0f} s"
    )
    return 0


def local_midnight_ns(now_ns: int, days_ago: int) -> int:
    """Return the midnight that began the fleet's local day, so many days ago."""
    today = datetime.fromtimestamp(now_ns // S_NS, LOCAL_TIME).replace(hour=0, minute=0, second=0)
    return int((today - timedelta(days=days_ago)).timestamp()) * S_NS


def write_days(
    series: TimeSeries,
    lifts: Sequence[LiftFacts],
    troubles: Sequence[Trouble],
    first_day_ns: int,
    now_ns: int,
    seed: int,
    wears: Sequence[Wear] = (),
    measured: PastMeasures | None = None,
) -> int:
    """Write the readings of each day up to now; return how many rows they are."""
    lift_ids, districts = [lift.lift_id for lift in lifts], [lift.district for lift in lifts]
    days, written = list(range(first_day_ns, now_ns, DAY_S * S_NS)), 0
    for number, day_ns in enumerate(days, 1):
        points = []
        for rows in past_day(lifts, day_ns, troubles, seed, wears):
            past = rows.t_ns < now_ns
            channels = {name: values[past] for name, values in rows.channels.items()}
            points.append(
                Points(rows.stream, rows.lift[past].astype(np.int32), lift_ids, districts, rows.t_ns[past], channels)
            )
            if measured is not None:
                measured.take(day_ns, rows)
        series.write(points)
        written += sum(map(len, points))
        if sys.stderr.isatty():
            print(f"\rhistory: day {number} of {len(days)}", end="", file=sys.stderr, flush=True)
    return written
