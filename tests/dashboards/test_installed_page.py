"""The installed page in a real browser: the offline page with the age of its snapshot, and what signing out removes."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, expect

from dashboards.api.context import Settings
from registry.actor import Actor
from tests.dashboards.browser_world import (
    Watched,
    fill,
    looking,
    open_browser,  # noqa: F401
    served,
)
from tests.dashboards.identity.accounts import PASSWORD, Accounts
from tests.loopback import until

BY = Actor.named("Ann")
SNAPSHOTS = """async () => {
    if (!await caches.has('snapshot')) return [];
    return (await (await caches.open('snapshot')).keys()).map((request) => new URL(request.url).pathname).sort();
}"""


def kept(page: Page) -> list[str]:
    """Return the paths of the kept answers."""
    paths: list[str] = page.evaluate(SNAPSHOTS)
    return paths


def test_the_worker_is_versioned_by_what_it_keeps_and_asks_for_no_account(client: TestClient) -> None:
    worker = client.get("/service-worker.js")
    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.text.startswith('const VERSION = "')
    manifest = client.get("/static/manifest.json").json()
    for icon in manifest["icons"]:
        assert client.get(icon["src"]).headers["content-type"] == icon["type"]
    assert 'data-account=""' in client.get("/offline").text


@pytest.fixture(name="fleet")
def small_fleet(tmp_path: Path) -> Settings:
    """A fleet of twelve with an incident that was reported by telephone."""
    made = fill(tmp_path, 12)
    with made.open_records() as records:
        records.report_by_call("L006", "entrapment", None, BY, time.time_ns())
    return made


@pytest.mark.browser
@pytest.mark.parametrize(("width", "language"), [(1440, "en"), (390, "zh")])
def test_without_a_connection_a_page_says_how_old_is_what_it_shows(
    browser: Browser, fleet: Settings, width: int, language: str
) -> None:
    with looking(browser, "", width=width, language=language, is_installed=True) as watched:
        with served(fleet) as address:
            watched.address = address
            page = watched.open("/")
            page.evaluate("navigator.serviceWorker.ready")
            page.wait_for_function("() => navigator.serviceWorker.controller !== null")
            watched.open("/")
            watched.open("/incidents")
            until(lambda: kept(page) == ["/api/v1/fleet", "/api/v1/incidents", "/api/v1/lifts"], "the snapshot")
            until(lambda: f'data-language="{language}"' in page.evaluate(OFFLINE_TEXT), "the offline page")
        page.goto(f"{address}/lifts/L001")
        expect(page.locator("h1")).to_have_text({"en": "No connection to the server", "zh": "无法连接服务器"}[language])
        expect(page.locator("#age")).to_contain_text(
            {"en": "s ago. What happened since is not shown", "zh": "此后的情况未显示"}[language]
        )
        first = page.locator("#age").text_content()
        expect(page.locator("#age")).not_to_have_text(first or "")
        expect(page.locator("#kept li").first).to_contain_text({"en": "Lift L006", "zh": "L006"}[language])
        expect(page.locator("#kept")).to_contain_text({"en": "12 lifts then", "zh": "当时共 12 部电梯"}[language])
        lifts = {"en": "Critical 2 · Minor 2", "zh": "危急 2 · 一般 2"}[language]
        expect(page.locator("#kept")).to_contain_text(lifts)  # the one that was reported has no alert
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        watched.complaints.clear()  # the browser itself notes what it could not load
        watched.requests.clear()


OFFLINE_TEXT = """async () => {
    const name = (await caches.keys()).find((each) => each.startsWith('shell-'));
    return name ? await (await (await caches.open(name)).match('/offline', { ignoreVary: true })).text() : '';
}"""


def installed(watched: Watched, path: str) -> Page:
    """Open a page and wait until the service worker controls it."""
    page = watched.open(path)
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    return watched.open(path)


@pytest.mark.browser
def test_signing_out_removes_what_is_kept(browser: Browser, fleet: Settings) -> None:
    settings = replace(fleet, demo=False)
    with settings.open_records() as records, served(settings) as address:
        Accounts(records)
        with looking(browser, address, is_installed=True) as watched:
            page = watched.page
            page.goto(f"{address}/incidents")
            page.locator("input[name=login]").fill("viewer")
            page.locator("input[name=password]").fill(PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_url("**/incidents**")
            installed(watched, "/incidents")
            until(lambda: "/api/v1/incidents" in kept(page), "the snapshot")
            page.goto(f"{address}/account")
            page.locator("form[action='/sign-out'] button").first.click()
            page.wait_for_url("**/sign-in")
            until(lambda: kept(page) == [], "the removal")
            watched.complaints.clear()


MESSAGE = {
    "title": "Somebody may be trapped", "body": "between floors 3 and 4", "tag": "incident-7", "severity": "critical",
    "language": "en", "links": [
        {"label": "Open", "url": "/incidents"}, {"label": "Acknowledge", "url": "/answer/one"},
        {"label": "Elsewhere", "url": "https://elsewhere.example/"},
    ],
}  # fmt: skip
SHOWN = """async () => (await (await navigator.serviceWorker.ready).getNotifications()).map((one) => ({
    title: one.title, body: one.body, tag: one.tag, stays: one.requireInteraction, to: one.data,
    actions: one.actions.map(({ title, action }) => [title, action]),
}))"""


@pytest.mark.browser
def test_a_push_message_becomes_a_notification_with_its_links(browser: Browser, fleet: Settings) -> None:
    with served(fleet) as address, looking(browser, address, is_installed=True) as watched:
        watched.page.context.grant_permissions(["notifications"])
        page = installed(watched, "/")
        deliver(page, address, MESSAGE)
        until(lambda: bool(page.evaluate(SHOWN)), "the notification")
        (shown,) = page.evaluate(SHOWN)
        assert shown == {
            "title": "Somebody may be trapped", "body": "between floors 3 and 4", "tag": "incident-7", "stays": True,
            "to": "/incidents",
            "actions": [["Acknowledge", "/answer/one"]],
        }  # fmt: skip


def deliver(page: Page, address: str, message: dict[str, Any]) -> None:
    """Deliver a push message to the service worker, as the browser does after decrypting one."""
    tools = page.context.new_cdp_session(page)
    registered: list[str] = []
    tools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registered.extend(each["registrationId"] for each in event["registrations"]),
    )
    tools.send("ServiceWorker.enable")
    until(lambda: page.evaluate("1") == 1 and bool(registered), "the registration")
    sent = {"origin": address, "registrationId": registered[0], "data": json.dumps(message)}
    tools.send("ServiceWorker.deliverPushMessage", sent)


SUBSCRIBE = """PushManager.prototype.getSubscription = async () => null;
PushManager.prototype.subscribe = async ({ applicationServerKey }) => ({
    toJSON: () => ({ endpoint: 'https://push.example/1', keys: window.keys, size: applicationServerKey.length }),
});"""
"""In place of the push service of the browser's maker, which a test does not reach."""


@pytest.mark.browser
def test_a_browser_becomes_a_way_of_its_account(browser: Browser, fleet: Settings) -> None:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    key = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    text = urlsafe_b64encode(key).decode().rstrip("=")
    keys = {"p256dh": text, "auth": urlsafe_b64encode(bytes(16)).decode().rstrip("=")}
    settings = replace(fleet, demo=False, way_kinds=("push",), push_key=text)
    with settings.open_records() as records, served(settings) as address:
        accounts = Accounts(records)
        with looking(browser, address, is_installed=True) as watched:
            page = watched.page
            page.context.grant_permissions(["notifications"])
            page.add_init_script(f"window.keys = {json.dumps(keys)}; {SUBSCRIBE}")
            page.goto(f"{address}/account")
            page.locator("input[name=login]").fill("mechanic")
            page.locator("input[name=password]").fill(PASSWORD)
            page.keyboard.press("Enter")
            page.get_by_role("button", name="Notify me in this browser").click()
            expect(page.locator("ol.ways li b")).to_have_text("This browser (push)")
        (way,) = records.ways(accounts.mechanic.person_id)
        kept = json.loads(way.address)
        assert (way.kind, kept["endpoint"], kept["keys"]) == ("push", "https://push.example/1", keys)
        newest = records.claim_notifications(2**62, 60 * 10**9, 100)[-1].notification
        assert newest.code
