"""A recorded message has the same content in every form."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.playback.simulation import Simulation, decoded_seconds
from simulator.scenarios.scenario import Scenario
from simulator.terminals.messages import GATEWAY_LIFTS
from simulator.terminals.replay_forms import FORMS, packets
from telemetry.batch import Decoded
from telemetry.groups import joined
from telemetry.streams import PAYLOAD_LIMIT_BYTES, Entry
from telemetry.wire.decode import decode
from tests.store.messages import sample_entries as odd_messages
from tests.telemetry.wire import assert_same

WORLD = Scenario(lifts=50, hours=0.005, hour=8.0, vibration=True, machines=(1, 2, 3))


def lived() -> Decoded:
    return joined(list(decoded_seconds(Simulation(WORLD, WORLD.start_ns))))


def again(decoded: Decoded, form: str) -> Decoded:
    """Return the decoded messages, with the position and the time of each message as they were."""
    sent = list(packets(decoded, form, 0))
    entries = [Entry(k, due.arrived_ns, *due.packet[:2], due.packet.retain) for k, due in enumerate(sent)]
    decoded_again = decode(entries)
    assert sum(due.messages for due in sent) == len(decoded.messages.seq)
    assert not decoded_again.refusals
    messages = {name: getattr(decoded.messages, name) for name in ("arrived_ns", "position", "retained_stale")}
    return replace(decoded_again, messages=replace(decoded_again.messages, **messages), refusals=decoded.refusals)


@pytest.mark.parametrize("form", FORMS)
def test_a_world_has_the_same_content_in_every_form(form: str) -> None:
    decoded = lived()
    assert_same(again(decoded, form), decoded)


@pytest.mark.parametrize("form", FORMS)
def test_unusual_messages_have_the_same_content_in_every_form(form: str) -> None:
    decoded = decode(odd_messages())
    timed = decoded.messages.timed
    same = again(decoded, form)
    assert timed.sum() == len(timed) - 1  # the last will, whose time is that of its arrival
    assert_same(same, decoded)


def test_an_envelope_holds_bundles_of_several_lifts_and_stays_within_the_limit() -> None:
    decoded = lived()
    sent = [due for due in packets(decoded, "gateway", 0) if due.packet.topic.endswith("/gateway")]
    assert max(due.messages for due in sent) == GATEWAY_LIFTS
    assert max(len(due.packet.payload) for due in sent) < PAYLOAD_LIMIT_BYTES
    assert sum(due.messages for due in sent) == decoded.messages.complete.sum()
