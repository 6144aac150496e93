"""Failed sign-ins in a row, counted under hashed keys: an account or a network address, whether it exists or not.

    begin_attempt ──► counted for every key, before the password is checked
    forgive_attempt ► the account's count is removed, the address's is one less

A count is forgotten a day after its last attempt. At most `KEYS_LIMIT` are kept: the oldest give way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, delete, func, select, update

from store.records.database import Database
from store.records.identity.sessions import hashed
from store.records.identity.tables import sign_in_failures

KEYS_LIMIT = 20_000
S_NS = 1_000_000_000
FORGOTTEN_AFTER_NS = 24 * 3600 * S_NS


class AttemptStore:
    """The part of the records that counts failed sign-ins."""

    _database: Database

    def begin_attempt(self, waits_s: Mapping[str, Callable[[int], float]], now_ns: int) -> float:
        """Count an attempt for each key and return 0, or return the seconds to wait, and count nothing.

        `waits_s` has for each key the wait in seconds after a number of failures.
        """
        wait_of = {hashed(key): wait_s for key, wait_s in waits_s.items()}
        with self._database.writing(durable=False) as connection:
            connection.execute(delete(sign_in_failures).where(sign_in_failures.c.last_ns < now_ns - FORGOTTEN_AFTER_NS))
            query = select(sign_in_failures).where(sign_in_failures.c.key_hash.in_(wait_of))
            left_s = 0.0
            for row in connection.execute(query):
                since_ns = max(0, now_ns - row.last_ns)  # a clock that was set back waits from now on
                left_s = max(left_s, wait_of[row.key_hash](row.failures) - since_ns / S_NS)
            if left_s > 0:
                return left_s
            for key in wait_of:
                self._count_failure(connection, key, now_ns)
            _drop_oldest(connection)
            return 0.0

    def forgive_attempt(self, account: str, address: str) -> None:
        """Remove the count of an account, and take one attempt back from an address."""
        of_address = sign_in_failures.c.key_hash == hashed(address)
        with self._database.writing(durable=False) as connection:
            connection.execute(delete(sign_in_failures).where(sign_in_failures.c.key_hash == hashed(account)))
            fewer = update(sign_in_failures).where(of_address, sign_in_failures.c.failures > 0)
            connection.execute(fewer.values(failures=sign_in_failures.c.failures - 1))

    def _count_failure(self, connection: Connection, key_hash: str, now_ns: int) -> None:
        row = self._database.insert(sign_in_failures).values(key_hash=key_hash, failures=1, last_ns=now_ns)
        more = {"failures": sign_in_failures.c.failures + 1, "last_ns": now_ns}
        connection.execute(row.on_conflict_do_update(index_elements=["key_hash"], set_=more))


def _drop_oldest(connection: Connection) -> None:
    surplus = connection.execute(select(func.count()).select_from(sign_in_failures)).scalar_one() - KEYS_LIMIT
    if surplus > 0:
        oldest = select(sign_in_failures.c.key_hash).order_by(sign_in_failures.c.last_ns).limit(surplus)
        connection.execute(delete(sign_in_failures).where(sign_in_failures.c.key_hash.in_(oldest)))
