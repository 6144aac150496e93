"""E-mail by SMTP: plain text, in the language of the person. No header can be injected: headers are one line each."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.headerregistry import Address as MailAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime

from notify.texts.limits import one_line
from notify.texts.message import Message
from notify.ways.bounded_smtp import BoundedSmtp, BoundedSmtpTls
from notify.ways.sender import Address, Outcome, delivered, permanent, try_again

TIMEOUT_S = 10.0
"""Of one read or write."""
LIMIT_S = 30.0
"""Of all of an attempt: with a last read, less than the lease of a notification, which another monitor sends then."""
DISPLAY_NAME = "Liftwatch"


@dataclass(frozen=True, slots=True)
class MailServer:
    """The operator's mail server. `security` is `starttls`, `tls` or `none`; `ca_file` replaces the system's trust."""

    host: str
    sender: str
    port: int = 587
    security: str = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None


class BadMailAddress(ValueError):
    """A text that is no e-mail address."""


class MailWay:
    """Sends messages by one mail server, with a connection for each message."""

    def __init__(self, server: MailServer, timeout_s: float = TIMEOUT_S, limit_s: float = LIMIT_S) -> None:
        self._server, self._timeout_s, self._limit_s = server, timeout_s, limit_s
        self._sender = checked_mail_address(server.sender)

    def send(self, message: Message, address: Address) -> Outcome:
        """Send a message to an address once."""
        try:
            mail = self._mail(message, checked_mail_address(address.text))
            with self._connected() as connection:
                connection.send_message(mail)
        except BadMailAddress as error:
            return permanent(str(error))
        except smtplib.SMTPRecipientsRefused as error:
            return _of_recipient(next(iter(error.recipients.values())))
        except smtplib.SMTPResponseException as error:
            return _of_code(error.smtp_code, _text(error.smtp_error))
        except (smtplib.SMTPException, OSError) as error:
            return try_again(f"{type(error).__name__}: {error}".rstrip(": "))
        return delivered()

    def check(self) -> None:
        """Connect and sign in; raise smtplib.SMTPException or OSError where that fails."""
        with self._connected() as connection:
            connection.noop()

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        where = self._server
        trust = ssl.create_default_context(cafile=where.ca_file)
        bounds = {"timeout": self._timeout_s, "limit_s": self._limit_s}
        opened: smtplib.SMTP
        if where.security == "tls":
            opened = BoundedSmtpTls(where.host, where.port, context=trust, **bounds)
        else:
            opened = BoundedSmtp(where.host, where.port, **bounds)
        with opened as connection:
            if where.security == "starttls":
                connection.starttls(context=trust)
            if where.username is not None:
                connection.login(where.username, where.password or "")
            yield connection

    def _mail(self, message: Message, to: MailAddress) -> EmailMessage:
        """Return a mail; the same message has the same id in every attempt."""
        mail = EmailMessage(policy=SMTP)
        mail.set_content("\n".join([*message.body_lines, "", *_links(message)]) + "\n", cte="base64")
        mail["From"] = MailAddress(DISPLAY_NAME, self._sender.username, self._sender.domain)
        mail["To"] = to
        mail["Subject"] = message.title
        mail["Date"] = localtime()
        mail["Message-ID"] = f"<{_token(message.message_id)}@{self._sender.domain}>"
        mail["References"] = f"<{_token(message.topic)}@{self._sender.domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["Content-Language"] = _token(message.language)
        if message.severity == "critical":
            mail["Importance"] = "high"
        return mail


def _links(message: Message) -> list[str]:
    return [f"{one_line(link.label)}:\n{one_line(link.url)}\n" for link in message.links]


def checked_mail_address(text: str) -> MailAddress:
    """Return the parts of an e-mail address; raise BadMailAddress for any other text."""
    try:
        if text != one_line(text) or " " in text or not text.isascii():
            raise ValueError("characters that no address has")
        parsed = MailAddress(addr_spec=text)
    except (ValueError, IndexError, HeaderParseError):
        raise BadMailAddress(f"{text[:100]!r} is no e-mail address: write name@host.example") from None
    if not parsed.username or ("." not in parsed.domain and parsed.domain != "localhost"):
        raise BadMailAddress(f"{text[:100]!r} is no e-mail address: write name@host.example")
    return parsed


def _token(text: str) -> str:
    """Return the characters of an id that a header may have between angle brackets."""
    return "".join(char if char.isascii() and (char.isalnum() or char in "-._") else "-" for char in text)[:100]


def _of_recipient(refusal: tuple[int, bytes]) -> Outcome:
    return _of_code(refusal[0], _text(refusal[1]))


def _of_code(code: int, text: str) -> Outcome:
    """Return the outcome of a reply: 4xx is for now, 530 to 538 concern the sign-in, other 5xx are for good."""
    reason = f"SMTP {code} {one_line(text)}"
    if 500 <= code < 600 and not 530 <= code <= 538:
        return permanent(reason)
    return try_again(reason, is_fault=code >= 500)


def _text(reply: bytes | str) -> str:
    return reply if isinstance(reply, str) else reply.decode("utf-8", "replace")
