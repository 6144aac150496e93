"""Machine vibration: defects appear at their bearing frequencies, and a monitor may ignore the stream."""

from __future__ import annotations

import cbor2
import numpy as np
import orjson
import pytest
from scipy.signal import butter, hilbert, sosfiltfilt
from scipy.stats import kurtosis

from simulator.buildings.fleet import fleet
from simulator.maths.scurve import RunLimits
from simulator.physics.machine_vibration import MACHINE_HZ, bearing_orders
from simulator.physics.traction_sheave import sheave_travel_m
from simulator.terminals.messages import MessageEncoder
from simulator.terminals.terminals import Terminals
from simulator.world.world import World
from telemetry.streams import Entry
from telemetry.wire.decode import decode
from tests.simulator.recorded_trip import ONE, lift, standing
from tests.simulator.recorded_world import START_NS, world


def test_bearing_frequencies_are_those_of_the_notes() -> None:
    hz = {name: order * 2.79 for name, order in bearing_orders().items()}
    assert hz == pytest.approx({"BPFO": 8.9, "BPFI": 13.4, "FTF": 1.11, "BSF": 6.7}, rel=0.006)


def machine_waveform(w: World, seconds: int) -> np.ndarray:
    return np.concatenate([w.step().machine_mps2[0] for _ in range(seconds)]).astype(np.float64)


def cruise(seed: int, bearing: float, speed_mps: float = 1.75) -> tuple[World, np.ndarray, float]:
    """Return a world in full cruise, 20 s of its machine, and how often its sheave turns, Hz."""
    w = standing(lift(speed_mps, floors=31), seed=seed, machine=True)
    w.cars.condition.bearing[0] = bearing
    drive = (np.array([x]) for x in (speed_mps, 0.8, 1.0))
    w.cars.trajectories.run_to(ONE, w.begin_s, np.array([120.0]), RunLimits(*drive))
    machine_waveform(w, 5)
    return w, machine_waveform(w, 20), speed_mps / (np.pi * 0.4)


def envelope(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return frequencies and spectrum of the envelope around the housing's resonance."""
    band = sosfiltfilt(butter(4, (600, 1200), "band", fs=MACHINE_HZ, output="sos"), a)
    shape = np.abs(hilbert(band))
    spectrum = np.abs(np.fft.rfft((shape - shape.mean()) * np.hanning(len(shape))))
    return np.fft.rfftfreq(len(shape), 1 / MACHINE_HZ), spectrum


def peak_over_median(a: np.ndarray, hz: float) -> float:
    f, spectrum = envelope(a)
    near, around = np.abs(f - hz) < 0.02 * hz, (f > 0.5 * hz) & (f < 1.5 * hz)
    return float(spectrum[near].max() / np.median(spectrum[around]))


@pytest.mark.parametrize("defect", ["BPFO", "BPFI", "BSF"])
def test_a_defect_shows_in_the_envelope_within_two_percent_of_its_frequency(defect: str) -> None:
    seed = next(k for k in range(99) if standing(lift(), seed=k, machine=True)._machine_sensors.defect[0] == defect)
    _, sound, turn_hz = cruise(seed, 0.0)
    _, worn, _ = cruise(seed, 1.0)
    hz = bearing_orders()[defect] * turn_hz
    assert peak_over_median(worn, hz) > 10
    assert peak_over_median(worn, 2 * hz) > 5
    assert peak_over_median(sound, hz) < 5
    assert kurtosis(worn, fisher=False) > 5
    assert kurtosis(sound, fisher=False) < 4


def test_motors_and_gears_vibrate_at_their_orders() -> None:
    for speed, order in ((1.75, 60), (1.0, 46)):
        _, a, turn_hz = cruise(1, 0.0, speed)
        spectrum = np.abs(np.fft.rfft(a * np.hanning(len(a))))
        hz = np.fft.rfftfreq(len(a), 1 / MACHINE_HZ)[np.argmax(spectrum)]
        assert hz == pytest.approx(order * turn_hz, rel=0.01)


def loudest_hz(x: np.ndarray, hz: int) -> float:
    spectrum = np.abs(np.fft.rfft((x - x.mean()) * np.hanning(len(x)), 16 * len(x)))
    return float(np.argmax(spectrum)) / (16 * len(x)) * hz


@pytest.mark.parametrize(("slip", "spins_mps"), [(0.03, 0.0), (0.0, 0.65)])
def test_machine_vibration_and_speed_follow_one_sheave_where_ropes_slip(slip: float, spins_mps: float) -> None:
    w = standing(lift(floors=31), seed=1, machine=True)
    condition = w.cars.condition
    condition.slip[0], condition.spins_mps[0], condition.sheave[0] = slip, spins_mps, 1.0
    if slip:
        w.cars.trajectories.run_to(
            ONE, w.begin_s, np.array([120.0]), RunLimits(*(np.array([x]) for x in (1.75, 0.8, 1.0)))
        )
    seconds = [w.step() for _ in range(25)][5:]
    turn_hz = np.mean([second.v_mps[0] for second in seconds]) / (np.pi * 0.4)
    machine = np.concatenate([second.machine_mps2[0] for second in seconds])
    vertical = np.concatenate([second.vibration_mps2[0, 2] for second in seconds])
    assert turn_hz == pytest.approx((1.75 * (1 + slip) if slip else spins_mps) / (np.pi * 0.4), rel=0.002)
    assert loudest_hz(machine, MACHINE_HZ) == pytest.approx(60 * turn_hz, rel=0.003)
    assert loudest_hz(vertical, 200) == pytest.approx(turn_hz, rel=0.005)
    assert machine.std() > 0.5 * np.hypot.reduce((0.02, 0.03, 0.015)) / np.sqrt(2) * turn_hz / (1.75 / (np.pi * 0.4))


def test_a_sheave_keeps_its_angle_as_its_ropes_begin_to_slip_and_cease_to() -> None:
    w = standing(lift(floors=31), seed=1, machine=True)
    w.cars.trajectories.run_to(ONE, w.begin_s, np.array([120.0]), RunLimits(*(np.array([x]) for x in (1.75, 0.8, 1.0))))
    turned = []
    for second in range(40):
        w.cars.condition.slip[0] = 0.035 * (10 <= second < 20)
        z = w.cars.trajectories.at(ONE, w.begin_s[:, None] + np.arange(100) / 100)[0]
        turned.append(sheave_travel_m(w.cars, ONE, z)[0])
        w.step()
    assert np.abs(np.diff(np.concatenate(turned))).max() < 0.0175 * 1.0351


def test_a_standing_machine_vibrates_little() -> None:
    assert machine_waveform(standing(lift(), machine=True), 3).std() < 0.015


def test_only_selected_lifts_have_machine_waveforms_however_the_fleet_is_cut() -> None:
    facts = fleet(30, 4)
    chosen = {facts[3].lift_id, facts[17].lift_id}
    whole = World(facts, 4, START_NS, hour=8.0, machine=chosen)
    part = World(facts[10:], 4, START_NS, first=10, hour=8.0, machine=chosen)
    for _ in range(30):
        all_of_it, rest = whole.step().machine_mps2, part.step().machine_mps2
        assert set(all_of_it) == {3, 17}
        assert set(rest) == {7}
        assert np.array_equal(all_of_it[17], rest[7])
    assert world().step().machine_mps2 == {}


@pytest.mark.parametrize("form", ["json", "cbor", "gateway"])
def test_a_bundle_carries_the_machine_and_the_monitor_takes_the_rest_of_it(form: str) -> None:
    facts = fleet(20, 4)
    w = World(facts, 4, START_NS, hour=8.0, machine={facts[0].lift_id})
    terminals, encoder = Terminals(facts, START_NS), MessageEncoder(facts, form)
    for _ in range(3):
        second = w.step()
        packets = encoder.packets(terminals.report(w, second))
    read = orjson.loads if form == "json" else cbor2.loads
    kind = "gateway" if form == "gateway" else f"{facts[0].lift_id}/bundle"
    message = next(read(p.payload) for p in packets if p.topic.endswith(kind))
    bundle = message["lifts"][facts[0].lift_id] if form == "gateway" else message
    assert bundle["machine"]["dt"] == pytest.approx(1000 / MACHINE_HZ)
    carried = bundle["machine"]["a"]
    assert len(carried.value) // 4 == MACHINE_HZ if hasattr(carried, "value") else len(carried) == MACHINE_HZ
    decoded = decode([Entry(k, p.sent_ns, *p[:2]) for k, p in enumerate(packets)])
    assert not decoded.refusals
