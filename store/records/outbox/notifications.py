"""The outbox of notifications to people.

    add ─► waiting ─ claim, for the time of a lease ─► attempt ─► sent, failed, or waiting again
                   ├─ its incident is closed ─► waits while the closing can be undone ─► dropped
                   ├─ was tried, and somebody has taken its incident up since ─► dropped
                   └─ was tried, and another one has told its person the same since ─► dropped

Of two notifications with one key one is added, in the transaction of whoever adds it. A claim moves `due_ns` to the end
of a lease: what a killed process had claimed is sent again then, and so is what a loss of power made unknown. Every
attempt is kept for the story of its incident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, delete, exists, select, update

from alerts.incidents.actions import UNDO_NS, on_notified
from alerts.incidents.incident import Incident
from alerts.notification import CODE, Notification
from store.records.database import Database
from store.records.incidents.rows import load_incidents, write_changes
from store.records.incidents.tables import incidents, is_open
from store.records.outbox.stored_notifications import insert_notifications, opened
from store.records.outbox.tables import (
    DROPPED,
    FAILED,
    SENT,
    is_ahead,
    is_notification_waiting,
    notification_attempts,
    notifications,
    ways,
)
from store.records.sealing.keys import SealingKeys

REASON_CHARS = 300
UNDO_PAUSE_NS = 1_000_000_000
AHEAD_NS = 900 * 1_000_000_000
"""Further ahead than any pause between two attempts, or than the pace of an address makes a notification wait."""


@dataclass(frozen=True, slots=True)
class WaitingNotification:
    """A notification that waits. `way_id` is set where it may use no other way.

    `failed_ways` has those that were left: whether each one has failed for good. `attempts` and `way_since_ns` are
    those of the way that is tried now; `error` is why the last attempt failed.
    """

    id: int
    notification: Notification
    way_id: str | None
    failed_ways: Mapping[str, bool]
    attempts: int
    made_ns: int
    way_since_ns: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class NotificationAttempt:
    """An attempt to send one or more notifications in one message, by one way."""

    way_id: str
    kind: str
    address: str
    at_ns: int
    result: str
    reason: str = ""


class NotificationStore:
    """The part of the records that holds notifications and their attempts."""

    _database: Database

    def add_notifications(self, added: Sequence[Notification], now_ns: int) -> int:
        """Add notifications that are not there by their keys, and return how many; joins an open transaction."""
        with self._database.writing() as connection:
            return insert_notifications(self._database, connection, added, now_ns)

    def claim_notifications(self, now_ns: int, lease_ns: int, limit: int) -> list[WaitingNotification]:
        """Return the notifications that are due, the most severe and oldest first, and lease them.

        Those of closed incidents are dropped, but wait as long as the closing can be undone. Those tried before
        somebody took the incident up are dropped too. Those whose times are far ahead waited when the clock
        was set back: they are due now.
        """
        of_a_clock_ahead = is_ahead(notifications, now_ns, AHEAD_NS, lease_ns)
        is_due = is_notification_waiting & ((notifications.c.due_ns <= now_ns) | of_a_clock_ahead)
        due = select(*_WAITING).where(is_due)
        order = (notifications.c.severity != "critical", notifications.c.due_ns, notifications.c.id)
        with self._database.reading() as connection:  # most rounds find nothing, and need no lock
            if connection.execute(due.limit(1)).first() is None:
                return []
        with self._database.writing(durable=False, ordered=True) as connection:
            ahead = update(notifications).where(is_notification_waiting, of_a_clock_ahead)
            connection.execute(ahead.values(due_ns=now_ns, way_since_ns=now_ns, made_ns=now_ns))
            closed = select(incidents.c.id).where(incidents.c.id == notifications.c.incident_id, ~is_open)
            final = closed.where(incidents.c.closed_ns <= now_ns - UNDO_NS)
            of_due = update(notifications).where(is_notification_waiting, notifications.c.due_ns <= now_ns)
            connection.execute(of_due.where(exists(final)).values(state=DROPPED, settled_ns=now_ns))
            connection.execute(of_due.where(exists(closed)).values(due_ns=now_ns + UNDO_PAUSE_NS))
            rows = _without_taken_up(connection, connection.execute(due.order_by(*order).limit(limit)).all(), now_ns)
            leased = update(notifications).where(notifications.c.id.in_([row.id for row in rows]))
            connection.execute(leased.values(due_ns=now_ns + lease_ns))
        return [_waiting(row, self._database.keys) for row in rows]

    def postpone_notifications(self, due_ns: Mapping[int, int]) -> None:
        """Make notifications that were claimed wait, each until an instant."""
        one = update(notifications).where(notifications.c.id == bindparam("_id"), is_notification_waiting)
        with self._database.writing(durable=False, ordered=True) as connection:
            rows = [{"_id": each, "_due_ns": until_ns} for each, until_ns in due_ns.items()]
            connection.execute(one.values(due_ns=bindparam("_due_ns")), rows)

    def settle_sent(self, ids: Sequence[int], attempt: NotificationAttempt, to: str | None = None) -> None:
        """Store that one message has brought these notifications to a person, also in the stories of their incidents.

        The content of a code is removed.
        """
        with self._database.writing(durable=False, ordered=True) as connection:
            done = update(notifications).where(notifications.c.id.in_(ids))
            connection.execute(done.values(state=SENT, settled_ns=attempt.at_ns, error=None))
            _forget_codes(connection, ids)
            way = update(ways).where(ways.c.id == attempt.way_id, ways.c.fault.is_not(None))
            connection.execute(way.values(fault=None, fault_ns=None))
            _drop_told(connection, ids, attempt.at_ns)
            about = _keep_attempt(connection, ids, attempt)
            entries = [on_notified(one, attempt.at_ns, to=to) for one in load_incidents(connection, about)]
            write_changes(connection, entries)

    def settle_again(self, ids: Sequence[int], attempt: NotificationAttempt, due_ns: int) -> None:
        """Store that a message could not be sent, and is to be tried again by the same way."""
        with self._database.writing(durable=False, ordered=True) as connection:
            again = update(notifications).where(notifications.c.id.in_(ids), is_notification_waiting)
            error = attempt.reason[:REASON_CHARS]
            connection.execute(again.values(due_ns=due_ns, attempts=notifications.c.attempts + 1, error=error))
            _keep_attempt(connection, ids, attempt)

    def leave_way(
        self, waiting: Sequence[WaitingNotification], attempt: NotificationAttempt, for_good: bool
    ) -> None:  # fmt: skip
        """Store that a way has failed: the notifications go by the next one at once."""
        with self._database.writing(durable=False, ordered=True) as connection:
            for each in waiting:
                failed = {**each.failed_ways, attempt.way_id: for_good}
                _reroute(connection, each.id, failed, attempt.at_ns, attempt.reason)
            fault = update(ways).where(ways.c.id == attempt.way_id)
            connection.execute(fault.values(fault=attempt.reason[:REASON_CHARS], fault_ns=attempt.at_ns))
            _keep_attempt(connection, [each.id for each in waiting], attempt)

    def begin_again(self, waiting: WaitingNotification, due_ns: int) -> None:
        """Let a notification try all ways again that have not failed for good."""
        kept = {way_id: for_good for way_id, for_good in waiting.failed_ways.items() if for_good}
        with self._database.writing(durable=False, ordered=True) as connection:
            _reroute(connection, waiting.id, kept, due_ns, waiting.error or "")

    def fail_notifications(self, ids: Sequence[int], error: str, now_ns: int) -> None:
        """Store that notifications have reached nobody."""
        with self._database.writing(durable=False, ordered=True) as connection:
            failed = update(notifications).where(notifications.c.id.in_(ids), is_notification_waiting)
            connection.execute(failed.values(state=FAILED, settled_ns=now_ns, error=error[:REASON_CHARS]))
            _forget_codes(connection, ids)


def delete_settled(connection: Connection, before_ns: int, limit: int) -> int:
    """Delete notifications that were sent, or have reached nobody, before an instant.

    The attempts about an incident stay as long as the incident.
    """
    settled = select(notifications.c.id).where(notifications.c.settled_ns < before_ns)
    ids = list(connection.scalars(settled.order_by(notifications.c.id).limit(limit)))
    if not ids:
        return 0
    without = (notification_attempts.c.notification_id.in_(ids)) & (notification_attempts.c.incident_id == "")
    connection.execute(delete(notification_attempts).where(without))
    return connection.execute(delete(notifications).where(notifications.c.id.in_(ids))).rowcount


def _without_taken_up(connection: Connection, rows: Sequence[Row[Any]], now_ns: int) -> list[Row[Any]]:
    """Drop notifications that were tried, and made before somebody acknowledged their incident; return the others.

    None is dropped untried, as the clocks of two processes may differ, nor where somebody was called out after the
    acknowledgement and has not accepted.
    """
    found = load_incidents(connection, {row.incident_id for row in rows if row.incident_id})
    taken_up_ns = {each.id: each.acknowledged_ns or 0 for each in found if not _awaits_called_out(each)}
    late = [row.id for row in rows if row.made_ns < taken_up_ns.get(row.incident_id, 0) and _was_tried(row)]
    if late:
        dropped = update(notifications).where(notifications.c.id.in_(late))
        connection.execute(dropped.values(state=DROPPED, settled_ns=now_ns))
    return [row for row in rows if row.id not in late]


def _drop_told(connection: Connection, ids: Sequence[int], now_ns: int) -> None:
    """Drop the waiting notifications that were tried, and say nothing to their person that one that was sent did not
    say about the incident, or a newer one."""
    columns = notifications.c
    query = select(columns.id, columns.incident_id, columns.person_id, columns.made_ns, columns.content)
    sent: dict[tuple[str, str], list[tuple[int, Notification]]] = {}
    for row in connection.execute(query.where(columns.id.in_(ids), columns.incident_id != "")):
        content = Notification.from_json(orjson.loads(row.content))
        sent.setdefault((row.incident_id, row.person_id), []).append((row.made_ns, content))
    tried = query.where(is_notification_waiting, columns.error.is_not(None))
    rows = connection.execute(tried.where(columns.incident_id.in_({incident_id for incident_id, _ in sent}))).all()
    told = [
        row.id for row in rows if _is_told(row.made_ns, row.content, sent.get((row.incident_id, row.person_id), ()))
    ]
    if told:
        connection.execute(update(notifications).where(columns.id.in_(told)).values(state=DROPPED, settled_ns=now_ns))


def _is_told(made_ns: int, content: str, sent: Sequence[tuple[int, Notification]]) -> bool:
    own = Notification.from_json(orjson.loads(content))
    said = (own.kind, own.severity, own.may_hold_people)
    return any(made_ns <= at_ns or said == (each.kind, each.severity, each.may_hold_people) for at_ns, each in sent)


def _was_tried(row: Row[Any]) -> bool:
    return bool(row.attempts or orjson.loads(row.failed_ways) or row.error)


def _awaits_called_out(incident: Incident) -> bool:
    """Return whether somebody was called out after the acknowledgement of an incident, and has not accepted."""
    call_outs = () if incident.rescue is None else incident.rescue.call_outs
    return any(each.called_ns > (incident.acknowledged_ns or 0) and not each.is_coming for each in call_outs)


def _reroute(connection: Connection, number: int, failed: Mapping[str, bool], due_ns: int, error: str) -> None:
    values = {
        "failed_ways": orjson.dumps(failed).decode(), "attempts": 0, "due_ns": due_ns, "way_since_ns": due_ns,
        "error": error[:REASON_CHARS] or None,
    }  # fmt: skip
    connection.execute(
        update(notifications).where(notifications.c.id == number, is_notification_waiting).values(values)
    )


def _forget_codes(connection: Connection, ids: Sequence[int]) -> None:
    """Remove the code from notifications that had to bring one."""
    is_code = notifications.c.key.startswith(f"{CODE}:", autoescape=True)
    rows = connection.execute(
        select(notifications.c.id, notifications.c.content).where(notifications.c.id.in_(ids), is_code)
    ).all()
    for row in rows:
        without = orjson.dumps(orjson.loads(row.content) | {"code": None}).decode()
        connection.execute(update(notifications).where(notifications.c.id == row.id).values(content=without))


def _keep_attempt(connection: Connection, ids: Sequence[int], attempt: NotificationAttempt) -> set[str]:
    """Store an attempt for each of the notifications that it concerned; return the ids of their incidents."""
    about = select(notifications.c.id, notifications.c.incident_id, notifications.c.person_id)
    rows = connection.execute(about.where(notifications.c.id.in_(ids)).order_by(notifications.c.id)).all()
    shared = {name: getattr(attempt, name) for name in ("way_id", "kind", "address", "at_ns", "result")}
    shared["reason"] = attempt.reason[:REASON_CHARS]
    values = [
        {"notification_id": row.id, "incident_id": row.incident_id, "person_id": row.person_id, **shared}
        for row in rows
    ]
    if values:
        connection.execute(notification_attempts.insert(), values)
    return {row.incident_id for row in rows}


def _waiting(row: Row[Any], keys: SealingKeys) -> WaitingNotification:
    failed_ways = orjson.loads(row.failed_ways)
    content = opened(Notification.from_json(orjson.loads(row.content)), keys)
    return WaitingNotification(
        row.id, content, row.way_id, failed_ways, row.attempts, row.made_ns, row.way_since_ns, row.error
    )


_WAITING = tuple(
    notifications.c[name]
    for name in (
        "id", "incident_id", "content", "way_id", "failed_ways", "attempts", "made_ns", "way_since_ns", "error",
    )
)  # fmt: skip
