"""The ways of people in their order, each verified by a code that was sent by the way itself.

A code has six digits, lives ten minutes and survives few wrong tries; few codes an hour are sent for one person, so
that nobody can have strangers called. The code is an entry of the outbox like every notification. Addresses with which
anybody could send, and signing secrets, are sealed (`store.records.sealing`).
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from alerts.notification import CODE, TEST, Notification
from registry.actor import Actor
from registry.ways import SECRET_ADDRESSES, WAYS_LIMIT, NotificationWay, shown_address
from store.records.audit.writing import AuditSubject, write_audit
from store.records.database import Database
from store.records.outbox.stored_notifications import insert_notifications
from store.records.outbox.tables import notifications, ways
from store.records.sealing.keys import SealingKeys, SecretsUnreadable

log = logging.getLogger(__name__)

S_NS = 1_000_000_000
CODE_DIGITS = 6
CODE_LIVES_NS = 600 * S_NS
CODE_TRIES = 5
CODES_AN_HOUR, TESTS_AN_HOUR = 6, 20
HOUR_NS = 3600 * S_NS


class TooManyWays(Exception):
    """A person has, or asks for, more ways or codes than the limit."""


class WayStore:
    """The part of the records that holds the ways of people."""

    _database: Database

    def ways(self, person_id: str) -> list[NotificationWay]:
        """Return the ways of a person in their order."""
        with self._database.reading() as connection:
            return self._load(connection, person_id)

    def ways_of(self, person_ids: Sequence[str]) -> dict[str, list[NotificationWay]]:
        """Return the ways of some people in their order."""
        with self._database.reading() as connection:
            return _load_ways(connection, person_ids, self._database.keys)

    def way(self, way_id: str) -> NotificationWay | None:
        """Return one way, or None where it does not exist."""
        with self._database.reading() as connection:
            row = connection.execute(select(*_WAY).where(ways.c.id == way_id)).first()
        return None if row is None else _opened(row, self._database.keys)

    def add_way(
        self, person_id: str, kind: str, address: str, secret: str | None, by: Actor, now_ns: int
    ) -> NotificationWay:  # fmt: skip
        """Add a way behind the others of a person and send its code; return the way that exists where it does.

        Raises TooManyWays.
        """
        with self._database.writing() as connection:
            held = self._load(connection, person_id)
            same = next((each for each in held if (each.kind, each.address) == (kind, address)), None)
            if same is not None:
                return same
            if len(held) >= WAYS_LIMIT:
                raise TooManyWays(f"A person has at most {WAYS_LIMIT} ways: remove one first.")
            position = max((each.position for each in held), default=0) + 1
            way = NotificationWay(secrets.token_hex(8), person_id, kind, address, secret, position, now_ns)
            connection.execute(ways.insert().values(**_row(way, self._database.keys), code_tries=0))
            self._send_code(connection, way, now_ns)
            _audit(connection, "way.add", way, by, now_ns)
            return way

    def send_way_code(self, person_id: str, way_id: str, by: Actor, now_ns: int) -> NotificationWay | None:
        """Send another code by a way that is not verified; None where the person has no such way.

        Raises TooManyWays.
        """
        with self._database.writing() as connection:
            way = self._find(connection, person_id, way_id)
            if way is not None and not way.is_verified:
                self._send_code(connection, way, now_ns)
                _audit(connection, "way.code", way, by, now_ns)
            return way

    def send_way_test(self, way: NotificationWay, by: Actor, now_ns: int) -> None:
        """Send a test message by a way. Raises TooManyWays."""
        with self._database.writing() as connection:
            _require_few(connection, TEST, way.person_id, TESTS_AN_HOUR, now_ns)
            key = f"{TEST}:{way.person_id}:{secrets.token_hex(8)}"
            sent = Notification(key, way.person_id, "", TEST, "trend", now_ns)
            insert_notifications(self._database, connection, [sent], now_ns, way_id=way.way_id)
            _audit(connection, "way.test", way, by, now_ns)

    def verify_way(self, person_id: str, way_id: str, code: str, by: Actor, now_ns: int) -> NotificationWay | None:
        """Verify a way by its code; return the way, None where the code is wrong, too old, or tried too often."""
        with self._database.writing() as connection:
            theirs = (ways.c.id == way_id) & (ways.c.person_id == person_id)
            row = connection.execute(select(ways).where(theirs)).first()
            if row is None or row.code_hash is None or row.code_tries >= CODE_TRIES or row.code_expires_ns <= now_ns:
                return None
            if not secrets.compare_digest(_code_hash(way_id, "".join(code.split())), row.code_hash):
                connection.execute(update(ways).where(theirs).values(code_tries=ways.c.code_tries + 1))
                return None
            values = {"verified_ns": now_ns, "code_hash": None, "fault": None, "fault_ns": None}
            connection.execute(update(ways).where(theirs).values(values))
            way = self._find(connection, person_id, way_id)
            assert way is not None, "the way was just there"
            _audit(connection, "way.verify", way, by, now_ns)
            return way

    def order_ways(
        self, person_id: str, way_ids: Sequence[str], by: Actor, now_ns: int
    ) -> list[NotificationWay] | None:
        """Set the order of a person's ways; None where `way_ids` are not exactly those of the person."""
        with self._database.writing() as connection:
            held = self._load(connection, person_id)
            if sorted(each.way_id for each in held) != sorted(way_ids):
                return None
            for position, way_id in enumerate(way_ids, start=1):
                connection.execute(update(ways).where(ways.c.id == way_id).values(position=position))
            after = self._load(connection, person_id)
            subject = AuditSubject(person_id, None, _shown(held), _shown(after))
            write_audit(connection, now_ns, by, "way.order", [subject])
            return after

    def remove_way(self, person_id: str, way_id: str, by: Actor, now_ns: int) -> bool:
        """Remove a way; return whether the person had the way."""
        with self._database.writing() as connection:
            way = self._find(connection, person_id, way_id)
            if way is not None:
                connection.execute(delete(ways).where(ways.c.id == way_id))
                _audit(connection, "way.remove", way, by, now_ns)
            return way is not None

    def _load(self, connection: Connection, person_id: str) -> list[NotificationWay]:
        return _load_ways(connection, [person_id], self._database.keys).get(person_id, [])

    def _find(self, connection: Connection, person_id: str, way_id: str) -> NotificationWay | None:
        theirs = (ways.c.id == way_id) & (ways.c.person_id == person_id)
        row = connection.execute(select(*_WAY).where(theirs)).first()
        return None if row is None else _opened(row, self._database.keys)

    def _send_code(self, connection: Connection, way: NotificationWay, now_ns: int) -> None:
        """Put a new code of a way into the outbox; raise TooManyWays beyond the limit of an hour."""
        _require_few(connection, CODE, way.person_id, CODES_AN_HOUR, now_ns)
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        values = {"code_hash": _code_hash(way.way_id, code), "code_expires_ns": now_ns + CODE_LIVES_NS, "code_tries": 0}
        connection.execute(update(ways).where(ways.c.id == way.way_id).values(values))
        key = f"{CODE}:{way.person_id}:{secrets.token_hex(8)}"
        sent = Notification(key, way.person_id, "", CODE, "trend", now_ns, code=code)
        insert_notifications(self._database, connection, [sent], now_ns, way_id=way.way_id)


def verified_kinds(connection: Connection, person_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the kinds of the verified ways of some people in their order."""
    theirs = ways.c.person_id.in_(person_ids), ways.c.verified_ns.is_not(None)
    query = select(ways.c.person_id, ways.c.kind).where(*theirs).order_by(ways.c.position, ways.c.created_ns)
    found: dict[str, tuple[str, ...]] = {}
    for row in connection.execute(query):
        found[row.person_id] = (*found.get(row.person_id, ()), row.kind)
    return found


def _load_ways(
    connection: Connection, person_ids: Sequence[str], keys: SealingKeys
) -> dict[str, list[NotificationWay]]:  # fmt: skip
    query = select(*_WAY).where(ways.c.person_id.in_(person_ids)).order_by(ways.c.position, ways.c.created_ns)
    found: dict[str, list[NotificationWay]] = {}
    for row in connection.execute(query):
        found.setdefault(row.person_id, []).append(_opened(row, keys))
    return found


def _require_few(connection: Connection, kind: str, person_id: str, limit: int, now_ns: int) -> None:
    """Raise TooManyWays where a person has had as many messages of a kind within an hour as the limit."""
    sent = notifications.c.key.startswith(f"{kind}:{person_id}:", autoescape=True)
    since = notifications.c.made_ns > now_ns - HOUR_NS
    if (connection.execute(select(func.count()).where(sent, since)).scalar() or 0) >= limit:
        raise TooManyWays(f"At most {limit} messages of this kind an hour are sent: wait an hour.")


def _opened(row: Sequence[Any], keys: SealingKeys) -> NotificationWay:
    """Return the way of a row, without address and secret where their key is missing."""
    way = NotificationWay(*row)
    try:
        address = keys.unseal(way.address, about_way("address", way.way_id, way.person_id))
        secret = None if way.secret is None else keys.unseal(way.secret, about_way("secret", way.way_id, way.person_id))
    except SecretsUnreadable as error:
        log.error("way %s of person %s cannot be used: %s", way.way_id, way.person_id, error)
        return replace(way, address="", secret=None, is_readable=False)
    return replace(way, address=address, secret=secret)


def about_way(column: str, way_id: str, person_id: str) -> str:
    """Return the name of the place of an address or a secret, which is sealed with it."""
    return f"ways.{column} of {way_id} of {person_id}"


def _row(way: NotificationWay, keys: SealingKeys) -> dict[str, Any]:
    columns = ("person_id", "kind", "address", "secret", "position", "created_ns", "verified_ns")
    row: dict[str, Any] = {"id": way.way_id} | {name: getattr(way, name) for name in columns}
    for name in ("address", "secret"):
        if row[name] is not None and (name == "secret" or way.kind in SECRET_ADDRESSES):
            row[name] = keys.seal(row[name], about_way(name, way.way_id, way.person_id))
    return row


def _shown(held: Sequence[NotificationWay]) -> list[str]:
    return [f"{each.kind} {shown_address(each.kind, each.address)}" for each in held]


def _audit(connection: Connection, action: str, way: NotificationWay, by: Actor, now_ns: int) -> None:
    """Write an action to the audit log; addresses with tokens are not written there."""
    detail = {"way": way.way_id, "kind": way.kind, "address": shown_address(way.kind, way.address)}
    write_audit(connection, now_ns, by, action, [AuditSubject(way.person_id, detail)])


def _code_hash(way_id: str, code: str) -> str:
    """Return the form in which a code is stored; it lives so short that trying all codes of a copy gains nothing."""
    return hashlib.sha256(f"{way_id}:{code}".encode()).hexdigest()


_WAY = tuple(
    ways.c[name]
    for name in (
        "id", "person_id", "kind", "address", "secret", "position", "created_ns", "verified_ns", "fault", "fault_ns",
    )
)  # fmt: skip
