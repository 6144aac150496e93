"""The records: lifts, alerts with their transitions, dead letters, audit, and where the monitor stands.

SQLite by default, PostgreSQL by URL, the same behaviour on both. Monitor and dashboards open the same database, each
in its own process. How an alert is kept exactly once: `store.records.alerts`; how it is told: `store.records.outbox`.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from store.records.alerts import Alerts, Resume, Snapshot
from store.records.database import Database, RecordsUnavailable
from store.records.dead_letters import DeadLetter, DeadLetters
from store.records.lifts import EVERYTHING, Lifts, Registered, RegistryChanges
from store.records.live import Live, LiveStates
from store.records.maintenance import Maintenance, Window
from store.records.outbox import DONE, FAILED, WAITING, Announcement, Delivery, Outbox
from store.records.page import BadCursor, Page
from store.records.retention import KEEP_DEFAULT_YEARS, KEEP_LEAST_YEARS, Retention
from store.records.search import AlertFilter, AuditEntry, History, Search

__all__ = [
    "DONE",
    "EVERYTHING",
    "FAILED",
    "KEEP_DEFAULT_YEARS",
    "KEEP_LEAST_YEARS",
    "WAITING",
    "AlertFilter",
    "Announcement",
    "AuditEntry",
    "BadCursor",
    "DeadLetter",
    "Delivery",
    "History",
    "Live",
    "Page",
    "Records",
    "RecordsUnavailable",
    "Registered",
    "RegistryChanges",
    "Resume",
    "Snapshot",
    "Window",
]


class Records(Lifts, Maintenance, Alerts, Search, Outbox, DeadLetters, LiveStates, Retention):
    """One database of records. Every method is one transaction, safe from any thread or process.

    Any of them raises `RecordsUnavailable` while the database is away; the caller waits and tries again.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> Records:
        """Open the records at `url` (`sqlite:////folder/records.db`, `postgresql://…`) and bring them up to date.

        Raises `RecordsUnavailable`, whose text says what to do.
        """
        database = Database(url)
        try:
            if database.is_sqlite and database.url.database:
                Path(database.url.database).parent.mkdir(parents=True, exist_ok=True)
            database.migrate()
        except OSError as error:
            database.close()
            raise RecordsUnavailable(f"The folder of {database.name} cannot be made: {error}.") from error
        except RecordsUnavailable:
            database.close()
            raise
        return cls(database)

    @property
    def name(self) -> str:
        """The address as it may be printed: without its password."""
        return self._database.name

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def __enter__(self) -> Records:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
