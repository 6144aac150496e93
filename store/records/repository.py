"""The records: lifts, alerts with their transitions, incidents, dead letters, the audit log, the monitors' positions.

SQLite by default, PostgreSQL by URL, the same behaviour on both. Monitor and dashboards open the same database, each
in its own process. How findings are applied exactly once: `store.records.alerts`; how transitions are delivered:
`store.records.outbox.transitions`.
"""

from __future__ import annotations

from store.records.alerts import AlertStore
from store.records.audit.entry import AuditEntry
from store.records.audit.search import AuditFilter, AuditStore
from store.records.audit.writing import AuditSubject
from store.records.changes.change_request import ChangeRequest, WantedChange, fact_change
from store.records.changes.second_person import NotDecidable
from store.records.changes.temporary import TemporaryChangeOpen, TemporaryChangeStore
from store.records.database import RecordsUnavailable, Repository
from store.records.devices import DeviceStore
from store.records.duty.books import DutyStore
from store.records.duty.calls import CallSituation, CallStore
from store.records.duty.policies import InvalidPolicy, PolicyInUse
from store.records.duty.rosters import CalendarLink, OverridesFull
from store.records.identity.accounts import AccountStore
from store.records.identity.administrators import LastAdministrator
from store.records.identity.organisations import NameTaken
from store.records.identity.people import Credentials
from store.records.identity.renames import LiftRenames
from store.records.identity.sessions import AccessToken, AccountSession, OneTimeLink, TooManyTokens
from store.records.incidents.actions import IncidentStore
from store.records.incidents.outbox import IncidentAnnouncement, IncidentOutbox, SummaryLifts
from store.records.incidents.report_limits import ReportLimitStore, ReportRate
from store.records.incidents.reports import PublicReportStore
from store.records.incidents.rescues import RescueStore
from store.records.incidents.search import IncidentCounts, IncidentFilter, IncidentHistory, IncidentSearch
from store.records.incidents.visible import VisibleIncident
from store.records.judging.maintenance import MaintenanceStore, WindowRecord
from store.records.lifts import EVERYTHING, FactsChange, Registered, RegistryChanges
from store.records.monitors.health import HealthDay, HealthRecord, HealthStore, PastAlert
from store.records.monitors.live import LiveState, LiveStore
from store.records.monitors.partitions import PartitionMismatch, PartitionStore
from store.records.monitors.snapshots import Resume, Snapshot
from store.records.outbox.answer_links import ACCEPT, ACKNOWLEDGE, AnswerLink, AnswerLinkStore
from store.records.outbox.deliveries import DONE, FAILED, WAITING, Delivery, DeliveryStore, subject_id
from store.records.outbox.failing_endpoints import FailingEndpoints
from store.records.outbox.notifications import NotificationAttempt, NotificationStore, WaitingNotification
from store.records.outbox.outcomes import NotificationOutcomes
from store.records.outbox.transitions import Announcement, Outbox
from store.records.outbox.ways import TooManyWays, WayStore
from store.records.page import BadCursor, Page
from store.records.refused.dead_letters import DeadLetterStore, RefusalCount, RefusedMessage
from store.records.retention import KEEP_DEFAULT_YEARS, KEEP_LEAST_YEARS, Retention
from store.records.sealing.keys import SecretsUnreadable
from store.records.sealing.labels import LabelProofStore
from store.records.sealing.secrets import SealedSecretStore, SealingReport
from store.records.search import AlertFilter, AlertSearch, History
from store.records.versions import VersionConflict, alert_version, incident_version, lift_version

__all__ = [
    "ACCEPT",
    "ACKNOWLEDGE",
    "DONE",
    "EVERYTHING",
    "FAILED",
    "KEEP_DEFAULT_YEARS",
    "KEEP_LEAST_YEARS",
    "WAITING",
    "AccessToken",
    "AccountSession",
    "AlertFilter",
    "Announcement",
    "AnswerLink",
    "AuditEntry",
    "AuditFilter",
    "AuditSubject",
    "BadCursor",
    "CalendarLink",
    "CallSituation",
    "ChangeRequest",
    "Credentials",
    "Delivery",
    "FactsChange",
    "HealthDay",
    "HealthRecord",
    "History",
    "IncidentAnnouncement",
    "IncidentCounts",
    "IncidentFilter",
    "IncidentHistory",
    "InvalidPolicy",
    "LastAdministrator",
    "LiveState",
    "NameTaken",
    "NotDecidable",
    "NotificationAttempt",
    "OneTimeLink",
    "OverridesFull",
    "Page",
    "PartitionMismatch",
    "PastAlert",
    "PolicyInUse",
    "Records",
    "RecordsUnavailable",
    "RefusalCount",
    "RefusedMessage",
    "Registered",
    "RegistryChanges",
    "ReportRate",
    "Resume",
    "SealingReport",
    "SecretsUnreadable",
    "Snapshot",
    "SummaryLifts",
    "TemporaryChangeOpen",
    "TooManyTokens",
    "TooManyWays",
    "VersionConflict",
    "VisibleIncident",
    "WaitingNotification",
    "WantedChange",
    "WindowRecord",
    "alert_version",
    "fact_change",
    "incident_version",
    "lift_version",
    "subject_id",
]


class Records(
    Repository,
    LiftRenames,
    AccountStore,
    MaintenanceStore,
    AlertStore,
    AlertSearch,
    AuditStore,
    Outbox,
    IncidentStore,
    IncidentSearch,
    IncidentOutbox,
    PublicReportStore,
    ReportLimitStore,
    RescueStore,
    DeadLetterStore,
    LiveStore,
    Retention,
    PartitionStore,
    TemporaryChangeStore,
    DeviceStore,
    WayStore,
    DeliveryStore,
    FailingEndpoints,
    NotificationStore,
    NotificationOutcomes,
    AnswerLinkStore,
    DutyStore,
    CallStore,
    SealedSecretStore,
    LabelProofStore,
    HealthStore,
):
    """One database of records. Every method is one transaction, safe from any thread or process.

    Every method raises `RecordsUnavailable` while the database does not answer; the caller waits and tries again.
    """
