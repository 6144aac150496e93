"""The demonstration as a person runs it: every part a process of its own, on free ports, ended by one Ctrl-C.

How long a fault took to be noticed is read off the alert itself: `onset` is the lift's clock, `noticed` the monitor's,
and both are this machine's. It is no less than the hold time; how much more hangs on what else the machine does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from commands.demonstration.people import NUMBERS
from tests.dashboards.browser_world import looking, open_browser  # noqa: F401
from tests.loopback import PATIENCE_S, accepts, free_port, until
from tests.processes import start_process
from tests.whole.installation import MqttClient

AS_IT_IS = ("-m", "liftwatch")
WITHOUT_MOSQUITTO = """
import os, signal, sys
import liftwatch
from commands import demo
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell's script starts what it puts into the background
os.environ["PATH"] = demo.MOSQUITTO_PATH = ""
sys.exit(liftwatch.main(sys.argv[1:]))
"""
LIFTS, HISTORY_DAYS = 6, 2
BY_COMMAND = {
    "sim-00001": ("alarm-button-pressed", {"alarm-button": 0.0}),
    "sim-00002": ("top-slowdown-lost", {"overtravel-top": 0.3}),
}
BY_PAGE = ("sim-00003", "car-stalled-between-floors", {"stop-outside-zone": 15.0, "entrapment-off-level": 30.0})
QUIET = ("--history-days", str(HISTORY_DAYS), "--no-rescue")
RESCUE_MINUTES = 1.25
READY_WITHIN_S, HISTORY_WITHIN_S = 60.0, 180.0
"""From the start of the processes; the history is made before."""
ON_ITS_PAGE = "Entrapment off level"
HAPPENS_WITHIN_S = 90.0
"""A fault waits for its moment (a ride with a person in the car); then its hold time runs."""


class Demo:
    """A demonstration that runs."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, port: int, broker_port: int) -> None:
        self.process, self.folder, self.port, self.broker_port = process, folder, port, broker_port
        self.address = f"http://127.0.0.1:{port}"
        self.ready_s = 0.0

    def log(self) -> str:
        return (self.folder / "demo.log").read_text(encoding="utf-8")

    def get(self, path: str, **query: str) -> Any:
        return httpx.get(self.address + path, params=query, trust_env=False, timeout=60).json()["items"]

    def living(self) -> int:
        """Return how many lifts are neither offline nor never seen, and have a position."""
        lifts = self.get("/api/v1/lifts")
        return sum(lift["position_m"] is not None and lift["state"] not in ("never-seen", "offline") for lift in lifts)

    def end(self, by: signal.Signals = signal.SIGINT) -> None:
        """Send the demonstration a signal, as a person does; none of its processes may be left."""
        self.process.send_signal(by)
        assert self.process.wait(PATIENCE_S) == 0, self.log()
        assert "ended." in self.log()
        assert not accepts(self.port)
        assert not accepts(self.broker_port)


@contextmanager
def shown(folder: Path, lifts: int, start: tuple[str, str] = AS_IT_IS, more: Sequence[str] = QUIET) -> Iterator[Demo]:
    """Start a demonstration and wait for its address."""
    port, broker_port = free_port(), free_port()
    ports = ["--port", str(port), "--broker-port", str(broker_port)]
    command = [sys.executable, *start, "demo", *ports, "--lifts", str(lifts), "--data", str(folder / "data")]
    command += more
    with (folder / "demo.log").open("wb") as out:
        process = start_process([*command, "--faults-per-hour", "0"], ended_by="TERM", stdout=out, stderr=out)
    demo = Demo(process, folder, port, broker_port)
    try:
        until(lambda: "starting" in demo.log() or process.poll() is not None, "the history", HISTORY_WITHIN_S)
        begun_s = time.monotonic()
        until(lambda: "Liftwatch is at" in demo.log() or process.poll() is not None, "the demonstration")
        demo.ready_s = time.monotonic() - begun_s
        assert process.poll() is None, demo.log()
        yield demo
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def quiet_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demonstration for several tests, which ends as it must."""
    with shown(tmp_path_factory.mktemp("quiet"), LIFTS) as demo:
        until(lambda: demo.living() == LIFTS, "a living fleet")
        yield demo
        demo.end()


def seconds(alert: dict[str, Any]) -> float:
    """Return how long after its onset an alert was noticed."""
    onset, noticed = (datetime.fromisoformat(alert[name]) for name in ("onset", "noticed"))
    return (noticed - onset).total_seconds()


@pytest.mark.long
@pytest.mark.browser
def test_a_fault_from_the_page_or_the_command_line_is_an_alert_once_its_hold_time_is_over(
    quiet_demo: Demo, browser: Browser
) -> None:
    demo = quiet_demo
    lift_id, cause, expected = BY_PAGE
    promised = {(lift_id, rule): hold_s for rule, hold_s in expected.items()}
    with looking(browser, demo.address) as watched:
        voice = MqttClient(demo.broker_port)
        page = watched.open(f"/lifts/{lift_id}")
        page.locator("#fault select[name=cause]").select_option(cause)
        page.locator("#fault button").click()
        expect(page.locator("#fault .answer")).not_to_be_empty()
        config = str(demo.folder / "data" / "liftwatch.toml")
        assert f"--config {config} inject" in demo.log()
        for lift_id, (slug, rules) in BY_COMMAND.items():
            command = [sys.executable, "-m", "liftwatch", "--config", config, "inject", lift_id, slug]
            assert f"requested for {lift_id}: {slug}" in subprocess.check_output(command, text=True)
            promised |= {(lift_id, rule): hold_s for rule, hold_s in rules.items()}
        for key in promised:
            until(lambda key=key: bool(voice.of(*key)), f"an alert {key}", HAPPENS_WITHIN_S)
        expect(page.locator("#open")).to_contain_text(ON_ITS_PAGE)
        alerts = {key: voice.of(*key)[0] for key in promised}
        for key, hold_s in promised.items():
            assert seconds(alerts[key]) >= hold_s, key
            (kept,) = demo.get("/api/v1/alerts", lift_id=key[0], rule=key[1])
            assert all(kept[name] == alerts[key][name] for name in ("id", "onset", "noticed"))
        voice.close()


def part(demo: Demo, name: str) -> int:
    """Return the process of a part of the demonstration."""
    config = str(demo.folder / "data" / "liftwatch.toml")
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended as we looked
            arguments = place.read_bytes().decode(errors="replace").split("\0")
            if config in arguments and name in arguments:
                return int(place.parent.name)
    raise AssertionError(f"no {name} is running")


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="finds a process by /proc, as on Linux")
def test_a_part_that_dies_is_started_again(quiet_demo: Demo) -> None:
    demo = quiet_demo
    os.kill(part(demo, "monitor"), signal.SIGKILL)
    os.kill(part(demo, "serve"), signal.SIGKILL)
    for name in ("monitor", "dashboards"):
        until(lambda name=name: f"{name} ended (-9)" in demo.log(), f"the end of {name}")
    until(lambda: accepts(demo.port), "the pages")
    until(lambda: demo.living() == LIFTS, "a living fleet")


@pytest.mark.long
@pytest.mark.browser
def test_a_visitor_finds_a_history_people_on_duty_and_a_rescue_to_watch(tmp_path: Path, browser: Browser) -> None:
    with shown(tmp_path, LIFTS, more=("--rescue-minutes", str(RESCUE_MINUTES))) as demo:
        assert demo.ready_s < READY_WITHIN_S
        assert [each["stage"] for each in demo.get("/api/v1/incidents", state="open")] == ["acknowledged", "confirmed"]
        past = [datetime.now(UTC) - timedelta(days=days) for days in (30, 28)]
        assert demo.get("/api/v1/incidents", state="closed", to=(past[0] + timedelta(days=15)).isoformat())
        first_days = {"from": past[0].isoformat(), "to": past[1].isoformat()}
        assert demo.get("/api/v1/lifts/sim-00001/trips", **first_days), "rides of a month ago"
        rosters = demo.get("/api/v1/rosters")
        assert rosters, "firms have rosters"
        assert all(roster["now"]["people"] for roster in rosters)
        with looking(browser, demo.address) as watched:
            page = watched.open("/")
            expect(page.locator("#rescue")).to_be_visible(timeout=1000 * HAPPENS_WITHIN_S)
            page.locator("#rescue a").click()
            expect(page.locator("h2.sentence").first).to_be_visible()
            lift_id = f"sim-{1 + LIFTS // 2:05}"
            (played,) = demo.get("/api/v1/incidents", lift_id=lift_id, state="open")
            assert page.url.endswith(f"/incidents/{played['id']}")

        def is_closed() -> bool:
            return bool([one for one in demo.get("/api/v1/incidents", state="closed") if one["id"] == played["id"]])

        until(is_closed, "the end of the rescue", 60 * RESCUE_MINUTES + HAPPENS_WITHIN_S)
        (played,) = [one for one in demo.get("/api/v1/incidents", state="closed") if one["id"] == played["id"]]
        stages = ["suspected", "notified", "acknowledged", "dispatched", "on-site", "released", "closed"]
        assert sorted(played["stages"], key=played["stages"].get) == stages
        assert (played["kind"], played["reason"], played["owner"] in NUMBERS) == ("entrapment", "released", True)
        took = datetime.fromisoformat(played["stages"]["closed"]) - datetime.fromisoformat(played["opened"])
        assert took < timedelta(minutes=RESCUE_MINUTES) + timedelta(seconds=HAPPENS_WITHIN_S)
        messages = (tmp_path / "data" / "telephones.log").read_text(encoding="utf-8")
        assert lift_id in messages, "the people on duty had a message"
        demo.end()


@pytest.mark.long
def test_without_a_mosquitto_it_lives_by_a_broker_of_its_own_until_its_terminal_is_closed(tmp_path: Path) -> None:
    with shown(tmp_path, 2, ("-c", WITHOUT_MOSQUITTO)) as demo:
        until(lambda: demo.living() == 2, "two living lifts")
        body = {"cause": "alarm-button-pressed", "for_s": 10}
        asked = httpx.post(f"{demo.address}/api/v1/sim/sim-00001/fault", json=body, trust_env=False, timeout=60)
        assert asked.status_code == 202, asked.text
        until(lambda: bool(demo.get("/api/v1/alerts", rule="alarm-button")), "the alert", HAPPENS_WITHIN_S)
        demo.process.send_signal(signal.SIGHUP)
        until(lambda: "ending" in demo.log() or demo.process.poll() is not None, "the end")
        demo.end()  # an interrupt while it ends changes nothing
