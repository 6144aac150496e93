"""How many reports of the public page are taken, by hashed keys, for all processes that share the records.

Each report pays `1 / a_second` of time; a key that is paid for `burst` reports ahead of now is full:

    now ├─────── paid ───────┤         │ burst / a_second
                             paid_ns   full
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select

from store.records.database import Database
from store.records.identity.sessions import hashed
from store.records.incidents.tables import report_limits

S_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ReportRate:
    """So many reports at once, then so many a second on average."""

    burst: int
    a_second: float

    def paid_after(self, paid_ns: int, now_ns: int) -> int | None:
        """Return until when one report more is paid for, None where there are too many."""
        each_ns = round(S_NS / self.a_second)
        after_ns = max(min(paid_ns, now_ns + self.burst * each_ns), now_ns) + each_ns
        return None if after_ns - now_ns > self.burst * each_ns else after_ns


class ReportLimitStore:
    """The part of the records that limits reports of the public page."""

    _database: Database

    def take_report(self, rates: Mapping[str, ReportRate], now_ns: int) -> bool:
        """Count a report for each key and return True, or return False where one of them is full, and count nothing."""
        rate_of = {hashed(key): rate for key, rate in rates.items()}
        with self._database.writing(durable=False) as connection:
            connection.execute(delete(report_limits).where(report_limits.c.paid_ns < now_ns))
            query = select(report_limits).where(report_limits.c.key_hash.in_(rate_of))
            paid = {row.key_hash: row.paid_ns for row in connection.execute(query)}
            after = {key: rate.paid_after(paid.get(key, 0), now_ns) for key, rate in rate_of.items()}
            if None in after.values():
                return False
            for key, paid_ns in after.items():
                row = self._database.insert(report_limits).values(key_hash=key, paid_ns=paid_ns)
                connection.execute(row.on_conflict_do_update(index_elements=["key_hash"], set_={"paid_ns": paid_ns}))
        return True
