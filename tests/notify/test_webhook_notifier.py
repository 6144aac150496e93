"""Webhooks against a real HTTP server: every transition arrives, signed, in order, across failures and restarts."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import select, update
from standardwebhooks.webhooks import Webhook

from alerts.answers import Answer
from notify import webhook_notifier
from notify.ways.retry_after import retry_after_s
from notify.ways.signed_webhook import BadSecret, signer
from notify.webhook import FAULT_S, GIVE_UP_S, PAUSE_LIMIT_S, Endpoint
from notify.webhook_notifier import WebhookNotifier, WebhookSender
from registry.actor import Actor
from registry.lift_facts import LiftFacts
from store.records.repository import Announcement, Records
from store.records.schema import deliveries, transitions
from telemetry.instant import DAY_NS
from tests.alerts.rules import DOOR, OFFLINE, OVERSPEED, POWER, STOP, T0, S, occurrence
from tests.loopback import PATIENCE_S, free_port, until

BY = Actor.named("test")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Server:
    """An endpoint that gives the prepared answers, then 204."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    requests: queue.Queue[tuple[dict[str, str], bytes]] = field(default_factory=queue.Queue)
    release: threading.Event = field(default_factory=threading.Event)

    def received(self) -> list[dict[str, Any]]:
        found = []
        while not self.requests.empty():
            found.append(json.loads(self.requests.get()[1]))
        return found

    def kinds(self) -> list[str]:
        return [one["transition"]["kind"] for one in self.received()]


@pytest.fixture
def server() -> Iterator[Server]:
    endpoint = Server()
    endpoint.release.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            endpoint.requests.put(({k.lower(): v for k, v in self.headers.items()}, content))
            status, headers = endpoint.answers.pop(0) if endpoint.answers else (204, {})
            endpoint.release.wait(PATIENCE_S)
            try:
                self.send_response(status)
                for name, value in {"content-length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
            except (BrokenPipeError, ConnectionResetError):
                pass  # the sender lost patience, as some tests want

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        endpoint.url = f"http://127.0.0.1:{listening.server_address[1]}/hook"
        yield endpoint
        endpoint.release.set()
        listening.shutdown()
        thread.join()


@pytest.fixture
def records(records_url: str) -> Iterator[Records]:
    with Records.open(records_url) as opened:
        yield opened


class Clock:
    """A wall clock that the test turns."""

    def __init__(self) -> None:
        self.now_ns = T0

    def __call__(self) -> int:
        return self.now_ns

    def turn(self, seconds: float) -> None:
        self.now_ns += round(seconds * S)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def send(records: Records, server: Server, clock: Clock) -> Iterator[Callable[[], int]]:
    """Route what is new and try what is due, once; as a process does that was just started."""
    endpoint = Endpoint("desk", server.url, SECRET, subjects=("alert",))
    records.register_endpoint(endpoint.name)
    senders: list[WebhookSender] = []

    def once() -> int:
        WebhookNotifier(records, [endpoint], clock).route(endpoint)
        timeout_s = PATIENCE_S if server.release.is_set() else 0.5
        senders.append(WebhookSender(records, endpoint, Counter(), clock, timeout_s=timeout_s))
        return senders[-1].send_due()

    yield once
    for sender in senders:
        sender._client.close()


def judge(records: Records, *what: Any) -> None:
    records.judge(position=1, occurrences=list(what), now_ns=T0)


def states(records: Records) -> list[tuple[str, int]]:
    with records._database.reading() as connection:
        rows = connection.execute(select(deliveries.c.state, deliveries.c.attempts).order_by(deliveries.c.id))
        return [(row.state, row.attempts) for row in rows]


def test_a_running_notifier_delivers_a_transition_with_a_valid_signature(records: Records, server: Server) -> None:
    notifier = WebhookNotifier(records, [Endpoint("desk", server.url, SECRET, subjects=("alert",))])
    notifier.register()
    notifier.start()
    judge(records, occurrence(STOP, "on", 10))
    notifier.wake.set()
    headers, content = server.requests.get(timeout=PATIENCE_S)
    notifier.stop()
    message = Webhook(SECRET).verify(content, headers)
    (announced,) = records.transitions_since(0)
    assert (message["type"], message["data"]) == ("alert.fired", json.loads(announced.alert_json))
    assert headers["webhook-id"] == f"{message['data']['id']}-{announced.id}"
    with pytest.raises(Exception, match="signature"):
        Webhook(SECRET).verify(content.replace(b"firing", b"closed"), headers)


def test_rounds_that_break_are_logged_once_and_do_not_end_all_later_deliveries(
    records: Records, server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[int] = []
    read = records.transitions_since

    def counted(after: int, limit: int = 1000) -> Sequence[Announcement]:
        rounds.append(after)
        return read(after, limit)

    monkeypatch.setattr(records, "transitions_since", counted)
    monkeypatch.setattr(webhook_notifier, "RETRY_LIMIT_S", 0.1)
    notifier = WebhookNotifier(records, [Endpoint("desk", server.url, SECRET, subjects=("alert",))])
    notifier.register()
    judge(records, occurrence(STOP, "on", 10))
    (announced,) = records.transitions_since(0)
    damage(records, "{")
    notifier.start()
    until(lambda: len(rounds) > 5 or not notifier.is_alive(), "rounds that break")
    assert len([record for record in caplog.records if record.exc_info]) == 1
    damage(records, announced.alert_json)
    server.requests.get(timeout=PATIENCE_S)
    notifier.stop()


def damage(records: Records, alert_json: str) -> None:
    with records._database.writing() as connection:
        connection.execute(update(transitions).values(alert=alert_json))


def test_each_transition_is_delivered_once(records: Records, server: Server, send: Callable[[], int]) -> None:
    judge(records, occurrence(STOP, "on", 10), occurrence(STOP, "off", 20), occurrence(DOOR, "on", 30))
    while send():
        pass
    assert sorted(server.kinds()) == ["cleared", "fired", "fired"]
    assert (send(), states(records)) == (0, [("done", 1)] * 3)


def test_a_passing_failure_is_tried_again_after_a_pause(
    records: Records, server: Server, send: Callable[[], int], clock: Clock
) -> None:
    server.answers = [(503, {}), (429, {})]
    judge(records, occurrence(STOP, "on", 10))
    send()
    clock.turn(PAUSE_LIMIT_S)
    send()
    clock.turn(PAUSE_LIMIT_S)
    send()
    assert (server.kinds(), states(records)) == (["fired"] * 3, [("done", 3)])


def test_every_attempt_goes_under_the_same_name(
    records: Records, server: Server, send: Callable[[], int], clock: Clock
) -> None:
    server.answers = [(500, {})]
    judge(records, occurrence(STOP, "on", 10))
    send()
    clock.turn(PAUSE_LIMIT_S)
    send()
    first, second = server.requests.get()[0], server.requests.get()[0]
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-timestamp"] != second["webhook-timestamp"]


@pytest.mark.parametrize("status", [302, 400, 404, 410])
def test_a_fault_is_shown_tried_again_for_an_hour_and_holds_no_other_alert_up(
    records: Records,
    server: Server,
    send: Callable[[], int],
    clock: Clock,
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.answers = [(status, {"location": server.url}), (204, {}), (status, {"location": server.url})]
    judge(records, occurrence(STOP, "on", 10), occurrence(DOOR, "on", 20))
    send()
    assert states(records) == [("waiting", 1), ("done", 1)]
    assert f"must be repaired: HTTP {status}" in caplog.text
    clock.turn(FAULT_S)
    send()
    assert states(records) == [("failed", 2), ("done", 1)]


def test_a_repaired_endpoint_gets_what_waited(
    records: Records, server: Server, send: Callable[[], int], clock: Clock
) -> None:
    server.answers = [(404, {})]
    judge(records, occurrence(STOP, "on", 10))
    send()
    clock.turn(FAULT_S / 2)
    send()
    assert (server.kinds(), states(records)) == (["fired", "fired"], [("done", 2)])


def test_an_endpoint_that_fails_is_listed_until_it_works_or_what_it_lost_is_a_day_old(
    records: Records, server: Server, send: Callable[[], int], clock: Clock
) -> None:
    def failing() -> list[tuple[str, int, int, str]]:
        found = records.failing_endpoints(clock(), clock() - DAY_NS)
        return [(each.endpoint, each.waiting, each.given_up, each.error) for each in found]

    server.answers = [(404, {}), (302, {})]
    judge(records, occurrence(STOP, "on", 10), occurrence(STOP, "off", 20))
    assert failing() == []
    send()
    assert failing() == []
    clock.turn(FAULT_S / 2)
    assert failing() == [("desk", 2, 0, "HTTP 404")]
    clock.turn(FAULT_S / 2)
    send()
    assert failing() == [("desk", 1, 1, "HTTP 302")]
    send()
    assert failing() == [("desk", 0, 1, "HTTP 302")]
    clock.turn(86_400)
    assert failing() == []


def test_an_alerts_transitions_keep_their_order_and_another_alert_does_not_wait(
    records: Records, server: Server, send: Callable[[], int], clock: Clock
) -> None:
    server.answers = [(503, {})]
    judge(records, occurrence(STOP, "on", 10), occurrence(STOP, "off", 20), occurrence(DOOR, "on", 30))
    send()
    send()
    assert [(one["data"]["rule"], one["transition"]["kind"]) for one in server.received()] == [
        (STOP.slug, "fired"), (DOOR.slug, "fired"),
    ]  # fmt: skip
    clock.turn(PAUSE_LIMIT_S)
    send()
    send()
    assert server.kinds() == ["fired", "cleared"]


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_kept_to(
    records: Records, server: Server, send: Callable[[], int], clock: Clock, as_date: bool
) -> None:
    asked = formatdate(T0 / S + 900, usegmt=True) if as_date else "900"
    server.answers = [(503, {"retry-after": asked})]
    judge(records, occurrence(STOP, "on", 10))
    send()
    clock.turn(899)
    assert send() == 0
    clock.turn(1)
    assert send() == 1


def test_a_transition_is_delivered_when_its_endpoint_is_back(
    records: Records, server: Server, clock: Clock, send: Callable[[], int]
) -> None:
    away = WebhookSender(records, Endpoint("desk", f"http://127.0.0.1:{free_port()}/", SECRET), Counter(), clock)
    judge(records, occurrence(STOP, "on", 10))
    WebhookNotifier(records, [Endpoint("desk", server.url, SECRET, subjects=("alert",))], clock).route(
        Endpoint("desk", server.url, SECRET, subjects=("alert",))
    )
    assert away.send_due() == 1
    away._client.close()
    assert states(records) == [("waiting", 1)]
    clock.turn(PAUSE_LIMIT_S)
    send()
    assert server.kinds() == ["fired"]


def test_an_endpoint_that_never_answers_is_a_passing_failure(
    records: Records, server: Server, send: Callable[[], int]
) -> None:
    server.release.clear()
    judge(records, occurrence(STOP, "on", 10))
    send()
    server.release.set()
    assert states(records) == [("waiting", 1)]


def test_what_was_sent_but_not_settled_is_sent_again_after_a_crash(
    records: Records, server: Server, send: Callable[[], int], clock: Clock
) -> None:
    judge(records, occurrence(STOP, "on", 10))
    endpoint = Endpoint("desk", server.url, SECRET, subjects=("alert",))
    notifier = WebhookNotifier(records, [endpoint], clock)
    notifier.register()
    notifier.route(endpoint)
    killed = WebhookSender(records, endpoint, Counter(), clock)
    killed._send(records.due(["desk"], clock())[0])
    killed._client.close()
    send()
    names = [server.requests.get()[0]["webhook-id"] for _ in range(2)]
    assert (names[0], states(records)) == (names[1], [("done", 1)])


def test_a_clock_set_back_holds_up_no_delivery(
    records: Records, server: Server, send: Callable[[], int], clock: Clock
) -> None:
    server.answers = [(503, {})] * 2
    clock.turn(86_400)
    judge(records, occurrence(STOP, "on", 10))
    send()
    clock.turn(-86_400)
    send()
    assert states(records) == [("waiting", 2)]
    assert send() == 0
    clock.turn(PAUSE_LIMIT_S)
    send()
    assert states(records) == [("done", 3)]


def test_what_no_endpoint_takes_for_a_day_is_given_up(
    records: Records, server: Server, send: Callable[[], int], clock: Clock
) -> None:
    server.answers = [(503, {})] * 2
    judge(records, occurrence(STOP, "on", 10))
    send()
    clock.turn(GIVE_UP_S)
    send()
    assert states(records) == [("failed", 2)]


def test_what_is_held_back_is_not_delivered_and_what_is_released_is(
    records: Records, server: Server, send: Callable[[], int]
) -> None:
    judge(records, occurrence(OFFLINE, "on", 10), occurrence(STOP, "on", 20))
    while send():
        pass
    assert [one["data"]["rule"] for one in server.received()] == [OFFLINE.slug]
    judge(records, occurrence(OFFLINE, "off", 30))
    while send():
        pass
    assert {(one["data"]["rule"], one["transition"]["kind"]) for one in server.received()} == {
        (OFFLINE.slug, "cleared"), (STOP.slug, "released"),
    }  # fmt: skip


def test_answers_of_people_are_delivered_too(records: Records, server: Server, send: Callable[[], int]) -> None:
    judge(records, occurrence(STOP, "on", 10))
    (alert,) = records.open_alerts()
    records.answer(alert.id, Answer("ack", Actor.named("ann"), note="on my way"), T0)
    while send():
        pass
    assert server.received()[-1]["transition"] == {
        "id": 2,
        "kind": "acknowledged",
        "by": "ann",
        "note": "on my way",
        "to": None,
    }


def test_each_endpoint_gets_the_severities_and_districts_of_its_configuration(
    records: Records, server: Server, clock: Clock
) -> None:
    critical = Endpoint("rescue", server.url, SECRET, severities=("critical",), subjects=("alert",))
    elsewhere = Endpoint("south", server.url, SECRET, districts=("south",), subjects=("alert",))
    notifier = WebhookNotifier(records, [critical, elsewhere], clock)
    notifier.register()
    judge(records, occurrence(OVERSPEED, "on", 10, 3), occurrence(POWER, "on", 10, lift_id="b"))
    for endpoint in (critical, elsewhere):
        notifier.route(endpoint)
    assert [one.endpoint for one in records.due(["rescue", "south"], clock())] == ["rescue"]


def test_an_endpoint_gets_the_lifts_that_name_its_organisations(records: Records, server: Server, clock: Clock) -> None:
    records.put_lift(LiftFacts("a", "north", owner="Tower Ltd", maintenance_firm="Reliable Lifts"), BY, T0)
    endpoints = [
        Endpoint(name, server.url, SECRET, organisations=(organisation,), subjects=("alert",))
        for name, organisation in (("theirs", "Reliable Lifts"), ("owner", "Tower Ltd"), ("other", "Other"))
    ]
    notifier = WebhookNotifier(records, endpoints, clock)
    notifier.register()
    judge(records, occurrence(STOP, "on", 10, lift_id="a"), occurrence(STOP, "on", 10, lift_id="b"))
    for endpoint in endpoints:
        notifier.route(endpoint)
    due = records.due(["theirs", "owner", "other"], clock())
    assert sorted((each.endpoint, each.announcement.lift_id) for each in due) == [("owner", "a"), ("theirs", "a")]


def test_a_new_endpoint_gets_no_earlier_transition(records: Records, server: Server, clock: Clock) -> None:
    judge(records, occurrence(STOP, "on", 10))
    endpoint = Endpoint("new", server.url, SECRET)
    notifier = WebhookNotifier(records, [endpoint], clock)
    notifier.register()
    judge(records, occurrence(STOP, "off", 20))
    notifier.route(endpoint)
    assert [one.announcement.kind for one in records.due(["new"], clock())] == ["cleared"]


def test_an_address_that_is_none_fails_for_good(records: Records, clock: Clock) -> None:
    endpoint = Endpoint("odd", "gopher://127.0.0.1/", SECRET, subjects=("alert",))
    notifier = WebhookNotifier(records, [endpoint], clock)
    notifier.register()
    judge(records, occurrence(STOP, "on", 10))
    notifier.route(endpoint)
    sender = WebhookSender(records, endpoint, Counter(), clock)
    sender.send_due()
    sender._client.close()
    assert states(records) == [("failed", 1)]


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_a", "hunter2", SECRET[:-4], f"{SECRET[:-1]}!"])
def test_a_secret_that_cannot_sign_is_reported_with_the_webhooks_name(secret: str) -> None:
    with pytest.raises(BadSecret, match=r"'desk'.*whsec_"):
        signer(secret, "desk")


@pytest.mark.parametrize("header", [None, "", "soon", "-5", "1e9", "٣", "Mon, 99 Foo 2001 00:00:00 GMT"])
def test_a_retry_after_that_cannot_be_read_asks_for_nothing(header: str | None) -> None:
    assert retry_after_s(header, time.time_ns()) == 0.0
