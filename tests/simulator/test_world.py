"""A world does not depend on the range of lifts, and a healthy world behaves like lifts."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from simulator.buildings.fleet import building_of, fleet
from simulator.buildings.stop_times import DOOR_CYCLE_SD
from simulator.faults.cause_table import InvalidFaultRequest
from simulator.terminals.messages import MessageEncoder
from simulator.terminals.terminals import Terminals
from simulator.world.world import World
from telemetry.streams import CLOSED, CLOSING, OPEN, OPENING
from tests.simulator.recorded_world import START_NS, WorldRecord, car_positions, live, longest_s, world

LIFTS, SECONDS = 60, 90


Bytes = dict[str, list[bytes]]


def bytes_of(first: int, last: int, *forms: str, **more: object) -> list[Bytes]:
    """Return for each form what each topic of lifts first to last - 1 carries."""
    facts = fleet(LIFTS, seed=4)[first:last]
    w = World(facts, 4, START_NS, first=first, hour=8.0, vibration=True, faults_per_lift_hour=20.0, **more)
    terminals, encoders = Terminals(facts, START_NS), [MessageEncoder(facts, form) for form in forms]
    carried: list[Bytes] = [{} for _ in forms]
    for _ in range(SECONDS):
        reports = terminals.report(w, w.step())
        for encoder, payloads in zip(encoders, carried, strict=True):
            for packet in encoder.packets(reports):
                payloads.setdefault(packet.topic, []).append(packet.payload)
    return carried


FORMS = ("json", "cbor")
CUTS = ((0, 7), (7, 8), (8, 42), (42, LIFTS))


@pytest.fixture(scope="module")
def cuts() -> list[list[Bytes]]:
    """What one world carries in each form: the whole of it, and each of its parts, simulated anew."""
    return [bytes_of(first, last, *FORMS) for first, last in ((0, LIFTS), *CUTS)]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_seed_gives_the_same_bytes_however_the_fleet_is_cut(form: str, cuts: list[list[Bytes]]) -> None:
    whole, *parts = (one[FORMS.index(form)] for one in cuts)
    building = building_of(range(LIFTS), seed=4)
    assert any(building[first] == building[first - 1] for first, _ in CUTS[1:]), "a cut goes through a building"
    assert len(whole) == 2 * LIFTS
    assert {topic: sent for part in parts for topic, sent in part.items()} == whole


def test_gateways_send_the_same_bytes_when_the_fleet_is_cut_between_them() -> None:
    whole, begin, end = (
        bytes_of(*lifts, "gateway", lifts_per_message=20)[0] for lifts in ((0, LIFTS), (0, 20), (20, LIFTS))
    )
    parts = begin | end
    assert {topic: sent for topic, sent in parts.items() if topic.endswith("status")} == {
        topic: sent for topic, sent in whole.items() if topic.endswith("status")
    }
    inner = [sent for topic, sent in sorted(parts.items()) if topic.endswith("gateway")]
    assert inner[0] in [sent for topic, sent in whole.items() if topic.endswith("gateway")]


def test_another_seed_gives_other_samples() -> None:
    one, two = (World(fleet(5, seed), seed, START_NS, hour=8.0).step().z_m for seed in (4, 5))
    assert not np.array_equal(one, two)


@dataclasses.dataclass
class Morning:
    """A morning without faults: what the lifts did, and their world at its end."""

    story: WorldRecord
    world: World


@pytest.fixture(scope="module")
def morning() -> Morning:
    w = world(lifts=80, seed=8)
    return Morning(live(w, 900), w)


def test_healthy_lifts_move_within_their_drive_and_open_only_at_a_landing(morning: Morning) -> None:
    story = morning.story
    moving = np.abs(story.v) > 0.05
    assert moving.any(axis=0).mean() > 0.8
    assert (np.abs(story.v).max(axis=0) <= story.rated_mps * (1 + 1e-6)).all()
    acceleration = np.diff(story.v, axis=0) * 10
    assert np.abs(acceleration).max() <= 1.101
    assert np.abs(np.diff(acceleration, axis=0) * 10).max() <= 2.201
    assert np.abs(np.diff(story.z, axis=0) * 10 - (story.v[1:] + story.v[:-1]) / 2).max() < 0.01
    assert (story.door[moving] == CLOSED).all()
    sets_off = (story.door[1:] != CLOSED) & (story.door[:-1] == CLOSED)
    assert story.level_offset_m[1:][sets_off].max() < 0.016, "bias, season and scatter of a stop"
    assert story.level_offset_m[longest_rest(story.v)].max() < 0.03, (
        "20 mm that a drive bears, and the step of a person"
    )
    assert story.z.min() > -0.015
    assert (story.z.max(axis=0) < story.top_m + 0.015).all()
    assert not story.labels


def longest_rest(v: np.ndarray) -> np.ndarray:
    """Return where a car has been at rest for this sample and the two around it."""
    still = v == 0
    return np.pad(still[:-2] & still[1:-1] & still[2:], ((1, 1), (0, 0)))


def test_people_ride_in_and_out_and_an_empty_car_rests_closed(morning: Morning) -> None:
    story = morning.story
    assert story.presence.any(axis=0).mean() > 0.8
    assert (story.presence[1:] != story.presence[:-1]).sum() > 60
    for lift in range(80):
        trapped = story.presence[:, lift] & (story.v[:, lift] == 0) & (story.door[:, lift] == CLOSED)
        assert longest_s(trapped) < 3
        assert longest_s(story.door[:, lift] != CLOSED) < 60


def test_doors_go_through_their_states_in_order_and_sometimes_reverse(morning: Morning) -> None:
    story = morning.story
    pairs = set()
    for lift in range(80):
        states = [state for second in story.seconds for _, (state,) in events(second.door.of(lift))]
        pairs |= {pair for pair in pairwise(states) if pair[0] != pair[1]}
    assert pairs == {(CLOSED, OPENING), (OPENING, OPEN), (OPEN, CLOSING), (CLOSING, CLOSED), (CLOSING, OPENING)}


def events(of: tuple[list[int], list[list[int]]] | None) -> list[tuple[int, list[int]]]:
    return list(zip(*of, strict=True)) if of else []


def test_sensors_read_the_true_motion_with_little_noise() -> None:
    w = world(lifts=60, seed=8)
    level_offset_m, off_mps = [], []
    for _ in range(120):
        second, motion = w.step(), w.motion
        v = np.zeros((60, 10))
        v[motion.lift] = motion.v_mps
        level_offset_m.append((second.z_m - car_positions(w)).T)
        off_mps.append(second.v_mps.T - v.T)
    off = np.concatenate(level_offset_m)
    assert 0.0003 < off.std(axis=0).mean() < 0.0005
    assert np.abs(off.mean(axis=0)).max() < 0.002
    assert 0.003 < np.concatenate(off_mps).std() < 0.005


def test_more_people_travel_in_the_morning_than_at_night() -> None:
    night, morning = (np.abs(live(world(hour=hour), 900).v)[3000:].sum() for hour in (3.0, 8.0))
    assert morning > 3 * night


def test_vertical_vibration_contains_the_cars_own_acceleration() -> None:
    w = world(lifts=40, seed=8, vibration=True)
    rings, riding = np.empty(0), np.empty(0)
    for _ in range(120):
        second, motion = w.step(), w.motion
        assert second.vibration_mps2 is not None
        off = second.vibration_mps2[motion.lift, 2] - motion.a_mps2
        riding = np.append(riding, off.mean(axis=1) - w._vibration._bias[motion.lift, 2])
        still = np.setdiff1d(np.arange(40), motion.lift)
        rings = np.append(rings, second.vibration_mps2[still].std(axis=2))
    assert len(riding) > 200
    assert np.abs(riding).max() < 0.1
    assert np.median(rings) < 0.013


def test_a_state_is_repeated_with_every_heartbeat() -> None:
    story = live(world(lifts=20, seed=8), 121)
    reported = np.array([[second.door.of(lift) is not None for lift in range(20)] for second in story.seconds])
    assert reported[0].all()
    assert (reported[1:61].any(axis=0) & reported[61:121].any(axis=0)).all()


@pytest.mark.parametrize(
    ("lift_id", "cause", "names"), [("nobody", "power-cut", "lift_id"), ("sim-00001", "bad-luck", "cause")]
)
def test_an_impossible_fault_is_refused_by_name(lift_id: str, cause: str, names: str) -> None:
    with pytest.raises(InvalidFaultRequest, match=f"{names}: "):
        world().inject(lift_id, cause)


def test_a_lift_has_one_active_effect_at_a_time() -> None:
    w = world()
    w.inject("sim-00001", "power-cut")
    with pytest.raises(InvalidFaultRequest, match="still suffers from power-cut"):
        w.inject("sim-00001", "terminal-dead")


def test_a_second_is_not_changed_by_the_next_one() -> None:
    w = world()
    second = w.step()
    copies = {
        f.name: np.copy(getattr(second, f.name)) for f in dataclasses.fields(second) if f.name in ("z_m", "boots")
    }
    w.inject("sim-00001", "terminal-dead", 1.0)
    live(w, 5)
    assert all(np.array_equal(getattr(second, name), copy) for name, copy in copies.items())


def test_door_times_depend_on_width_and_type_and_vary(morning: Morning) -> None:
    w = morning.world
    took_ms: dict[int, list[float]] = {lift: [] for lift in range(80)}
    opens_ms: dict[int, float] = {}
    was = np.full(80, CLOSED)
    for second in morning.story.seconds:
        for lift in np.flatnonzero(np.diff(second.door.first)).tolist():
            offsets_ms, states = second.door.of(lift)
            for offset_ms, (state,) in zip(offsets_ms, states, strict=True):
                at_ms = second.t_ns[lift] / 1e6 + offset_ms
                if state == OPENING and was[lift] == CLOSED:
                    opens_ms[lift] = at_ms
                elif state == OPEN and was[lift] == OPENING and lift in opens_ms:
                    took_ms[lift].append(at_ms - opens_ms.pop(lift))
                was[lift] = state
    often = {lift: np.array(times) for lift, times in took_ms.items() if len(times) >= 10}
    assert len(often) > 10
    assert all(len(set(times)) > 0.5 * len(times) for times in often.values())
    assert np.median([times.std() / times.mean() for times in often.values()]) == pytest.approx(DOOR_CYCLE_SD, rel=0.2)
    own_s = w.cars.lifts.door_opens_s
    assert np.mean([times.mean() / own_s[lift] / 1000 for lift, times in often.items()]) == pytest.approx(1, abs=0.005)
    facts = fleet(400, seed=8)
    own_s = World(facts, 8, START_NS).cars.lifts.door_opens_s
    narrow, wide = (
        [own_s[k] for k, lift in enumerate(facts) if (lift.door_type, lift.door_width_mm) == kind]
        for kind in (("centre", 800.0), ("side", 1100.0))
    )
    assert np.mean(narrow) == pytest.approx(1.88, abs=0.04)
    assert np.mean(wide) == pytest.approx(2.71, abs=0.06)
