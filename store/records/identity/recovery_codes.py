"""Recovery codes: ten for each second factor, each of 120 random bits, stored as SHA-256, for one use.

A code signs in where the authenticator is lost, or where the key of its secret is missing.
"""

from __future__ import annotations

import secrets
from base64 import b32encode

from sqlalchemy import Connection, delete, func, select

from registry.actor import Actor
from store.records.audit.writing import AuditSubject, write_audit
from store.records.database import Database
from store.records.identity.sessions import hashed
from store.records.identity.tables import recovery_codes
from store.records.outbox.account_notices import RECOVERED, notify_owner

CODES, CODE_BYTES, GROUP_CHARS = 10, 15, 4
CODE_CHARS = CODE_BYTES * 8 // 5


class RecoveryCodeStore:
    """The part of the records that holds recovery codes."""

    _database: Database

    def renew_recovery_codes(self, person_id: str, by: Actor, now_ns: int) -> list[str]:
        """Replace the recovery codes of a person, and return the new ones, which are shown this once."""
        codes = [b32encode(secrets.token_bytes(CODE_BYTES)).decode() for _ in range(CODES)]
        with self._database.writing() as connection:
            connection.execute(delete(recovery_codes).where(recovery_codes.c.person_id == person_id))
            rows = [{"id": _stored(person_id, code), "person_id": person_id, "created_ns": now_ns} for code in codes]
            connection.execute(recovery_codes.insert(), rows)
            write_audit(connection, now_ns, by, "person.recovery-codes", [AuditSubject(person_id, {"count": CODES})])
        return ["-".join(code[at : at + GROUP_CHARS] for at in range(0, CODE_CHARS, GROUP_CHARS)) for code in codes]

    def use_recovery_code(self, person_id: str, code: str, by: Actor, now_ns: int) -> bool:
        """Use up a recovery code and notify its owner; return False where the person has no such code."""
        normal = "".join(code.split()).replace("-", "").upper()
        if len(normal) != CODE_CHARS:
            return False
        with self._database.writing() as connection:
            used = delete(recovery_codes).where(recovery_codes.c.id == _stored(person_id, normal))
            if not connection.execute(used).rowcount:
                return False
            left = _count(connection, person_id)
            write_audit(connection, now_ns, by, "person.recover", [AuditSubject(person_id, {"left": left})])
            notify_owner(self._database, connection, person_id, RECOVERED, by, now_ns)
            return True

    def recovery_codes_left(self, person_id: str) -> int:
        """Return how many recovery codes a person has left."""
        with self._database.reading() as connection:
            return _count(connection, person_id)


def _count(connection: Connection, person_id: str) -> int:
    counted = select(func.count()).where(recovery_codes.c.person_id == person_id)
    return connection.execute(counted).scalar_one()


def _stored(person_id: str, code: str) -> str:
    return hashed(f"{person_id}:{code}")
