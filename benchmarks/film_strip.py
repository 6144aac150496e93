"""Takes the pictures of docs/rescue.md and of README.md: the rescue of the demonstration, in both languages.

Run from the root: `python -m benchmarks.film_strip`; it takes some seven minutes and needs Chromium.
"""

from __future__ import annotations

import argparse
import io
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.pipeline import free_port
from dashboards.pages.translations import catalogue
from tests.dashboards.browser_world import ARGUMENTS, CHROMIUMS

FOLDER = Path("docs/rescue")
LIFTS, HISTORY_DAYS = 12, 3
READY_WITHIN_S, STAGE_WITHIN_S = 600.0, 600.0
OPENS_MS, SETTLES_MS, DRAWN_MS = 60_000, 1000, 4000
ANSWERS_WITHIN_S = 60.0
OVERVIEW = {"fleet": "/", "lift": "/lifts/{lift_id}"}
SIZES = {"desk": (1280, 860), "phone": (390, 844)}
SHOWN_WIDTH = {"desk": 900, "phone": 300}
LOCALES = {"en": "en-GB", "zh": "zh-CN"}
QUALITY, COLOURS = 62, 256
STAGES = ("suspected", "acknowledged", "dispatched", "on-site", "released", "closed")
"""The stages that are photographed, as an incident has them in its JSON."""


@contextmanager
def demonstration() -> Iterator[str]:
    """Run the demonstration without chance faults; yield the address of its pages."""
    port, broker_port = free_port(), free_port()
    fleet = ["--lifts", str(LIFTS), "--history-days", str(HISTORY_DAYS), "--faults-per-hour", "0"]
    command = [
        sys.executable,
        "-m",
        "liftwatch",
        "demo",
        "--port",
        str(port),
        "--broker-port",
        str(broker_port),
        *fleet,
    ]
    process = subprocess.Popen(command)
    try:
        _wait(lambda: _is_up(port), READY_WITHIN_S, "the demonstration")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _is_up(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _wait(ready: Any, within_s: float, what: str) -> Any:
    end_s = time.monotonic() + within_s
    while not (found := ready()):
        if time.monotonic() > end_s:
            raise TimeoutError(f"{what} took more than {within_s:.0f} s")
        time.sleep(0.5)
    return found


class Film:
    """The open pages of one rescue, by screen and language, and of the phone of whoever is inside."""

    def __init__(self, browser: Browser, address: str, folder: Path) -> None:
        self.address, self.folder = address, folder
        self.pages: dict[tuple[str, str], Page] = {}
        for screen, (width, height) in SIZES.items():
            for language, locale in LOCALES.items():
                context = browser.new_context(
                    viewport={"width": width, "height": height}, locale=locale, has_touch=screen == "phone",
                    timezone_id="Asia/Shanghai", service_workers="block",
                )  # fmt: skip
                self.pages[screen, language] = context.new_page()

    def watch(self, path: str) -> None:
        """Open the incident on every screen."""
        for page in self.pages.values():
            page.goto(self.address + path)
            page.wait_for_selector("#link[data-link=live]", state="attached", timeout=OPENS_MS)

    def take(self, number: int, stage: str) -> None:
        """Take a picture of every screen, once it shows the stage."""
        for (screen, language), page in self.pages.items():
            shown = catalogue(language)[f"stage.{stage}"]
            page.locator(".clock .reached", has_text=shown).wait_for(state="attached", timeout=OPENS_MS)
            page.wait_for_timeout(SETTLES_MS / len(self.pages))
            self._save(page.screenshot(), f"{number}-{stage}-{screen}-{language}", SHOWN_WIDTH[screen])

    def take_public(self, number: int, stage: str, lift_id: str) -> None:
        """Take a picture of the page that whoever is inside sees."""
        for language in LOCALES:
            context = self.pages["phone", language].context
            page = context.new_page()
            page.goto(f"{self.address}/code/{lift_id}")
            self._save(page.screenshot(), f"{number}-{stage}-inside-{language}", SHOWN_WIDTH["phone"])
            page.close()

    def overview(self, lift_id: str) -> None:
        """Take the pictures of README.md: the fleet, and the lift whose rescue is filmed."""
        page = self.pages["desk", "en"].context.new_page()
        for name, path in OVERVIEW.items():
            page.goto(self.address + path.format(lift_id=lift_id))
            page.wait_for_selector("#link[data-link=live]", state="attached", timeout=OPENS_MS)
            page.wait_for_timeout(DRAWN_MS)
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
            picture.save(self.folder.parent / f"{name}.png", optimize=True)
        page.close()

    def report(self, incident_id: str) -> None:
        """Take a picture of the closing report as it prints."""
        for language in LOCALES:
            page = self.pages["desk", language]
            page.emulate_media(media="print")
            self._save(page.screenshot(full_page=True), f"7-report-{language}", SHOWN_WIDTH["desk"])
            page.emulate_media(media="screen")

    def _save(self, png: bytes, name: str, width: int) -> None:
        picture = Image.open(io.BytesIO(png)).convert("RGB")
        height = round(picture.height * width / picture.width)
        picture.resize((width, height), Image.Resampling.LANCZOS).save(
            self.folder / f"{name}.webp", quality=QUALITY, method=6
        )


def film(address: str, browser: Browser, folder: Path) -> None:
    """Follow the rescue from its opening to its closing."""
    films = Film(browser, address, folder)
    incident = _wait(lambda: _open_rescue(address), STAGE_WITHIN_S, "the opening")
    films.watch(f"/incidents/{incident['id']}")
    for number, stage in enumerate(STAGES, start=1):
        _wait(lambda stage=stage: stage in _incident(address, incident["id"])["stages"], STAGE_WITHIN_S, stage)
        films.take(number, stage)
        if stage == "on-site":
            films.overview(incident["lift_id"])
        if stage in ("dispatched", "released"):
            films.take_public(number, stage, incident["lift_id"])
    films.report(incident["id"])


def _open_rescue(address: str) -> Mapping[str, Any] | None:
    found = httpx.get(f"{address}/api/v1/incidents", params={"state": "open"}, timeout=ANSWERS_WITHIN_S).json()["items"]
    return next((each for each in found if each["may_hold_people"]), None)


def _incident(address: str, incident_id: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = httpx.get(f"{address}/api/v1/incidents/{incident_id}", timeout=ANSWERS_WITHIN_S).json()
    return found


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.film_strip", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--to", type=Path, default=FOLDER, help=f"the folder (default: {FOLDER})")
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    chromium = next((found for found in map(shutil.which, CHROMIUMS) if found), None)
    if chromium is None:
        sys.exit("no Chromium on PATH; on Debian: apt-get install chromium")
    with demonstration() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        film(address, browser, asked.to)
        browser.close()


if __name__ == "__main__":
    main()
