"""The robots of DingTalk, WeCom and Feishu, verified at a receiver as the vendors' documentation says."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest

from notify.ways.dingtalk import DingTalkWay
from notify.ways.feishu import FeishuWay
from notify.ways.http_post import HttpClient
from notify.ways.sender import Address, Sender, SendResult
from notify.ways.wecom import WeComWay
from tests.alerts.rules import T0
from tests.loopback import free_port
from tests.notify.messages import HOSTILE, MESSAGE, message
from tests.notify.receivers import HttpReceiver

SECRET = "SEC0123456789abcdef"
WAYS = [(DingTalkWay, "errcode", "errmsg"), (WeComWay, "errcode", "errmsg"), (FeishuWay, "code", "msg")]
Way = type[DingTalkWay] | type[WeComWay] | type[FeishuWay]
LONG = message(lines=tuple("长" * 10_000 for _ in range(100)), subject="题" * 10_000)


def accept(receiver: HttpReceiver) -> None:
    receiver.answer(200, {"errcode": 0, "errmsg": "ok", "code": 0, "msg": "success"})


def test_dingtalk_verifies_the_signature_in_the_url(receiver: HttpReceiver, client: HttpClient) -> None:
    accept(receiver)
    outcome = DingTalkWay(client).send(MESSAGE, Address(f"{receiver.url}/robot/send?access_token=t1", SECRET))
    request = receiver.received()
    query = request.query
    expected = hmac.new(SECRET.encode(), f"{query['timestamp']}\n{SECRET}".encode(), hashlib.sha256).digest()
    assert outcome.result is SendResult.DELIVERED
    assert (query["access_token"], query["timestamp"]) == ("t1", str(T0 // 1_000_000))
    assert base64.b64decode(query["sign"]) == expected
    assert request.json["msgtype"] == "markdown"
    assert request.json["markdown"]["title"] == MESSAGE.subject
    assert "停在3层和4层之间" in request.json["markdown"]["text"]
    assert "[接警](https://lifts.example/answer/abc)" in request.json["markdown"]["text"]


def test_feishu_verifies_the_signature_in_the_body(receiver: HttpReceiver, client: HttpClient) -> None:
    accept(receiver)
    outcome = FeishuWay(client).send(MESSAGE, Address(f"{receiver.url}/open-apis/bot/v2/hook/h", SECRET))
    body = receiver.received().json
    expected = hmac.new(f"{body['timestamp']}\n{SECRET}".encode(), b"", hashlib.sha256).digest()
    assert outcome.result is SendResult.DELIVERED
    assert (body["timestamp"], base64.b64decode(body["sign"])) == (str(T0 // 10**9), expected)
    post = body["content"]["post"]["zh_cn"]
    assert (body["msg_type"], post["title"]) == ("post", MESSAGE.subject)
    assert post["content"] == [
        [{"tag": "text", "text": "停在3层和4层之间"}],
        [{"tag": "text", "text": "南京路 1 号"}],
        [{"tag": "a", "text": "接警", "href": "https://lifts.example/answer/abc"}],
    ]


def test_wecom_gets_plain_text_with_its_links(receiver: HttpReceiver, client: HttpClient) -> None:
    accept(receiver)
    outcome = WeComWay(client).send(MESSAGE, Address(f"{receiver.url}/cgi-bin/webhook/send?key=k"))
    body = receiver.received().json
    assert (outcome.result, body["msgtype"]) == (SendResult.DELIVERED, "text")
    assert body["text"]["content"].endswith("接警: https://lifts.example/answer/abc")


def test_a_robot_without_a_secret_gets_no_signature(receiver: HttpReceiver, client: HttpClient) -> None:
    for way in (DingTalkWay(client), FeishuWay(client)):
        accept(receiver)
        way.send(MESSAGE, Address(f"{receiver.url}/hook"))
        request = receiver.received()
        assert "sign" not in request.query
        assert "sign" not in request.json


@pytest.mark.parametrize(
    ("way", "code", "result"),
    [
        (DingTalkWay, 310000, SendResult.PERMANENT),
        (DingTalkWay, 130101, SendResult.TRY_AGAIN),
        (WeComWay, 93000, SendResult.PERMANENT),
        (WeComWay, 45009, SendResult.TRY_AGAIN),
        (FeishuWay, 19021, SendResult.PERMANENT),
        (FeishuWay, 11232, SendResult.TRY_AGAIN),
    ],
)
def test_a_code_in_the_answer_is_for_good_or_for_now(
    receiver: HttpReceiver, client: HttpClient, way: Way, code: int, result: SendResult
) -> None:
    receiver.answer(200, {"errcode": code, "errmsg": "not\nnow", "code": code, "msg": "not\nnow"})
    outcome = way(client).send(MESSAGE, Address(receiver.url, SECRET))
    assert (outcome.result, f"{code}: not now" in outcome.reason) == (result, True)
    assert (outcome.retry_after_s > 0) is (result is SendResult.TRY_AGAIN)


@pytest.mark.parametrize("way", [each[0] for each in WAYS])
def test_a_text_of_ten_thousand_characters_is_cut_to_the_robots_limit(
    receiver: HttpReceiver, client: HttpClient, way: Way
) -> None:
    accept(receiver)
    assert way(client).send(LONG, Address(receiver.url, SECRET)).result is SendResult.DELIVERED
    request = receiver.received()
    assert len(request.body) < 20_000
    assert "https://lifts.example/answer/abc" in request.body.decode()
    if way is WeComWay:
        assert len(request.json["text"]["content"].encode()) <= 2048


def test_markdown_of_a_hostile_name_is_shown_as_text(receiver: HttpReceiver, client: HttpClient) -> None:
    accept(receiver)
    DingTalkWay(client).send(message(lines=(HOSTILE,), subject=HOSTILE), Address(receiver.url))
    text = receiver.received().json["markdown"]["text"]
    assert "[x](http" not in text
    assert r"\[x\]\(http" in text
    assert "\u202e" not in text


@pytest.mark.parametrize("way", [each[0] for each in WAYS])
def test_faults_of_a_receiver_are_tried_again(receiver: HttpReceiver, client: HttpClient, way: Way) -> None:
    sender: Sender = way(client)
    cases: list[tuple[int, Any, bool]] = [
        (302, None, True), (404, None, True), (200, b"<html>", True), (200, [], True), (429, None, False),
        (503, None, False),
    ]  # fmt: skip
    for status, content, is_fault in cases:
        receiver.answer(status, content, location="http://127.0.0.1/", retry_after="90")
        outcome = sender.send(MESSAGE, Address(receiver.url, SECRET))
        assert (outcome.result, outcome.is_fault) == (SendResult.TRY_AGAIN, is_fault), (status, outcome)
        if status == 429:
            assert outcome.retry_after_s == 90
    dead = sender.send(MESSAGE, Address(f"http://127.0.0.1:{free_port()}", SECRET))
    assert (dead.result, dead.is_fault) == (SendResult.TRY_AGAIN, False)
    nowhere = sender.send(MESSAGE, Address("gopher://127.0.0.1/", SECRET))
    assert nowhere.result is SendResult.PERMANENT
