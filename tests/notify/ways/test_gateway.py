"""SMS and voice gateways: what the operator's templates make of a message, at a real HTTP receiver."""

from __future__ import annotations

from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest

from notify.texts.limits import cut_sms, sms_units
from notify.ways.gateway import BadTelephone, Gateway, GatewayWay, checked_telephone
from notify.ways.http_post import HttpClient
from notify.ways.sender import Address, SendResult
from tests.notify.messages import HOSTILE, MESSAGE, message
from tests.notify.receivers import HttpReceiver

TO = Address("+86 138-0013-8000")
SHOWN = "Tower Bcc: evil@example.org [x](http://evil) <b>*A*</b> {to} \"quoted\" & 'so'"


def test_json_is_filled_in(receiver: HttpReceiver, client: HttpClient) -> None:
    gateway = Gateway(
        f"{receiver.url}/sms?id={{id}}",
        body='{"to": ["{to}"], "text": "{text}", "lang": "{language}"}',
        headers={"Authorization": "Bearer {secret}"},
        secret="s3cret",
    )
    assert GatewayWay(gateway, client).send(MESSAGE, TO).result is SendResult.DELIVERED
    request = receiver.received()
    assert request.json == {"to": ["+8613800138000"], "text": MESSAGE.short, "lang": "zh"}
    assert request.headers["authorization"] == "Bearer s3cret"
    assert (request.headers["content-type"], request.query) == ("application/json", {"id": "n-17"})
    assert "s3cret" not in repr(gateway)


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/x-www-form-urlencoded", "text/xml", "text/plain"]
)
def test_a_hostile_text_stays_one_value(receiver: HttpReceiver, client: HttpClient, content_type: str) -> None:
    bodies = {
        "application/json": '{"text": "{text}", "to": "{to}"}',
        "application/x-www-form-urlencoded": "text={text}&to={to}",
        "text/xml": "<sms to='{to}'>{text}</sms>",
        "text/plain": "{text}",
    }
    gateway = Gateway(f"{receiver.url}/?t={{text}}", body=bodies[content_type], content_type=content_type)
    GatewayWay(gateway, client).send(message(short=HOSTILE), TO)
    request = receiver.received()
    assert request.query["t"] == SHOWN
    if content_type == "application/json":
        assert request.json == {"text": SHOWN, "to": "+8613800138000"}
    elif content_type.endswith("urlencoded"):
        assert parse_qs(request.body.decode()) == {"text": [SHOWN], "to": ["+8613800138000"]}
    elif content_type == "text/xml":
        assert ElementTree.fromstring(request.body).text == SHOWN
    else:
        assert request.body.decode() == SHOWN


def test_a_get_request_has_no_body(receiver: HttpReceiver, client: HttpClient) -> None:
    gateway = Gateway(f"{receiver.url}/call?to={{to}}&say={{text}}", method="GET")
    assert GatewayWay(gateway, client).send(MESSAGE, TO).result is SendResult.DELIVERED
    request = receiver.received()
    assert (request.method, request.body, request.query["to"]) == ("GET", b"", "+8613800138000")
    assert "content-type" not in request.headers


def test_an_answer_that_is_no_success_is_a_fault(receiver: HttpReceiver, client: HttpClient) -> None:
    gateway = Gateway(receiver.url, body="{text}", success_contains='"code":0')
    receiver.answer(200, b'{"code":0}')
    receiver.answer(200, b'{"code":13,"msg":"no\ncredit"}')
    way = GatewayWay(gateway, client)
    assert way.send(MESSAGE, TO).result is SendResult.DELIVERED
    outcome = way.send(MESSAGE, TO)
    assert (outcome.result, outcome.is_fault) == (SendResult.TRY_AGAIN, True)
    assert '"msg":"no credit"' in outcome.reason


@pytest.mark.parametrize("text", ["", "12", "ann", "+86138001380001234", "138x", "１３８００１３８０００", "+1;rm"])
def test_what_is_no_telephone_number_is_refused(client: HttpClient, text: str) -> None:
    with pytest.raises(BadTelephone, match=r"\+8613800138000"):
        checked_telephone(text)
    assert GatewayWay(Gateway("http://x"), client).send(MESSAGE, Address(text)).result is SendResult.PERMANENT


def test_an_sms_is_cut_to_seventy_units_and_no_character_in_the_middle() -> None:
    assert cut_sms("梯" * 70) == "梯" * 70
    assert cut_sms("梯" * 71) == "梯" * 69 + "…"
    faces = cut_sms("😀" * 40)
    assert sms_units(faces) <= 70
    assert faces == "😀" * 34 + "…"
