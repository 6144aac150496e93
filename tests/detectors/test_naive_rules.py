"""The rules find the same as plain loops over bad worlds: gaps, missing readings, reboots, wild samples, modes."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.contract import cuts
from detectors.judge import Judge
from detectors.observe.reports.events import STATES
from telemetry.batch import Batch
from telemetry.streams import CLOSED, CLOSING, FIRE, INSPECTION, NORMAL, OPEN, OPENING
from tests.detectors.naive import Edge, NaiveCar, findings
from tests.detectors.naive_row import SPECIAL
from tests.detectors.naive_rules import NAIVE
from tests.detectors.world import Rows, batch, facts_of, healthy, tower

SEEDS = 12


def spoiled(rows: Rows, seed: int) -> Rows:
    """Return a lift's rows with what a bad device makes of them, and with states that no world would bring about."""
    rng = np.random.default_rng([seed, 7])
    count = len(rows["t_ns"])
    rows = {name: column.copy() for name, column in rows.items()}

    def some(share: float) -> np.ndarray:
        return rng.random(count) < share

    rows["t_ns"] += np.cumsum(some(0.01)) * int(rng.choice([2, 7, 80])) * 1_000_000_000
    for name, wild in (("v_mps", [9.9, -2.1, 0.0]), ("z_m", [1000.0, 31.0, 12.0])):
        rows[name][some(0.02)] = np.nan
        rows[name][some(0.01)] = rng.choice(wild)
    rows["gap"], rows["reboot"] = some(0.003).astype(float), some(0.001).astype(float)
    rows["stale"] = some(0.005).astype(float)
    states = {
        "door": [CLOSED, CLOSED, OPENING, OPEN, CLOSING],
        "presence": [0.0, 1.0, 1.0],
        "curtain": [0.0, 1.0],
        "mode": [NORMAL, NORMAL, NORMAL, INSPECTION, FIRE],
        "alarm": [0.0, 1.0],
    }
    for name, values in states.items():
        column = rows.setdefault(name, np.full(count, np.nan))
        picked = some(float(rng.choice([0.0, 0.002, 0.02])))
        column[picked] = rng.choice(values, picked.sum())
    for name in ("v_mps", "z_m")[: seed % 3]:
        begin = int(rng.integers(count // 2))
        rows[name][begin : begin + count // 4] = rows[name][begin]  # a sensor that repeats itself
    return rows


def world(slug: str, seed: int) -> Rows:
    """Return a lift's rows: healthy, or with the rule's fault or one of its other stories, and mostly spoiled."""
    stories = importlib.import_module(f"tests.detectors.test_{slug.replace('-', '_')}")
    scripts = [stories.fault().script, *getattr(stories, "stories", list)()]
    script = scripts[seed // 4 % len(scripts)] if seed % 3 else healthy(seed, trips=3)
    rows = script.rows([0.1, 0.5, 1.0][(seed + seed // 3) % 3], seed, drop=0.05)
    return rows if seed % 4 == 1 else spoiled(rows, seed)


def plainly(slug: str, whole: Batch, lift: int, facts: object) -> list[tuple[int, Edge]]:
    """Return (severity, (instant, kind, onset)) of one lift by the plain loops."""
    rule, car, naive = BY_SLUG[slug], NaiveCar(facts), NAIVE[slug](facts)
    rows, scores = [], []
    for i in np.flatnonzero(whole.lift == lift):
        states_read = {name: float(getattr(whole, name)[i]) for name in (*STATES, "gap")}
        known = car.row(int(whole.t_ns[i]), whole.reboot[i] == 1.0, v=whole.v_mps[i], z=whole.z_m[i], **states_read)
        known |= {"t_ns": int(whole.t_ns[i]), "stale": whole.stale[i] == 1.0}
        known |= {"status_after_ns": float(whole.status_after_ns[i])}
        if rule.table == "trips":
            if car.trip is None:
                continue
            known = car.trip
        rows.append(known)
        scores.append([masked(rule.always_judged, known, *level) for level in naive.row(known)])
    out: list[tuple[int, Edge]] = []
    for k, level in enumerate(rule.levels):
        on, off, since = zip(*(levels[k] for levels in scores), strict=True) if scores else ((), (), ())
        edges = findings(level, [row["t_ns"] for row in rows], on, off, [row["gap_ns"] for row in rows], since)
        out += [(level.severity, (rows[i]["t_ns"], kind, onset)) for i, kind, onset in edges]
    return sorted(out, key=str)


def masked(always_judged: bool, row: dict[str, float], on: float, off: float, since: int) -> tuple[float, float, int]:
    """Stop every clock at a stale row; in a special mode judge the always-judged rules only."""
    if row["stale"]:
        return np.nan, np.nan, since
    if not always_judged and row["mode"] in SPECIAL:
        return 0.0, np.nan, since
    return float(on), float(off), since


@pytest.mark.parametrize("slug", NAIVE)
def test_a_rule_finds_what_a_plain_loop_finds(slug: str) -> None:
    lifts = [world(slug, seed) for seed in range(SEEDS)]
    facts = [tower(parks_door_open=seed % 5 == 4) for seed in range(SEEDS)]
    whole, fleet = batch(lifts), facts_of(facts)
    judge = Judge([BY_SLUG[slug]], SEEDS)
    found = [f for part in cuts(whole, 3, 6) for f in judge.step(part, fleet)]
    assert found
    for lift in range(SEEDS):
        fast = [(f.severity, (f.at_ns, f.kind, f.onset_ns)) for f in found if f.lift == lift and f.kind != "more"]
        assert sorted(fast, key=str) == plainly(slug, whole, lift, facts[lift]), f"seed {lift}"
