"""Addresses of tenants reach no private network, and slow receivers hold a sender for a bounded time."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from notify.ways.http_post import HttpClient
from notify.ways.network_guard import is_public
from notify.ways.sender import Address, Outcome, SendResult
from notify.ways.signed_webhook import WebhookWay
from tests.loopback import PATIENCE_S
from tests.notify.messages import MESSAGE
from tests.notify.receivers import HttpReceiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
     "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1",
     "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1"],
)  # fmt: skip
def test_an_address_of_a_private_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::808:808"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "127.1"]
)
def test_a_tenants_address_reaches_nothing_inside(receiver: HttpReceiver, host: str) -> None:
    guarded = HttpClient()
    port = receiver.url.rpartition(":")[2]
    outcome = WebhookWay(guarded).send(MESSAGE, Address(f"http://{host}:{port}/", SECRET))
    assert outcome.result in (SendResult.PERMANENT, SendResult.TRY_AGAIN)
    assert receiver.requests.empty()


def test_a_private_address_is_named_as_the_reason(receiver: HttpReceiver) -> None:
    outcome = WebhookWay(HttpClient()).send(MESSAGE, Address(receiver.url, SECRET))
    assert (outcome.result, "private network" in outcome.reason) == (SendResult.PERMANENT, True)


def test_a_name_that_resolves_anew_reaches_only_what_was_checked(
    receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server of an attacker gives a public address first, and an inner one to every later question."""
    answers = ["203.0.113.7", "127.0.0.1", "127.0.0.1"]
    asked: list[str] = []
    port = int(receiver.url.rpartition(":")[2])
    real = socket.getaddrinfo

    def resolve(host: str, *arguments: object, **named: object) -> object:
        if host != "rebind.example":
            return real(host, *arguments, **named)  # type: ignore[arg-type]
        asked.append(answers.pop(0))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (asked[-1], port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr("notify.ways.network_guard.is_public", lambda address: address == "203.0.113.7")
    HttpClient(timeout_s=0.2).post(f"http://rebind.example:{port}/", b"", {})
    assert asked == ["203.0.113.7"]
    assert receiver.requests.empty()


def test_a_receiver_that_never_answers_ends_at_the_deadline(receiver: HttpReceiver) -> None:
    receiver.release.clear()
    outcome = HttpClient(allow_private=True, timeout_s=0.3).post(receiver.url, b"x", {})
    assert isinstance(outcome, Outcome)
    assert outcome.result is SendResult.TRY_AGAIN


def test_a_receiver_that_drips_its_answer_ends_at_the_deadline() -> None:
    """Each byte comes within the time limit of one read; the whole answer never comes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stopping = threading.Event()

        def drip() -> None:
            connection, _ = listening.accept()
            with connection:
                try:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                    while not stopping.wait(0.05):
                        connection.sendall(b"x")
                except OSError:
                    pass

        thread = threading.Thread(target=drip)
        thread.start()
        begun_s = time.monotonic()
        outcome = HttpClient(allow_private=True, timeout_s=0.5).post(
            f"http://127.0.0.1:{listening.getsockname()[1]}/", b"x", {}
        )
        stopping.set()
        thread.join()
    assert isinstance(outcome, Outcome)
    assert outcome.result is SendResult.TRY_AGAIN
    assert time.monotonic() - begun_s < PATIENCE_S


def test_a_huge_answer_is_not_read_to_its_end(receiver: HttpReceiver) -> None:
    receiver.answer(200, b"x" * 10_000_000)
    answer = HttpClient(allow_private=True).post(receiver.url, b"x", {})
    assert not isinstance(answer, Outcome)
    assert len(answer.body) == 64 * 1024


@pytest.mark.parametrize("url", ["", "nonsense", "http://", "ftp://x/", "http://a\r\nb/", "http://x:99999999/", "//x"])
def test_what_is_no_address_is_a_permanent_failure(url: str) -> None:
    outcome = HttpClient(allow_private=True).post(url, b"", {})
    assert isinstance(outcome, Outcome)
    assert outcome.result is SendResult.PERMANENT, outcome


def test_a_header_cannot_be_injected(receiver: HttpReceiver) -> None:
    outcome = HttpClient(allow_private=True).post(receiver.url, b"", {"authorization": "a\r\nx-evil: 1"})
    assert isinstance(outcome, Outcome)
    assert receiver.requests.empty()
