"""The benchmarks run on a small fleet for a few seconds and print every row of their tables."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from benchmarks import latency, straight
from tests.broker import mosquitto

STEPS = (
    *("receive json", "receive gateway", "journal, groups of 400", "read the journal"),
    *("decode json", "decode cbor", "decode gateway", "batch", "judge", "columns to store", "encode line protocol"),
    *("store, embedded", "chain, one JSON message a lift", "chain, CBOR gateways of 20"),
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
