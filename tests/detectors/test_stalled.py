"""F38: no trip although people come, or for longer than the lift ever rests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.contract import cuts
from detectors.judge import Judge
from detectors.observe import tables
from detectors.rule import MINOR, Finding, Rule
from detectors.rules.stalled import Pauses, Stalled
from telemetry.batch import Batch
from telemetry.streams import CLOSED
from tests.detectors.naive_stalled import NaiveStalled
from tests.detectors.world import Fault, Rows, Script, batch, facts_of, healthy, tower

WEEK_NS = 7 * 86_400_000_000_000
RESTS_S = 6.0
COUNTED = ("t_ns", "gap_ns", "still_since_ns", "trips")
READ = ("still_s", "presence", "curtain", "door", "v", "z")


def shuttle(trips: int, script: Script | None = None) -> Script:
    script = script or Script(z_m=0.0).event(door=CLOSED, presence=0, curtain=0).rest(4.0)
    for _ in range(trips):
        script.ride(3.0 if script.at_m < 1.5 else 0.0).rest(RESTS_S)
    return script


def joined(*parts: Rows) -> Rows:
    names = {name for part in parts for name in part}
    return {
        name: np.concatenate([part.get(name, np.full(len(part["t_ns"]), np.nan)) for part in parts]) for name in names
    }


def later(rows: Rows, weeks: int) -> Rows:
    return {**rows, "t_ns": rows["t_ns"] + weeks * WEEK_NS}


@dataclass
class Weeks(Script):
    """A script for the same hour of each week."""

    weeks: list[Script] = field(default_factory=list)

    def rows(self, *args: Any, **feed: Any) -> Rows:
        return joined(*(later(script.rows(*args, **feed), k) for k, script in enumerate(self.weeks)))


def wanted(visits: bool = True) -> Script:
    """Return some trips, and then a car at which somebody presses the button in vain, or nobody."""
    script = shuttle(20).rest(120.0)
    if visits:
        script.open_door().rest(3.0).close_door()
    return shuttle(2, script.rest(900.0))


def fault() -> Fault:
    onset_s = shuttle(20).now_s - RESTS_S + 2 * WEEK_NS / 1e9
    script = Weeks(weeks=[shuttle(20), shuttle(20), wanted()])
    return Fault(script, onset_s=onset_s, within_s=900.0, severity=MINOR, clears=True)


def found(rows: Rows, rule: Rule = BY_SLUG["stalled"]) -> list[Finding]:
    return Judge([rule], 1).step(batch([rows]), facts_of([tower()]))


def test_a_visit_without_a_trip_in_a_busy_hour_is_found_after_a_quarter_of_an_hour() -> None:
    assert [f.kind for f in found(fault().script.rows(0.5))] == ["on", "off"]
    assert found(Weeks(weeks=[shuttle(20), shuttle(20), wanted(visits=False)]).rows(0.5)) == []


def test_on_the_first_day_no_hour_is_busy() -> None:
    assert found(wanted().rows(0.5)) == []


def test_a_pause_longer_than_the_lift_ever_rests_is_found_once_its_habit_is_known() -> None:
    habit = replace(BY_SLUG["stalled"], detector=Stalled(Pauses(fewest=38)))
    rows = shuttle(2, shuttle(40).rest(950.0)).rows(0.5)
    assert [f.kind for f in found(rows, habit)] == ["on", "off"]
    assert found(rows) == []
    used_to_it = shuttle(2, shuttle(20, shuttle(20).rest(950.0)).rest(950.0)).rows(0.5)
    assert found(used_to_it, habit) == []


def test_a_gap_may_hide_a_trip() -> None:
    rows = fault().script.rows(0.5)
    cut = (rows["t_ns"] > rows["t_ns"][-1] - 500 * 10**9) & (rows["t_ns"] < rows["t_ns"][-1] - 480 * 10**9)
    assert found({name: column[~cut] for name, column in rows.items()}) == []


def small(seed: int) -> Batch:
    """Return lifts with pauses of many lengths, people, gaps and odd readings, over three weeks."""
    lifts = []
    for k in range(3):
        rng = np.random.default_rng([seed, k])
        parts = []
        for week in range(3):
            script = healthy(seed + 10 * k + week, trips=12)
            script.rest(float(rng.choice([20.0, 140.0])))
            if rng.random() < 0.7:
                script.open_door().rest(3.0).close_door()
            parts.append(later(script.rest(float(rng.choice([10.0, 100.0]))).ride(6.0).rest(8.0).rows(1.0), week))
        rows = joined(*parts)
        keep = rng.random(len(rows["t_ns"])) > 0.02
        keep[(begin := int(rng.integers(len(keep) - 40))) : begin + 25] = False
        lifts.append({name: column[keep] for name, column in rows.items()})
    return batch(lifts)


@pytest.mark.parametrize("seed", range(4))
def test_the_scores_are_those_of_a_plain_loop(seed: int) -> None:
    limits = Pauses(idle_s=60.0, after_s=20.0, fewest=12)
    whole, facts, detector = small(seed), facts_of([tower()] * 3), Stalled(limits)
    memory, state, opened = tables.start(3), detector.start(3), 0
    naive = [NaiveStalled(limits) for _ in range(3)]
    for part in cuts(whole, seed, 7):
        memory, seen = tables.step(memory, part, facts)
        state, (score,) = detector.step(state, seen.rows, facts)
        for i, lift in enumerate(seen.rows.lift):
            row = {name: float(getattr(seen.rows, name)[i]) for name in READ}
            whole_ns = {
                name: int(getattr(seen.rows, name)[i]) for name in ("t_ns", "gap_ns", "still_since_ns", "trips")
            }
            expected = naive[lift].row({**row, **whole_ns})
            assert np.allclose([score.on[i], score.off[i]], expected, equal_nan=True), (lift, i)
            opened += score.on[i] >= 1.0
    assert opened
