"""Behaviour is recognised, equals plain loops over bad worlds, and does not depend on how the stream is cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.behaviour import table
from detectors.contract import cuts
from detectors.judge import Judge
from detectors.observe import tables
from telemetry.arrays import Memory
from telemetry.batch import Batch
from telemetry.behaviour_fields import EVIDENCE, KINDS
from telemetry.streams import CLOSED, CLOSING, INSPECTION, NORMAL, OPEN, OVERLOAD
from tests.detectors.behaviour.naive import behaviour
from tests.detectors.test_naive_rules import spoiled
from tests.detectors.world import BEGIN_NS, VIBRATION_HZ, Script, batch, facts_of, healthy, tower, waves


def blocked(cut_s: float = 25.0) -> Script:
    script = Script(z_m=9.0).event(door=CLOSED, curtain=0, presence=0, mode=NORMAL).rest(4.0).open_door(2.0)
    return script.event(curtain=1).event(cut_s, curtain=0).rest(cut_s + 3.0).close_door().rest(3.0)


def reversing(times: int = 3) -> Script:
    script = Script(z_m=9.0).event(door=CLOSED, curtain=0).rest(4.0).open_door(2.0)
    for _ in range(times):
        script.event(door=CLOSING).rest(1.0).event(curtain=1).event(0.3, curtain=0).open_door(1.0).rest(1.0)
    return script.close_door().rest(3.0)


def removal() -> Script:
    script = Script(z_m=9.0).event(door=CLOSED, curtain=0).rest(4.0).open_door(2.0)
    for _ in range(9):
        script.event(curtain=1).event(1.0, curtain=0).rest(7.0)
    return script.close_door().rest(3.0)


def phantom(rides: int = 6, rest_s: float = 6.0) -> Script:
    script = Script().event(door=CLOSED, presence=1).rest(4.0).event(presence=0).rest(4.0)
    for k in range(rides):
        script.ride(0.0 if k % 2 else 9.0).rest(rest_s)
    return script.event(presence=1).rest(2.0)


def to_and_fro(rides: int = 60) -> Script:
    """Return an empty car that turns without a rest."""
    return phantom(rides, rest_s=0.5)


def overloaded() -> Script:
    script = Script(z_m=9.0).event(door=OPEN, mode=NORMAL).rest(4.0).event(mode=OVERLOAD).rest(12.0)
    return script.event(mode=NORMAL).rest(3.0)


def visit() -> Script:
    script = Script(z_m=9.0).event(door=CLOSED, mode=NORMAL, alarm=0).rest(4.0).event(mode=INSPECTION).rest(30.0)
    script.open_door().rest(5.0).close_door().rest(1.0).open_door().rest(5.0).close_door()
    script.event(alarm=1).event(2.0, alarm=0).rest(5.0)
    script.rated_mps = 0.3
    script.ride(12.0, accel=0.3).rest(20.0).ride(15.0, accel=0.3).rest(20.0)
    script.rated_mps = 1.75
    return script.event(mode=NORMAL).rest(5.0).ride(0.0).rest(920.0)


STORIES: dict[Callable[[], Script], tuple[str, tuple[float, ...]]] = {
    blocked: ("door-blocking", (32.8, 25.0, 0.0, 3.0)),
    reversing: ("door-blocking", (16.8, 0.9, 3.0, 3.0)),
    removal: ("door-blocking", (67.8, 9.0, 0.0, 3.0)),
    phantom: ("empty-running", (69.0, 6.0, 39.0)),
    to_and_fro: ("empty-running", (516.6, 0.0, 442.0)),
    overloaded: ("overload", (12.0, 3.0)),
    visit: ("maintenance-visit", (136.0, 118.0, 2.0, 1.0, 2.0, 1.0, float(0b111000), 0.0)),
}


def observed(parts: Sequence[Batch], **facts: bool) -> list[tuple[str, float, NDArray[np.float64]]]:
    """Return the kind, the begin in seconds, and the values of each observation of one lift."""
    judge, found = Judge([], 1), list[Memory]()
    judge.on_behaviour = found.append
    for part in parts:
        judge.step(part, facts_of([tower(**facts)]))
    return [
        (KINDS[one["kind"]], (one["start_ns"] - BEGIN_NS) / 1e9, one["values"][: len(EVIDENCE[KINDS[one["kind"]]])])
        for part in found
        for one in part
    ]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_behaviour_is_observed_once_with_its_evidence(story: Callable[[], Script]) -> None:
    kind, values = STORIES[story]
    (one,) = observed([batch([story().rows()])])
    assert one[0] == kind
    np.testing.assert_allclose(one[2], values, rtol=0.15, atol=0.6)


NONE = {
    "a short interruption": blocked(8.0),
    "two reversals": reversing(2),
    "four empty rides": phantom(4),
    "inspection for a moment": Script().event(mode=INSPECTION).rest(20.0).event(mode=NORMAL).rest(930.0),
    "healthy rides": healthy(3, trips=6),
}


@pytest.mark.parametrize("name", NONE)
def test_what_resembles_a_behaviour_is_not_observed(name: str) -> None:
    assert observed([batch([NONE[name].rows()])]) == []


def test_a_lift_that_parks_with_its_door_open_is_not_blocked_by_people_who_pass() -> None:
    assert observed([batch([removal().rows()])], parks_door_open=True) == []


def test_a_curtain_blocked_before_the_door_opens_blocks_no_door() -> None:
    script = Script(z_m=9.0).event(door=CLOSED, curtain=1).rest(4.0).open_door(2.0).rest(30.0).close_door().rest(3.0)
    assert observed([batch([script.rows()])]) == []


def test_a_presence_sensor_that_never_changed_shows_no_empty_running() -> None:
    script = phantom()
    script.events = [event for event in script.events if event[1:] != ("presence", 1.0)]
    assert observed([batch([script.rest(200.0).rows()])]) == []


def jumping(presence: float = 1.0, begin_s: float = 10.0, end_s: float = 18.0) -> Batch:
    script = Script().event(door=CLOSED, presence=presence, mode=NORMAL).rest(4.0).ride(27.0).rest(30.0)
    t_s = np.arange(40 * VIBRATION_HZ) / VIBRATION_HZ
    shaking = np.where((t_s >= begin_s) & (t_s < end_s), 0.6 * np.sin(2 * np.pi * 2.2 * t_s), 0.0)
    return replace(batch([script.rows()]), waveforms=waves([(0, BEGIN_NS, VIBRATION_HZ, shaking)]))


def test_jumping_is_observed_in_a_car_with_a_person() -> None:
    (one,) = observed([jumping()])
    assert one[0] == "jumping"
    assert one[1] == pytest.approx(10.0, abs=1.5)
    np.testing.assert_allclose(one[2], (8.0, 8.0, 0.42), rtol=0.3)


def test_jumping_needs_a_person_and_more_than_a_moment() -> None:
    assert observed([jumping(presence=0.0)]) == observed([jumping(end_s=12.0)]) == []


def whole_world(seed: int) -> Batch:
    """Return five lifts, each with other stories, spoiled by a bad device."""
    stories = [blocked, removal, phantom, to_and_fro, visit, overloaded, reversing, lambda: healthy(seed, trips=3)]
    rows = [stories[(seed + k) % len(stories)]().rows([0.1, 0.5][k % 2], seed, drop=0.02) for k in range(4)]
    spoilt = [spoiled(one, seed + k) if k % 2 else one for k, one in enumerate(rows)]
    shaken = [(k, BEGIN_NS, VIBRATION_HZ, np.sin(np.arange(6000) * 0.14) * (np.arange(6000) > 500)) for k in range(2)]
    return replace(batch([*spoilt, spoiled(healthy(seed, trips=4).rows(), seed)]), waveforms=waves(shaken))


@pytest.mark.parametrize("seed", range(8))
def test_behaviour_equals_plain_loops(seed: int) -> None:
    whole = whole_world(seed)
    whole = replace(whole, waveforms_due_ns=whole.waveforms.t_ns if whole.waveforms is not None else None)
    facts = facts_of([tower()] * 5)
    _, seen = tables.step(tables.start(5), whole, facts)
    _, found = table.step(table.start(5), seen.rows, seen.features, facts)
    for lift in range(5):
        ours = [
            (KINDS[one["kind"]], *(int(one[name]) for name in ("t_ns", "start_ns", "end_ns")), tuple(one["values"]))
            for one in found[found["lift"] == lift]
        ]
        plain = behaviour(seen.rows, seen.features, lift)
        assert [one[:4] for one in sorted(ours)] == [one[:4] for one in plain], f"seed {seed}, lift {lift}"
        for one, other in zip(sorted(ours), plain, strict=True):
            np.testing.assert_allclose(one[4][1 : 1 + len(other[4])], other[4], err_msg=f"seed {seed}, lift {lift}")


@pytest.mark.parametrize("seed", range(3))
def test_cuts_and_restarts_change_no_observation(seed: int) -> None:
    whole, facts = whole_world(seed), facts_of([tower()] * 5)
    together, apart = list[Memory](), list[Memory]()
    one, many = Judge([], 5), Judge([], 5)
    one.on_behaviour = together.append
    one.step(whole, facts)
    for part in cuts(whole, 5, 25):
        fresh = Judge([], 5)
        fresh.restore(many.snapshot())
        many, fresh.on_behaviour = fresh, apart.append
        many.step(part, facts)
    joined = [np.concatenate(each) for each in (together, apart)]
    order = [np.lexsort((each["kind"], each["t_ns"], each["lift"])) for each in joined]
    assert len(joined[0]) > 2
    assert joined[0][order[0]].tobytes() == joined[1][order[1]].tobytes()
    assert one.snapshot()["behaviour"].tobytes() == many.snapshot()["behaviour"].tobytes()
