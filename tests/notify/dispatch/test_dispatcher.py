"""Notifications to real receivers: links, order of ways, faults, dead receivers, storms, restarts and codes."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from alerts.notification import TEST
from notify.dispatch.dispatcher import LEASE_NS, UNREACHED, NotificationDispatcher
from notify.ways.dingtalk import DingTalkWay
from notify.ways.gateway import Gateway, GatewayWay
from notify.ways.http_post import HttpClient
from notify.ways.mail import MailServer, MailWay
from notify.ways.sender import Sender
from notify.ways.signed_webhook import WebhookWay
from notify.ways.web_push import WebPushWay, new_private_key
from registry.ways import DINGTALK, MAIL, PUSH, SMS, WEBHOOK
from store.records.repository import ACCEPT, ACKNOWLEDGE, Records
from tests.alerts.rules import T0, S
from tests.loopback import PATIENCE_S, free_port, until
from tests.notify.dispatch.reached import BY, PUBLIC_URL, Driven, desk_person, verified_way
from tests.notify.notifications import notification
from tests.notify.receivers import HttpReceiver, MailReceiver, http_receiver, mail_receiver
from tests.notify.ways.test_web_push import Browser

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def records(records_url: str) -> Iterator[Records]:
    with Records.open(records_url) as opened:
        yield opened


@pytest.fixture(name="receiver")
def http() -> Iterator[HttpReceiver]:
    with http_receiver() as running:
        yield running


@pytest.fixture(name="mails")
def mail() -> Iterator[MailReceiver]:
    with mail_receiver() as running:
        yield running


@pytest.fixture
def client() -> Iterator[HttpClient]:
    opened = HttpClient(allow_private=True, timeout_s=PATIENCE_S)
    yield opened
    opened.close()


def mail_way(port: int) -> Sender:
    return MailWay(MailServer("127.0.0.1", "lifts@desk.example", port=port, security="none"), timeout_s=PATIENCE_S)


def mail_text(mails: MailReceiver) -> str:
    content = mails.envelopes.get(timeout=PATIENCE_S).content
    assert isinstance(content, bytes)
    parsed = message_from_bytes(content, policy=policy.default)
    return f"{parsed['subject']}\n{parsed.get_content()}"  # type: ignore[attr-defined]


def test_a_person_is_notified_by_the_first_verified_way_in_the_own_language(
    records: Records, mails: MailReceiver, receiver: HttpReceiver, client: HttpClient
) -> None:
    ann = desk_person(records, "Ann", "zh")
    records.add_way(ann, WEBHOOK, f"{receiver.url}/unverified", SECRET, BY, T0 - 700 * S)
    verified_way(records, ann, MAIL, "ann@example.org")
    driven = Driven(records, {MAIL: mail_way(mails.port), WEBHOOK: WebhookWay(client)}, PUBLIC_URL)
    records.add_notifications([notification(person_id=ann)], T0)
    driven.round()
    text = mail_text(mails)
    assert text.startswith("Lift 1：疑似1人被困在3层和4层之间")
    links = [line.rpartition("/")[2] for line in text.split() if line.startswith(f"{PUBLIC_URL}/answer/")]
    found = [records.answer_link(secret) for secret in links]
    assert [(link.person_id, link.incident_id, link.action) for link in found if link] == [
        (ann, "i1", ACKNOWLEDGE), (ann, "i1", ACCEPT),
    ]  # fmt: skip
    assert [(each.attempt.kind, each.attempt.result) for each in records.notification_attempts("i1")] == [
        (MAIL, "delivered")
    ]
    assert receiver.requests.empty()


def test_a_permanent_failure_goes_by_the_next_way_at_once(
    records: Records, mails: MailReceiver, receiver: HttpReceiver, client: HttpClient
) -> None:
    ann = desk_person(records, "Ann")
    broken = verified_way(records, ann, MAIL, "ann@example.org")
    verified_way(records, ann, SMS, "+8613800138000")
    mails.replies = ["550 no such user"]
    gateway = GatewayWay(Gateway(receiver.url, body='{"to": "{to}", "text": "{text}"}'), client)
    driven = Driven(records, {MAIL: mail_way(mails.port), SMS: gateway}, PUBLIC_URL)
    records.add_notifications([notification(person_id=ann)], T0)
    driven.round()
    driven.round()
    sms = receiver.received().json
    assert sms["to"] == "+8613800138000"
    assert f"{PUBLIC_URL}/answer/" in sms["text"]
    (mail, _) = records.ways(ann)
    assert (mail.way_id, mail.fault) == (broken.way_id, "SMTP 550 no such user")
    assert [each.attempt.result for each in records.notification_attempts("i1")] == ["permanent", "delivered"]


@pytest.mark.parametrize("status", [302, 404, 401])
def test_a_fault_of_a_receiver_goes_around_and_is_tried_again_until_it_is_repaired(
    records: Records, receiver: HttpReceiver, client: HttpClient, status: int
) -> None:
    ann = desk_person(records, "Ann")
    verified_way(records, ann, WEBHOOK, f"{receiver.url}/hook", SECRET)
    for _ in range(2):
        receiver.answer(status, location="http://127.0.0.1:9/")
    driven = Driven(records, {WEBHOOK: WebhookWay(client)})
    records.add_notifications([notification(person_id=ann)], T0)
    driven.turn(240, step_s=5)
    results = [each.attempt.result for each in records.notification_attempts("i1")]
    assert results == ["try-again", "try-again", "delivered"]
    assert records.ways(ann)[0].fault is None


def test_a_dead_receiver_is_left_for_the_next_way_within_a_minute_and_delays_no_other(
    records: Records, mails: MailReceiver, client: HttpClient
) -> None:
    ann, bob = desk_person(records, "Ann"), desk_person(records, "Bob")
    verified_way(records, ann, WEBHOOK, f"http://127.0.0.1:{free_port()}/", SECRET)
    verified_way(records, ann, MAIL, "ann@example.org")
    verified_way(records, bob, MAIL, "bob@example.org")
    driven = Driven(records, {WEBHOOK: WebhookWay(client), MAIL: mail_way(mails.port)})
    records.add_notifications([notification(1, person_id=ann), notification(2, person_id=bob)], T0)
    driven.round()
    assert mails.envelopes.get(timeout=PATIENCE_S).rcpt_tos == ["bob@example.org"]
    driven.turn(62)
    assert mails.envelopes.get(timeout=PATIENCE_S).rcpt_tos == ["ann@example.org"]


def test_what_reaches_nobody_is_given_up_after_an_hour_and_told_to_the_desk(
    records: Records, client: HttpClient
) -> None:
    ann, bob = desk_person(records, "Ann"), desk_person(records, "Bob")
    verified_way(records, ann, WEBHOOK, f"http://127.0.0.1:{free_port()}/", SECRET)
    driven = Driven(records, {WEBHOOK: WebhookWay(client)})
    records.add_notifications([notification(1, person_id=ann), notification(2, person_id=bob)], T0)
    driven.round()
    (without,) = records.failed_notifications(T0)
    assert (without.notification.person_id, without.error) == (bob, "no-way")
    driven.turn(3700, step_s=50)
    (gone,) = [each for each in records.failed_notifications(T0) if each.notification.person_id == ann]
    assert "refused" in (gone.error or "")
    assert driven.dispatcher.counts[UNREACHED] == 2


def test_a_disabled_account_is_not_notified(records: Records, mails: MailReceiver) -> None:
    ann = desk_person(records, "Ann")
    verified_way(records, ann, MAIL, "ann@example.org")
    desk_person(records, "Bob")
    records.change_person(ann, {"is_disabled": True}, BY, T0)
    driven = Driven(records, {MAIL: mail_way(mails.port)})
    records.add_notifications([notification(person_id=ann)], T0)
    driven.round()
    assert [each.error for each in records.failed_notifications(T0)] == ["account-disabled"]


def test_five_hundred_lifts_without_mains_are_a_few_messages(records: Records, mails: MailReceiver) -> None:
    ann = desk_person(records, "Ann")
    verified_way(records, ann, MAIL, "ann@example.org")
    driven = Driven(records, {MAIL: mail_way(mails.port)}, PUBLIC_URL)
    storm = [notification(n, person_id=ann, kind="out-of-order", may_hold_people=False) for n in range(500)]
    for start in range(0, 500, 20):
        records.add_notifications(storm[start : start + 20], driven.now_ns)
        driven.turn(1)
    driven.turn(30)
    texts = [mail_text(mails) for _ in range(mails.envelopes.qsize())]
    assert len(texts) <= 8
    assert sum(int(text.partition(" ")[0]) for text in texts) == 500
    assert records.claim_notifications(driven.now_ns + 10**12, LEASE_NS, 1000) == []


def test_one_incident_is_one_message_after_a_receiver_was_away(
    records: Records, receiver: HttpReceiver, client: HttpClient
) -> None:
    ann = desk_person(records, "Ann")
    verified_way(records, ann, WEBHOOK, f"{receiver.url}/hook", SECRET)
    driven = Driven(records, {WEBHOOK: WebhookWay(client)})
    receiver.answers = [(503, {}, b"")] * 1000
    for number in range(5):
        call = notification(1, person_id=ann, key=f"i1:{number}", is_repeat=number > 0)
        records.add_notifications([call], driven.now_ns)
        driven.turn(60, step_s=10)
    receiver.requests.queue.clear()
    receiver.answers.clear()
    driven.turn(180, step_s=10)
    sent = receiver.received().json["data"]
    assert receiver.requests.empty()
    assert (sent["kind"], sent["incident_id"]) == ("entrapment", "i1")
    assert records.claim_notifications(driven.now_ns + 10**12, LEASE_NS, 1000) == []


def test_a_storm_does_not_hold_back_a_trapped_person(records: Records, mails: MailReceiver) -> None:
    ann = desk_person(records, "Ann")
    verified_way(records, ann, MAIL, "ann@example.org")
    driven = Driven(records, {MAIL: mail_way(mails.port)})
    for second in range(10):
        records.add_notifications([notification(second, person_id=ann, may_hold_people=False)], driven.now_ns)
        driven.turn(1)
    sent = mails.envelopes.qsize()
    records.add_notifications([notification(99, person_id=ann)], driven.now_ns)
    driven.turn(1)
    assert mails.envelopes.qsize() == sent + 1
    assert "Lift 99" in [mail_text(mails) for _ in range(sent + 1)][-1]


def test_a_robot_of_a_group_gets_no_link_that_answers_in_the_name_of_one(
    records: Records, receiver: HttpReceiver, client: HttpClient
) -> None:
    ann = desk_person(records, "Ann", "zh")
    verified_way(records, ann, DINGTALK, f"{receiver.url}/robot", "s")
    receiver.answer(200, {"errcode": 0, "errmsg": "ok"})
    driven = Driven(records, {DINGTALK: DingTalkWay(client)}, PUBLIC_URL)
    records.add_notifications([notification(person_id=ann)], T0)
    driven.round()
    text = receiver.received().json["markdown"]["text"]
    assert f"({PUBLIC_URL}/incidents/i1)" in text
    assert "/answer/" not in text


def test_a_push_is_decrypted_by_the_browser(records: Records, receiver: HttpReceiver, client: HttpClient) -> None:
    ann, browser = desk_person(records, "Ann"), Browser(f"{receiver.url}/push/1")
    verified_way(records, ann, PUSH, browser.address.text)
    driven = Driven(records, {PUSH: WebPushWay(client, new_private_key(), "mailto:desk@example.org")}, PUBLIC_URL)
    records.add_notifications([notification(person_id=ann)], T0)
    driven.round()
    shown = browser.shown(receiver.received())
    assert (shown["title"], shown["tag"]) == (
        "Lift 1: 1 person may be trapped between floors 3 and 4", "incident-i1",
    )  # fmt: skip
    assert [link["label"] for link in shown["links"]][:2] == ["Acknowledge", "Accept: I am going there"]


def test_what_a_killed_process_had_claimed_is_sent_after_its_lease_and_once(
    records: Records, mails: MailReceiver
) -> None:
    ann = desk_person(records, "Ann")
    verified_way(records, ann, MAIL, "ann@example.org")
    records.add_notifications([notification(person_id=ann)], T0)
    assert len(records.claim_notifications(T0, LEASE_NS, 10)) == 1  # by a process that is then killed
    driven = Driven(records, {MAIL: mail_way(mails.port)})
    driven.turn(59)
    assert mails.envelopes.empty()
    driven.turn(10)
    assert mails.envelopes.qsize() == 1


def test_a_code_and_a_test_go_by_their_own_way_and_an_old_code_is_not_sent(
    records: Records, mails: MailReceiver
) -> None:
    ann = desk_person(records, "Ann")
    way = records.add_way(ann, MAIL, "ann@example.org", None, BY, T0)
    driven = Driven(records, {MAIL: mail_way(mails.port)})
    driven.round()
    code = mail_text(mails).partition("\n")[0].removeprefix("Liftwatch: your code is ")
    assert records.verify_way(ann, way.way_id, code, BY, T0) is not None
    records.add_notifications([notification(person_id=ann, kind=TEST)], driven.now_ns)
    driven.turn(1)
    assert mail_text(mails).startswith("Test message of Liftwatch")
    records.add_way(ann, MAIL, "other@example.org", None, BY, driven.now_ns)
    driven.now_ns += 601 * S
    driven.round()
    assert mails.envelopes.empty()
    assert [each.error for each in records.failed_notifications(T0)] == ["too-late"]


def test_the_thread_sends_within_its_poll_and_ends(records: Records, mails: MailReceiver) -> None:
    ann = desk_person(records, "Ann")
    verified_way(records, ann, MAIL, "ann@example.org")
    dispatcher = NotificationDispatcher(records, {MAIL: mail_way(mails.port)}, now_ns=lambda: T0)
    dispatcher.start()
    records.add_notifications([notification(person_id=ann)], T0)
    until(lambda: not mails.envelopes.empty(), "the mail")
    dispatcher.stop()
    assert not dispatcher.is_alive()
    assert dispatcher.counts[f"deliveries_taken:{MAIL}"] == 1


def test_without_the_key_of_a_webhook_the_next_way_brings_the_notification(
    records: Records, tmp_path: Path, mails: MailReceiver, receiver: HttpReceiver, client: HttpClient
) -> None:
    ann = desk_person(records, "Ann")
    hook = verified_way(records, ann, WEBHOOK, f"{receiver.url}/hook", SECRET)
    verified_way(records, ann, MAIL, "ann@example.org")
    (tmp_path / "records.key").rename(tmp_path / "away.key")
    driven = Driven(records, {MAIL: mail_way(mails.port), WEBHOOK: WebhookWay(client)}, PUBLIC_URL)
    records.add_notifications([notification(person_id=ann)], T0)
    driven.turn(3)
    assert "Lift 1" in mail_text(mails)
    (failed,) = [each for each in records.ways(ann) if each.way_id == hook.way_id]
    assert (failed.fault or "").startswith("the key of stored secrets is missing")
    (tmp_path / "away.key").rename(tmp_path / "records.key")
    records.add_notifications([notification(key="again", person_id=ann)], driven.now_ns)
    driven.turn(120, 10)
    assert receiver.received().path == "/hook", "with the key it is used again"


def test_a_clock_that_is_set_back_silences_no_way(
    records: Records, mails: MailReceiver, receiver: HttpReceiver, client: HttpClient
) -> None:
    """A dead receiver is tried until the clock is set back by a day; its patience and the pause count from then on."""
    ann, bob = desk_person(records, "Ann"), desk_person(records, "Bob")
    verified_way(records, ann, WEBHOOK, f"http://127.0.0.1:{free_port()}/", SECRET)
    verified_way(records, ann, MAIL, "ann@example.org")
    verified_way(records, bob, WEBHOOK, f"{receiver.url}/hook", SECRET)
    driven = Driven(records, {WEBHOOK: WebhookWay(client), MAIL: mail_way(mails.port)})
    records.add_notifications([notification(1, person_id=ann), notification(2, person_id=bob)], T0)
    driven.turn(20)
    assert (receiver.received().path, mails.envelopes.qsize()) == ("/hook", 0)
    driven.now_ns -= 86_400 * S
    records.add_notifications([notification(3, person_id=bob)], driven.now_ns)
    driven.turn(2)
    assert receiver.received().path == "/hook", "the address of Bob has no message in the future to wait for"
    driven.turn(70)
    assert mails.envelopes.qsize() == 1, "the next way of Ann"
