"""Refused messages with their reasons, for an operator to read: a bounded table that drops the oldest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from store.records.database import Database
from store.records.page import Page, clamped, cursor_after_row, row_of_cursor
from store.records.schema import dead_letters
from telemetry.batch import Refusal

DEAD_LETTER_LIMIT = 10_000
DEAD_LETTER_PAYLOAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A refused message: the reason's slug, the details, and the beginning of the payload."""

    id: int
    at_ns: int
    reason: str
    detail: str
    topic: str
    payload: bytes


class DeadLetterStore:
    """The part of the records that holds refused messages."""

    _database: Database

    def dead_letters(
        self,
        *,
        reason: str | None = None,
        from_ns: int | None = None,
        to_ns: int | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[RefusedMessage]:
        """Return the messages refused in [from, to), newest first."""
        query = select(dead_letters).order_by(dead_letters.c.id.desc()).limit(limit + 1)
        if reason is not None:
            query = query.where(dead_letters.c.reason == reason)
        if from_ns is not None:
            query = query.where(dead_letters.c.at_ns >= clamped(from_ns))
        if to_ns is not None:
            query = query.where(dead_letters.c.at_ns < clamped(to_ns))
        if cursor is not None:
            query = query.where(dead_letters.c.id < row_of_cursor(cursor))
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        letters = [RefusedMessage(r.id, r.at_ns, r.reason, r.detail, r.topic, bytes(r.payload)) for r in rows[:limit]]
        return Page(letters, cursor_after_row(letters[-1].id) if len(rows) > limit else None)


def store_refusals(connection: Connection, refusals: Sequence[Refusal]) -> None:
    """Add refused messages; delete the oldest beyond the limit."""
    if not refusals:
        return
    rows = [
        {
            "at_ns": refusal.arrived_ns,
            "reason": refusal.reason,
            "detail": refusal.detail,
            "topic": refusal.topic,
            "payload": refusal.payload[:DEAD_LETTER_PAYLOAD_BYTES],
        }
        for refusal in refusals[-DEAD_LETTER_LIMIT:]
    ]
    connection.execute(dead_letters.insert(), rows)
    newest = connection.execute(select(func.max(dead_letters.c.id))).scalar_one()
    connection.execute(delete(dead_letters).where(dead_letters.c.id <= newest - DEAD_LETTER_LIMIT))
