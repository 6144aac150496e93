"""Messages have the same content in every form, and a lift at rest may send fewer samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from registry.facts import LiftFacts
from simulator.buildings.fleet import fleet
from simulator.faults.schedule import FaultRequest
from simulator.terminals.messages import FORMS, SAMPLE_HZ, MessageEncoder, Packet, lifts_per_message
from simulator.terminals.terminals import Terminals
from simulator.world.world import World
from telemetry.batch import Decoded
from telemetry.streams import Entry
from telemetry.wire.decode import decode
from tests.simulator.recorded_world import START_NS

LIFTS = 45


Sent = dict[tuple[str, int], list[Packet]]


def sent_by(world: World, facts: list[LiftFacts], seconds: int, forms: Sequence[str], *idle_hz: int) -> Sent:
    """Return what the terminals of one world send, in each form and with each number of samples at rest."""
    terminals = {
        (form, hz): (Terminals(facts, START_NS, hz, apart=form == "streams"), MessageEncoder(facts, form))
        for form in forms
        for hz in idle_hz
    }
    sent: Sent = {kind: [] for kind in terminals}
    for _ in range(seconds):
        second = world.step()
        for kind, (terminal, encoder) in terminals.items():
            sent[kind] += encoder.packets(terminal.report(world, second))
    return sent


def packets(
    seconds: int = 12, forms: Sequence[str] = FORMS, idle_hz: Sequence[int] = (SAMPLE_HZ,), **more: Any
) -> Sent:
    facts = fleet(LIFTS, seed=4)
    return sent_by(World(facts, 4, START_NS, hour=8.0, lifts_per_message=20, **more), facts, seconds, forms, *idle_hz)


def decoded_of(sent: list[Packet]) -> Decoded:
    decoded = decode([Entry(k, packet.sent_ns, *packet[:2]) for k, packet in enumerate(sent, start=1)])
    assert decoded.refusals == []
    return decoded


def by_lift(decoded: Decoded) -> dict[str, list[Any]]:
    """Return every reading by lift and time: no matter how messages were put together."""
    readings: dict[str, list[Any]] = {}
    names = np.array(decoded.messages.lift_id)
    for stream, samples in decoded.samples.items():
        rows = np.lexsort((samples.t_ns, names[samples.message]))
        columns = [names[samples.message], samples.t_ns, *samples.channels.values()]
        readings[stream] = [column[rows].tolist() for column in columns]
    for stream, waves in (("vibration", decoded.waveforms), ("machine", decoded.machine)):
        blocks = np.lexsort((waves.t_ns, names[waves.message]))
        readings[stream] = [[waves.t_ns[k], waves.xyz[:, waves.first[k] : waves.first[k + 1]]] for k in blocks]
    return readings


@pytest.fixture(scope="module")
def every_form() -> dict[bool, Sent]:
    """What is sent with and without vibration, in every form and with either number of samples at rest."""
    return {
        vibration: packets(idle_hz=(1, SAMPLE_HZ), vibration=vibration, machine=("sim-00002",))
        for vibration in (False, True)
    }


@pytest.mark.parametrize("vibration", [False, True])
@pytest.mark.parametrize("idle_hz", [1, SAMPLE_HZ])
def test_every_form_has_the_same_content(vibration: bool, idle_hz: int, every_form: dict[bool, Sent]) -> None:
    one, *others = (by_lift(decoded_of(every_form[vibration][form, idle_hz])) for form in FORMS)
    assert one["machine"]
    for other in others:
        assert repr(other) == repr(one)


@pytest.mark.parametrize("form", FORMS)
def test_a_terminal_sends_no_vibration_of_a_silent_accelerometer(form: str) -> None:
    plan = [FaultRequest("sim-00003", "accelerometer-silent")]
    (sent,) = packets(seconds=3, forms=[form], vibration=True, plan=plan).values()
    decoded = decoded_of(sent)
    with_vibration = {decoded.messages.lift_id[k] for k in decoded.waveforms.message.tolist()}
    assert with_vibration == {f"sim-{k + 1:05d}" for k in range(LIFTS)} - {"sim-00003"}


@pytest.mark.parametrize("form", FORMS)
def test_packets_are_in_the_order_in_which_they_are_sent_and_counted(form: str) -> None:
    (sent,) = packets(forms=[form], faults_per_lift_hour=30.0, machine=("sim-00002",)).values()
    assert [packet.sent_ns for packet in sent] == sorted(packet.sent_ns for packet in sent)
    messages = decoded_of(sent).messages
    for lift in set(messages.lift_id):
        seq = [int(messages.seq[k]) for k, of in enumerate(messages.lift_id) if of == lift and messages.seq[k] >= 0]
        assert seq == list(range(1, len(seq) + 1))


def test_a_lift_at_rest_may_send_one_sample_a_second() -> None:
    full, sparse = map(decoded_of, packets(120, ["cbor"], (SAMPLE_HZ, 1)).values())
    assert len(sparse.samples["speed"].t_ns) < 0.7 * len(full.samples["speed"].t_ns)
    rows = set(zip(sparse.samples["speed"].message.tolist(), sparse.samples["speed"].t_ns.tolist(), strict=True))
    speed = full.samples["speed"]
    unsaid = [
        v
        for k, t_ns, v in zip(
            speed.message.tolist(), speed.t_ns.tolist(), speed.channels["v_mps"].tolist(), strict=True
        )
        if (k, t_ns) not in rows
    ]
    assert np.abs(unsaid).max() < 0.02
    for stream in ("door", "infrared", "status"):
        assert repr(dataclasses.astuple(sparse.samples[stream])) == repr(dataclasses.astuple(full.samples[stream]))


def test_an_unknown_form_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="form: 'xml' is not one of json, cbor, gateway"):
        lifts_per_message("xml")
