"""What every rule over readings keeps, whatever it concludes.

A rule's own test module (`test_<slug>.py`) gives `fault()`; nothing else is needed to be held to this.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from detectors.catalogue import RULES
from detectors.judge import Judge
from detectors.observe import tables
from detectors.rule import AGAIN_S, Finding, Rule
from registry.facts import FleetFacts, LiftFacts
from telemetry.arrays import Memory
from telemetry.batch import CHANNELS, Batch
from telemetry.groups import blocks
from telemetry.streams import CLOSED
from tests.detectors.world import BEGIN_NS, Fault, Rows, batch, facts_of, healthy, rows_of, tower, with_vibration

each_rule = pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.table != "arrivals"], ids=lambda rule: rule.slug
)
"""Each rule over readings; `test_contract_over_arrivals.py` has the others."""
SLACK_S = 2.0


def fault_of(rule: Rule) -> Fault:
    return importlib.import_module(f"tests.detectors.test_{rule.slug.replace('-', '_')}").fault()


def stream_of(rule: Rule) -> tuple[Batch, FleetFacts]:
    """Return a fault, healthy lifts, and a coarse and a speechless one, side by side."""
    fault = fault_of(rule)
    lifts = [
        fault.script.rows(0.1),
        healthy(1, trips=2).rows(0.1, seed=1),
        fault.script.rows(1.0),
        fault.script.rows(0.1, seed=3, drop=0.1, streams=("v_mps",)),
        fault.script.rows(0.2, seed=4),
    ]
    whole = with_vibration(batch(lifts), {0: fault, 2: fault, 4: fault})
    return whole, facts_of([fault.facts, tower(), fault.facts, fault.facts, None])


def cuts(whole: Batch, seed: int, pieces: int) -> list[Batch]:
    """Cut a batch into pieces, each lift at instants of its own."""
    rng = np.random.default_rng(seed)
    piece = np.zeros(len(whole), dtype=np.int64)
    for lift in np.unique(whole.lift):
        mine = np.flatnonzero(whole.lift == lift)
        piece[mine] = np.sort(rng.integers(pieces, size=len(mine)))
    parts = [rows_of(whole, piece == k) for k in range(pieces)]
    waves = whole.waveforms
    if waves is None:
        return parts
    into = [_piece_of(whole, piece, lift, t_ns) for lift, t_ns in zip(waves.message, waves.t_ns, strict=True)]
    return [replace(part, waveforms=blocks(waves, np.array(into) == k)) for k, part in enumerate(parts)]


def _piece_of(whole: Batch, piece: np.ndarray, lift: int, t_ns: int) -> int:
    """Return the piece that a block of vibration comes in: that of the first row from its beginning on."""
    later = piece[(whole.lift == lift) & (whole.t_ns >= t_ns)]
    return int(later[0]) if len(later) else int(piece.max())


def scores(rule: Rule, batches: list[Batch], facts: FleetFacts) -> dict[tuple[int, int], tuple[float, ...]]:
    """Return every number that the detector gives, by lift and instant."""
    state, memory = rule.detector.start(len(facts)), tables.start(len(facts))
    out: dict[tuple[int, int], tuple[float, ...]] = {}
    for part in batches:
        memory, seen = tables.step(memory, part, facts)
        now = getattr(seen, rule.table)
        state, given = rule.detector.step(state, now, facts)
        columns = [c for score in given for c in (score.on, score.off, *score.evidence.values())]
        columns += [score.since_ns for score in given if score.since_ns is not None]
        for i, key in enumerate(zip(now.lift.tolist(), now.t_ns.tolist(), strict=True)):
            out[key] = tuple(float(np.nan_to_num(column[i], nan=-1e9)) for column in columns)
    return out


def assert_same_records(kept: Mapping[str, Memory], other: Mapping[str, Memory]) -> None:
    """Compare two snapshots field by field: unknown numbers are equal."""
    for name in kept:
        for field in fields_of(kept[name]):
            column = kept[name][field]
            assert np.array_equal(column, other[name][field], equal_nan=column.dtype.kind == "f"), (name, field)


def fields_of(records: Memory) -> list[str]:
    """Return the names of the fields."""
    return list(records.dtype.names or ())


def by_lift(findings: list[Finding]) -> dict[int, list[Finding]]:
    return {lift: [f for f in findings if f.lift == lift] for lift in {f.lift for f in findings}}


@each_rule
def test_scores_do_not_depend_on_how_the_stream_is_cut(rule: Rule) -> None:
    whole, facts = stream_of(rule)
    assert scores(rule, [whole], facts) == scores(rule, cuts(whole, 5, 40), facts)


@each_rule
def test_findings_do_not_depend_on_how_the_stream_is_cut(rule: Rule) -> None:
    whole, facts = stream_of(rule)
    one, many = Judge([rule], len(facts)), Judge([rule], len(facts))
    together = one.step(whole, facts)
    apart = [f for part in cuts(whole, 6, 40) for f in many.step(part, facts)]
    assert repr(by_lift(apart)) == repr(by_lift(together))  # evidence may be NaN, which equals nothing
    assert together, "a stream with a fault in it raises something"
    kept, other = one.snapshot(), many.snapshot()
    assert_same_records(kept, other)


@each_rule
def test_permuting_the_lifts_permutes_the_scores(rule: Rule) -> None:
    fault = fault_of(rule)
    lifts = [fault.script.rows(0.1), healthy(2, trips=1).rows(1.0), fault.script.rows(1.0)]
    facts = [fault.facts, tower(), None]
    order = [2, 0, 1]
    straight = scores(rule, [with_vibration(batch(lifts), {0: fault, 2: fault})], facts_of(facts))
    shaken = with_vibration(batch([lifts[i] for i in order]), {0: fault, 1: fault})
    turned = scores(rule, [shaken], facts_of([facts[i] for i in order]))
    assert {(order[lift], t): row for (lift, t), row in turned.items()} == straight


@each_rule
def test_an_empty_batch_changes_nothing(rule: Rule) -> None:
    whole, facts = stream_of(rule)
    memory, seen = tables.step(tables.start(len(facts)), whole, facts)
    state, _ = rule.detector.step(rule.detector.start(len(facts)), getattr(seen, rule.table), facts)
    empty = rows_of(whole, np.zeros(len(whole), dtype=np.bool_))
    memory_after, nothing = tables.step(memory, empty, facts)
    after, given = rule.detector.step(state, getattr(nothing, rule.table), facts)
    assert all(len(score.on) == 0 and len(score.off) == 0 for score in given)
    for before, later in ((memory["rows"], memory_after["rows"]), (state, after)):
        assert all(
            np.array_equal(before[k], later[k], equal_nan=before[k].dtype.kind == "f") for k in fields_of(before)
        )


@each_rule
def test_inputs_are_never_modified(rule: Rule) -> None:
    whole, facts = stream_of(rule)
    for part in cuts(whole, 7, 3):
        for name in ("lift", "t_ns", *CHANNELS):
            getattr(part, name).setflags(write=False)
        memory, state = tables.start(len(facts)), rule.detector.start(len(facts))
        for column in (*memory.values(), state):
            column.setflags(write=False)
        _, seen = tables.step(memory, part, facts)
        table = getattr(seen, rule.table)
        for column in table:
            if isinstance(column, np.ndarray):
                column.setflags(write=False)
        rule.detector.step(state, table, facts)


@each_rule
def test_a_lift_without_rows_scores_nan(rule: Rule) -> None:
    t_ns = BEGIN_NS + np.arange(600) * 1_000_000_000
    whole = batch([{"t_ns": t_ns}, {"t_ns": t_ns, "online": np.ones(600)}])
    facts = facts_of([tower(), tower()])
    _, seen = tables.step(tables.start(2), whole, facts)
    _, given = rule.detector.step(rule.detector.start(2), getattr(seen, rule.table), facts)
    for score in given:
        assert np.isnan(score.on).all()


@each_rule
def test_rows_without_readings_change_no_finding(rule: Rule) -> None:
    fault = fault_of(rule)
    rows = fault.script.rows(0.1)
    between = rows["t_ns"][:-1] + np.diff(rows["t_ns"]) // 2
    lifts = [rows, {"t_ns": between[~np.isin(between, rows["t_ns"])]}]
    whole, full = batch([rows]), batch(lifts)
    mixed = Batch(**{name: _merged(full, name) for name in ("lift", "t_ns", *CHANNELS)})
    facts = facts_of([fault.facts])
    expected = [(f.kind, f.severity, f.onset_ns) for f in Judge([rule], 1).step(whole, facts)]
    assert [(f.kind, f.severity, f.onset_ns) for f in Judge([rule], 1).step(mixed, facts)] == expected


def _merged(full: Batch, name: str) -> np.ndarray:
    """Return a column of two lifts as if they were one."""
    column = np.zeros_like(full.lift) if name == "lift" else getattr(full, name)
    return column[np.argsort(full.t_ns, kind="stable")]


@each_rule
def test_a_restart_from_a_snapshot_equals_no_restart(rule: Rule) -> None:
    whole, facts = stream_of(rule)
    steady, restarted = Judge([rule], len(facts)), Judge([rule], len(facts))
    for part in cuts(whole, 8, 25):
        expected = steady.step(part, facts)
        fresh = Judge([rule], len(facts))
        fresh.restore(restarted.snapshot())
        restarted = fresh
        assert repr(restarted.step(part, facts)) == repr(expected)


@each_rule
@pytest.mark.parametrize("dt_s", [0.1, 1.0])
def test_a_rule_finds_its_own_fault_in_time(rule: Rule, dt_s: float) -> None:
    fault = fault_of(rule)
    if dt_s not in fault.dt_s:
        pytest.skip(f"{rule.slug} does not claim feeds of {dt_s} s")
    found = Judge([rule], 1).step(fault.stream(dt_s), facts_of([fault.facts]))
    on = [f for f in found if f.kind == "on" and f.severity == fault.severity]
    assert len(on) == 1 or (on and on[0].by_hand and on[1].at_ns - on[0].at_ns >= AGAIN_S * 1e9), found
    assert (on[0].at_ns - BEGIN_NS) / 1e9 <= fault.onset_s + fault.within_s + SLACK_S
    assert abs((on[0].onset_ns - BEGIN_NS) / 1e9 - fault.onset_s) <= max(2 * dt_s, 0.5)
    if not on[0].by_hand:
        assert any(f.kind == "off" and f.severity == fault.severity for f in found) == fault.clears


@each_rule
def test_sentences_take_what_the_evidence_gives(rule: Rule) -> None:
    fault = fault_of(rule)
    found = Judge([rule], 1).step(fault.stream(), facts_of([fault.facts]))
    for language in ("en", "zh"):
        text = rule.sentence[language].format(**next(f for f in found if f.kind == "on").evidence)
        assert text
        assert "nan" not in text


LIFTS: tuple[LiftFacts, ...] = (
    tower(),
    tower(rated_mps=1.0, floors=6, pitch_m=2.8),
    tower(rated_mps=2.5, floors=20, pitch_m=3.6),
)
FEEDS = {
    "10 Hz": {"dt_s": 0.1},
    "20 Hz": {"dt_s": 0.05},
    "2 Hz": {"dt_s": 0.5},
    "1 Hz": {"dt_s": 1.0},
    "0.2 Hz": {"dt_s": 5.0},
    "0.1 Hz": {"dt_s": 10.0},
    "every half a minute": {"dt_s": 30.0},
    "speed alone, 0.1 Hz": {"dt_s": 10.0, "streams": ("v_mps",)},
    "position alone, 0.1 Hz": {"dt_s": 10.0, "streams": ("z_m",)},
    "speed alone": {"dt_s": 0.1, "streams": ("v_mps",)},
    "speed alone, 1 Hz": {"dt_s": 1.0, "streams": ("v_mps",)},
    "position alone": {"dt_s": 0.1, "streams": ("z_m",)},
    "position alone, 1 Hz": {"dt_s": 1.0, "streams": ("z_m",)},
    "door late": {"dt_s": 0.1, "door_late_s": 0.3},
    "door early": {"dt_s": 0.1, "door_late_s": -0.3},
    "door late, 1 Hz": {"dt_s": 1.0, "door_late_s": 0.3},
    "door early, 1 Hz": {"dt_s": 1.0, "door_late_s": -0.3},
    "noisy": {"dt_s": 0.1, "noise": 2.0},
    "lossy": {"dt_s": 0.1, "drop": 0.2},
    "lossy, 1 Hz": {"dt_s": 1.0, "drop": 0.2},
}


def test_a_healthy_world_is_quiet() -> None:
    lifts = [(feed, facts, seed) for feed in FEEDS for facts in LIFTS for seed in range(8)]
    rows = [healthy(seed, 5, facts).rows(seed=seed, **FEEDS[feed]) for feed, facts, seed in lifts]
    found = Judge(RULES, len(lifts)).step(batch(rows), facts_of([facts for _, facts, _ in lifts]))
    assert [(f.rule, *lifts[f.lift]) for f in found] == []


WILD = (
    ("v_mps", 9.9),
    ("v_mps", -9.9),
    ("v_mps", 2.4),
    ("v_mps", 0.0),
    ("z_m", 1000.0),
    ("z_m", -1000.0),
    ("z_m", 31.0),
)
SENT = (("v_mps", "z_m"), ("v_mps",), ("z_m",))


@pytest.mark.parametrize(
    ("streams", "channel", "wild"), [(sent, *pair) for sent in SENT for pair in WILD if pair[0] in sent]
)
@pytest.mark.parametrize("dt_s", [0.1, 1.0])
def test_a_single_wild_sample_raises_nothing(streams: tuple[str, ...], channel: str, wild: float, dt_s: float) -> None:
    """The sample stands at every position of the stream, once in each copy of the lift."""
    rows = healthy(11, trips=1).rows(dt_s, streams=streams)
    copies: list[Rows] = []
    for place in np.flatnonzero(~np.isnan(rows[channel])):
        column = rows[channel].copy()
        column[place] = wild
        copies.append({**rows, channel: column})
    facts = facts_of([tower()] * len(copies))
    assert Judge(RULES, len(copies)).step(batch(copies), facts) == []


def test_a_healthy_lift_ends_with_its_door_closed() -> None:
    """The world itself: what the other tests stand on."""
    rows = healthy(3).rows()
    door = rows["door"][~np.isnan(rows["door"])]
    assert door[-1] == CLOSED
    assert np.nanmax(np.abs(np.diff(rows["v_mps"][~np.isnan(rows["v_mps"])]))) < 0.2
