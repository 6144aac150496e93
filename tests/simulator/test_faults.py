"""Every cause shows its physical symptoms soon, in the noise-free state, and ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter

import numpy as np
import pytest

from simulator.cars.state import FAULT_ACTIVE, NO_FAULT, START
from simulator.faults.cause import GROWING, Cause
from simulator.faults.cause_table import BY_NUMBER, CAUSES, EFFECTS
from simulator.faults.condition import Condition
from simulator.faults.condition_changes import COLUMNS
from simulator.faults.labels import Label
from simulator.maths.stopping import buffer_stroke_m
from simulator.world.world import World
from telemetry.streams import CLOSED, CLOSING, OPEN, OPENING
from tests.simulator.recorded_world import MORNING, NIGHT, WorldRecord, beginning, live, longest_s, world

FAULTS = {slug: cause for slug, cause in CAUSES.items() if cause.kind == "fault"}

LIFTS = 12
OFF_M = 0.3
Predicate = Callable[[WorldRecord, int], bool]


def still(s: WorldRecord, k: int) -> np.ndarray:
    return s.v[:, k] == 0


def stands_off_level(s: WorldRecord, k: int, with_person: bool, at_least_s: float) -> bool:
    off = still(s, k) & (s.level_offset_m[:, k] > OFF_M) & (s.door[:, k] == CLOSED) & (s.presence[:, k] == with_person)
    return longest_s(off) >= at_least_s


def braked_mps2(s: WorldRecord, k: int) -> float:
    """Return the hardest deceleration that lasts 0.3 s."""
    slower = -np.diff(np.abs(s.v[:, k])) * 10
    return float(np.lib.stride_tricks.sliding_window_view(slower, 3).min(axis=1).max())


def built_up(s: WorldRecord, k: int) -> float:
    """Return the share of the brake's deceleration that lasts 0.3 s: a slow car stands before that."""
    return min(1.0, float(s.rated_mps[k]) / 1.0) ** 2


def cycles(s: WorldRecord, k: int, begin: int, end: int) -> int:
    """Count how often the door goes from one state to another."""
    door = s.door[:, k]
    return int(((door[:-1] == begin) & (door[1:] == end)).sum())


def trapped_level(s: WorldRecord, k: int) -> bool:
    trapped = still(s, k) & (s.level_offset_m[:, k] < 0.02) & (s.door[:, k] == CLOSED) & s.presence[:, k]
    return longest_s(trapped) > 100


def leaves_open(s: WorldRecord, k: int, far_m: float) -> bool:
    return bool((s.level_offset_m[:, k][s.door[:, k] != CLOSED] > far_m).any())


def runs_open(s: WorldRecord, k: int, v_mps: float) -> float:
    return longest_s((s.door[:, k] != CLOSED) & (np.abs(s.v[:, k]) > v_mps))


def fast_s(s: WorldRecord, k: int, ratio: float, sense: int) -> float:
    return longest_s(sense * s.v[:, k] > ratio * s.rated_mps[k])


def caught(s: WorldRecord, k: int, sense: int) -> bool:
    """Return whether the car ran away to its governor's trip and was gripped, by 0.2 to 1 g."""
    v, rated = sense * s.v[:, k], s.rated_mps[k]
    top = int(np.argmax(v))
    stops = top + int(np.argmax(v[top:] <= 0))
    trip = 1.25 * rated + 0.25 / rated if rated > 1 else 1.5
    grip_mps2 = v[top] / ((stops - top) / 10)
    return bool(0.95 * trip < v[top] < 1.01 * trip) and fast_s(s, k, 1.15, sense) > 0.3 and 1.9 < grip_mps2 < 9.9


def chain_stops(s: WorldRecord, k: int, at_least_s: float) -> bool:
    """Return whether the car, one person in it, was braked as its sense, brake and imbalance make it."""
    v = s.v[:, k]
    rests = int(np.argmax(still(s, k) & (s.level_offset_m[:, k] > OFF_M)))
    low, high = (0.8, 2.1) if v[rests - 3] > 0 else (1.7, 3.1)
    return stands_off_level(s, k, True, at_least_s) and low * built_up(s, k) < braked_mps2(s, k) < high


def overruns(s: WorldRecord, k: int) -> bool:
    """Return whether the car came to the top faster than any drive lands, and its brake, or its counterweight on its
    buffer and then gravity, stopped it."""
    beyond, v = s.z[:, k] - s.top_m[k], s.v[:, k]
    people_pass = int(np.argmax(beyond > 0))
    headroom_m = 0.60 + s.rated_mps[k] ** 2 / (2 * 9.81)
    return bool(0.3 < v[people_pass] / s.rated_mps[k] < 1.001) and 0.10 < beyond.max() < headroom_m


def bottoms(s: WorldRecord, k: int) -> bool:
    """Return whether the car came down on its buffer faster than any drive lands, and its stroke was enough."""
    beyond, v, rated = -s.z[:, k], -s.v[:, k], s.rated_mps[k]
    people_pass = int(np.argmax(beyond > 0))
    stroke_m = float(buffer_stroke_m(np.array([rated]))[0])
    return bool(0.3 < v[people_pass] / rated < 1.001) and 0.18 < beyond.max() < 0.18 + stroke_m


def springs_open(s: WorldRecord, k: int) -> bool:
    """Return whether the brake acted within three tenths of the door's contact, and the door went on to its end."""
    door, v = s.door[:, k], np.abs(s.v[:, k])
    springs = int(np.argmax((door == OPENING) & (v > 0)))
    braked = v[springs + 3] < 0.99 * v[springs - 1] and v[springs] > 0.3
    return bool(braked) and braked_mps2(s, k) > 0.8 * built_up(s, k) and OPEN in door[springs : springs + 35]


SYMPTOMS: dict[str, Predicate] = {
    "car-stalled-between-floors": lambda s, k: stands_off_level(s, k, True, 170) and braked_mps2(s, k) < 1.2,
    "power-cut": lambda s, k: chain_stops(s, k, 290),
    "safety-chain-glitch": lambda s, k: chain_stops(s, k, 8),
    "position-encoder-failed": lambda s, k: stands_off_level(s, k, False, 110) and braked_mps2(s, k) < 1.2,
    "controller-frozen-at-landing": trapped_level,
    "door-operator-dead": trapped_level,
    "alarm-button-pressed": lambda s, k: any(k in second.status for second in s.seconds[1:20]),
    "brake-failure-doors-open": lambda s, k: leaves_open(s, k, 0.2) and not leaves_open(s, k, 1.2),
    "door-lock-bridged": lambda s, k: runs_open(s, k, 0.4) > 2 and leaves_open(s, k, 1.0),
    "door-coupler-loose": springs_open,
    "speed-regulator-drift": lambda s, k: max(fast_s(s, k, 1.07, 1), fast_s(s, k, 1.07, -1)) > 3,
    "governor-overspeed": lambda s, k: caught(s, k, -1),
    "counterweight-runaway": lambda s, k: caught(s, k, 1),
    "top-slowdown-lost": overruns,
    "bottom-slowdown-lost": bottoms,
    "door-obstruction": lambda s, k: cycles(s, k, CLOSING, OPENING) >= 5,
    "door-belt-slipping": lambda s, k: longest_s(s.door[:, k] == CLOSING) > 55,
    "hall-button-stuck": lambda s, k: cycles(s, k, CLOSING, CLOSED) >= 9 and not np.abs(s.v[:900, k]).max() > 0.1,
    "door-open-button-stuck": lambda s, k: longest_s(s.door[:, k] == OPEN) > 175,
    "terminal-dead": lambda s, k: sum(bool(second.silent[k]) for second in s.seconds) in (479, 480, 481),
    "network-cut": lambda s, k: sum(bool(second.silent[k]) for second in s.seconds) in (119, 120, 121),
}


RIDES = [slug for slug, cause in FAULTS.items() if cause.effect is None]
LONGEST_S, SHORTER_S = 600.0, 200.0


ACTS = [slug for slug, cause in FAULTS.items() if cause.effect is not None]
OWN_LIFTS = [slug for slug in ACTS if not FAULTS[slug].whole_building]
BUSY = [slug for slug in FAULTS if EFFECTS.situation[BY_NUMBER.index(FAULTS[slug])]]
BUSY.sort(key=lambda slug: slug not in ("phantom-calls", "controller-hung"))  # the first lifts rest now and then


def lasts_s(slug: str) -> float:
    """Return how long a cause lasts here."""
    return min(FAULTS[slug].default_s, LONGEST_S if slug in SYMPTOMS else SHORTER_S)


def watched_s(slug: str) -> int:
    """Return the seconds in which a cause has come and gone."""
    return int(lasts_s(slug) + 3 * FAULTS[slug].onset_delay_s) + 60


def inject_all(w: World, slug: str, for_s: float, lifts: range) -> None:
    """Bring a cause upon these lifts; where it strikes whole buildings, once for each."""
    for k in lifts:
        if k not in w.cars.active_faults:
            w.inject(f"sim-{k + 1:05d}", slug, for_s)


def own(slugs: list[str], slug: str) -> range:
    """Return the lifts of a cause in a world in which each of these causes strikes `LIFTS` lifts."""
    return range(slugs.index(slug) * LIFTS, (slugs.index(slug) + 1) * LIFTS)


def shown(labels: list[Label], cause: Cause, lifts: range) -> dict[str, list[int]]:
    """Return the lifts on which each symptom of the cause is missing."""
    missing = {
        symptom: sorted(set(lifts) - {label.lift for label in labels if label.symptom == symptom})
        for symptom in cause.symptoms
    }
    return {symptom: lifts for symptom, lifts in missing.items() if lifts}


def night_of(slugs: list[str]) -> WorldRecord:
    """Live through a night in which each of these causes strikes lifts of its own, until the last is over."""
    w = world(lifts=LIFTS * len(slugs), hour=NIGHT)
    for slug in slugs:
        inject_all(w, slug, lasts_s(slug), own(slugs, slug))
    s = live(w, max(map(watched_s, slugs)))
    return replace(s, labels=s.labels + w.unfinished())


@pytest.fixture(scope="module")
def night() -> WorldRecord:
    """One night of all causes that do not strike whole buildings."""
    return night_of(OWN_LIFTS)


@pytest.mark.parametrize("slug", ACTS)
def test_a_cause_shows_its_symptoms_on_a_resting_lift_and_ends(slug: str, request: pytest.FixtureRequest) -> None:
    cause, lifts = FAULTS[slug], own(OWN_LIFTS if slug in OWN_LIFTS else [slug], slug)
    whole = request.getfixturevalue("night") if slug in OWN_LIFTS else night_of([slug])
    s = beginning(whole, watched_s(slug))
    labels = [label for label in s.labels if label.lift in lifts]
    assert {label.lift for label in labels} == set(lifts)
    assert shown(labels, cause, lifts) == {}
    assert slug not in SYMPTOMS or [k for k in lifts if not SYMPTOMS[slug](s, k)] == []
    assert np.median(list({label.lift: label.onset_s for label in labels}.values())) < cause.onset_delay_s + 4
    assert [label.end_s - label.onset_s for label in labels] == pytest.approx([lasts_s(slug)] * len(labels))
    assert cause.form == GROWING or (s.stage[-1, lifts] == NO_FAULT).all()
    assert s.level_offset_m[-1, lifts][s.v[-1, lifts] == 0].max() < 0.02


@pytest.mark.parametrize("seed", [3, pytest.param(6, marks=pytest.mark.long)])
def test_a_condition_shows_its_symptoms_in_normal_traffic(seed: int) -> None:
    impaired = RIDES * 6
    w = world(lifts=len(impaired), seed=seed, hour=MORNING, offices=1.0)
    for k, slug in enumerate(impaired):
        w.inject(f"sim-{k + 1:05d}", slug, LONGEST_S)
    ran, labels = np.zeros(len(impaired)), []
    for second in range(int(LONGEST_S) + 60):
        labels += w.step().labels
        ran += (w.cars.phase[: len(impaired)] == START) * (second > LONGEST_S / 2)
    labels += w.unfinished()
    for slug in RIDES:
        lifts = {k for k, ail in enumerate(impaired) if ail == slug and ran[k] >= 3}
        for symptom in FAULTS[slug].symptoms:
            assert lifts
            assert lifts - {label.lift for label in labels if label.symptom == symptom} == set(), (slug, symptom)
    assert {round(label.end_s - label.onset_s, 3) for label in labels} == {LONGEST_S}


def test_without_active_faults_a_condition_is_exactly_healthy() -> None:
    w = world(lifts=len(RIDES), hour=MORNING)
    for k, slug in enumerate(RIDES):
        w.inject(f"sim-{k + 1:05d}", slug, 30.0)
        w.inject(f"sim-{k + 1:05d}", RIDES[k - 1], 40.0)
    live(w, 60)
    sound = Condition(len(RIDES))
    for name in COLUMNS:
        assert np.array_equal(attrgetter(name)(w.cars.condition), attrgetter(name)(sound)), name


@pytest.fixture(scope="module")
def busy_labels() -> list[Label]:
    """The labels of one busy morning in which each cause that needs a ride strikes lifts of its own."""
    w = world(lifts=LIFTS * len(BUSY), seed=6)
    live(w, 60)
    for slug in BUSY:
        inject_all(w, slug, 60.0, own(BUSY, slug))
    return live(w, 320).labels + w.unfinished()


@pytest.mark.parametrize("slug", BUSY)
def test_a_cause_shows_its_symptoms_on_a_busy_lift(slug: str, busy_labels: list[Label]) -> None:
    lifts = set(own(BUSY, slug))
    assert {label.lift for label in busy_labels if label.cause.slug == slug} == lifts


@pytest.mark.long
def test_a_lift_serves_passengers_again_after_a_fault() -> None:
    w = world(lifts=LIFTS, seed=6, offices=1.0)
    for k, slug in enumerate(list(SYMPTOMS)[:LIFTS]):
        w.inject(f"sim-{k + 1:05d}", slug, 20.0)
    live(w, 200)
    after = live(w, 1200)
    assert (np.abs(after.v).max(axis=0) > 0.5).mean() > 0.9
    assert after.level_offset_m[after.door != CLOSED].max() < 0.04, "20 mm, and a person's step on 130 m of rope"


@pytest.mark.parametrize("for_s", [1.0, 3.0])
def test_a_fault_may_be_short(for_s: float) -> None:
    w = world(lifts=len(FAULTS), hour=NIGHT)
    for k, slug in enumerate(FAULTS):
        if k not in w.cars.active_faults:
            w.inject(f"sim-{k + 1:05d}", slug, for_s)
    s = live(w, 150)
    assert {label.lift for label in s.labels + w.unfinished()} == set(range(len(FAULTS)))
    assert (w.cars.stage == NO_FAULT).all()
    assert np.isfinite(s.z).all()
    assert s.level_offset_m[-1][s.v[-1] == 0].max() < 0.02


@pytest.mark.long
def test_random_faults_occur_at_the_given_rate() -> None:
    w = world(lifts=200, seed=6, faults_per_lift_hour=2.0)
    labels = [label for _ in range(600) for label in w.step().labels] + w.unfinished()
    assert 35 < len({(label.lift, label.number) for label in labels}) < 90
    assert len({label.cause.slug for label in labels}) > 10


def test_only_passengers_shut_in_a_car_press_the_alarm_button() -> None:
    w = world(lifts=LIFTS, hour=NIGHT)
    inject_all(w, "car-stalled-between-floors", 300.0, range(LIFTS))
    cars, shut_in_s, pressed_s = w.cars, np.zeros(LIFTS), np.zeros(LIFTS)
    first_s, labels = np.full(LIFTS, np.inf), []
    for _ in range(420):
        second = w.step()
        labels += second.labels
        alarm = cars.alarm[:LIFTS]
        assert not (alarm & ~(cars.presence & (cars.door == CLOSED))[:LIFTS]).any()
        shut_in_s += (cars.stage == FAULT_ACTIVE)[:LIFTS]
        pressed_s += alarm
        first_s = np.where(alarm, np.minimum(first_s, shut_in_s), first_s)
    assert np.isfinite(first_s).mean() > 0.9
    assert first_s.min() >= 10
    assert 20 < np.median(first_s) < 90
    assert 0.02 < pressed_s.sum() / shut_in_s.sum() < 0.15
    presses = [label for label in labels if label.symptom == "alarm-pressed"]
    assert {label.lift for label in presses} == set(np.flatnonzero(pressed_s))
    assert sum(label.symptom_end_s - label.symptom_onset_s for label in presses) == pytest.approx(
        pressed_s.sum(), rel=0.05
    )
