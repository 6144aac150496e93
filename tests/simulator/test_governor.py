"""Runaway cars: governor, brake and safety gear act by speeds and accelerations, equal to a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.buildings.fleet import fleet
from simulator.maths.governor import (
    governor_trip_mps,
    grip_mps2,
    overspeed_stop_pieces,
    overspeed_switch_mps,
    safety_gear_mps2,
)
from simulator.maths.stopping import BRAKE_BUILD_S, G_MPS2, displacement_m, imbalance_mps2
from simulator.world.world import World
from tests.simulator.recorded_world import NIGHT, START_NS

STEP_S = 1e-4


def plain(rated: float, runs: float, braked: float, grip: float, delay_s: float) -> tuple[float, float, float]:
    """Return how long and how far a car goes on whose governor's switch opens, and its highest speed, step by step."""
    v, t, way, peak, tripped_s = 1.15 * rated, 0.0, 0.0, 0.0, np.inf
    trip = 1.25 * rated + 0.25 / rated if rated > 1 else 1.5
    while v > 0:
        a = runs + (braked - runs) * min(max((t - delay_s) / BRAKE_BUILD_S, 0.0), 1.0)
        if v >= trip and tripped_s == np.inf:
            tripped_s, before = t, a
        if tripped_s < np.inf:
            a = before - (before + grip) * min((t - tripped_s) / 0.05, 1.0)
        v, t, way = v + a * STEP_S, t + STEP_S, way + v * STEP_S
        peak = max(peak, v)
    return t, way, peak


@pytest.mark.parametrize("sense", [1, -1])
@pytest.mark.parametrize("rated", [0.63, 1.0, 1.75, 2.5, 6.0])
@pytest.mark.parametrize(
    ("runs", "braked", "delay_s"),
    [(0.58, 0.58, 0.1), (0.75, 0.3, 0.1), (0.6, -1.5, 0.1), (0.6, -0.2, 0.1), (3.0, -1.0, 0.3), (3.0, 1.0, 0.06)],
)
def test_the_stop_of_a_runaway_equals_a_plain_loop(
    sense: int, rated: float, runs: float, braked: float, delay_s: float
) -> None:
    of = (np.array([x]) for x in (sense * 1.15 * rated, rated, runs, braked, 5.0, delay_s))
    v_mps, *more = of
    pieces = overspeed_stop_pieces(v_mps, *more)
    v, peak = v_mps, np.abs(v_mps)
    for a, j, h in pieces:
        inside = np.linspace(0, h, 200)
        peak = np.maximum(peak, np.abs(v + inside * (a + inside * j / 2)).max())
        v = v + h * (a + h * j / 2)
    assert v == pytest.approx(0.0, abs=1e-9)
    took_s, way, top = plain(rated, runs, braked, 5.0, delay_s)
    assert sum(h for _, _, h in pieces) == pytest.approx(took_s, abs=0.002)
    assert sense * displacement_m(v_mps, pieces) == pytest.approx(way, rel=2e-3)
    assert peak == pytest.approx(top, abs=0.002)


def test_a_working_brake_stops_a_runaway_before_the_safety_gear_grips() -> None:
    rated = np.array([1.75])
    v, grip, delay_s = overspeed_switch_mps(rated), np.array([5.0]), np.array([0.1])
    by_brake = overspeed_stop_pieces(v, rated, np.array([0.6]), np.array([-1.6]), grip, delay_s)
    by_gear = overspeed_stop_pieces(v, rated, np.array([0.6]), np.array([0.4]), grip, delay_s)
    assert by_brake[-1][2] == 0
    assert by_gear[-1][2] > 0.3
    waits_s = sum(h for _, _, h in by_gear[:3])
    gained = (governor_trip_mps(rated) - v)[0]
    assert gained / 0.6 < waits_s < gained / 0.4


@pytest.mark.parametrize("load", [0.0, 0.5, 1.0])
def test_gripping_decelerates_a_car_by_at_most_one_g_in_both_directions(load: float) -> None:
    rated = np.array([630.0, 1000.0, 1350.0])
    for sense in (np.ones(3), -np.ones(3)):
        grip = grip_mps2(sense, rated, load * rated)
        assert ((grip >= 0.2 * G_MPS2) & (grip <= G_MPS2)).all()
    assert (grip_mps2(-np.ones(3), rated, load * rated) == safety_gear_mps2(rated, load * rated)).all()


@pytest.mark.parametrize(("cause", "sense"), [("governor-overspeed", -1), ("counterweight-runaway", 1)])
def test_the_duration_of_a_runaway_follows_from_speed_load_and_severity(cause: str, sense: int) -> None:
    facts = fleet(12, seed=3)
    w = World(facts, 3, START_NS, hour=NIGHT)
    for lift in facts:
        w.inject(lift.lift_id, cause, 60.0)
    labels = [label for _ in range(140) for label in w.step().labels] + w.unfinished()
    for k, lift in enumerate(facts):
        of = {label.symptom: label for label in labels if label.lift == k}
        rated, severity = float(lift.rated_speed_mps or 0), of["hard-stop"].severity
        pull = sense * float(imbalance_mps2(np.array(lift.rated_load_kg), np.zeros(1))[0])
        runs = pull + ((1.1 + 0.25 * severity) if sense < 0 else 0.0)
        braked = runs - (0.1 - 0.1 * severity) * float(w.cars.lifts.brake_mps2[k])
        switch_s = 0.15 * rated / runs
        trip_s = (
            switch_s + (float(governor_trip_mps(np.array(rated))) - 1.15 * rated - 0.175 * (runs - braked)) / braked
        )
        begins_s = of["hard-stop"].symptom_onset_s - of["hard-stop"].onset_s
        opened = of["safety-chain-open-astray"]
        chain_s = opened.symptom_onset_s - opened.onset_s
        assert chain_s == pytest.approx(switch_s, abs=0.11), lift.lift_id
        assert begins_s == pytest.approx(trip_s, abs=0.16), lift.lift_id
