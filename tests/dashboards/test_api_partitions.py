"""Several monitors on one database are one fleet, and one that does not run is shown as such."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from dashboards.api.context import Settings
from dashboards.live.partitions import PartitionWatch
from registry.partition import Partition
from store.records.repository import LiveState, Records
from store.series.connect import open_timeseries
from tests.dashboards.applications import create_app
from tests.dashboards.conftest import BASE
from tests.dashboards.sample_fleet import T0_NS, table
from tests.loopback import until

SILENT_S = 2.0


def write_picture(records: Records, number: int, now_ns: int | None = None) -> None:
    """Write a picture of three lifts of a partition of two."""
    records.claim(Partition(number, 2))
    lifts = np.array([f"P{number}-{row}" for row in range(3)])
    records.put_live(table(3, lift_id=lifts).encode(), {}, time.time_ns() if now_ns is None else now_ns)


def states(client: TestClient) -> dict[str, str]:
    return {item["lift_id"]: item["state"] for item in client.get("/api/v1/lifts").json()["items"]}


@pytest.fixture(name="records")
def open_records(tmp_path: Path) -> Iterator[Records]:
    with Records.open(f"sqlite:///{tmp_path}/records.db") as opened:
        yield opened


def server(folder: Path, silent_s: float) -> TestClient:
    settings = Settings(
        open_records=lambda: Records.open(f"sqlite:///{folder}/records.db"),
        open_series=lambda: open_timeseries(folder / "series", writable=False),
        monitor_silent_s=silent_s,
    )
    return TestClient(create_app(settings), base_url=BASE)


def test_the_lifts_of_all_partitions_are_one_fleet(records: Records, tmp_path: Path) -> None:
    for number in range(2):
        write_picture(records, number)
    with server(tmp_path, math.inf) as client:
        assert states(client) == {f"P{number}-{row}": "normal" for number in range(2) for row in range(3)}
        write_picture(records, 0)  # as every second: the other half stays
        until(lambda: states(client).keys() == {f"P{n}-{row}" for n in range(2) for row in range(3)}, "the whole fleet")
        assert [(each["partition"], each["running"]) for each in client.get("/api/v1/fleet").json()["partitions"]] == [
            ("0/2", True),
            ("1/2", True),
        ]


def test_the_lifts_of_a_monitor_that_stopped_are_blind_until_it_runs_again(records: Records, tmp_path: Path) -> None:
    with server(tmp_path, SILENT_S) as client:

        def both_run() -> bool:
            for number in range(2):
                write_picture(records, number)
            return set(states(client).values()) == {"normal"} and client.get("/readyz").status_code == 200

        def one_stopped() -> bool:
            write_picture(records, 0)  # this monitor goes on
            running = [each["running"] for each in client.get("/api/v1/fleet").json()["partitions"]]
            blind = {f"P0-{n}": "normal" for n in range(3)} | {f"P1-{n}": "blind" for n in range(3)}
            return running == [True, False] and states(client) == blind

        def is_measured() -> bool:
            write_picture(records, 0)
            text = client.get("/metrics").text
            running = [f'liftwatch_partition_running{{partition="{each}/2"}}' for each in range(2)]
            return f"{running[0]} 1.0" in text and f"{running[1]} 0.0" in text

        until(both_run, "two monitors that run")
        until(one_stopped, "a partition that stopped")
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "partition 1/2 is not running, since 20" in answer.json()["detail"]
        until(is_measured, "a partition that stopped, in the metrics")
        until(both_run, "a partition that runs again")


def test_a_partition_whose_monitor_never_ran_is_named(records: Records, tmp_path: Path) -> None:
    write_picture(records, 1)
    with server(tmp_path, math.inf) as client:
        fleet = client.get("/api/v1/fleet").json()
        assert fleet["partitions"][0] == {"partition": "0/2", "running": False, "wrote": None}
        never = "the monitor of partition 0/2 is not running, and never ran: start it; its lifts are blind"
        assert never in client.get("/readyz").json()["detail"]


def picture(version: int, at_ns: int) -> LiveState:
    return LiveState("0/1", version, at_ns, b"", {})


def test_a_monitor_on_a_machine_whose_clock_is_wrong_runs() -> None:
    watch = PartitionWatch(silent_s=10)
    for second in range(30):
        (status,) = watch.look([picture(second + 1, T0_NS)], 1, now_s=1000.0 + second, now_ns=T0_NS * 2)
        assert status.is_running or second == 0
    (status,) = watch.look([picture(30, T0_NS)], 1, now_s=1040.0, now_ns=T0_NS * 2)
    assert not status.is_running


def test_a_monitor_that_stopped_before_the_server_started_is_seen_at_once() -> None:
    (status,) = PartitionWatch(silent_s=10).look([picture(1, T0_NS)], 1, now_s=5.0, now_ns=T0_NS + 11_000_000_000)
    assert not status.is_running
