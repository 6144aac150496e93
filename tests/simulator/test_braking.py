"""Emergency stops by speed, brake, wear, load and direction."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.cars import braking, drive, runaway
from simulator.faults.cause_table import NUMBER
from simulator.faults.schedule import FaultRequest
from simulator.maths.governor import grip_mps2
from simulator.maths.stopping import G_MPS2, buffer_stroke_m, imbalance_mps2
from simulator.world.world import World
from telemetry.streams import OPEN
from tests.simulator.recorded_trip import ONE, lift, standing
from tests.simulator.recorded_world import NIGHT, live, world

SET_MPS2 = 2.15


def running(sense: int, load_kg: float, torque: float = 1.0, late_s: float = 0.0, from_m: float = 40.0) -> World:
    """Return a world whose lift has run for 6 s, its chain about to open."""
    w = standing(lift())
    w.cars.cause[:], w.cars.lifts.brake_mps2[:] = NUMBER["safety-chain-glitch"], SET_MPS2
    w.cars.trajectories.z[:] = from_m
    w.cars.load_kg[:], w.cars.condition.brake_torque[:], w.cars.condition.brake_late_s[:] = load_kg, torque, late_s
    w.cars.trajectories.run_to(ONE, np.zeros(1), np.array([from_m + sense * 30.0]), drive.run_limits(w.cars, ONE))
    return w


def stopped(w: World, at_s: float = 6.0) -> tuple[float, float, float]:
    """Let the brake fall; return how long and how far the car goes on, and its steady deceleration."""
    trajectories, t = w.cars.trajectories, np.array([at_s])
    from_m = trajectories.at(ONE, t)[0][0]
    braking.apply_brake(w.cars, ONE, t)
    took_s = trajectories.end_s[0] - at_s
    hard = np.abs(trajectories.at(ONE, t + 0.9 * took_s)[2][0])
    return took_s, abs(trajectories.end_m[0] - from_m), hard


@pytest.mark.parametrize("sense", [1, -1])
@pytest.mark.parametrize("load_kg", [0.0, 500.0, 1000.0])
@pytest.mark.parametrize("torque", [1.0, 0.7, 0.4])
def test_the_deceleration_of_a_brake_depends_on_wear_load_and_direction(
    sense: int, load_kg: float, torque: float
) -> None:
    took_s, displacement_m, hard = stopped(running(sense, load_kg, torque))
    pull = float(imbalance_mps2(np.array(1000.0), np.array(load_kg)))
    assert hard == pytest.approx(SET_MPS2 * torque - sense * pull, rel=1e-6)
    assert took_s == pytest.approx(0.1 + 1.75 / hard + 0.15 / 2, abs=0.002)
    assert displacement_m == pytest.approx(1.75 * (0.1 + 0.075) + 1.75**2 / 2 / hard - hard * 0.15**2 / 24, abs=0.005)


def test_a_worn_brake_with_an_unfavourable_load_takes_the_car_past_its_landing() -> None:
    sound, worn = stopped(running(1, 0.0)), stopped(running(1, 0.0, torque=0.4))
    assert worn[0] > 4 * sound[0]
    assert worn[1] - sound[1] > 4.0, "more than a storey"
    assert stopped(running(1, 0.0, late_s=0.3))[1] - sound[1] == pytest.approx(0.3 * 1.75)


def test_the_stopping_time_of_a_healthy_brake_does_not_depend_on_wear() -> None:
    for torque, late_s in ((1.0, 0.0), (0.5, 0.2)):
        w = running(-1, 300.0, torque, late_s)
        took_s = stopped(w)[0]
        assert (took_s > w.cars.healthy_stop_s[0] - 6.0 + 0.05) == (torque < 1)
        if torque == 1:
            assert took_s == pytest.approx(w.cars.healthy_stop_s[0] - 6.0)


def test_a_car_that_a_worn_brake_does_not_stop_lands_on_the_buffers() -> None:
    down = running(-1, 1000.0, torque=0.3, from_m=9.0)
    stopped(down, 4.0)
    t = np.arange(4.0, 20.0, 0.001)
    z, v, a = (column[0] for column in down.cars.trajectories.at(ONE, t[None]))
    assert -0.18 - buffer_stroke_m(np.array([1.75]))[0] <= z.min() < -0.18
    assert a.max() > 0.5 * G_MPS2
    assert v[-1] == 0
    up = running(1, 0.0, torque=0.3, from_m=71.0)
    stopped(up, 4.0)
    z, v, a = (column[0] for column in up.cars.trajectories.at(ONE, t[None]))
    assert 80.6 < z.max() < 80.6 + 1.75**2 / 2 / G_MPS2
    assert a.min() == pytest.approx(-G_MPS2)


@pytest.mark.parametrize("sense", [1, -1])
@pytest.mark.parametrize("severity", [0.0, 1.0])
def test_a_lost_slow_down_lets_the_car_run_on_to_its_final_limit_switch(sense: int, severity: float) -> None:
    slug = {1: "top-slowdown-lost", -1: "bottom-slowdown-lost"}[sense]
    plan = [FaultRequest(f"sim-{k + 1:05d}", slug, 5.0, severity=severity) for k in range(12)]
    w = world(lifts=12, hour=NIGHT, plan=plan)
    s = live(w, 90)
    opens = sorted(label.lift for label in s.labels + w.unfinished() if label.symptom == "safety-chain-open-astray")
    assert opens == list(range(12))
    for k in range(12):
        beyond = s.z[:, k] - s.top_m[k] if sense > 0 else -s.z[:, k]
        limit = int(np.argmax(beyond > 0.10)) - 1
        share = abs(s.v[limit, k]) / s.rated_mps[k]
        assert share == pytest.approx(1.0) if severity else 0.4 < share < 0.9, k


def test_a_car_whose_brake_slips_moves_by_its_imbalance_until_it_is_gripped() -> None:
    w = world(lifts=24, hour=NIGHT)
    for k in range(24):
        w.inject(f"sim-{k + 1:05d}", "brake-failure-doors-open", 30.0)
    s = live(w, 60)
    labels = s.labels + w.unfinished()
    sheave_m = np.nanmin(np.abs(s.heights_m[None] - s.z[:, :, None]), axis=2)
    went = (sheave_m * (s.door == OPEN)).max(axis=0)
    assert (went < 1.20).all(), "EN 81-20, 5.6.7.5"
    assert len(set(went.round(3))) > 18
    assert np.ptp(went) > 0.15
    for k in range(24):
        severity = next(label.severity for label in labels if label.lift == k)
        lifts, rated_kg = w.cars.lifts, float(w.cars.lifts.rated_kg[k])
        pull = float(imbalance_mps2(np.array(rated_kg), np.array(0.0))) - 0.1 * (1 - severity) * lifts.brake_mps2[k]
        v, way, grips_s = 0.0, 0.0, np.inf
        for t in np.arange(0.0, 5.0, 0.001):
            if way > 0.20 and grips_s == np.inf:
                grips_s = t + lifts.ucm_grip_delay_s[k]
            gripped = np.clip((t - grips_s) / 0.05, 0.0, 1.0)
            a = pull - gripped * (pull + float(grip_mps2(np.ones(1), np.array([rated_kg]), np.zeros(1))[0]))
            v, way = v + a * 0.001, way + v * 0.001
            if v < 0:
                break
        assert went[k] == pytest.approx(way, abs=0.01), k


def test_a_slipping_brake_becomes_active_only_with_an_unbalanced_load() -> None:
    w = standing(lift())
    w.inject("one", "brake-failure-doors-open", 30.0)
    w.cars.load_kg[:], w.cars.severity[:] = 480.0, 0.0
    assert not runaway.brake_slips(w.cars, ONE).any(), "nearly balanced"
    w.cars.load_kg[:] = 1000.0
    assert runaway.brake_slips(w.cars, ONE).all()


def test_emergency_stops_decelerate_by_brake_load_and_direction() -> None:
    w = world(lifts=12, hour=NIGHT)
    for k in range(12):
        w.inject(f"sim-{k + 1:05d}", "safety-chain-glitch", 12.0)
    hard, expected = np.zeros(12), np.zeros(12)
    for _ in range(60):
        w.step()
        trajectories, every = w.cars.trajectories, np.arange(12)
        brake_falls = np.isfinite(w.cars.healthy_stop_s) & (hard == 0) & (trajectories.end_s < w.begin_s)
        _, v, a = trajectories.at(every, trajectories.end_s - 0.05)
        pull = imbalance_mps2(w.cars.lifts.rated_kg[every], w.cars.load_kg[every])
        set_mps2 = w.cars.lifts.brake_mps2[every]
        hard[brake_falls], expected[brake_falls] = np.abs(a)[brake_falls], (set_mps2 - np.sign(v) * pull)[brake_falls]
    assert (hard > 0).all()
    assert hard == pytest.approx(expected, rel=1e-6)
    assert hard.min() < 1.5 < hard.max(), "some sound brakes stop no harder than a drive may"
