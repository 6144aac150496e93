"""The interface of all senders: `send(message, address)` returns an outcome and never raises for a receiver's fault.

delivered   the receiver has accepted the message
try again   the receiver does not answer now, or is not set up rightly; `retry_after_s` is the pause that it asks for
permanent   the receiver will never accept this message at this address
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from notify.texts.message import Message

REASON_CHARS = 300


class SendResult(StrEnum):
    """The result of one attempt; the values are parts of the names of counters."""

    DELIVERED = "delivered"
    TRY_AGAIN = "try-again"
    PERMANENT = "permanent"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one attempt, the reason for the desk, and the pause that the receiver asks for.

    `is_fault`: trying again helps only after somebody has repaired the receiver or the configuration.
    """

    result: SendResult
    reason: str = ""
    retry_after_s: float = 0.0
    is_fault: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """An e-mail address, a telephone number, a URL or a push subscription, with its signing secret."""

    text: str = field(repr=False)
    secret: str = field(default="", repr=False)


class Sender(Protocol):
    """Sends messages by one way."""

    def send(self, message: Message, address: Address) -> Outcome:
        """Send a message to an address once."""
        ...


def delivered() -> Outcome:
    """Return the outcome of a message that was accepted."""
    return Outcome(SendResult.DELIVERED)


def try_again(reason: str, retry_after_s: float = 0.0, *, is_fault: bool = False) -> Outcome:
    """Return the outcome of an attempt that may succeed later."""
    return Outcome(SendResult.TRY_AGAIN, reason[:REASON_CHARS], retry_after_s, is_fault)


def permanent(reason: str) -> Outcome:
    """Return the outcome of an attempt that will never succeed."""
    return Outcome(SendResult.PERMANENT, reason[:REASON_CHARS])
