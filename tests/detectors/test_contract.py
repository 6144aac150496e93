"""What every rule over readings keeps, whatever it concludes.

A rule's own test module (`test_<slug>.py`) gives `fault()`; nothing else is needed to be held to this.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from detectors import contract
from detectors.catalogue import RULES
from detectors.judge import Judge
from detectors.rule import AGAIN_S, Rule
from registry.facts import FleetFacts, LiftFacts
from telemetry.batch import Batch
from telemetry.streams import CLOSED
from tests.detectors.world import BEGIN_NS, Fault, Rows, batch, facts_of, healthy, tower, with_vibration

each_rule = pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.table != "arrivals"], ids=lambda rule: rule.slug
)
"""Each rule over readings; `test_contract_over_arrivals.py` has the others."""
SLACK_S = 2.0


def fault_of(slug: str) -> Fault:
    return importlib.import_module(f"tests.detectors.test_{slug.replace('-', '_')}").fault()


@cache
def stream_of(slug: str) -> tuple[Batch, FleetFacts]:
    """Return a rule's fault, healthy lifts, and a coarse and a speechless one, side by side: one stream for all checks,
    which do not modify it."""
    fault = fault_of(slug)
    lifts = [
        fault.script.rows(0.1),
        healthy(1, trips=2).rows(0.1, seed=1),
        fault.script.rows(1.0),
        fault.script.rows(0.1, seed=3, drop=0.1, streams=("v_mps",)),
        fault.script.rows(0.2, seed=4),
    ]
    whole = with_vibration(batch(lifts), {0: fault, 2: fault, 4: fault})
    return whole, facts_of([fault.facts, tower(), fault.facts, fault.facts, None])


@each_rule
@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
def test_a_rule_keeps_what_every_rule_keeps(rule: Rule, check: Callable[[Rule, Batch, FleetFacts], None]) -> None:
    check(rule, *stream_of(rule.slug))


@each_rule
@pytest.mark.parametrize("dt_s", [0.1, 1.0])
def test_a_rule_finds_its_own_fault_in_time(rule: Rule, dt_s: float) -> None:
    fault = fault_of(rule.slug)
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
    fault = fault_of(rule.slug)
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
