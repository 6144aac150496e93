"""Telegram, Slack and others by Apprise, at a receiver in the messengers' formats."""

from __future__ import annotations

import pytest
from apprise.plugins.slack import NotifySlack
from apprise.plugins.telegram import NotifyTelegram

from notify.ways.apprise_way import AppriseWay
from notify.ways.sender import Address, SendResult
from tests.loopback import free_port
from tests.notify.messages import HOSTILE, MESSAGE, message
from tests.notify.receivers import HttpReceiver

TELEGRAM = Address("tgram://123456789:abcdefg_hijklmnop/12315544/")
SLACK = Address("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#lifts")


@pytest.fixture(autouse=True)
def _messengers(receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the library reach the receiver in place of the messengers, whose addresses it fixes."""
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"{receiver.url}/bot")
    monkeypatch.setattr(NotifySlack, "webhook_url", f"{receiver.url}/services")


def test_telegram_gets_the_message(receiver: HttpReceiver) -> None:
    receiver.answer(200, {"ok": True, "result": {}})
    assert AppriseWay().send(MESSAGE, TELEGRAM).result is SendResult.DELIVERED
    request = receiver.received()
    assert request.path == "/bot123456789:abcdefg_hijklmnop/sendMessage"
    assert request.json["chat_id"] == 12315544
    for text in (MESSAGE.subject, "停在3层和4层之间", "https://lifts.example/answer/abc"):
        assert text in request.json["text"]


def test_slack_gets_the_message(receiver: HttpReceiver) -> None:
    receiver.answer(200, b"ok")
    assert AppriseWay().send(MESSAGE, SLACK).result is SendResult.DELIVERED
    request = receiver.received()
    assert request.path.startswith("/services/T1JJ3T3L2/A1BRTD4JD/")
    assert "停在3层和4层之间" in str(request.json)


def test_a_hostile_name_is_escaped_by_the_messengers_format(receiver: HttpReceiver) -> None:
    receiver.answer(200, {"ok": True, "result": {}})
    AppriseWay().send(message(subject=HOSTILE, lines=(HOSTILE,)), TELEGRAM)
    sent = receiver.received().json
    if sent.get("parse_mode") == "HTML":
        assert "<b>*A*</b>" not in sent["text"]
    assert "\u202e" not in sent["text"]


@pytest.mark.parametrize(("status", "is_fault"), [(403, True), (404, True), (429, False), (502, False)])
def test_a_status_of_the_messenger_is_read(receiver: HttpReceiver, status: int, is_fault: bool) -> None:
    receiver.answer(status, {"ok": False, "description": "not now"})
    outcome = AppriseWay().send(MESSAGE, TELEGRAM)
    assert (outcome.result, outcome.is_fault) == (SendResult.TRY_AGAIN, is_fault)
    assert outcome.reason == f"HTTP {status}"


def test_a_dead_messenger_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{free_port()}/bot")
    outcome = AppriseWay().send(MESSAGE, TELEGRAM)
    assert (outcome.result, outcome.is_fault) == (SendResult.TRY_AGAIN, False)


def test_a_redirect_is_not_followed_whatever_the_address_says(receiver: HttpReceiver) -> None:
    receiver.answer(307, None, location=f"{receiver.url}/elsewhere")
    outcome = AppriseWay().send(MESSAGE, Address(TELEGRAM.text + "?redirect=yes"))
    assert outcome.result is SendResult.TRY_AGAIN
    assert receiver.received().path.startswith("/bot")
    assert receiver.requests.empty()


@pytest.mark.parametrize(
    "url",
    ["json://127.0.0.1/", "xml://10.0.0.1/", "mailto://a:b@c.d", "syslog://", "dbus://", "ntfy://169.254.169.254/topic",
     "workflows://127.0.0.1/a/b/c", "workflows://evil.example/a/b/c?x=.logic.azure.com", "TGRAM2://x", "", "nonsense",
     "json://127.0.0.1/,tgram://123456789:abcdefg_hijklmnop/12315544/"],
)  # fmt: skip
def test_an_address_that_could_lead_inside_is_refused(receiver: HttpReceiver, url: str) -> None:
    outcome = AppriseWay().send(MESSAGE, Address(url))
    assert (outcome.result, "does not allow" in outcome.reason) == (SendResult.PERMANENT, True)
    assert receiver.requests.empty()


def test_the_operator_may_allow_more(receiver: HttpReceiver) -> None:
    receiver.answer(200)
    address = Address(receiver.url.replace("http", "json") + "/hook")
    assert AppriseWay(frozenset({"json"})).send(MESSAGE, address).result is SendResult.DELIVERED
    assert receiver.received().json["title"] == MESSAGE.subject
