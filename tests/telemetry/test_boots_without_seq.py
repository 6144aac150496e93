"""A device that numbers no message restarts with another `boot`."""

from __future__ import annotations

from typing import Any

import numpy as np

from telemetry.batch import Batch
from telemetry.streams import Entry
from tests.telemetry.sequences import T0_MS, batches_of, counted, entry


def sent(position: int, second: int, stream: str, boot: str | None = None, **body: Any) -> Entry:
    """Return a message that arrives as it is sent, in the order of `position`."""
    head = {} if boot is None else {"boot": boot}
    return entry(position, T0_MS + 1_000 * position, 0, stream, {"t": T0_MS + 1_000 * second, **head, **body})


def reboots(batches: list[Batch]) -> float:
    return float(sum(np.nansum(batch.reboot) for batch in batches))


def test_another_boot_is_a_restarted_device_also_without_seq() -> None:
    for stream, body in (("speed", {"v": 0.0}), ("door", {"state": "open"}), ("status", {"power": "mains"})):
        first, last = sent(1, 1, "speed", "a", v=0.0), sent(3, 9, "speed", "b", v=0.0)
        batches, sequencer = batches_of([first, sent(2, 2, stream, "b", **body), last])
        assert counted(sequencer) == {"received": 3, "restarts": 1}
        assert reboots(batches) == 1.0


def test_a_boot_that_was_sent_first_or_is_left_out_is_no_restart() -> None:
    entries = [sent(1, 1, "speed", v=0.0), sent(2, 2, "speed", "a", v=0.0), sent(3, 3, "speed", v=0.0)]
    batches, sequencer = batches_of([*entries, sent(4, 4, "speed", "a", v=0.0)])
    assert (reboots(batches), counted(sequencer)) == (0.0, {"received": 4})


def test_history_of_the_boot_before_is_no_restart() -> None:
    entries = [sent(1, 1, "bundle", "a", speed={"v": 0.0}), sent(2, 9, "bundle", "b", speed={"v": 0.0})]
    entries += [sent(3, 2, "door", "a", state="open"), sent(4, 10, "bundle", "b", speed={"v": 0.0})]
    _, sequencer = batches_of(entries)
    assert counted(sequencer)["restarts"] == 1


def test_the_last_will_of_the_boot_before_is_no_restart() -> None:
    entries = [sent(1, 1, "speed", "a", v=0.0), sent(2, 2, "speed", "b", v=0.0)]
    will = entry(3, T0_MS + 2_500, 0, "status", {"boot": "a", "online": False})
    _, sequencer = batches_of([*entries, will, sent(4, 4, "speed", "b", v=0.0)])
    assert counted(sequencer) == {"received": 4, "restarts": 1}
