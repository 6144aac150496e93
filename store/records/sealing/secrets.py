"""Brings the secrets that have to be read again to the newest key: plain ones, and those of older keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Column, Connection, Table, select, update
from sqlalchemy.exc import DBAPIError

from alerts.notification import CODE
from registry.ways import SECRET_ADDRESSES
from store.records.database import Database
from store.records.identity.people import about_totp
from store.records.identity.tables import people
from store.records.outbox.stored_notifications import about_code
from store.records.outbox.tables import is_notification_waiting, notifications, ways
from store.records.outbox.ways import about_way
from store.records.sealing.keys import SEALED, SecretsUnreadable

LOCK_WAIT_MS = 10_000


@dataclass(frozen=True, slots=True)
class SealingReport:
    """How many secrets were sealed anew, how many cannot be opened, and why not.

    `kept` says why former values may remain in the files of PostgreSQL, empty where they were removed.
    """

    sealed: int = 0
    unreadable: int = 0
    reason: str = ""
    kept: str = ""


@dataclass(frozen=True, slots=True)
class _StoredSecret:
    """A secret in a column of a row; inside JSON where the column is the content of a notification."""

    table: Table
    column: Column[Any]
    row_id: Any
    stored: str
    about: str

    @property
    def text(self) -> str:
        return str(orjson.loads(self.stored)["code"]) if self.column is notifications.c.content else self.stored

    def holding(self, text: str) -> str:
        if self.column is not notifications.c.content:
            return text
        return orjson.dumps(orjson.loads(self.stored) | {"code": text}).decode()


class SealedSecretStore:
    """The part of the records that holds the keys of secrets."""

    _database: Database

    def seal_secrets(self) -> SealingReport:
        """Seal every secret by the newest key, and create a first key where nothing is sealed.

        What cannot be opened stays as it is. SQLite overwrites the former values; PostgreSQL writes the tables anew.
        """
        keys, done, unreadable, reason = self._database.keys, 0, 0, ""
        with self._database.writing() as connection:
            if self._database.is_sqlite:
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            found = list(_secrets(connection))
            if not any(each.text.startswith(SEALED) for each in found):
                keys.create()
            for each in found:
                try:
                    if keys.is_current(each.text):
                        keys.unseal(each.text, each.about)
                        continue
                    text = each.holding(keys.seal(keys.unseal(each.text, each.about), each.about))
                except SecretsUnreadable as error:
                    unreadable, reason = unreadable + 1, str(error)
                    continue
                same = each.table.c.id == each.row_id, each.column == each.stored
                done += connection.execute(update(each.table).where(*same).values({each.column: text})).rowcount
        return SealingReport(done, unreadable, reason, self._remove_former_values() if done else "")

    def _remove_former_values(self) -> str:
        """Remove the former values of rows, which both databases keep beside the present ones.

        Return why the files of PostgreSQL may keep some: a table that others hold for `LOCK_WAIT_MS`, or no space for
        its copy, stays as it is.
        """
        if self._database.is_sqlite:
            with self._database.engine.connect() as bare:
                bare.exec_driver_sql("COMMIT")  # a checkpoint needs no transaction
                bare.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            return ""
        kept = []
        with self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as bare:
            bare.exec_driver_sql(f"SET lock_timeout = {LOCK_WAIT_MS}")
            for table in (people, ways, notifications):
                try:
                    bare.exec_driver_sql(f"VACUUM FULL {table.name}")
                except DBAPIError as error:
                    kept.append(f"{table.name} ({str(error.orig).strip()})")
            bare.exec_driver_sql("RESET lock_timeout")
        return ", ".join(kept)


def _secrets(connection: Connection) -> Iterator[_StoredSecret]:
    """Yield every secret that has to be read again."""
    totp = select(people.c.id, people.c.totp_secret).where(people.c.totp_secret.is_not(None))
    for row in connection.execute(totp).all():
        yield _StoredSecret(people, people.c.totp_secret, row.id, row.totp_secret, about_totp(row.id))
    for way in connection.execute(select(ways)).all():
        if way.kind in SECRET_ADDRESSES:
            yield _StoredSecret(ways, ways.c.address, way.id, way.address, about_way("address", way.id, way.person_id))
        if way.secret is not None:
            yield _StoredSecret(ways, ways.c.secret, way.id, way.secret, about_way("secret", way.id, way.person_id))
    of_codes = notifications.c.key.startswith(f"{CODE}:", autoescape=True)
    codes = select(notifications.c.id, notifications.c.key, notifications.c.content)
    for sent in connection.execute(codes.where(is_notification_waiting, of_codes)).all():
        if orjson.loads(sent.content)["code"] is not None:
            yield _StoredSecret(notifications, notifications.c.content, sent.id, sent.content, about_code(sent.key))
