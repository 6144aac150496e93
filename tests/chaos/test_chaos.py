"""Whatever is killed, stopped, filled or cut while lifts send: no reading, alert or incident is lost or made up.

Each case disturbs a running installation while a scripted fleet publishes, and compares the ledger after it. `make
chaos` runs the whole forms, marked `chaos`, and prints the ledgers; the short ones, marked `long`, are in every run.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from store.series.connect import open_timeseries
from store.series.files import FileSeries
from store.series.timeseries import TimeSeries
from tests.broker import Broker, mosquitto, shipped_broker
from tests.chaos.ledger import (
    ABREAST,
    PLAYS,
    Ledger,
    Outcome,
    Part,
    Publisher,
    Result,
    compare,
    outcome,
    recent_shift_ms,
    until_ended,
)
from tests.chaos.link import Link
from tests.chaos.sizes import sizes, whole
from tests.loopback import until
from tests.postgres import PostgresServer
from tests.small_disk import SmallDisk, mounted
from tests.store.influxd import InfluxServer
from tests.whole.installation import System

pytestmark = [pytest.mark.broker, pytest.mark.timeout(900)]

RATE_HZ = 150.0
LIFTS = 2000
SEED = 20011
Step = tuple[int, bool]
"""By how many ms a lift's clock steps, and whether for one message only."""
NO_STEP: Step = (0, False)
STEPS: tuple[Step, ...] = (
    NO_STEP,
    (295_000, False),
    (295_000, True),
    (-30_000, False),
    (-240_000, False),
    (-3_600_000, False),
    (-3_600_000, True),
)
DISK_MB = 256
SHORT_S = 3.0
SAVED_WITHIN_S = 10.0
"""The shipped configuration saves every 5 s, and saving takes a moment on a loaded machine."""


@dataclass
class Chaos:
    """A running installation and the ledger of the fleet that publishes to it."""

    system: System
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    ledger: Ledger = field(default_factory=Ledger)

    @contextmanager
    def publishing(
        self,
        parts: Sequence[Part],
        rate_hz: float = RATE_HZ,
        devices: int = ABREAST,
        at: int = 0,
        end_again: bool = False,
    ) -> Iterator[None]:
        """Publish the stories of `parts` while the body runs, and wait until all that was published is judged."""
        publisher = Publisher(at or self.system.broker.port, parts, self.ledger, rate_hz, devices)
        publisher.start()
        yield
        publisher.finish(end_again=end_again)
        until_ended(self.system, self.ledger.parts)

    def pause(self) -> None:
        """Wait a random time: a disturbance must be harmless at any moment."""
        time.sleep(self.chance.uniform(0.3, 2.0))

    def end_monitors(self, times: int, how: signal.Signals = signal.SIGKILL) -> None:
        """End the monitor and start it again, several times."""
        for _ in range(times):
            self.pause()
            self.system.end("monitor", how)
            self.system.start_monitor()

    def lock_records(self, for_s: float) -> None:
        """Hold the lock that a write of the records needs."""
        self.pause()
        with sqlite3.connect(self.system.data_dir / "records.db", timeout=60, isolation_level=None) as records:
            records.execute("BEGIN EXCLUSIVE")
            time.sleep(for_s)
            records.execute("ROLLBACK")

    def cut(self, link: Link, for_s: float) -> None:
        """Take the network between the monitor and its broker away."""
        self.pause()
        link.cut()
        time.sleep(for_s)
        link.mend()

    def fill(self, disk: SmallDisk, for_s: float) -> None:
        """Leave the monitor no room on its disk."""
        self.pause()
        disk.fill()
        time.sleep(for_s)
        disk.free()

    def begin_all(self, stories: int) -> None:
        """Wait until every story has begun."""
        until(lambda: len(self.ledger.parts) == stories, "the beginning of every story", 600.0)


def parts(prefix: str, stories: Sequence[str], shift_ms: int, steps: Sequence[Step] = (NO_STEP,)) -> list[Part]:
    """Return a lift for each story, with the steps of the clocks in turn."""
    return [Part(f"{prefix}-{k}", story, shift_ms, *steps[k % len(steps)]) for k, story in enumerate(stories)]


def tried(
    system: System,
    store: Callable[[], TimeSeries],
    disturb: Callable[[Chaos], None],
    *,
    steps: Sequence[Step] = (NO_STEP,),
    stories: int = LIFTS,
    **how: Any,
) -> Result:
    """Play every story calmly, then many while `disturb` runs; return the comparison."""
    shift_ms, names = recent_shift_ms(), list(PLAYS)
    fleet = parts("chaos", [names[k % len(names)] for k in range(stories)], shift_ms, steps)
    calm, chaos = Chaos(system), Chaos(system)
    try:
        system.register(*(part.lift_id for part in [*parts("calm", names, shift_ms), *fleet]))
        with calm.publishing(parts("calm", names, shift_ms), rate_hz=1000.0):
            pass
        with chaos.publishing(fleet, **how):
            disturb(chaos)
        undisturbed, found = outcome(system, calm.ledger.parts), outcome(system, chaos.ledger.parts)
        lift_of = {part.story: lift_id for lift_id, part in calm.ledger.parts.items()}
        expected = Outcome(
            {story: undisturbed.alerts[lift_id] for story, lift_id in lift_of.items()},
            {story: undisturbed.incidents[lift_id] for story, lift_id in lift_of.items()},
        )
    finally:
        system.stop()
    kept = store()
    result = compare(chaos.ledger, found, expected, kept)
    kept.close()
    print(f"\n{os.environ.get('PYTEST_CURRENT_TEST', '').split('::')[-1]}: {result}")  # noqa: T201
    return result


def holds(result: Result) -> None:
    """Nothing is lost, doubled or made up, and something was tried."""
    assert result.acknowledged == result.published > 0
    assert min(result.alerts, result.incidents) > 0
    assert (result.lost_readings[:3], result.lost_alerts[:3]) == ([], [])
    assert (result.doubled_alerts[:3], result.false_alerts[:3]) == ([], [])
    assert (result.lost_incidents[:3], result.doubled_incidents[:3]) == ([], [])


def files(folder: Path) -> Callable[[], FileSeries]:
    return lambda: FileSeries.open(folder / "series", writable=False)


def installation(folder: Path, **how: Any) -> System:
    return System(Broker(mosquitto(), folder), folder, **how)


@pytest.mark.long
def test_short_disturbances_one_after_the_other_lose_and_double_nothing(tmp_path: Path) -> None:
    with mounted("ext4", tmp_path, DISK_MB) as disk:
        data, broker, stories = disk.folder / "data", Broker(mosquitto(), tmp_path), len(STEPS) * len(PLAYS)
        link = Link(broker.port)

        def disturb(chaos: Chaos) -> None:
            chaos.end_monitors(2)
            chaos.lock_records(SHORT_S)
            chaos.cut(link, SHORT_S)
            chaos.fill(disk, SHORT_S)
            chaos.begin_all(stories)

        system = System(broker, tmp_path, broker_port=link.port, data_dir=data)
        holds(tried(system, files(data), disturb, steps=STEPS, stories=stories, rate_hz=200.0))


@whole(30)
def test_a_monitor_killed_while_it_works_loses_and_doubles_nothing(tmp_path: Path, size: int) -> None:
    holds(tried(installation(tmp_path), files(tmp_path), lambda chaos: chaos.end_monitors(size)))


@whole(5)
def test_a_server_killed_while_it_works_loses_nothing(tmp_path: Path, size: int) -> None:
    def kill(chaos: Chaos) -> None:
        for _ in range(size):
            chaos.pause()
            chaos.system.end("serve")
            chaos.system.start_server()

    holds(tried(installation(tmp_path), files(tmp_path), kill))


@sizes(5, 1)
def test_a_killed_broker_loses_at_most_what_it_accepted_since_its_last_save(tmp_path: Path, size: int) -> None:
    kills_s: list[float] = []
    ledgers: list[Ledger] = []

    def kill(chaos: Chaos) -> None:
        ledgers.append(chaos.ledger)
        for _ in range(size):
            time.sleep(3)
            kills_s.append(time.monotonic())
            chaos.system.broker.stop()
            chaos.pause()
            chaos.system.broker.start()

    system = System(shipped_broker(mosquitto(), tmp_path), tmp_path)
    result = tried(system, files(tmp_path), kill, end_again=True)
    for reading in result.lost_readings:
        sent_s = ledgers[0].sent_s[reading]
        assert any(0 <= killed_s - sent_s <= SAVED_WITHIN_S for killed_s in kills_s), (
            f"{reading} was not lost by the broker"
        )
    holds(replace(result, lost_readings=[]))


@whole(30)
def test_a_monitor_that_stands_still_goes_on(tmp_path: Path, size: float) -> None:
    def stop(chaos: Chaos) -> None:
        chaos.pause()
        chaos.system.processes["monitor"].send_signal(signal.SIGSTOP)
        time.sleep(size)
        chaos.system.processes["monitor"].send_signal(signal.SIGCONT)

    holds(tried(installation(tmp_path), files(tmp_path), stop))


@whole(10)
def test_a_monitor_that_is_ended_in_the_middle_of_a_batch_goes_on(tmp_path: Path, size: int) -> None:
    holds(tried(installation(tmp_path), files(tmp_path), lambda chaos: chaos.end_monitors(size, signal.SIGTERM)))


@whole(60)
def test_locked_records_delay_and_lose_nothing(tmp_path: Path, size: float) -> None:
    holds(tried(installation(tmp_path), files(tmp_path), lambda chaos: chaos.lock_records(size)))


@pytest.mark.postgres
@whole(60)
def test_a_stopped_postgresql_delays_and_loses_nothing(tmp_path: Path, size: float) -> None:
    postgres = PostgresServer()

    def stop(chaos: Chaos) -> None:
        chaos.pause()
        postgres.stop()
        time.sleep(size)
        postgres.start()

    try:
        system = installation(tmp_path, more=f"[records]\nurl = '{postgres.url}/postgres'\n")
        holds(tried(system, files(tmp_path), stop))
    finally:
        postgres.remove()


@whole(60)
def test_a_cut_network_delays_and_loses_nothing(tmp_path: Path, size: float) -> None:
    broker = Broker(mosquitto(), tmp_path)
    link = Link(broker.port)
    system = System(broker, tmp_path, broker_port=link.port)
    holds(tried(system, files(tmp_path), lambda chaos: chaos.cut(link, size)))


@whole(200)
def test_devices_that_reconnect_all_at_once_lose_nothing(tmp_path: Path, size: int) -> None:
    system = installation(tmp_path)
    link = Link(system.broker.port)

    def cut(chaos: Chaos) -> None:
        for _ in range(2):
            time.sleep(3)
            link.cut()
            chaos.pause()
            link.mend()

    holds(tried(system, files(tmp_path), cut, devices=size, at=link.port))


@whole(10)
def test_clocks_that_step_lose_no_alert(tmp_path: Path, size: int) -> None:
    stories = len(STEPS) * len(PLAYS) * size
    how = {"steps": STEPS, "stories": stories, "rate_hz": 600.0}
    holds(tried(installation(tmp_path), files(tmp_path), lambda chaos: chaos.begin_all(stories), **how))


@pytest.mark.parametrize("kind", ["tmpfs", "ext4"])
@whole(30)
def test_a_full_disk_delays_and_loses_nothing(tmp_path: Path, kind: str, size: float) -> None:
    with mounted(kind, tmp_path, DISK_MB) as disk:
        data = disk.folder / "data"
        holds(tried(installation(tmp_path, data_dir=data), files(data), lambda chaos: chaos.fill(disk, size)))


@pytest.mark.influx
@whole(300)
def test_an_influxdb_that_is_away_at_the_start_and_later_delays_and_loses_nothing(tmp_path: Path, size: float) -> None:
    server = InfluxServer(tmp_path)
    token = tmp_path / "token"
    token.write_text(server.token, encoding="utf-8")
    more = f"[timeseries]\nkind = 'influxdb'\nurl = '{server.url}'\norg = '{server.org}'\ntoken_file = '{token}'\n"

    def away(chaos: Chaos) -> None:
        chaos.pause()
        server.stop()
        chaos.system.end("monitor")
        chaos.system.start_monitor()
        time.sleep(size)
        server.start()

    try:
        holds(
            tried(
                installation(tmp_path, more=more),
                lambda: open_timeseries(server.url, token=server.token, org=server.org),
                away,
            )
        )
    finally:
        server.stop()
