"""A receiver that hangs, beside one that answers: the second is reached without waiting for the first."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from notify.dispatch.dispatcher import WORKERS, NotificationDispatcher
from notify.dispatch.receivers import AT_ONCE, SLOW_S, Receiver, ReceiverLoads, receiver_of
from notify.ways.http_post import TIMEOUT_S, HttpClient
from notify.ways.signed_webhook import WebhookWay
from registry.ways import APPRISE, DINGTALK, MAIL, PUSH, SMS, VOICE, WEBHOOK, NotificationWay
from store.records.repository import Records
from tests.loopback import until
from tests.notify.dispatch.reached import desk_person, verified_way
from tests.notify.notifications import notification
from tests.notify.receivers import HttpReceiver, http_receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HANGING = 3 * AT_ONCE
QUICK_S = 3.0


@pytest.fixture
def records(records_url: str) -> Iterator[Records]:
    with Records.open(records_url) as opened:
        yield opened


@pytest.fixture
def hanging() -> Iterator[HttpReceiver]:
    with http_receiver() as running:
        running.release.clear()
        yield running


@pytest.fixture
def good() -> Iterator[HttpReceiver]:
    with http_receiver() as running:
        yield running


def test_a_receiver_that_hangs_delays_no_other_of_the_same_kind(
    records: Records, hanging: HttpReceiver, good: HttpReceiver
) -> None:
    """The hanging one is `localhost`, the good one 127.0.0.1: two hosts."""
    stuck = [desk_person(records, f"Stuck{number}") for number in range(HANGING)]
    for number, each in enumerate(stuck):
        url = hanging.url.replace("127.0.0.1", "localhost")
        verified_way(records, each, WEBHOOK, f"{url}/{number}", SECRET)
    ann = desk_person(records, "Ann")
    verified_way(records, ann, WEBHOOK, f"{good.url}/ann", SECRET)
    client = HttpClient(allow_private=True)
    dispatcher = NotificationDispatcher(records, {WEBHOOK: WebhookWay(client)})
    records.add_notifications([notification(n, person_id=each) for n, each in enumerate(stuck)], time.time_ns())
    dispatcher.start()
    try:
        until(lambda: hanging.requests.qsize() >= AT_ONCE, "the messages that hang")
        records.add_notifications([notification(HANGING, person_id=ann)], time.time_ns())
        dispatcher.wake.set()
        added_s = time.monotonic()
        assert good.received().path == "/ann"
        assert time.monotonic() - added_s < QUICK_S < TIMEOUT_S
        assert hanging.requests.qsize() == AT_ONCE < WORKERS
    finally:
        hanging.release.set()
        dispatcher.stop()
        client.close()


@pytest.mark.parametrize("kind", [WEBHOOK, PUSH])
def test_a_slow_host_of_a_tenant_has_one_message_at_a_time_until_it_answers_in_time(kind: str) -> None:
    loads, slow = ReceiverLoads(), Receiver(kind, "slow.example")
    for _ in range(AT_ONCE):
        assert loads.has_room(slow)
        loads.begin(slow)
    assert (loads.has_room(slow), loads.has_room(Receiver(kind, "other.example"))) == (False, True)
    for _ in range(AT_ONCE):
        loads.end(slow, took_s=SLOW_S + 1)
    loads.begin(slow)
    assert not loads.has_room(slow)
    loads.end(slow, took_s=0.1)
    loads.begin(slow)
    assert loads.has_room(slow)


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        (MAIL, "ann@example.org"),
        (SMS, "+8613800000001"),
        (VOICE, "+8613800000001"),
        (DINGTALK, "https://oapi.dingtalk.com/robot/send?access_token=x"),
        (APPRISE, "tgram://123:abc/42"),
    ],
)
def test_a_slow_server_that_all_tenants_share_keeps_its_messages_at_once(kind: str, address: str) -> None:
    loads, shared = ReceiverLoads(), receiver_of(NotificationWay("w", "p", kind, address, None, 0, 0))
    loads.begin(shared)
    loads.end(shared, took_s=SLOW_S + 1)
    for _ in range(AT_ONCE):
        assert loads.has_room(shared)
        loads.begin(shared)
    assert not loads.has_room(shared)


@pytest.mark.parametrize(
    ("kind", "address", "server"),
    [
        (WEBHOOK, "https://Hooks.example:8443/a?b=c", "hooks.example"),
        (DINGTALK, "https://oapi.dingtalk.com/robot/send?access_token=x", "oapi.dingtalk.com"),
        (PUSH, '{"endpoint": "https://push.example/1", "keys": {}}', "push.example"),
        (APPRISE, "tgram://123:abc/42", "tgram"),
        (MAIL, "ann@example.org", None),
        (PUSH, "no JSON", None),
        (WEBHOOK, "https://[bad", None),
    ],
)
def test_the_receiver_of_an_address_is_its_host_or_the_server_of_its_kind(
    kind: str, address: str, server: str | None
) -> None:
    assert receiver_of(NotificationWay("w", "p", kind, address, None, 0, 0)) == Receiver(kind, server)
