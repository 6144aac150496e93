"""Silence while the monitor is stopped now and then: silent lifts are found, and no lift that sends is."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from registry.actor import Actor
from store.records.repository import AlertFilter
from tests.broker import Broker
from tests.ingest.running import Monitor, Voice, facts
from tests.loopback import until

SOON = "[rules.offline]\noffline_s = 24.0\nsuspect_heartbeats = 0.1\n"
"""Longer than a stall, and shorter than some of them."""
STALLS, STALLED_S, RUNS_S = 8, 11.0, 3.0
SILENT = [f"S{number}" for number in range(18)]
TALKERS = ["T0", "T1"]


def offline(monitor: Monitor) -> set[str]:
    return {one.lift_id for one in monitor.records.alerts(AlertFilter(rule=("offline",)), limit=100).items}


@pytest.mark.long
@pytest.mark.broker
def test_a_monitor_that_stands_still_now_and_then_finds_the_silent_lifts_and_no_other(
    tmp_path: Path, broker: Broker
) -> None:
    monitor = Monitor(tmp_path, broker.port, SOON)
    monitor.records.put_lifts([facts(lift) for lift in (*SILENT, *TALKERS)], Actor.named("test"), 0)
    monitor.start()
    voice, ended = Voice(broker.port), threading.Event()
    try:
        for lift in (*SILENT, *TALKERS):
            voice.publish(f"lift/v1/anji/{lift}/status", {"online": True})
        until(lambda: monitor.counts().get("messages", 0) >= 20, "all lifts")

        def talk() -> None:
            while not ended.wait(1.0):
                for lift in TALKERS:
                    voice.publish(f"lift/v1/anji/{lift}/status", {"online": True})

        talking = threading.Thread(target=talk)
        talking.start()
        for _ in range(STALLS):
            os.kill(monitor.pid, signal.SIGSTOP)
            ended.wait(STALLED_S)
            os.kill(monitor.pid, signal.SIGCONT)
            ended.wait(RUNS_S)
        until(lambda: offline(monitor) >= set(SILENT), "every silent lift")
        assert offline(monitor) == set(SILENT)
    finally:
        os.kill(monitor.pid, signal.SIGCONT)
        ended.set()
        talking.join()
        voice.close()
        monitor.stop()
