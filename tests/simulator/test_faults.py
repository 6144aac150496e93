"""Every cause brings about its physical symptom, soon, in the noise-free state, and passes by itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from simulator.cars import SOUND
from simulator.causes import BY_NUMBER, CAUSES, EFFECTS
from telemetry.streams import CLOSED, CLOSING, OPEN, OPENING
from tests.simulator.story import NIGHT, Story, live, longest_s, world

LIFTS = 12
OFF_M = 0.3
Sees = Callable[[Story, int], bool]


def still(s: Story, k: int) -> np.ndarray:
    return s.v[:, k] == 0


def stands_off_level(s: Story, k: int, with_person: bool, at_least_s: float) -> bool:
    off = still(s, k) & (s.off_m[:, k] > OFF_M) & (s.door[:, k] == CLOSED) & (s.presence[:, k] == with_person)
    return longest_s(off) >= at_least_s


def braked_mps2(s: Story, k: int) -> float:
    """Return the hardest deceleration that lasts 0.3 s."""
    slower = -np.diff(np.abs(s.v[:, k])) * 10
    return float(np.lib.stride_tricks.sliding_window_view(slower, 3).min(axis=1).max())


def cycles(s: Story, k: int, begin: int, end: int) -> int:
    """Count how often the door goes from one state to another."""
    door = s.door[:, k]
    return int(((door[:-1] == begin) & (door[1:] == end)).sum())


def trapped_level(s: Story, k: int) -> bool:
    trapped = still(s, k) & (s.off_m[:, k] < 0.02) & (s.door[:, k] == CLOSED) & s.presence[:, k]
    return longest_s(trapped) > 100


def leaves_open(s: Story, k: int, far_m: float) -> bool:
    return bool((s.off_m[:, k][s.door[:, k] != CLOSED] > far_m).any())


def runs_open(s: Story, k: int, v_mps: float) -> float:
    return longest_s((s.door[:, k] != CLOSED) & (np.abs(s.v[:, k]) > v_mps))


def fast_s(s: Story, k: int, ratio: float, sense: int) -> float:
    return longest_s(sense * s.v[:, k] > ratio * s.rated_mps[k])


SYMPTOMS: dict[str, Sees] = {
    "car-stalled-between-floors": lambda s, k: stands_off_level(s, k, True, 170) and braked_mps2(s, k) < 1.2,
    "power-cut": lambda s, k: stands_off_level(s, k, True, 290) and braked_mps2(s, k) > 1.9,
    "safety-chain-glitch": lambda s, k: stands_off_level(s, k, True, 8) and braked_mps2(s, k) > 1.9,
    "position-encoder-failed": lambda s, k: stands_off_level(s, k, False, 110) and braked_mps2(s, k) < 1.2,
    "controller-frozen-at-landing": trapped_level,
    "door-operator-dead": trapped_level,
    "alarm-button-pressed": lambda s, k: any(k in second.status for second in s.seconds[1:20]),
    "brake-failure-doors-open": lambda s, k: leaves_open(s, k, 0.9) and not leaves_open(s, k, 1.2),
    "door-lock-bridged": lambda s, k: runs_open(s, k, 0.5) > 2 and leaves_open(s, k, 1.0),
    "door-coupler-loose": lambda s, k: runs_open(s, k, 0.5) > 1 and braked_mps2(s, k) > 1.9,
    "speed-regulator-drift": lambda s, k: max(fast_s(s, k, 1.07, 1), fast_s(s, k, 1.07, -1)) > 3,
    "governor-overspeed": lambda s, k: fast_s(s, k, 1.2, -1) > 1 and braked_mps2(s, k) > 3,
    "counterweight-runaway": lambda s, k: fast_s(s, k, 1.2, 1) > 2,
    "top-slowdown-lost": lambda s, k: 0.2 < s.z[:, k].max() - s.top_m[k] < 0.5,
    "bottom-slowdown-lost": lambda s, k: 0.2 < -s.z[:, k].min() < 0.5,
    "door-obstruction": lambda s, k: cycles(s, k, CLOSING, OPENING) >= 5,
    "door-belt-slipping": lambda s, k: longest_s(s.door[:, k] == CLOSING) > 55,
    "hall-button-stuck": lambda s, k: cycles(s, k, CLOSING, CLOSED) >= 9 and not np.abs(s.v[:900, k]).max() > 0.1,
    "door-open-button-stuck": lambda s, k: longest_s(s.door[:, k] == OPEN) > 175,
    "terminal-dead": lambda s, k: sum(bool(second.silent[k]) for second in s.seconds) in (479, 480, 481),
    "network-cut": lambda s, k: sum(bool(second.silent[k]) for second in s.seconds) in (119, 120, 121),
}


def test_every_cause_has_a_symptom_to_look_for() -> None:
    assert set(SYMPTOMS) == set(CAUSES)


@pytest.mark.parametrize("slug", CAUSES)
def test_a_cause_shows_itself_on_a_resting_lift_and_passes(slug: str) -> None:
    cause = CAUSES[slug]
    w = world(lifts=LIFTS, hour=NIGHT)
    for k in range(LIFTS):
        w.inject(f"sim-{k + 1:05d}", slug)
    s = live(w, int(cause.default_s + 3 * cause.soon_s) + 60)
    assert {label.lift for label in s.labels} == set(range(LIFTS))
    assert [k for k in range(LIFTS) if not SYMPTOMS[slug](s, k)] == []
    waits_s = [label.onset_s - label.injected_s for label in s.labels]
    assert np.median(waits_s) < cause.soon_s + 8
    assert [label.end_s - label.onset_s for label in s.labels] == pytest.approx([cause.default_s] * LIFTS)
    assert (w.cars.stage == SOUND).all()
    assert s.off_m[-1][s.v[-1] == 0].max() < 0.03


@pytest.mark.parametrize("slug", [slug for slug in CAUSES if EFFECTS.needs[BY_NUMBER.index(CAUSES[slug])]])
def test_a_cause_shows_itself_on_a_busy_lift_too(slug: str) -> None:
    w = world(lifts=LIFTS, seed=6)
    live(w, 60)
    for k in range(LIFTS):
        w.inject(f"sim-{k + 1:05d}", slug)
    w_labels = live(w, 240).labels
    assert len({label.lift for label in w_labels}) == LIFTS


def test_a_lift_that_had_a_fault_serves_people_again() -> None:
    w = world(lifts=LIFTS, seed=6)
    for k, slug in enumerate(list(CAUSES)[:LIFTS]):
        w.inject(f"sim-{k + 1:05d}", slug, 20.0)
    live(w, 200)
    after = live(w, 900)
    assert (np.abs(after.v).max(axis=0) > 0.5).mean() > 0.9
    assert after.off_m[after.door != CLOSED].max() < 0.03


@pytest.mark.parametrize("for_s", [1.0, 3.0])
def test_a_fault_may_be_short(for_s: float) -> None:
    w = world(lifts=len(CAUSES), hour=NIGHT)
    for k, slug in enumerate(CAUSES):
        w.inject(f"sim-{k + 1:05d}", slug, for_s)
    s = live(w, 150)
    assert len(s.labels) == len(CAUSES)
    assert (w.cars.stage == SOUND).all()
    assert np.isfinite(s.z).all()
    assert s.off_m[-1][s.v[-1] == 0].max() < 0.03


def test_chance_breaks_lifts_down_at_the_rate_it_is_given() -> None:
    w = world(lifts=200, seed=6, faults_per_lift_hour=2.0)
    labels = [label for _ in range(600) for label in w.step().labels]
    assert 35 < len(labels) < 90
    assert len({label.cause.slug for label in labels}) > 10
