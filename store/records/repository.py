"""The records: lifts, alerts with their transitions, dead letters, audit, and where the monitor stands.

SQLite by default, PostgreSQL by URL, the same behaviour on both. Monitor and dashboards open the same database, each
in its own process. How an alert is kept exactly once: `store.records.alerts`; how it is told: `store.records.outbox`.
"""

from __future__ import annotations

from store.records.alerts import Alerts, Resume, Snapshot
from store.records.database import RecordsUnavailable, Repository
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


class Records(Repository, Lifts, Maintenance, Alerts, Search, Outbox, DeadLetters, LiveStates, Retention):
    """One database of records. Every method is one transaction, safe from any thread or process.

    Any of them raises `RecordsUnavailable` while the database is away; the caller waits and tries again.
    """
