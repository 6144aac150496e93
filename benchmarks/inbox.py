"""Measures the inbox with many open incidents: its queries, its first page, a search, and a new critical incident.

Run from the root: `python -m benchmarks.inbox [--incidents 10000]`; it needs Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect, sync_playwright

from alerts.book import Occurrence
from dashboards.api.context import Settings
from detectors.catalogue import BY_SLUG
from detectors.rule import CRITICAL, MAJOR, MINOR, Finding
from registry.actor import Actor
from registry.lift_facts import LiftFacts
from tests.dashboards.browser_world import ARGUMENTS, CHROMIUMS, fill, served
from tests.dashboards.sample_fleet import T0_NS

S_NS = 1_000_000_000
AT_ONCE, TIMES, CRITICAL_EACH = 1000, 9, 10
BY = Actor.named("benchmark")
QUERIES = {"by urgency": {}, "a text": {"q": "green lake lift 77"}, "an organisation": {"organisation": "swift 7"}}


def fill_incidents(settings: Settings, count: int) -> None:
    """Open an incident of each of so many lifts; one of ten is critical, and somebody may be inside."""
    button, stop = BY_SLUG["alarm-button"], BY_SLUG["stop-outside-zone"]
    with settings.open_records() as records:
        records.put_lifts([_facts(number) for number in range(count)], by=BY, now_ns=T0_NS)
        for first in range(0, count, AT_ONCE):
            found = []
            for number in range(first, min(first + AT_ONCE, count)):
                is_critical, at_ns = number % CRITICAL_EACH == 0, T0_NS + number * S_NS
                rule = button if is_critical else stop
                severity = CRITICAL if is_critical else MINOR if number % 3 else MAJOR
                finding = Finding(0, rule.slug, "on", severity, at_ns, at_ns, is_critical, {})
                found.append(Occurrence(f"m{number:05}", "d1", finding, rule, at_ns))
            records.judge(position=10 + first, occurrences=found, now_ns=T0_NS + first * S_NS)


def _facts(number: int) -> LiftFacts:
    name, firm = f"翠湖天地{number}号梯 · Green Lake Lift {number}", f"迅达{number % 40} · Swift {number % 40}"
    address = f"湖滨路{number % 700}号 · Lakeside Road {number % 700}"
    return LiftFacts(f"m{number:05}", "d1", name=name, address=address, maintenance_firm=firm)


def ask(address: str) -> None:
    """Print how long the list and the counts take, by what is asked."""
    for name, query in QUERIES.items():
        for path, more in (("", {"sort": "urgency", "limit": "200"}), ("/counts", {})):
            url, asked = f"{address}/api/v1/incidents{path}", {"state": "open"} | more | query
            took = [_took_s(lambda: httpx.get(url, params=asked, timeout=60).raise_for_status()) for _ in range(TIMES)]  # noqa: B023
            print(f"{'counts' if path else 'list of 200'}, {name}: {1000 * statistics.median(took):.0f} ms")


def look(page: Page, address: str, settings: Settings) -> None:
    """Print how long the page takes."""
    lines, headline = page.locator("#list a b"), page.locator("#headline")

    def opened() -> None:
        page.goto(f"{address}/incidents")
        expect(lines.first).to_be_visible()

    def searched() -> None:
        page.locator("[name=q]").fill("green lake lift 77")
        expect(headline).to_contain_text("match the filters")
        expect(lines.first).to_contain_text("Lift 77")

    def cleared() -> None:
        page.locator("#clear").click()
        expect(headline).to_contain_text("are open")

    def called() -> None:
        with settings.open_records() as records:
            records.report_by_call("L006", "entrapment", None, BY, time.time_ns())
        expect(lines.first).to_contain_text("L006")

    for name, step in (("first page", opened), ("search", searched), ("filters cleared", cleared)):
        print(f"{name}: {_took_s(step):.2f} s ({headline.inner_text()})")
    print(f"a new critical incident on top: {_took_s(called):.2f} s")


def _took_s(act: Callable[[], object]) -> float:
    begun_s = time.perf_counter()
    act()
    return time.perf_counter() - begun_s


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inbox", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--incidents", type=int, default=10_000)
    count = parser.parse_args().incidents
    chromium = next((found for found in map(shutil.which, CHROMIUMS) if found), None)
    if chromium is None:
        sys.exit("no Chromium on PATH; on Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        settings = fill(Path(folder), 12)
        fill_incidents(settings, count)
        with served(settings) as address:
            ask(address)
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            look(browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-GB"), address, settings)
            browser.close()


if __name__ == "__main__":
    main()
