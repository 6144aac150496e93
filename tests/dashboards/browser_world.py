"""A sample fleet in 2001 in real stores, served on a loopback port, and a browser to open the pages.

Three lifts have open alerts, one is silent, one is blind, one is in maintenance, one has names that contain markup; the
others are normal.
"""

from __future__ import annotations

import math
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from alerts.book import Occurrence
from dashboards.api.context import Settings
from dashboards.app import server
from detectors.catalogue import BY_SLUG
from detectors.rule import CRITICAL, MINOR, Finding
from registry.actor import Actor
from store.records.repository import Records
from store.series.connect import open_timeseries
from store.series.timeseries import Points
from telemetry.streams import CLOSED, CLOSING, OPEN, OPENING, SUSPECT
from tests.dashboards.applications import accept_fault, create_app
from tests.dashboards.sample_fleet import T0_NS, facts, table

S_NS = 1_000_000_000
HOSTILE = "<img src=x onerror=\"document.title='owned'\">{{7*7}}"
WINDOW = "from=2001-09-09T01:41:40.000Z&to=2001-09-09T01:47:40.000Z"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--disable-background-networking",
    "--no-first-run",
]  # fmt: skip
REMARKS = ("[.WebGL", "Service Worker registration blocked by Playwright")
"""What the driver says of screenshots, and Playwright of the service worker."""
WAIT_MS = 60_000
expect.set_options(timeout=WAIT_MS)


def fill(folder: Path, count: int) -> Settings:
    """Write a fleet of `count` lifts with readings and alerts into `folder`; return the settings that serve it."""
    url, series = f"sqlite:///{folder}/records.db", folder / "series"
    with Records.open(url) as records:
        lifts = [
            facts(f"L{row:03}", timezone="Asia/Hong_Kong", emergency_phone="+852 2345 6789") for row in range(count)
        ]
        lifts[3] = replace(lifts[3], name=HOSTILE, address=HOSTILE, maintenance_firm=HOSTILE)
        lifts[4] = replace(lifts[4], name="翠湖天地3号梯 · Green Lake Terrace, Lift 3")
        lifts[5] = replace(lifts[5], floors=(), rated_speed_mps=None)
        records.put_lifts(lifts, by=Actor.named("test"), now_ns=T0_NS)
        write_live(records, count)
        now_ns = time.time_ns()  # what people do is done by the wall clock
        records.set_maintenance(
            "L007", now_ns + 7 * 3600 * S_NS, Actor.named("Mei"), now_ns, "Ropes are changed; car at the top"
        )
        fire(records, "L001", 1, CRITICAL, speed_mps=2.11, limit_mps=2.01)
        fire(records, "L003", 2, MINOR, speed_mps=1.87, limit_mps=1.84)
        fire(records, "L002", 3, MINOR, speed_mps=1.86, limit_mps=1.84)
    with closing(open_timeseries(series)) as store:
        store.write(readings())
    return Settings(
        open_records=lambda: Records.open(url),
        open_series=lambda: open_timeseries(series, writable=False),
        demo=True,
        monitor_silent_s=math.inf,
        causes=("car-stalled-between-floors", "power-cut"),
        inject=accept_fault,
    )


def write_live(records: Records, count: int, **columns: Any) -> None:
    """Write the fleet's latest state as the monitor does; the last lift is silent, L008 is received and not judged."""
    link, blind = np.zeros(count, dtype=np.int8), np.full(count, "", dtype="U16")
    link[-1] = SUSPECT
    blind[8:9] = "clock-behind"
    trips = np.where(np.arange(count) % 5, T0_NS - 90 * S_NS, 0)
    made = {"link": link, "last_trip_ns": trips, "blind": blind, "blind_since_ns": np.where(blind != "", T0_NS, 0)}
    records.put_live(table(count, **made | columns).encode(), {}, T0_NS)


def fire(records: Records, lift_id: str, position: int, severity: int, **evidence: float) -> str:
    """Raise an overspeed alert as the monitor does; return its id."""
    rule, at_ns = BY_SLUG["overspeed"], T0_NS - 60 * S_NS + position
    finding = Finding(0, rule.slug, "on", severity, at_ns, at_ns, severity == CRITICAL, evidence)
    judged = records.judge(
        position=position, occurrences=[Occurrence(lift_id, "d1", finding, rule, T0_NS)], now_ns=T0_NS
    )
    return judged[0].alert.id


def readings() -> list[Points]:
    """Return five minutes of lift L001: it runs, stands, and is silent for a minute in between."""
    t_s = np.r_[0:120:0.1, 180:300:0.1]
    phase = t_s % 30
    v = np.where(phase < 6, 1.5, np.where((phase > 15) & (phase < 21), -1.5, 0.0))
    z = np.where(phase < 6, 1.5 * phase, np.where(phase < 15, 9.0, np.where(phase < 21, 9.0 - 1.5 * (phase - 15), 0.0)))
    door_s = np.arange(0.0, 300.0, 15.0)[:, None] + np.array([6.5, 8.5, 12.0, 14.5])
    state = np.tile([OPENING, OPEN, CLOSING, CLOSED], len(door_s)).astype(float)
    person_s = np.arange(0.0, 300.0, 30.0)[:, None] + np.array([0.0, 9.0])
    vibration = {f"{what}_{axis}": np.full(len(t_s[::10]), level) for axis in "xyz" for what, level in LEVELS.items()}
    return [
        points("speed", t_s, v=v),
        points("displacement", t_s, z=z),
        points("vibration", t_s[::10], **vibration),
        points("door", door_s.ravel(), state=state),
        points(
            "infrared", person_s.ravel(), presence=np.tile([1.0, 0.0], len(person_s)), curtain=np.zeros(person_s.size)
        ),
    ]


LEVELS = {"rms": 0.02, "min": -0.05, "max": 0.05, "mean": 0.0}


def points(measurement: str, t_s: Any, **fields: Any) -> Points:
    """Return rows of lift L001 that begin five minutes before T0."""
    t_ns = T0_NS - 300 * S_NS + (t_s * S_NS).astype(np.int64)
    return Points(measurement, np.zeros(len(t_s), dtype=np.int32), ["L001"], ["d1"], t_ns, fields)


@contextmanager
def served(settings: Settings, port: int = 0, prepare: Callable[[FastAPI], None] = lambda _: None) -> Iterator[str]:
    """Serve in a thread; yield the address. `prepare` changes the application before."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        app = create_app(settings)
        prepare(app)
        running = server(app)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            running.should_exit = True
            thread.join()


@pytest.fixture(name="browser", scope="module")
def open_browser() -> Iterator[Browser]:
    """A Chromium of this machine, with a profile of its own."""
    path = next((found for found in map(shutil.which, CHROMIUMS) if found), None)
    if path is None:
        pytest.skip(f"no Chromium on PATH (looked for {', '.join(CHROMIUMS)}); on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


class Watched:
    """A page, and what it did that it should not have done."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.address, self.page, self.complaints = address, context.new_page(), list[str]()
        self.requests: list[Any] = []
        self.page.on(
            "console",
            lambda logged: (
                logged.type in ("error", "warning")
                and not logged.text.startswith(REMARKS)
                and self.complaints.append(logged.text)
            ),
        )
        self.page.on("pageerror", lambda error: self.complaints.append(f"{error}\n{error.stack}"))
        self.page.on("request", lambda request: self.requests.append(request))

    def open(self, path: str) -> Page:
        """Go to a path and wait until the page is live (those that are)."""
        self.page.goto(self.address + path)
        if self.page.locator("#link").count():
            self.page.wait_for_selector("#link[data-link=live]")
        return self.page

    def weight_bytes(self) -> int:
        """Return what was transferred, but for streams that go on."""
        done = [request for request in self.requests if "/api/v1/live" not in request.url]
        return sum(size["responseBodySize"] + size["responseHeadersSize"] for size in (one.sizes() for one in done))


@contextmanager
def looking(
    browser: Browser,
    address: str,
    *,
    width: int = 1440,
    language: str = "en",
    theme: str = "light",
    is_installed: bool = False,
) -> Iterator[Watched]:
    """Open a fresh profile; the test fails where the page complained or asked elsewhere.

    The service worker runs only with `is_installed`: it would hide requests from the other tests.
    """
    context = browser.new_context(
        viewport={"width": width, "height": 900 if width > 600 else 844},
        locale={"en": "en-GB", "zh": "zh-CN"}[language],
        color_scheme="dark" if theme == "dark" else "light",
        has_touch=width < 600,
        service_workers="allow" if is_installed else "block",
    )
    context.set_default_timeout(WAIT_MS)
    watched = Watched(context, address)
    try:
        yield watched
        assert not watched.complaints, watched.complaints
        foreign = [one.url for one in watched.requests if not one.url.startswith((address, "data:"))]
        assert not foreign, foreign
    finally:
        context.close()
