"""The live stream over a real server on a loopback port: events, filters and resumption."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
import uvicorn
from prometheus_client import generate_latest

from alerts.answers import Answer
from alerts.book import Occurrence
from dashboards.api.context import AppContext, Settings
from dashboards.app import DashboardServer, create_app
from dashboards.http.metrics import ServerMetrics
from dashboards.live.event_stream import (
    QUEUE_LIMIT_BYTES,
    EventBroadcaster,
    EventFilter,
    StreamEvent,
    StreamPosition,
    parse_position,
)
from detectors.catalogue import BY_SLUG, RULES
from detectors.rule import CRITICAL, Finding
from registry.actor import Actor
from store.records.repository import Records
from tests.dashboards.sample_fleet import EMPTY_INDEX, T0_NS, facts, table

Event = dict[str, Any]
S_NS = 1_000_000_000


@contextmanager
def served(settings: Settings) -> Iterator[tuple[str, AppContext]]:
    """Serve on a free port in a thread; yield the address and the application context."""
    app = create_app(settings)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = DashboardServer(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=3))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}", app.state.context
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def listening(address: str, headers: dict[str, str] | None = None, **asked: Any) -> Iterator[Iterator[Event]]:
    """Listen to the stream; yields its events, after the stream has begun."""
    with httpx.stream("GET", f"{address}/api/v1/live", params=asked, headers=headers, timeout=60) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines).startswith("retry:")
        yield events(lines)


def events(lines: Iterator[str]) -> Iterator[Event]:
    """Parse server-sent events as a browser does: an id without data moves the mark and is no event."""
    fields: Event = {}
    last_id = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "id":
            last_id = value
        elif name in ("event", "data"):
            fields[name] = value
        elif not line and fields:
            yield {**orjson.loads(fields["data"]), "kind": fields["event"], "mark": last_id}
            fields = {}


def put(records: Records, **columns: Any) -> None:
    """Write a live table as the monitor does."""
    records.put_live(table(6, **columns).encode(), {}, T0_NS)


def fire(records: Records, lift_id: str, position: int, slug: str = RULES[0].slug) -> str:
    """Raise an alert as the monitor does; return its id."""
    rule = BY_SLUG[slug]
    finding = Finding(0, rule.slug, "on", CRITICAL, T0_NS + position, T0_NS + position, True, {})
    judged = records.judge(
        position=position, occurrences=[Occurrence(lift_id, "d0", finding, rule, T0_NS)], now_ns=T0_NS
    )
    return judged[0].alert.id


def test_a_moving_lift_is_published_as_its_item_of_the_list(settings: Settings, records: Records) -> None:
    with served(settings) as (address, _), listening(address) as events:
        put(records, position_m=np.array([0.0, 4.2, 0.0, 0.0, 0.0, 0.0]))
        event = next(events)
        item = httpx.get(f"{address}/api/v1/lifts", params={"q": "L001"}, timeout=60).json()["items"][0]
    assert (event.pop("kind"), event.pop("mark") != "") == ("lift", True)
    assert event == item
    assert event["position_m"] == 4.2


def test_a_new_reason_why_a_lift_is_blind_is_published(settings: Settings, records: Records) -> None:
    def blind(reason: str) -> dict[str, Any]:
        reasons = np.full(6, "", dtype="U16")
        reasons[1] = reason
        return {"blind": reasons, "blind_since_ns": np.where(reasons != "", T0_NS, 0)}

    with served(settings) as (address, _), listening(address) as events:
        published = []
        for reason in ("late", "units", ""):
            put(records, **blind(reason))
            event = next(events)
            published.append((event["lift_id"], event["blind"] and event["blind"]["reason"]))
    assert published == [("L001", "late"), ("L001", "units"), ("L001", None)]


def test_a_changed_note_of_a_maintenance_window_is_published(settings: Settings, records: Records) -> None:
    until_ns, now_ns = time.time_ns() + 3600 * 1_000_000_000, time.time_ns()
    with served(settings) as (address, _), listening(address) as events:
        published = []
        for note in ("ropes", "ropes and brake"):
            records.set_maintenance("L001", until_ns, Actor.named("Mei"), now_ns, note)
            published.append(next(events)["maintenance"]["note"])
    assert published == ["ropes", "ropes and brake"]


def test_an_alert_and_the_actions_on_it_are_published_in_order(settings: Settings, records: Records) -> None:
    with served(settings) as (address, _), listening(address) as events:
        alert_id = fire(records, "L002", 1)
        first = next(event for event in events if event["kind"] == "alert")
        httpx.post(f"{address}/api/v1/alerts/{alert_id}/ack", json={"by": "Ann"}, timeout=60).raise_for_status()
        second = next(event for event in events if event["kind"] == "alert")
    assert (first["lift_id"], first["state"], first["acknowledged"]) == ("L002", "firing", False)
    assert (second["mark"] != first["mark"], second["acknowledged"]) == (True, True)


def test_an_alert_changes_the_state_of_its_lift_in_the_stream(settings: Settings, records: Records) -> None:
    with served(settings) as (address, _), listening(address) as events:
        fire(records, "L003", 1)
        lift = next(event for event in events if event["kind"] == "lift")
    assert (lift["lift_id"], lift["state"], lift["open_alerts"]["critical"]) == ("L003", "critical", 1)


def test_a_filter_excludes_events_of_other_lifts(settings: Settings, records: Records) -> None:
    moved = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    with served(settings) as (address, _):
        with listening(address, district="d1") as events:
            put(records, position_m=moved)
            received = [next(events)["lift_id"] for _ in range(3)]
        assert received == ["L001", "L003", "L005"]
        with listening(address, lift_id=["L002", "L004"]) as events:
            assert [next(events)["position_m"] for _ in range(2)] == [3.0, 5.0]
            put(records, position_m=moved + 1)
            assert [next(events)["position_m"] for _ in range(2)] == [4.0, 6.0]


def test_a_reconnecting_subscriber_receives_each_missed_event_once(settings: Settings, records: Records) -> None:
    with served(settings) as (address, context):
        with listening(address) as events:
            fire(records, "L000", 1)
            seen = next(events)
        assert seen["kind"] == "alert"
        fire(records, "L004", 2)
        put(records, position_m=np.array([0.0, 7.0, 0.0, 0.0, 0.0, 0.0]))
        context.poller.poll()
        with listening(address, {"Last-Event-ID": seen["mark"]}) as events:
            missed = [next(events) for _ in range(6)]
        assert [event["lift_id"] for event in missed if event["kind"] == "alert"] == ["L004"]
        assert [event["lift_id"] for event in missed if event["kind"] == "incident"] == ["L000", "L004"]
        assert {event["lift_id"] for event in missed if event["kind"] == "lift"} == {"L000", "L001", "L004"}
        with listening(address, {"Last-Event-ID": str(context.poller.position)}) as events:
            put(records, position_m=np.array([9.0, 7.0, 0.0, 0.0, 0.0, 0.0]))
            assert next(events)["lift_id"] == "L000"


def test_a_position_from_before_a_restart_of_the_server_is_resumed(settings: Settings, records: Records) -> None:
    with served(settings) as (address, context):
        last = str(context.poller.position)
    fire(records, "L005", 1)
    with served(settings) as (address, _), listening(address, {"Last-Event-ID": last}) as events:
        received = [next(events) for _ in range(7)]
    assert (received[0]["kind"], received[0]["lift_id"]) == ("alert", "L005")
    assert sorted(event["lift_id"] for event in received[1:]) == [f"L{number:03}" for number in range(6)]


@pytest.mark.parametrize("last", ["", "x", "1", "-1--1", "9" * 40 + "-1", "1-1\x00", "<script>"])
def test_an_invalid_position_starts_the_stream_from_now(last: str) -> None:
    assert parse_position(last) is None


def test_a_lift_whose_facts_change_is_published(settings: Settings, records: Records) -> None:
    with served(settings) as (address, _), listening(address) as events:
        records.put_lift(replace(facts("L001"), name="Renamed"), by=Actor.named("test"), now_ns=T0_NS)
        event = next(events)
    assert (event["lift_id"], event["name"]) == ("L001", "Renamed")


def test_a_slow_subscriber_is_disconnected_and_counted_and_others_are_not() -> None:
    async def run() -> tuple[str | None, str | None, bytes]:
        server_metrics = ServerMetrics()
        broadcaster = EventBroadcaster(server_metrics)
        slow, quick = broadcaster.subscribe(EventFilter()), broadcaster.subscribe(EventFilter(district="d0"))
        big = StreamEvent("L000", "d1", b"x" * QUEUE_LIMIT_BYTES)
        for version in range(3):
            broadcaster.publish([big, StreamEvent("L001", "d0", b"small")], StreamPosition(version, 0), EMPTY_INDEX)
            await asyncio.sleep(0)
        broadcaster.unsubscribe(slow)
        return slow.ended, quick.ended, generate_latest(server_metrics.registry)

    slow, quick, text = asyncio.run(run())
    assert (slow, quick) == ("slow", None)
    assert b'liftwatch_live_dropped_total{reason="slow"} 1.0' in text
    assert b"liftwatch_live_listeners 1.0" in text


def test_an_idle_stream_sends_keep_alive_comments(
    settings: Settings, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboards.live.event_stream.KEEP_ALIVE_S", 0.05)
    with served(settings) as (address, _), httpx.stream("GET", f"{address}/api/v1/live", timeout=60) as answer:
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith(":"))


def test_the_server_stops_while_streams_are_open(settings: Settings, records: Records) -> None:
    with httpx.Client(timeout=60) as client:
        with served(settings) as (address, _):
            answer = client.send(client.build_request("GET", f"{address}/api/v1/live"), stream=True)
            lines = answer.iter_lines()
            next(lines)
        assert list(lines) == [""]
        answer.close()


def test_a_stopping_server_accepts_no_new_subscribers(settings: Settings, records: Records) -> None:
    with served(settings) as (address, context):
        context.broadcaster.close()
        assert httpx.get(f"{address}/api/v1/live", timeout=60).status_code == 503


def test_an_action_is_visible_in_the_next_request(settings: Settings, records: Records) -> None:
    alert_id = fire(records, "L002", 1, "overspeed")
    with served(settings) as (address, _):
        assert httpx.get(f"{address}/api/v1/lifts/L002", timeout=60).json()["state"] == "critical"
        httpx.post(f"{address}/api/v1/alerts/{alert_id}/resolve", json={"by": "Ann"}, timeout=60).raise_for_status()
        assert httpx.get(f"{address}/api/v1/lifts/L002", timeout=60).json()["state"] == "normal"
        assert records.answer(alert_id, Answer("resolve", Actor.named("Ann")), T0_NS) is not None
