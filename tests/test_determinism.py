"""The same seed gives the same bytes, again and however the fleet is cut; and a hash shows where they differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.determinism import EVERY, hashes, ways
from simulator.scenarios import library

LIFTS = 21
CHANGES = {"lifts": LIFTS, "hours": 0.025, "form": "cbor", "faults_per_hour": 5000.0, "machines": [3]}
EMPTY = {"vibration.parquet", "refusals.parquet"}
TRIED = ("once", "cut anywhere")


@pytest.mark.long
def test_the_same_seed_gives_the_same_bytes_however_the_fleet_is_cut(tmp_path: Path) -> None:
    scenario = library.read("bad-gateway", CHANGES)
    found = [hashes(scenario, parts, judges, tmp_path / name) for name, parts, judges in ways(LIFTS) if name in TRIED]
    assert all(one == found[0] for one in found[1:])
    assert not any(name == "alerts (0)" for name in found[0])
    other = hashes(library.read("bad-gateway", CHANGES | {"seed": 2}), [EVERY], 1, tmp_path / "other")
    digests = {name.partition(" ")[0]: digest for name, digest in other.items()}
    differing = {name for name, digest in found[0].items() if digests[name.partition(" ")[0]] != digest}
    assert differing >= set(found[0]) - EMPTY
