"""The fields of a status beside the arrays of a message of one stream."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from telemetry.streams import BATTERY
from telemetry.wire.decode import decode
from telemetry.wire.reencode import forms, reencoded
from tests.telemetry.sequences import T0_MS, batches_of, counted, entry

BODIES: dict[str, dict[str, Any]] = {
    "speed": {"v": [0.0, 0.0], "dt": 500},
    "displacement": {"z": [3.0], "dt": 500},
    "vibration": {"x": [0.0], "y": [0.0], "z": [0.0], "dt": 10},
    "machine": {"a": [0.0], "dt": 1},
    "door": {"state": ["open"], "at": [0]},
    "infrared": {"presence": [True], "curtain": [None], "at": [0]},
}


@pytest.mark.parametrize("stream", BODIES)
def test_a_field_of_a_status_beside_the_arrays_of_a_stream_is_accepted(stream: str) -> None:
    body = {"t": T0_MS, "power": "battery", "alarm": True} | BODIES[stream]
    decoded = decode([entry(1, T0_MS, 0, stream, body)])
    assert not decoded.refusals
    channels = decoded.samples["status"].channels
    assert (channels["power"].tolist(), channels["alarm"].tolist()) == ([BATTERY], [1.0])
    assert forms(decoded).tolist() == [stream]
    (again,) = reencoded(decoded)
    assert (again.body["power"], again.body["alarm"]) == ("battery", True)


def test_a_value_that_the_contract_does_not_have_is_refused_for_the_alarm_and_unknown_for_the_others() -> None:
    for field, value, refused in (("alarm", "pressed", 1), ("power", 3.2, 0), ("mode", "eco", 0)):
        body = {"t": T0_MS, "v": 0.0, field: value}
        assert len(decode([entry(1, T0_MS, 0, "speed", body)]).refusals) == refused


def test_it_sets_the_state_at_the_time_of_the_message_and_does_not_make_it_a_status() -> None:
    entries = [
        entry(k, T0_MS + 1_000 * k, 0, "speed", {"seq": k, "t": T0_MS + 1_000 * k, "v": 0.0, "power": "battery"})
        for k in range(1, 5)
    ]
    batches, sequencer = batches_of(entries)
    assert counted(sequencer) == {"received": 4}
    rows = [(v, power) for batch in batches for v, power in zip(batch.v_mps, batch.power, strict=True)]
    assert len(rows) >= 2
    np.testing.assert_array_equal(rows, [(0.0, BATTERY)] * len(rows))
