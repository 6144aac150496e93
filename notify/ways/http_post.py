"""One HTTP request of a sender, and the outcome that an answer means. Redirects are not followed.

2xx ─► delivered       5xx, 408, 425, 429 and no answer ─► try again
3xx and 4xx ─► try again, as a fault that somebody must repair       an address that is none ─► permanent
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpcore

from notify.texts.limits import one_line
from notify.ways.network_guard import AddressForbidden, GuardedBackend
from notify.ways.retry_after import retry_after_s
from notify.ways.sender import Outcome, delivered, permanent, try_again

TIMEOUT_S = 10.0
ANSWER_LIMIT_BYTES = 64 * 1024
SHOWN_CHARS = 40
TRANSIENT_STATUSES = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class ReceiverAnswer:
    """The answer to a request: its status, headers with lower-case names, and the beginning of its body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class HttpClient:
    """Sends requests to addresses that the guard allows; may be used by several threads."""

    def __init__(
        self, *, allow_private: bool = False, timeout_s: float = TIMEOUT_S, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.now_ns = now_ns
        self._timeout = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=None,  # as many as messages are under way: the dispatcher and the webhooks limit those
            max_keepalive_connections=0,  # each request has a connection, and so a deadline, of its own
            network_backend=GuardedBackend(allow_private, timeout_s),
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def post(
        self, url: str, content: bytes, headers: Mapping[str, str], method: str = "POST"
    ) -> ReceiverAnswer | Outcome:
        """Return the answer to a request, or the outcome where there is none."""
        if not urlsplit(url).hostname or url != one_line(url):
            return permanent(f"{url[:SHOWN_CHARS]!r} is no address to post to: write https://host/path")
        try:
            return self._post(url, content, headers, method)
        except AddressForbidden as error:
            return permanent(str(error))
        except (httpcore.UnsupportedProtocol, httpcore.LocalProtocolError, ValueError) as error:
            return permanent(f"not an address to post to: {error}")
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            return try_again(f"{type(error).__name__}: {error}".rstrip(": "))

    def _post(self, url: str, content: bytes, headers: Mapping[str, str], method: str) -> ReceiverAnswer:
        named = {"user-agent": "liftwatch", "content-length": str(len(content)), **headers}
        sent = [(name.encode("ascii"), value.encode()) for name, value in named.items()]
        extensions = {"timeout": self._timeout}
        with self._pool.stream(method, url, headers=sent, content=content, extensions=extensions) as answer:
            body = b""
            for part in answer.iter_stream():
                body += part
                if len(body) >= ANSWER_LIMIT_BYTES:
                    break
            found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
            return ReceiverAnswer(answer.status, found, body[:ANSWER_LIMIT_BYTES])

    def outcome(self, answer: ReceiverAnswer | Outcome) -> Outcome:
        """Return the outcome that the status of an answer means."""
        if isinstance(answer, Outcome):
            return answer
        if 200 <= answer.status < 300:
            return delivered()
        is_fault = answer.status < 500 and answer.status not in TRANSIENT_STATUSES
        return try_again(f"HTTP {answer.status}", self.pause_s(answer), is_fault=is_fault)

    def pause_s(self, answer: ReceiverAnswer) -> float:
        """Return the seconds of the answer's Retry-After."""
        return retry_after_s(answer.headers.get("retry-after"), self.now_ns())
