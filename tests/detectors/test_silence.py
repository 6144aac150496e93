"""F41: silent lifts, by arrival on the monitor's clock."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.observe.arrivals import judged_arrivals
from detectors.rule import MINOR, Finding
from detectors.rules.silence import RULE, Silence, link
from registry.maintenance import NO_WINDOWS, MaintenanceWindows
from telemetry.streams import CLOSED, INSPECTION, NEVER_SEEN, OFFLINE, ONLINE, SUSPECT
from tests.detectors.naive_silence import Lift
from tests.detectors.world import BEGIN_NS, Script, batch, facts_of, tower

SECOND_NS = 1_000_000_000


def ns(at_s: float) -> int:
    return BEGIN_NS + round(at_s * SECOND_NS)


def listening(lifts: int = 1) -> Judge:
    """Return a judge of a fleet of which every lift sent a message at the beginning."""
    judge = Judge([RULE], lifts)
    for lift in range(lifts):
        arrive(judge, lift, 0.0)
    return judge


def arrive(
    judge: Judge,
    lift: int,
    at_s: float,
    online: float = np.nan,
    heartbeat_s: float = np.nan,
    windows: MaintenanceWindows = NO_WINDOWS,
) -> list[Finding]:
    status = {"online": np.array([online]), "heartbeat_s": np.array([heartbeat_s])}
    arrived = judged_arrivals(np.array([lift], np.int32), np.array([ns(at_s)]), **status)
    return judge.step_arrivals(arrived, facts_of([None] * judge.n), windows)


def tick(
    judge: Judge, at_s: float, windows: MaintenanceWindows = NO_WINDOWS, listening_since_s: float = 0.0
) -> list[Finding]:
    return judge.tick(ns(at_s), ns(listening_since_s), facts_of([None] * judge.n), windows)


def edges(found: list[Finding]) -> list[tuple[int, str, float]]:
    """Return (lift, kind, since when the lift is or was silent, in seconds) of findings."""
    return [(f.lift, f.kind, (f.onset_ns - BEGIN_NS) / 1e9) for f in found]


def step(judge: Judge, at_s: float, listening_since_s: float = 0.0) -> list[tuple[int, str, float]]:
    return edges(tick(judge, at_s, listening_since_s=listening_since_s))


def worked_on(lifts: list[int], now_s: float) -> MaintenanceWindows:
    """Return windows of maintenance of these lifts around an instant."""
    now_ns = np.full(len(lifts), ns(now_s))
    return MaintenanceWindows(np.array(lifts, np.int32), now_ns - SECOND_NS, now_ns + SECOND_NS)


def links(judge: Judge) -> list[int]:
    return link(judge.states).tolist()


def test_a_lift_is_offline_after_six_minutes_of_silence() -> None:
    judge = listening()
    assert step(judge, 359.9) == []
    assert step(judge, 360.0) == [(0, "on", 0.0)]
    assert step(judge, 400.0) == []


def test_who_is_being_worked_on_may_be_silent_until_that_is_over() -> None:
    judge = listening(2)
    found = tick(judge, 400.0, worked_on([0], 400.0))
    assert [(f.lift, f.kind) for f in found] == [(1, "on")]
    assert step(judge, 500.0) == [(0, "on", 0.0)]


def test_a_lift_that_sends_during_maintenance_is_back() -> None:
    judge = listening()
    assert step(judge, 360.0) == [(0, "on", 0.0)]
    assert tick(judge, 370.0, worked_on([0], 370.0)) == []
    assert [f.kind for f in arrive(judge, 0, 380.0, windows=worked_on([0], 380.0))] == ["off"]
    assert links(judge) == [ONLINE]


def test_a_lift_in_inspection_may_be_silent_and_its_next_message_clears() -> None:
    judge = listening(2)
    inspected = batch([{"t_ns": np.array([ns(0.0)]), "mode": np.array([float(INSPECTION)])}])
    judge.step(inspected, facts_of([None, None]))
    assert step(judge, 400.0) == [(1, "on", 0.0)]
    judge.step(replace(inspected, lift=inspected.lift + 1), facts_of([None, None]))
    assert edges(arrive(judge, 1, 410.0)) == [(1, "off", 0.0)]


def test_it_is_suspect_after_three_heartbeats_and_that_is_no_alert() -> None:
    judge = listening()
    for at_s, expected in ((179.0, ONLINE), (180.0, SUSPECT), (360.0, OFFLINE)):
        step(judge, at_s)
        assert links(judge) == [expected]


@pytest.mark.parametrize(("heartbeat_s", "suspect_s", "offline_s"), [(10.0, 30.0, 360.0), (300.0, 900.0, 900.0)])
def test_the_limit_follows_the_heartbeat_of_the_lift(heartbeat_s: float, suspect_s: float, offline_s: float) -> None:
    judge = listening()
    arrive(judge, 0, 0.0, heartbeat_s=heartbeat_s)
    assert step(judge, suspect_s - 0.1) == []
    assert links(judge) == [ONLINE]
    step(judge, suspect_s)
    assert links(judge)[0] in (SUSPECT, OFFLINE)
    judge = listening()
    arrive(judge, 0, 0.0, heartbeat_s=heartbeat_s)
    assert step(judge, offline_s - 0.1) == []
    assert step(judge, offline_s) == [(0, "on", 0.0)]


def test_any_message_ends_it_and_it_begins_again() -> None:
    judge = listening(2)
    assert step(judge, 360.0) == [(0, "on", 0.0), (1, "on", 0.0)]
    assert edges(arrive(judge, 1, 370.0)) == [(1, "off", 0.0)]
    assert links(judge) == [OFFLINE, ONLINE]
    assert step(judge, 730.0) == [(1, "on", 370.0)]


def test_a_last_will_makes_a_lift_offline_after_a_minute() -> None:
    judge = listening()
    arrive(judge, 0, 10.0, online=0.0)
    assert step(judge, 69.9) == []
    assert links(judge) == [SUSPECT]
    assert step(judge, 70.0) == [(0, "on", 10.0)]


def test_a_lift_that_is_back_within_the_minute_was_never_away() -> None:
    judge = listening()
    arrive(judge, 0, 10.0, online=0.0)
    arrive(judge, 0, 30.0, online=1.0)
    assert step(judge, 80.0) == []
    assert links(judge) == [ONLINE]


def test_a_last_will_is_no_sign_of_life() -> None:
    judge = listening()
    arrive(judge, 0, 359.0, online=0.0)
    assert step(judge, 419.0) == [(0, "on", 359.0)]
    arrive(judge, 0, 430.0, online=0.0)
    assert step(judge, 431.0) == []


def test_a_lift_without_messages_is_never_seen_and_not_offline() -> None:
    judge = Judge([RULE], 2)
    arrive(judge, 1, 0.0)
    assert step(judge, 1e6) == [(1, "on", 0.0)]
    assert links(judge) == [NEVER_SEEN, OFFLINE]


def test_after_a_restart_the_count_begins_anew() -> None:
    before = listening()
    after = Judge([RULE], 1)
    after.restore(before.snapshot())
    after.resume_arrivals([])
    assert step(after, 7200.0 + 359.0, listening_since_s=7200.0) == []
    assert links(after) == [SUSPECT]
    assert step(after, 7200.0 + 360.0, listening_since_s=7200.0) == [(0, "on", 0.0)]


def test_a_heartbeat_outlives_a_restart() -> None:
    before = listening()
    arrive(before, 0, 0.0, heartbeat_s=300.0)
    after = Judge([RULE], 1)
    after.restore(before.snapshot())
    after.resume_arrivals([])
    assert step(after, 1000.0 + 899.0, listening_since_s=1000.0) == []
    assert len(step(after, 1000.0 + 900.0, listening_since_s=1000.0)) == 1


def test_an_alert_that_was_open_before_a_restart_ends_with_the_next_message_alone() -> None:
    judge = listening()
    judge.resume_arrivals([("offline", MINOR, 0, ns(0.0))])
    assert links(judge) == [OFFLINE]
    assert step(judge, 7201.0) == []
    assert step(judge, 9000.0) == []
    assert edges(arrive(judge, 0, 9001.0)) == [(0, "off", 0.0)]


def test_an_alert_that_was_cleared_after_the_snapshot_is_not_open_after_a_restart() -> None:
    before = listening()
    assert step(before, 360.0) == [(0, "on", 0.0)]
    after = Judge([RULE], 1)
    after.restore(before.snapshot())
    after.resume_arrivals([])
    assert arrive(after, 0, 401.0) == []
    assert step(after, 402.0) == []
    assert links(after) == [ONLINE]


def test_time_without_a_connection_is_not_silence() -> None:
    judge = listening()
    for at_s in range(300, 2000, 10):
        assert step(judge, at_s, listening_since_s=at_s) == []
    assert step(judge, 1990.0 + 359.0, listening_since_s=1990.0) == []
    assert step(judge, 1990.0 + 360.0, listening_since_s=1990.0) == [(0, "on", 0.0)]


def test_an_arrival_of_a_time_when_nobody_listened_brings_a_silent_lift_back() -> None:
    judge = listening()
    assert step(judge, 360.0) == [(0, "on", 0.0)]
    assert edges(arrive(judge, 0, 500.0)) == [(0, "off", 0.0)]
    assert step(judge, 515.0, listening_since_s=510.0) + step(judge, 525.0, listening_since_s=510.0) == []


def test_silence_does_not_depend_on_how_often_the_clock_ticks() -> None:
    for every_s in (1.0, 10.0, 45.0):
        judge = listening()
        found = [(at_s, *edge) for at_s in np.arange(0.0, 800.0, every_s).tolist() for edge in step(judge, at_s)]
        assert [one[1:] for one in found] == [(0, "on", 0.0)]
        assert 360.0 <= found[0][0] < 360.0 + every_s


def test_a_clock_that_was_set_back_an_hour_does_not_hide_silence_for_that_hour() -> None:
    judge = listening()
    arrive(judge, 0, 3600.0)
    assert step(judge, 0.0) == []
    assert step(judge, 360.0) == [(0, "on", 0.0)]


def test_room_for_new_lifts_keeps_what_is_known() -> None:
    judge = listening()
    judge.grow(3)
    assert step(judge, 360.0) == [(0, "on", 0.0)]
    assert links(judge) == [OFFLINE, NEVER_SEEN, NEVER_SEEN]


def test_the_limits_can_be_set() -> None:
    limits = Silence(offline_s=500.0, suspect_heartbeats=2.0, will_s=5.0)
    judge = Judge([replace(RULE, detector=limits)], 1)
    arrive(judge, 0, 0.0)
    assert step(judge, 499.0) == []
    assert step(judge, 500.0) == [(0, "on", 0.0)]


def test_readings_change_nothing_of_silence() -> None:
    rows = Script().event(door=CLOSED).rest(10.0).rows()
    late = {**rows, "t_ns": rows["t_ns"] + 7200 * SECOND_NS}
    judge = Judge([BY_SLUG["offline"]], 1)
    assert [judge.step(batch([part]), facts_of([tower()])) for part in (rows, late)] == [[], []]


def test_the_sentence_names_the_silence_and_its_limit() -> None:
    (finding,) = tick(listening(), 360.0)
    text = BY_SLUG["offline"].sentence["en"].format(**finding.evidence)
    assert text == "Nothing heard for 360 s, limit 360 s"


@pytest.mark.parametrize("seed", range(8))
def test_silence_is_found_as_by_a_plain_loop(seed: int) -> None:
    """Lifts that send now and then, wills, heartbeats, outages, and maintenance."""
    rng, lifts = np.random.default_rng(seed), 40
    judge, plain = Judge([RULE], lifts), [Lift() for _ in range(lifts)]
    talkative, found, expected, listening_since_s = rng.uniform(0.002, 0.2, lifts), [], [], 0.0
    for now_s in np.cumsum(rng.choice([5, 20, 50], 300)).tolist():
        for lift in np.flatnonzero(rng.random(lifts) < talkative).tolist():
            will, heartbeat_s = bool(rng.random() < 0.3), float(rng.choice([np.nan, np.nan, 10.0, 200.0]))
            at_s = now_s - 1.0
            changed = edges(arrive(judge, lift, at_s, online=0.0 if will else 1.0, heartbeat_s=heartbeat_s))
            found += [(at_s, *edge) for edge in changed]
            change = plain[lift].receive(at_s, will=will, heartbeat_s=None if np.isnan(heartbeat_s) else heartbeat_s)
            expected += [(at_s, lift, *change)] if change else []
        listening_since_s = now_s if rng.random() < 0.02 else listening_since_s
        excused = rng.random(lifts) < 0.05
        ticked = tick(judge, now_s, worked_on(np.flatnonzero(excused).tolist(), now_s), listening_since_s)
        found += [(now_s, *edge) for edge in sorted(edges(ticked))]
        for lift, one in enumerate(plain):
            change = one.tick(now_s, listening_since_s=listening_since_s, excused=bool(excused[lift]))
            expected += [(now_s, lift, *change)] if change else []
    assert found == expected
    assert {kind for _, _, kind, _ in found} == {"on", "off"}
