"""E-mail against real SMTP servers: plain, STARTTLS and TLS, sign-in, refusals, and hostile texts."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from notify.dispatch.dispatcher import LEASE_NS
from notify.ways.mail import LIMIT_S, TIMEOUT_S, BadMailAddress, MailServer, MailWay, checked_mail_address
from notify.ways.sender import Address, SendResult
from tests.loopback import PATIENCE_S, free_port
from tests.mqtt.certificates import Certificates, make_certificates
from tests.notify.messages import HOSTILE, MESSAGE, message
from tests.notify.receivers import MailReceiver, mail_receiver

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # the test's server

TO = Address("ann@example.org")
SENDER = "lifts@desk.example"


@pytest.fixture(scope="module", name="certificates")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"))


def server_context(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.certificate, certificates.key)
    return context


def plain(port: int) -> MailWay:
    return MailWay(MailServer("127.0.0.1", SENDER, port=port, security="none"), timeout_s=PATIENCE_S)


def mail(receiver: MailReceiver) -> EmailMessage:
    content = receiver.envelopes.get(timeout=PATIENCE_S).content
    assert isinstance(content, bytes)
    parsed = message_from_bytes(content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_a_mail_has_the_message_in_the_language_of_the_person() -> None:
    with mail_receiver() as receiver:
        outcome = plain(receiver.port).send(MESSAGE, TO)
        received = mail(receiver)
    assert outcome.result is SendResult.DELIVERED
    assert (received["subject"], received["content-language"], received["to"]) == ("有人被困 12号梯", "zh", TO.text)
    assert received["from"] == f"Liftwatch <{SENDER}>"
    assert (received["importance"], received["auto-submitted"]) == ("high", "auto-generated")
    assert received.get_content_type() == "text/plain"
    for text in ("停在3层和4层之间", "南京路 1 号", "https://lifts.example/answer/abc"):
        assert text in received.get_content()


def test_every_attempt_has_the_same_message_id_and_refers_to_its_incident() -> None:
    with mail_receiver() as receiver:
        for _ in range(2):
            plain(receiver.port).send(MESSAGE, TO)
        first, second = mail(receiver), mail(receiver)
    assert first["message-id"] == second["message-id"] == "<n-17@desk.example>"
    assert first["references"] == "<incident-3@desk.example>"


@pytest.mark.parametrize("field", ["subject", "message_id", "topic", "language"])
def test_a_hostile_text_adds_no_header(field: str) -> None:
    with mail_receiver() as receiver:
        assert plain(receiver.port).send(message(**{field: HOSTILE}), TO).result is SendResult.DELIVERED
        envelope = receiver.envelopes.get(timeout=PATIENCE_S)
    assert envelope.rcpt_tos == [TO.text]
    assert isinstance(envelope.content, bytes)
    received = message_from_bytes(envelope.content, policy=policy.default)
    assert "bcc" not in received
    assert "被困" in received["subject"] or "evil@example.org" in received["subject"]


def test_a_text_of_ten_thousand_characters_is_cut() -> None:
    with mail_receiver() as receiver:
        plain(receiver.port).send(message(subject="梯" * 10_000, lines=("长" * 10_000,)), TO)
        received = mail(receiver)
    assert len(received["subject"]) == 160
    assert "长" * 499 + "…" in received.get_content()


@pytest.mark.parametrize(
    "text",
    ["", "ann", "ann@", "@example.org", "a@b@c.org", "ann@example.org\r\nBcc: x@y.org", "a b@example.org", "ann@host"],
)
def test_what_is_no_mail_address_is_a_permanent_failure(text: str) -> None:
    with pytest.raises(BadMailAddress, match=r"name@host\.example"):
        checked_mail_address(text)
    outcome = plain(free_port()).send(MESSAGE, Address(text))
    assert (outcome.result, "no e-mail address" in outcome.reason) == (SendResult.PERMANENT, True)


@pytest.mark.parametrize(
    ("reply", "result", "is_fault"),
    [
        ("550 no such user", SendResult.PERMANENT, False),
        ("450 mailbox busy", SendResult.TRY_AGAIN, False),
        ("530 sign in first", SendResult.TRY_AGAIN, True),
    ],
)
def test_a_refused_recipient_is_for_good_for_now_or_a_fault(reply: str, result: SendResult, is_fault: bool) -> None:
    with mail_receiver() as receiver:
        receiver.replies = [reply]
        outcome = plain(receiver.port).send(MESSAGE, TO)
    assert (outcome.result, outcome.is_fault, outcome.reason) == (result, is_fault, f"SMTP {reply}")


@pytest.mark.parametrize(("reply", "result"), [("554 spam", SendResult.PERMANENT), ("451 later", SendResult.TRY_AGAIN)])
def test_a_refused_content_is_for_good_or_for_now(reply: str, result: SendResult) -> None:
    with mail_receiver() as receiver:
        receiver.data_replies = [reply]
        assert plain(receiver.port).send(MESSAGE, TO).result is result


def test_a_dead_server_is_tried_again() -> None:
    outcome = plain(free_port()).send(MESSAGE, TO)
    assert (outcome.result, outcome.is_fault) == (SendResult.TRY_AGAIN, False)
    assert "refused" in outcome.reason


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_tls_is_checked_against_the_authority(certificates: Certificates, security: str) -> None:
    contexts = {"starttls" if security == "starttls" else "tls": server_context(certificates)}
    with mail_receiver(**contexts, password=b"secret") as receiver:
        where = MailServer(
            "localhost",
            SENDER,
            receiver.port,
            security,
            username="lifts",
            password="secret",
            ca_file=str(certificates.ca),
        )
        assert MailWay(where).send(MESSAGE, TO).result is SendResult.DELIVERED
        MailWay(where).check()
        mistrusted = MailWay(MailServer("localhost", SENDER, receiver.port, security)).send(MESSAGE, TO)
    assert (mistrusted.result, "CERTIFICATE_VERIFY_FAILED" in mistrusted.reason) == (SendResult.TRY_AGAIN, True)


def test_a_wrong_password_is_a_fault_and_is_not_shown(certificates: Certificates) -> None:
    with mail_receiver(starttls=server_context(certificates), password=b"secret") as receiver:
        where = MailServer(
            "localhost", SENDER, receiver.port, username="lifts", password="wrong-1", ca_file=str(certificates.ca)
        )
        outcome = MailWay(where).send(MESSAGE, TO)
    assert (outcome.result, outcome.is_fault) == (SendResult.TRY_AGAIN, True)
    assert "wrong-1" not in outcome.reason + repr(where)


def test_a_server_without_starttls_gets_no_message_in_the_clear() -> None:
    with mail_receiver() as receiver:
        outcome = MailWay(MailServer("127.0.0.1", SENDER, receiver.port)).send(MESSAGE, TO)
        assert (outcome.result, receiver.envelopes.empty()) == (SendResult.TRY_AGAIN, True)


@contextmanager
def dripping() -> Iterator[int]:
    """A server that greets, and answers a byte at a time, without an end."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:
        ended = threading.Event()

        def drip() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.sendall(b"220 here\r\n")
                while not ended.wait(0.02):
                    connection.sendall(b"2")

        pool.submit(drip)
        try:
            yield listening.getsockname()[1]
        finally:
            ended.set()


def test_an_attempt_ends_at_its_limit_though_the_server_goes_on_to_answer() -> None:
    with dripping() as port:
        way = MailWay(MailServer("127.0.0.1", SENDER, port=port, security="none"), timeout_s=PATIENCE_S, limit_s=0.3)
        begun_s = time.monotonic()
        outcome = way.send(MESSAGE, TO)
        took_s = time.monotonic() - begun_s
    assert (outcome.result, took_s < PATIENCE_S) == (SendResult.TRY_AGAIN, True)


def test_an_attempt_and_its_last_read_take_less_than_the_lease_of_a_notification() -> None:
    assert LIMIT_S + 2 * TIMEOUT_S < LEASE_NS / 1e9
