"""The benchmarks run on a small fleet for a few seconds and print every row of their tables."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import beside, latency, referee, ride_spread, straight
from tests.broker import mosquitto

STEPS = (
    *("receive json", "receive gateway", "journal, groups of 400", "read the journal"),
    *("decode json", "decode cbor", "decode gateway", "batch, five", "batch", "judge"),
    *("columns to store", "encode line protocol", "store, embedded"),
    *("chain, one JSON message a lift", "chain, CBOR gateways of 20"),
)
ROW = re.compile(r"^(?P<what>\S.*?)  +(?P<lifts>\d+) +(?P<cpu_us>[\d.]+) +(?P<lifts_per_s>[\d,]+) +(?P<cpu_s>[\d.]+)$")


@pytest.mark.long
@pytest.mark.broker
def test_the_benchmark_prints_every_step_both_chains_and_how_long_alerts_take() -> None:
    mosquitto()
    small = ["--lifts", "40", "--seconds", "3"]
    output = subprocess.check_output([sys.executable, "-m", "benchmarks", *small], text=True)
    rows = [found for found in map(ROW.match, output.splitlines()) if found]
    assert len(rows) == len(STEPS), output
    assert all(row["what"].startswith(step) for row, step in zip(rows, STEPS, strict=True)), output
    assert all(float(row["cpu_us"]) > 0 and row["lifts"] == "40" for row in rows)
    alerts = [line for line in output.splitlines() if line.startswith(tuple(latency.KINDS))]
    assert len(alerts) == len(latency.KINDS), output
    assert all(re.fullmatch(r".*? +40 +9(?: +\d+\.\d\d s){3} +0", line) for line in alerts), output


def test_simulating_and_judging_without_a_broker_is_measured_step_by_step() -> None:
    took = straight.measure(lifts=20, seconds=3, idle_hz=1, vibration=True)
    assert set(took) == set(straight.STEPS)
    assert all(cpu_s > 0 for cpu_s in took.values())


def test_the_referee_judges_a_world_once_and_prints_its_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {"stop": referee.RefereeWorld(("car-stalled-between-floors", "long-dwell"), 0.1, (0.01, 0.02))}
    monkeypatch.setattr(referee, "WORLDS", small | {"quiet": referee.RefereeWorld((), 0.02, (0.0, 0.0))})
    for _ in range(2):
        referee.run("stop", 1, 0, tmp_path)
        referee.run("quiet", 0, 3, tmp_path)
    assert len(capsys.readouterr().out.splitlines()) == 2
    with_faults = referee.report(referee.load(tmp_path, quiet=False))
    assert with_faults is not None
    text = referee.tables(with_faults, referee.report(referee.load(tmp_path, quiet=True)))
    assert "| `stop-outside-zone` F04 | 1 | 1 |" in text
    assert "| `car-stalled-between-floors` | 1 | " in text
    assert "Without a fault: 3 lifts" in text


@pytest.mark.parametrize("name", referee.WORLDS)
def test_every_world_of_the_referee_can_be_simulated(name: str) -> None:
    (scenario,) = referee.scenarios(referee.WORLDS[name], faults=1, lifts=28)
    assert all(fault.spread_s <= scenario.day_s for fault in scenario.faults)


def test_rules_vibration_and_other_libraries_are_measured_beside_each_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A library that is not installed has a line that says so."""
    monkeypatch.setattr(beside, "SIZES", {5: 3, 10: 3})
    monkeypatch.setattr(beside, "WAVE_LIFTS", 20)
    monkeypatch.setattr(beside, "ROLLING_SAMPLES", 2_000)
    monkeypatch.setitem(sys.modules, "river.anomaly", None)
    monkeypatch.setattr(beside, "PEERS", (beside.PEERS[0], beside.PEERS[2]))
    monkeypatch.setattr(sys, "argv", ["beside"])
    beside.main()
    output = capsys.readouterr().out
    assert re.search(r"^ +5 +[\d.]+( +[\d,]+){3}$", output, re.MULTILINE)
    assert re.search(r"^ +10 +[\d.]+( +[\d,]+){3}$", output, re.MULTILINE)
    assert re.search(r"vibration features: \d+ million", output)
    assert "river: not installed, not measured" in output
    assert re.search(r"^pandas: .* [\d,]+$", output, re.MULTILINE)


def test_rides_of_a_generated_fleet_spread_like_recorded_ones() -> None:
    """Accelerations and jerks contain those of the recorded rides; a hand adds to the vibration of a phone."""
    found = np.array(ride_spread.measure(lifts=120, seconds=200, seed=1))
    assert len(found) > 200
    for k, recorded in enumerate(list(ride_spread.RECORDED.values())[:2]):
        low, middle, high = np.percentile(found[:, k], ride_spread.PERCENT)
        assert low < 1.15 * recorded[0]
        assert high > 0.9 * recorded[2]
        assert middle == pytest.approx(recorded[1], rel=0.25)
    assert np.percentile(found[:, 2], 90) > 2 * np.percentile(found[:, 2], 10)


def test_a_ride_of_known_acceleration_and_jerk_is_measured_as_it_is() -> None:
    t = np.arange(0.0, 30.0, 0.01)
    accel = np.interp(t, [5, 6, 8, 9, 15, 16, 18, 19], [0, 0.8, 0.8, 0, 0, -0.8, -0.8, 0])
    v_mps = np.cumsum(accel)[::10] * 0.01
    (one,) = ride_spread.rides(accel + 0.05 * np.sqrt(2) * np.sin(2 * np.pi * 5 * t), v_mps)
    assert one.accel_mps2 == pytest.approx(0.8, rel=0.05)
    assert one.jerk_mps3 == pytest.approx(0.8, rel=0.1)
    assert one.vibration_mps2 == pytest.approx(0.05, rel=0.15)
