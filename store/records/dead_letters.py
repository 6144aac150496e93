"""What was refused, with its reason, for an operator to read: a bounded table, the oldest fall out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from store.records.database import Database
from store.records.page import Page, before_row, next_row, storable
from store.records.schema import dead_letters
from telemetry.batch import Refusal

DEAD_LETTER_LIMIT = 10_000
DEAD_LETTER_PAYLOAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was refused: the reason's slug, what exactly, and the beginning of the payload."""

    id: int
    at_ns: int
    reason: str
    detail: str
    topic: str
    payload: bytes


class DeadLetters:
    """The refused messages' part of the records."""

    _database: Database

    def dead_letters(
        self,
        *,
        reason: str | None = None,
        from_ns: int | None = None,
        to_ns: int | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[DeadLetter]:
        """Return what was refused in [from, to), newest first."""
        query = select(dead_letters).order_by(dead_letters.c.id.desc()).limit(limit + 1)
        if reason is not None:
            query = query.where(dead_letters.c.reason == reason)
        if from_ns is not None:
            query = query.where(dead_letters.c.at_ns >= storable(from_ns))
        if to_ns is not None:
            query = query.where(dead_letters.c.at_ns < storable(to_ns))
        if cursor is not None:
            query = query.where(dead_letters.c.id < before_row(cursor))
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        letters = [DeadLetter(r.id, r.at_ns, r.reason, r.detail, r.topic, bytes(r.payload)) for r in rows[:limit]]
        return Page(letters, next_row(letters[-1].id) if len(rows) > limit else None)


def keep_refusals(connection: Connection, refusals: Sequence[Refusal]) -> None:
    """Add what was refused; what is beyond the limit falls out."""
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
