"""Refused messages with their reasons: a bounded table, and counts for each listed lift.

Every lift and gateway that the registry lists has a share of the table (`store.records.refused.shares`). All other
senders, who can invent any number of names, use free places and a few reserved ones only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, func, select

from registry.scope import ALL_LIFTS, LiftScope
from store.records.database import Database
from store.records.page import Page, clamped, cursor_after_row, row_of_cursor
from store.records.refused.shares import SharedRow, crowding
from store.records.schema import dead_letters, lifts, refusals
from store.records.scoping import rows_in
from telemetry.batch import Refusal

DEAD_LETTER_LIMIT = 10_000
DELETED_AT_ONCE = 500
"""How far below the limit the table is cut: choosing who loses reads all of it."""
UNREGISTERED_KEPT = 2_000
"""The number of dead letters of unregistered senders that are kept in any case."""
WRITTEN_AT_ONCE, UNREGISTERED_WRITTEN = 500, 100
"""The number of refused messages that one transaction adds as dead letters, and of unregistered senders in any case:
alerts wait for the transaction."""
DEAD_LETTER_PAYLOAD_BYTES = 4096
TOPIC_LIMIT_CHARS = 256
SHARE_LIMIT_CHARS = 64
AT_ONCE = 500
REFUSALS_REVISION = "refusals"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A refused message: the reason's slug, the details, and the beginning of the payload, which had `size` bytes.

    `lift_id` is the lift that it names, "" where it names none.
    """

    id: int
    at_ns: int
    reason: str
    detail: str
    topic: str
    payload: bytes
    lift_id: str
    size: int


@dataclass(frozen=True, slots=True)
class RefusalCount:
    """How many messages of a lift were refused for a reason, and when the last of them arrived."""

    lift_id: str
    reason: str
    count: int
    last_ns: int


class DeadLetterStore:
    """The part of the records that holds refused messages."""

    _database: Database

    def dead_letters(
        self,
        *,
        reason: str | None = None,
        lift_id: str | None = None,
        from_ns: int | None = None,
        to_ns: int | None = None,
        limit: int = 100,
        cursor: str | None = None,
        scope: LiftScope = ALL_LIFTS,
    ) -> Page[RefusedMessage]:
        """Return the messages refused in [from, to) that name a lift in the scope, newest first."""
        query = select(dead_letters).where(rows_in(scope, dead_letters.c.lift_id))
        query = query.order_by(dead_letters.c.id.desc()).limit(limit + 1)
        if reason is not None:
            query = query.where(dead_letters.c.reason == reason)
        if lift_id is not None:
            query = query.where(dead_letters.c.lift_id == lift_id)
        if from_ns is not None:
            query = query.where(dead_letters.c.at_ns >= clamped(from_ns))
        if to_ns is not None:
            query = query.where(dead_letters.c.at_ns < clamped(to_ns))
        if cursor is not None:
            query = query.where(dead_letters.c.id < row_of_cursor(cursor))
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        letters = [
            RefusedMessage(
                r.id, r.at_ns, r.reason, r.detail, r.topic, bytes(r.payload), r.lift_id, max(r.size, len(r.payload))
            )
            for r in rows[:limit]
        ]
        return Page(letters, cursor_after_row(letters[-1].id) if len(rows) > limit else None)

    def refusals_since(self, revision: int) -> tuple[int, list[RefusalCount]]:
        """Return the counts that changed after `revision` (-1: all), and the revision of the newest of them."""
        query = select(refusals).where(refusals.c.revision > revision).order_by(refusals.c.lift_id, refusals.c.reason)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        counts = [RefusalCount(row.lift_id, row.reason, row._mapping["count"], row.last_ns) for row in rows]
        return max((row.revision for row in rows), default=revision), counts


def store_refusals(database: Database, connection: Connection, refused: Sequence[Refusal]) -> None:
    """Count refused messages for their lifts, and add `WRITTEN_AT_ONCE` of them at most; delete those beyond the limit.

    Which are added and which deleted is chosen share by share.
    """
    if not refused:
        return
    count_refusals(database, connection, refused)
    gone = set(_beyond([_letter(i, each) for i, each in enumerate(refused)], WRITTEN_AT_ONCE, UNREGISTERED_WRITTEN))
    connection.execute(dead_letters.insert(), [_row(each) for i, each in enumerate(refused) if i not in gone])
    if connection.execute(select(func.count()).select_from(dead_letters)).scalar_one() > DEAD_LETTER_LIMIT:
        columns = select(dead_letters.c.id, dead_letters.c.known, dead_letters.c.share, dead_letters.c.topic)
        rows = connection.execute(columns.order_by(dead_letters.c.id)).all()
        letters = [_letter(row.id, row) for row in rows]
        for ids in _parts(_beyond(letters, DEAD_LETTER_LIMIT - DELETED_AT_ONCE, UNREGISTERED_KEPT)):
            connection.execute(delete(dead_letters).where(dead_letters.c.id.in_(ids)))


def count_refusals(database: Database, connection: Connection, refused: Sequence[Refusal]) -> None:
    """Count refused messages for the lifts that are listed; other ids are unlimited."""
    found: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for each in refused:
        if each.lift_id:
            found[each.lift_id, each.reason].append(each.arrived_ns)
    listed: set[str] = set()
    for names in _parts(sorted({lift_id for lift_id, _ in found})):
        listed |= set(connection.scalars(select(lifts.c.lift_id).where(lifts.c.lift_id.in_(names))))
    if not listed:
        return
    revision = database.count_up(connection, REFUSALS_REVISION)
    row = database.insert(refusals)
    upsert = row.on_conflict_do_update(
        index_elements=["lift_id", "reason"],
        set_={
            "count": refusals.c.count + row.excluded["count"],
            "last_ns": row.excluded.last_ns,
            "revision": row.excluded.revision,
        },
    )
    counted = [
        {"lift_id": lift_id, "reason": reason, "count": len(at_ns), "last_ns": max(at_ns), "revision": revision}
        for (lift_id, reason), at_ns in found.items()
        if lift_id in listed
    ]
    connection.execute(upsert, counted)


def _beyond(letters: Sequence[tuple[bool, SharedRow]], limit: int, unregistered_kept: int) -> list[int]:
    """Return the numbers of the letters to delete; `letters` come oldest first."""
    excess = len(letters) - limit
    if excess <= 0:
        return []
    registered = [row for is_registered, row in letters if is_registered]
    unregistered = [row for is_registered, row in letters if not is_registered]
    first = min(excess, max(len(unregistered) - unregistered_kept, 0))
    return crowding(unregistered, first) + crowding(registered, excess - first)


def _letter(number: int, refused: Any) -> tuple[bool, SharedRow]:
    """Return whether a letter's sender is registered, and its shares; others share by district."""
    district = refused.share if refused.known else "/".join(refused.topic.split("/", 3)[:3])
    return refused.known, SharedRow(number, refused.share, district)


def _parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    return (values[first : first + AT_ONCE] for first in range(0, len(values), AT_ONCE))


def _row(refused: Refusal) -> dict[str, object]:
    return {
        "at_ns": refused.arrived_ns,
        "reason": refused.reason,
        "detail": refused.detail,
        "topic": refused.topic[:TOPIC_LIMIT_CHARS],
        "payload": refused.payload[:DEAD_LETTER_PAYLOAD_BYTES],
        "lift_id": refused.lift_id,
        "share": refused.share[:SHARE_LIMIT_CHARS],
        "known": refused.known,
        "size": len(refused.payload),
    }
