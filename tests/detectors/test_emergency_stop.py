"""F13: braked to rest harder than a drive does it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.contract import expect_same_records as assert_same_records
from detectors.judge import Judge
from detectors.rule import MAJOR, Finding
from registry.facts import FleetFacts
from telemetry.batch import Batch, Waveforms
from tests.detectors.world import (
    BEGIN_NS,
    GRID_S,
    Fault,
    Script,
    batch,
    facts_of,
    healthy,
    ride_speed,
    rows_of,
    tower,
    waves,
)


def braked(decel_mps2: float = 2.2, from_mps: float = 1.75, after_s: float = 4.0) -> Script:
    """Run, and be braked in mid-run; later go on to a landing."""
    script = Script(z_m=0.0, rated_mps=from_mps).event(door=0).rest(4.0)
    script.move(ride_speed(27.0, from_mps)[: round(after_s / 0.01)])
    return script.ramp(from_mps, 0.0, decel_mps2).rest(8.0)


def fault() -> Fault:
    return Fault(braked(), onset_s=8.0, within_s=1.0, severity=MAJOR)


def stories() -> list[Script]:
    """Return what else the plain loop is asked about: short and long braking, and one that soon lets go."""
    script = Script(z_m=0.0, rated_mps=2.5).event(door=0).rest(4.0)
    for from_mps, ramps in (
        (0.5, [(0.0, 1.8)]),
        (0.6, [(0.0, 1.4)]),
        (1.0, [(0.0, 3.3)]),
        (1.0, [(0.0, 4.0)]),
        (2.5, [(0.0, 1.6)]),
        (1.75, [(0.95, 2.0), (0.0, 0.75)]),
        (2.5, [(0.0, 1.3)]),
    ):
        script.ramp(0.0, from_mps, 0.8).move(np.full(200, from_mps))
        before = from_mps
        for to_mps, decel_mps2 in ramps:
            script.ramp(before, to_mps, decel_mps2)
            before = to_mps
        script.rest(4.0).ride(0.0).rest(4.0)
    return [script]


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


@pytest.mark.parametrize("dt_s", [0.05, 0.1])
@pytest.mark.parametrize("phase", [0.0, 0.25, 0.5, 0.75])
@pytest.mark.parametrize(("from_mps", "decel_mps2"), [(0.5, 1.8), (0.63, 2.4), (0.75, 2.4)])
def test_a_slow_car_that_stops_at_once_is_found(dt_s: float, phase: float, from_mps: float, decel_mps2: float) -> None:
    script = braked(decel_mps2, from_mps, after_s=8.0 + phase * dt_s)
    assert [one.severity for one in found(script, dt_s, from_mps)] == [MAJOR]


def test_a_fast_car_needs_longer_than_a_slow_one() -> None:
    assert [one.severity for one in found(braked(1.7, 4.0, after_s=12.0), rated_mps=4.0)] == [MAJOR]


def test_a_speed_that_falls_out_between_two_readings_is_no_short_stop() -> None:
    rows = braked(1.0, 0.5, after_s=8.0).rows()
    rows["v_mps"][(rows["t_ns"] - BEGIN_NS) / 1e9 > 11.95] = 0.0
    assert Judge([BY_SLUG["emergency-stop"]], 1).step(batch([rows]), facts_of([tower(0.5)])) == []


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


HZ = 100


def shaken(script: Script, hz: int = HZ, bias: float = 0.05, sense: float = 1.0, share: float = 1.0) -> np.ndarray:
    """Return the vertical acceleration on the car's floor in a script, scaled by `share`."""
    v = np.concatenate(script.speeds)
    fine = np.interp(np.arange(0, len(v) * GRID_S, 1 / hz), np.arange(len(v)) * GRID_S, v)
    noise = np.random.default_rng(2).normal(0, 0.02, len(fine))
    return (sense * share * np.gradient(fine) * hz + bias + noise).astype(np.float32)


def judged(script: Script, z: np.ndarray, hz: int = HZ, dt_s: float = 0.1, **feed: object) -> list[Finding]:
    whole = replace(batch([script.rows(dt_s, **feed)]), waveforms=waves([(0, BEGIN_NS, hz, z)]))  # type: ignore[arg-type]
    return Judge([BY_SLUG["emergency-stop"]], 1).step(whole, facts_of([tower()]))


@pytest.mark.parametrize("hz", [50, 100, 400])
@pytest.mark.parametrize("bias", [0.0, 0.4, 9.81], ids=["no bias", "bias", "gravity"])
@pytest.mark.parametrize("sense", [1.0, -1.0], ids=["upright", "upside down"])
def test_a_stop_that_the_vibration_confirms_is_found(hz: int, bias: float, sense: float) -> None:
    (stop,) = judged(braked(), shaken(braked(), hz, bias, sense), hz)
    assert stop.evidence["vibration_loss_mps"] == pytest.approx(1.75, abs=0.2)
    assert (stop.onset_ns - BEGIN_NS) / 1e9 == pytest.approx(8.0, abs=0.2)


def test_a_stop_that_began_as_a_gentler_braking_is_found() -> None:
    script = Script(rated_mps=1.75).rest(4.0).ramp(0.0, 1.1, 0.8).ramp(1.1, 0.75, 1.2).ramp(0.75, 0.0, 1.7).rest(8.0)
    assert [f.kind for f in judged(script, shaken(script))] == ["on"]
    assert judged(script, shaken(script, share=0.0)) == []


@pytest.mark.parametrize("dt_s", [0.1, 1.0])
def test_a_speed_that_falls_without_acceleration_is_no_stop(dt_s: float) -> None:
    script = Script(rated_mps=1.75).rest(4.0).move(ride_speed(27.0, 1.75)[:600]).ramp(1.75, 0.0, 2.2).rest(8.0)
    assert [f.kind for f in judged(script, shaken(script), dt_s=dt_s, streams=("v_mps",))] == ["on"]
    assert judged(script, shaken(script, share=0.0), dt_s=dt_s, streams=("v_mps",)) == []
    assert judged(script, shaken(script, share=0.3), dt_s=dt_s, streams=("v_mps",)) == []


def test_vibration_that_is_too_slow_or_has_stopped_does_not_count() -> None:
    script = braked()
    assert [f.kind for f in judged(script, shaken(script, 25, share=0.0), 25)] == ["on"]
    early = shaken(script, share=0.0)[: 7 * HZ]
    assert [f.kind for f in judged(script, early)] == ["on"]
    broken = shaken(script, share=0.0)
    broken[830] = np.nan
    assert [f.kind for f in judged(script, broken)] == ["on"]


def fleet_of(order: tuple[int, ...]) -> tuple[Batch, FleetFacts]:
    """Return lifts that stop, with vibration that confirms, that does not, at 400 Hz, and without any."""
    script = braked()
    script.ride(27.0).rest(5.0)
    feeds = [(HZ, shaken(script)), (HZ, shaken(script, share=0.0)), (400, shaken(script, 400)), None]
    sent = [(k, BEGIN_NS, *feeds[i]) for k, i in enumerate(order) if feeds[i] is not None]
    whole = batch([script.rows(seed=i) for i in order])
    return replace(whole, waveforms=waves(sent)), facts_of([tower()] * len(order))


def cut(whole: Batch, edges_s: Iterable[float]) -> list[Batch]:
    """Cut a batch into what a device sends, bundle by bundle: rows and vibration of a time come together."""
    assert whole.waveforms is not None
    blocks, parts, begin = whole.waveforms, [], 0
    for edge in (*(BEGIN_NS + round(s * 1e9) for s in edges_s), 2**62):
        picked = np.flatnonzero((blocks.t_ns >= begin) & (blocks.t_ns < edge))
        length = np.diff(blocks.first)[picked]
        xyz = [blocks.xyz[:, blocks.first[k] : blocks.first[k + 1]] for k in picked]
        some = Waveforms(
            blocks.message[picked], blocks.t_ns[picked], blocks.dt_ns[picked], np.r_[0, np.cumsum(length)],
            np.concatenate([np.empty((3, 0), dtype=np.float32), *xyz], axis=1),
        )  # fmt: skip
        parts.append(replace(rows_of(whole, (whole.t_ns >= begin) & (whole.t_ns < edge)), waveforms=some))
        begin = edge
    return parts


def comparable(found: list[Finding]) -> list[tuple[int, str]]:
    return sorted((f.lift, repr(replace(f, lift=0))) for f in found)


def test_with_vibration_it_does_not_depend_on_how_the_stream_is_cut_nor_on_a_restart() -> None:
    whole, facts = fleet_of((0, 1, 2, 3))
    rule = BY_SLUG["emergency-stop"]
    steady = Judge([rule], 4)
    expected = comparable(steady.step(whole, facts))
    assert {lift for lift, _ in expected} == {0, 2, 3}
    for edges in (range(1, 60), (8, 9, 10), (9,)):
        judge, found = Judge([rule], 4), []
        for part in cut(whole, edges):
            fresh = Judge([rule], 4)
            fresh.restore(judge.snapshot())
            judge = fresh
            found += judge.step(part, facts)
        assert comparable(found) == expected
        kept, other = judge.snapshot(), steady.snapshot()
        assert_same_records(kept, other)


def test_with_vibration_permuting_the_lifts_permutes_the_findings() -> None:
    rule, order = BY_SLUG["emergency-stop"], (2, 0, 3, 1)
    straight = comparable(Judge([rule], 4).step(*fleet_of((0, 1, 2, 3))))
    turned = comparable(Judge([rule], 4).step(*fleet_of(order)))
    assert sorted((order[lift], text) for lift, text in turned) == straight


def test_vibration_that_comes_by_itself_a_little_later_is_waited_for() -> None:
    script = braked()
    whole = replace(batch([script.rows()]), waveforms=waves([(0, BEGIN_NS, HZ, shaken(script, share=0.0))]))
    judge, found, waiting = Judge([BY_SLUG["emergency-stop"]], 1), [], None
    for part in cut(whole, range(1, 20)):
        found += judge.step(replace(part, waveforms=waiting), facts_of([tower()]))
        waiting = part.waveforms
    assert found == []
