"""The rules over rides find the same as plain loops over rides of any values, however the rides are cut."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.observe.rides.table import RideTable
from registry.facts import LiftFacts, fleet
from telemetry.ride_fields import FIELDS
from tests.detectors.naive_rides import HarshRide, Limits, RailJoint, RollerGuide, Vibration
from tests.detectors.naive_row import Row, RowScores
from tests.detectors.world import BEGIN_NS, tower

NAIVE: dict[str, Callable[[LiftFacts], object]] = {
    "vertical-vibration": lambda facts: Vibration(facts, "z", 0.30, 0.20, Limits(usual=1.5)),
    "horizontal-vibration": lambda facts: Vibration(facts, "xy", 0.20, 0.15),
    "harsh-ride": HarshRide,
    "rail-joint": RailJoint,
    "roller-guide": RollerGuide,
}
LIFTS, RIDES = 6, 160
TYPICAL = {"jerk_mps3": 2.0, "accel_mps2": 1.2, "decel_mps2": 1.2}


def rides(seed: int) -> RideTable:
    """Return rides of some lifts, a few hours apart, whose values lie around the limits; some are unknown."""
    rng = np.random.default_rng(seed)
    n = LIFTS * RIDES
    lift = np.repeat(np.arange(LIFTS, dtype=np.int32), RIDES)
    start_ns = BEGIN_NS + np.cumsum(rng.integers(20, 20_000, (LIFTS, RIDES)), axis=1).ravel() * 1_000_000_000
    worse = np.repeat(rng.choice([0.5, 1.2, 2.0], (LIFTS, RIDES // 8)), 8)
    values = np.empty((n, len(FIELDS)))
    for place, name in enumerate(FIELDS):
        typical = TYPICAL.get(name, 0.15)
        values[:, place] = typical * worse * rng.lognormal(0.0, 0.3, n)
        values[rng.random(n) < 0.05, place] = np.nan
    values[:, FIELDS.index("to_landing")] = rng.choice([np.nan, 0.0, 1.0, 2.0], n)
    values[:, FIELDS.index("from_m")] = rng.choice([0.0, 3.0, 6.0], n) + rng.normal(0.0, 0.05, n)
    values[:, FIELDS.index("to_m")] = rng.choice([0.0, 12.0, 15.0], n) + rng.normal(0.0, 0.05, n)
    values[:, FIELDS.index("peak_mps")] = 1.75
    for k in (1, 2, 3, 4):
        values[:, FIELDS.index(f"shock_ratio_{k}")] = rng.choice([np.nan, 5.0, 20.0], n, p=[0.2, 0.2, 0.6])
        values[:, FIELDS.index(f"shock_m_{k}")] = rng.choice([5.1, 7.3], n) + rng.normal(0.0, 0.05, n)
    values[np.tile(np.arange(RIDES), LIFTS) < RIDES // 3, FIELDS.index("shock_ratio_1")] = 5.0
    unspoiled = [FIELDS.index(name) for name in FIELDS if name.startswith("order_")]
    values[:, unspoiled] = np.where(rng.random(n) < 0.1, np.nan, 1.0)[:, None] * np.abs(values[:, unspoiled])
    values[:, unspoiled] = np.where(np.isnan(values[:, unspoiled]).mean(axis=1) < 0.9, 1.0, np.nan)[:, None] * (
        rng.lognormal(0.0, 0.5, (n, len(unspoiled))) * worse[:, None]
    )
    nothing = np.zeros(n, np.int64)
    return RideTable(
        lift, start_ns + 30_000_000_000, nothing, start_ns, start_ns, nothing * np.nan, nothing == 1, values
    )


def part(table: RideTable, keep: np.ndarray) -> RideTable:
    return RideTable(*(column[keep] for column in table))


def plainly(slug: str, table: RideTable, facts: LiftFacts) -> list[RowScores]:
    out = []
    for lift in range(LIFTS):
        naive = NAIVE[slug](facts)
        for k in np.flatnonzero(table.lift == lift):
            ride: Row = dict(zip(FIELDS, table.values[k].tolist(), strict=True))
            ride |= {"start_ns": int(table.start_ns[k]), "t_ns": int(table.t_ns[k])}
            out.append(naive.row(ride))  # type: ignore[attr-defined]
    return out


@pytest.mark.parametrize("slug", NAIVE)
def test_a_rule_over_rides_scores_as_a_plain_loop_does(slug: str) -> None:
    table, detector = rides(3), BY_SLUG[slug].detector
    facts = fleet([tower()] * LIFTS)
    place = np.tile(np.arange(RIDES), LIFTS)
    state, made = detector.start(LIFTS), []
    for first, last in ((0, 7), (7, 60), (60, RIDES)):
        keep = (place >= first) & (place < last)
        state, scores = detector.step(state, part(table, keep), facts)
        made.append((np.flatnonzero(keep), scores))
    expected = plainly(slug, table, tower())
    opened = 0
    for rows, scores in made:
        for level, score in enumerate(scores):
            since_ns = np.zeros(len(rows)) if score.since_ns is None else score.since_ns
            for i, row in enumerate(rows):
                on, off, since = expected[row][level]
                got = (score.on[i], score.off[i], since_ns[i])
                assert np.allclose(got, (on, off, since), equal_nan=True), (row, level, got, expected[row])
                opened += on >= 1.0
    assert opened
