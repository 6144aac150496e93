"""Columns made without encoding equal those of the monitor's decoder."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from simulator.buildings.fleet import fleet
from simulator.terminals.decoded_columns import ColumnEncoder
from simulator.terminals.messages import MessageEncoder
from simulator.terminals.terminals import Terminals
from simulator.world.world import World
from telemetry.streams import Entry
from telemetry.wire.decode import decode
from tests.simulator.recorded_world import START_NS

LIFTS, SECONDS = 30, 90


def same(one: Any, other: Any) -> bool:
    if dataclasses.is_dataclass(one):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(one))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return bool(one == other)


@pytest.mark.parametrize(("idle_hz", "wave_hz"), [(10, 0), (1, 100), (10, 400)])
def test_columns_equal_those_of_the_decoder(idle_hz: int, wave_hz: int) -> None:
    facts = fleet(LIFTS, seed=4)
    waves: dict[str, Any] = {"vibration": True, "wave_hz": wave_hz} if wave_hz else {}
    machines = {facts[3].lift_id, facts[17].lift_id}
    world = World(facts, 4, START_NS, hour=8.0, **waves, faults_per_lift_hour=30.0, barometers=0.3, machine=machines)
    terminals, encoder, direct, position = (
        Terminals(facts, START_NS, idle_hz),
        MessageEncoder(facts, "cbor"),
        ColumnEncoder(facts),
        1,
    )
    for _ in range(SECONDS):
        reports = terminals.report(world, world.step())
        if not world.seconds % 7:  # a terminal of which a stream is missing
            reports.streams[world.seconds % LIFTS : world.seconds % LIFTS + 3, world.seconds % 5] = False
        sent = encoder.packets(reports)
        decoded = decode([Entry(k, packet.sent_ns, *packet[:2]) for k, packet in enumerate(sent, start=position)])
        position += len(sent)
        assert same(direct.decoded(reports), decoded)
