"""F13: braked to rest harder than a drive does it."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MAJOR, Finding
from tests.detectors.world import BEGIN_NS, Fault, Script, batch, facts_of, healthy, ride_speed, tower


def braked(decel_mps2: float = 2.2, from_mps: float = 1.75, after_s: float = 4.0) -> Script:
    """Run, and be braked in mid-run; later go on to a landing."""
    script = Script(z_m=0.0, rated_mps=from_mps).say(door=0).rest(4.0)
    script.move(ride_speed(27.0, from_mps)[: round(after_s / 0.01)])
    return script.ramp(from_mps, 0.0, decel_mps2).rest(8.0)


def fault() -> Fault:
    return Fault(braked(), onset_s=8.0, within_s=1.0, severity=MAJOR)


def found(script: Script, dt_s: float = 0.1, rated_mps: float = 1.75, **feed: object) -> list[Finding]:
    facts = facts_of([tower(rated_mps)])
    return Judge([BY_SLUG["emergency-stop"]], 1).step(batch([script.rows(dt_s, **feed)]), facts)  # type: ignore[arg-type]


@pytest.mark.parametrize("dt_s", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("decel_mps2", [1.9, 2.2, 4.0])
@pytest.mark.parametrize("from_mps", [1.0, 1.75, 2.5])
def test_braking_hard_is_found_at_any_fine_rate(dt_s: float, decel_mps2: float, from_mps: float) -> None:
    stops = found(braked(decel_mps2, from_mps, after_s=5.0), dt_s, from_mps)
    spans = round(from_mps / decel_mps2 / dt_s) * dt_s > 0.25  # shorter braking may not span 0.2 s of readings
    assert [f.kind for f in stops] == ["on"] or not spans
    assert all(8.5 <= (stop.onset_ns - BEGIN_NS) / 1e9 <= 9.5 for stop in stops)


def test_a_brisk_drive_is_no_brake() -> None:
    """Accelerations up to 1.2 m/s², jerk 1.5 m/s³, at any rate of the feed."""
    lifts = []
    for accel in (0.8, 1.0, 1.2):
        script = Script(rated_mps=2.5).rest(4.0)
        for to_m in (27.0, 0.0, 12.0, 3.0, 24.0, 0.0):
            script.ride(to_m, accel=accel, jerk=1.5).rest(4.0)
        lifts += [script.rows(dt_s, seed) for dt_s in (0.05, 0.1, 0.2, 0.5, 1.0) for seed in range(20)]
    judge = Judge([BY_SLUG["emergency-stop"]], len(lifts))
    assert judge.step(batch(lifts), facts_of([tower(2.5)] * len(lifts))) == []


def test_it_clears_with_the_next_normal_trip() -> None:
    script = braked()
    script.ride(27.0).rest(5.0)
    assert [f.kind for f in found(script)] == ["on", "off"]


def test_a_speed_that_drops_out_while_the_position_runs_on_is_no_stop() -> None:
    rows = healthy(4, trips=3).rows()
    at = int(np.flatnonzero(np.abs(rows["v_mps"]) > 1.7)[0])
    rows["v_mps"][at : at + 40] = 0.0
    assert Judge([BY_SLUG["emergency-stop"]], 1).step(batch([rows]), facts_of([tower()])) == []


@pytest.mark.parametrize("phase", np.arange(0.0, 1.0, 0.1))
def test_a_coarse_feed_shows_it_where_the_stop_falls_between_two_readings(phase: float) -> None:
    """At 2.2 m/s² the stop lasts 0.8 s: one reading a second sees all of it or a part."""
    script = Script(rated_mps=1.75).rest(4.0 + phase)
    script.move(ride_speed(27.0, 1.75)[:600]).ramp(1.75, 0.0, 2.2).rest(8.0)
    read = np.concatenate(script.speeds)[::100]
    falls_between = bool(np.any((read[:-1] > 1.52) & (read[1:] < 0.08)))
    assert [f.kind for f in found(script, dt_s=1.0)] == (["on"] if falls_between else [])
