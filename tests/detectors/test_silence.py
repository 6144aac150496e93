"""F41: who has fallen silent, by arrival on the monitor's clock."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rules.silence import ByArrival, Silence
from telemetry.streams import CLOSED, HEARD, NEVER_SEEN, OFFLINE, SUSPECT
from tests.detectors.naive_silence import Lift
from tests.detectors.world import BEGIN_NS, Script, batch, facts_of, tower

SECOND_NS = 1_000_000_000


def listening(lifts: int = 1) -> Silence:
    """Return a fleet of which every lift spoke at the beginning."""
    silence = Silence()
    silence.grow(lifts)
    for lift in range(lifts):
        says(silence, lift, 0.0)
    return silence


def says(silence: Silence, lift: int, at_s: float, online: float = np.nan, heartbeat_s: float = np.nan) -> None:
    at_ns = BEGIN_NS + round(at_s * SECOND_NS)
    silence.hear(np.array([lift], np.int32), np.array([at_ns]), np.array([online]), np.array([heartbeat_s]))


def step(silence: Silence, at_s: float, draining: bool = False) -> list[tuple[int, str, float]]:
    """Return (lift, kind, onset in seconds) of what is found at an instant."""
    found = silence.step(BEGIN_NS + round(at_s * SECOND_NS), draining=draining)
    return [(f.lift, f.kind, (f.onset_ns - BEGIN_NS) / 1e9) for f in found]


def test_a_lift_is_offline_after_six_minutes_of_silence() -> None:
    silence = listening()
    assert step(silence, 359.9) == []
    assert step(silence, 360.0) == [(0, "on", 0.0)]
    assert step(silence, 400.0) == []


def test_who_is_being_worked_on_may_be_silent_until_that_is_over() -> None:
    silence, worked_on = listening(2), np.array([True, False])
    found = silence.step(BEGIN_NS + 400 * SECOND_NS, excused=worked_on)
    assert [(f.lift, f.kind) for f in found] == [(1, "on")]
    assert step(silence, 500.0) == [(0, "on", 0.0)]


def test_it_is_suspect_after_three_heartbeats_and_that_is_no_alert() -> None:
    silence = listening()
    for at_s, link in ((179.0, HEARD), (180.0, SUSPECT), (360.0, OFFLINE)):
        step(silence, at_s)
        assert silence.link().tolist() == [link]


@pytest.mark.parametrize(("heartbeat_s", "suspect_s", "offline_s"), [(10.0, 30.0, 360.0), (300.0, 900.0, 900.0)])
def test_the_lift_says_its_own_heartbeat(heartbeat_s: float, suspect_s: float, offline_s: float) -> None:
    silence = listening()
    says(silence, 0, 0.0, heartbeat_s=heartbeat_s)
    assert step(silence, suspect_s - 0.1) == []
    assert silence.link().tolist() == [HEARD]
    step(silence, suspect_s)
    assert silence.link()[0] in (SUSPECT, OFFLINE)
    silence = listening()
    says(silence, 0, 0.0, heartbeat_s=heartbeat_s)
    assert step(silence, offline_s - 0.1) == []
    assert step(silence, offline_s) == [(0, "on", 0.0)]


def test_any_message_ends_it_and_it_begins_again() -> None:
    silence = listening(2)
    assert step(silence, 360.0) == [(0, "on", 0.0), (1, "on", 0.0)]
    says(silence, 1, 370.0)
    assert step(silence, 371.0) == [(1, "off", 370.0)]
    assert silence.link().tolist() == [OFFLINE, HEARD]
    assert step(silence, 730.0) == [(1, "on", 370.0)]


def test_a_last_will_makes_a_lift_offline_after_a_minute() -> None:
    silence = listening()
    says(silence, 0, 10.0, online=0.0)
    assert step(silence, 69.9) == []
    assert silence.link().tolist() == [SUSPECT]
    assert step(silence, 70.0) == [(0, "on", 10.0)]


def test_a_lift_that_is_back_within_the_minute_was_never_away() -> None:
    silence = listening()
    says(silence, 0, 10.0, online=0.0)
    says(silence, 0, 30.0, online=1.0)
    assert step(silence, 80.0) == []
    assert silence.link().tolist() == [HEARD]


def test_a_last_will_is_no_sign_of_life() -> None:
    silence = listening()
    says(silence, 0, 359.0, online=0.0)
    assert step(silence, 419.0) == [(0, "on", 359.0)]
    says(silence, 0, 430.0, online=0.0)
    assert step(silence, 431.0) == []


def test_a_lift_never_heard_is_never_seen_and_not_offline() -> None:
    silence = Silence()
    silence.grow(2)
    says(silence, 1, 0.0)
    assert step(silence, 1e6) == [(1, "on", 0.0)]
    assert silence.link().tolist() == [NEVER_SEEN, OFFLINE]


def test_after_a_restart_the_count_begins_anew() -> None:
    before = listening()
    after = Silence()
    after.grow(1)
    after.restore(before.snapshot())
    after.restart(BEGIN_NS + 7200 * SECOND_NS)
    assert step(after, 7200.0 + 359.0) == []
    assert after.link().tolist() == [SUSPECT]
    assert step(after, 7200.0 + 360.0) == [(0, "on", 0.0)]


def test_a_heartbeat_outlives_a_restart() -> None:
    before = listening()
    says(before, 0, 0.0, heartbeat_s=300.0)
    after = Silence()
    after.grow(1)
    after.restore(before.snapshot())
    after.restart(BEGIN_NS + 1000 * SECOND_NS)
    assert step(after, 1000.0 + 899.0) == []
    assert len(step(after, 1000.0 + 900.0)) == 1


def test_an_alert_that_was_open_before_a_restart_ends_with_the_next_message_alone() -> None:
    silence = listening()
    silence.restart(BEGIN_NS + 7200 * SECOND_NS)
    silence.reopen(0)
    assert step(silence, 7201.0) == []
    assert step(silence, 9000.0) == []
    says(silence, 0, 9001.0)
    assert step(silence, 9002.0) == [(0, "off", 9001.0)]


def test_while_a_backlog_drains_nobody_falls_silent() -> None:
    silence = listening()
    for at_s in range(300, 2000, 10):
        assert step(silence, at_s, draining=True) == []
    assert step(silence, 1990.0 + 359.0) == []
    assert step(silence, 1990.0 + 360.0) == [(0, "on", 0.0)]


def test_a_message_of_the_backlog_brings_a_silent_lift_back() -> None:
    silence = listening()
    assert step(silence, 360.0) == [(0, "on", 0.0)]
    says(silence, 0, 500.0)
    found = step(silence, 505.0, draining=True) + step(silence, 515.0, draining=True) + step(silence, 525.0)
    assert found == [(0, "off", 500.0)]


def test_room_for_new_lifts_keeps_what_is_known() -> None:
    silence = listening()
    silence.grow(3)
    silence.grow(1)
    assert step(silence, 360.0) == [(0, "on", 0.0)]
    assert silence.link().tolist() == [OFFLINE, NEVER_SEEN, NEVER_SEEN]


def test_the_limits_can_be_set() -> None:
    silence = Silence(ByArrival(offline_s=500.0, suspect_heartbeats=2.0, will_s=5.0))
    silence.grow(1)
    says(silence, 0, 0.0)
    assert step(silence, 499.0) == []
    assert step(silence, 500.0) == [(0, "on", 0.0)]


def test_readings_say_nothing_of_silence() -> None:
    rows = Script().say(door=CLOSED).rest(10.0).rows()
    late = {**rows, "t_ns": rows["t_ns"] + 7200 * SECOND_NS}
    judge = Judge([BY_SLUG["offline"]], 1)
    assert [judge.step(batch([part]), facts_of([tower()])) for part in (rows, late)] == [[], []]


def test_the_sentence_names_the_silence_and_its_limit() -> None:
    (finding,) = listening().step(BEGIN_NS + 360 * SECOND_NS)
    text = BY_SLUG["offline"].sentence["en"].format(**finding.evidence)
    assert text == "Nothing heard for 360 s, limit 360 s"


@pytest.mark.parametrize("seed", range(8))
def test_it_says_what_a_plain_loop_says(seed: int) -> None:
    """Lifts that speak now and then, wills, heartbeats, backlogs, and people who work on them."""
    rng, lifts = np.random.default_rng(seed), 40
    silence, plain = Silence(), [Lift() for _ in range(lifts)]
    silence.grow(lifts)
    talkative, found, expected = rng.uniform(0.002, 0.2, lifts), [], []
    for now_s in np.cumsum(rng.choice([5, 20, 50], 300)).tolist():
        for lift in np.flatnonzero(rng.random(lifts) < talkative).tolist():
            will, told = bool(rng.random() < 0.3), float(rng.choice([np.nan, np.nan, 10.0, 200.0]))
            at_s = now_s - 1.0
            says(silence, lift, at_s, online=0.0 if will else 1.0, heartbeat_s=told)
            plain[lift].hear(at_s, will=will, heartbeat_s=None if np.isnan(told) else told)
        draining, excused = bool(rng.random() < 0.02), rng.random(lifts) < 0.05
        heard = silence.step(BEGIN_NS + now_s * SECOND_NS, draining=draining, excused=excused)
        found += sorted((now_s, f.lift, f.kind, (f.onset_ns - BEGIN_NS) / 1e9) for f in heard)
        for lift, one in enumerate(plain):
            said = one.look(now_s, draining=draining, excused=bool(excused[lift]))
            expected += [(now_s, lift, *said)] if said else []
    assert found == expected
    assert {kind for _, _, kind, _ in found} == {"on", "off"}
