"""A flood of bad messages among good ones, through a real broker into the monitor's own process.

Every good one is judged and stored, every bad one is counted by its reason and kept in a bounded table, and the monitor
needs no more memory at the end than at the beginning.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import pytest

from registry.actor import Actor
from store.records.refused.dead_letters import DEAD_LETTER_LIMIT, DELETED_AT_ONCE
from store.series.connect import open_timeseries
from telemetry.instant import DAY_NS
from telemetry.streams import Entry
from telemetry.wire.decode import decode
from tests.broker import Broker
from tests.ingest.running import Monitor, facts
from tests.loopback import until
from tests.telemetry.hostile import GOOD_EVERY, LIFTS, mixed, resident_kb
from tests.telemetry.wire import T_NS
from tests.whole.installation import MqttClient

BAD, GROUP = 40_000, 2_500
GOOD = BAD // GOOD_EVERY
KEEP_ALL = "[timeseries]\nraw_days = 100000\n"
GROWTH_LIMIT_KB = 32 << 10
"""Between the first quarter, in which everything is used for the first time, and the last: 20 MB are usual, and a
hundred thousand messages more add nothing. Keeping 1 kB of each message would exceed it."""


def delivered(entry: Entry) -> bool:
    """Return whether the monitor's subscription covers a topic."""
    return entry.topic.startswith("lift/v1/")


def flood(monitor: Monitor, voice: MqttClient) -> tuple[list[Entry], list[int]]:
    """Send everything group by group; return what was delivered, and the monitor's memory after each group."""
    messages, entries, resident = mixed(Random("flood")), list[Entry](), list[int]()
    for _ in range(BAD // GROUP):
        group = list(islice(messages, GROUP + GROUP // GOOD_EVERY))
        for entry in group:
            voice.publish(entry.topic, entry.payload)
        entries += [entry._replace(arrived_ns=time.time_ns()) for entry in group if delivered(entry)]
        until(partial(_read, monitor, len(entries)), "the end of a group")
        resident.append(resident_kb(monitor.pid, "RssAnon"))  # not the journal's pages, which the kernel may keep
    return entries, resident


def _read(monitor: Monitor, messages: int) -> bool:
    return monitor.counts().get("messages") == messages


def speeds(folder: Path, lift_id: str) -> list[float]:
    """Return what is stored of a lift's speed."""
    with closing(open_timeseries(folder / "series", writable=False)) as series:
        return list(series.readings(lift_id, "speed", T_NS, T_NS + DAY_NS).channels["v"])


@pytest.mark.long
@pytest.mark.broker
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads resident memory from /proc, as on Linux")
def test_a_flood_of_bad_messages_costs_no_good_one_and_no_memory(tmp_path: Path, broker: Broker) -> None:
    monitor = Monitor(tmp_path, broker.port, KEEP_ALL)
    lifts = [f"G{number}" for number in range(LIFTS)]
    monitor.records.put_lifts([facts(lift_id, "hangzhou") for lift_id in lifts], Actor.named("test"), 0)
    voice = MqttClient(broker.port)
    try:
        entries, resident = flood(monitor.start(), voice)
        until(lambda: {lift for lift in lifts if voice.of(lift, "overspeed-up")} == set(lifts), "every alert")
        # long ones are refused in a turn of their own; a stop leaves them to the next start
        until(lambda: monitor.metric('liftwatch_monitor_lag_messages{kind="judging"') == 0, "every refusal")
    finally:
        assert monitor.stop() == 0
        voice.close()
    refused = Counter(f"refused:{refusal.reason}" for refusal in decode(entries).refusals)
    assert {name: n for name, n in monitor.counts().items() if name.startswith("refused:")} == refused
    assert refused.total() > DEAD_LETTER_LIMIT
    kept = len(monitor.records.dead_letters(limit=2 * DEAD_LETTER_LIMIT).items)
    assert DEAD_LETTER_LIMIT - DELETED_AT_ONCE <= kept <= DEAD_LETTER_LIMIT
    for number, lift_id in enumerate(lifts):
        assert speeds(tmp_path, lift_id) == np.repeat(np.arange(number, GOOD, LIFTS) % 7, 10).tolist()
    quarter = len(resident) // 4  # in the first one the buffers of the heap grow to their size
    assert max(resident[-quarter:]) < max(resident[quarter : 2 * quarter]) + GROWTH_LIMIT_KB, resident
