"""Reports of events in messages of their own without `seq`: one that is lost leaves no trace."""

from __future__ import annotations

import numpy as np
import pytest

from tests.detectors import (
    test_door_held_open,
    test_entrapment_at_level,
    test_start_door_open,
    test_unintended_movement,
)
from tests.detectors.holes import Sent, singles
from tests.detectors.test_holes import PARKED_S, first_s, opened
from tests.detectors.world import Script, healthy

FAULTS = {
    "door-held-open": test_door_held_open.fault,
    "entrapment-at-level": test_entrapment_at_level.fault,
    "start-door-open": test_start_door_open.fault,
    "unintended-movement": test_unintended_movement.fault,
}


def lone(script: Script) -> Sent:
    return singles(script).unnumbered()


@pytest.mark.parametrize("lost", [0.005, 0.05])
def test_reports_lost_without_a_trace_raise_nothing_in_any_sound_lift(lost: float) -> None:
    rng = np.random.default_rng(11)
    for seed in range(4):
        sent = lone(healthy(seed, trips=8).rest(PARKED_S))
        variants = {(k, lost): sent.keeping(rng.random(len(sent.t_ns)) >= lost) for k in range(25)}
        assert opened(variants.items()) == {}


def repeated(script: Script, every_s: float) -> Script:
    """Let the device repeat the states of its door and of the person in the car."""
    last_s, events = script.now_s, sorted(script.events)
    for at_s in np.arange(every_s, last_s, every_s).tolist():
        for name in ("door", "presence"):
            values = [value for t_s, channel, value in events if channel == name and t_s <= at_s]
            script.events.append((at_s, name, values[-1]))
    return script


def test_a_device_without_seq_that_repeats_its_states_is_judged_though_messages_are_lost() -> None:
    rng = np.random.default_rng(5)
    script = healthy(0, trips=4).event(presence=1).rest(2.0).open_door().rest(3.0).close_door()
    sent = lone(repeated(script.rest(200.0), 5.0))
    losing = [sent.keeping(rng.random(len(sent.t_ns)) >= 0.02) for _ in range(30)]
    assert np.isnan(first_s("entrapment-at-level", losing)).sum() <= 1


@pytest.mark.parametrize("rule", FAULTS)
def test_a_device_without_seq_that_loses_nothing_is_judged_as_one_with(rule: str) -> None:
    script = FAULTS[rule]().script
    assert first_s(rule, [lone(script)]) == first_s(rule, [singles(script)])
    assert not np.isnan(first_s(rule, [lone(script)])).any()
