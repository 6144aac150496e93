"""`liftwatch monitor`: the process that receives, judges, stores and announces, until a signal ends it."""

from __future__ import annotations

import argparse
import gc
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from commands.wiring.broker import broker_address
from commands.wiring.compilation import summary
from commands.wiring.notifications import notification_senders
from commands.wiring.partition import client_id, partition
from commands.wiring.rescue import rescue_points, rescue_times
from commands.wiring.rules import tuned_rules
from commands.wiring.series import open_series
from commands.wiring.webhooks import webhook_endpoints
from configuration import Configuration
from ingest.health.keeper import HealthKeeper
from ingest.monitor import Monitor, Notifier
from ingest.receiving.source import ClientIdContested, MqttSource
from ingest.warm_up import warm_up
from notify.announcer import FEEDS, Announcer
from notify.dispatch.dispatcher import NotificationDispatcher
from notify.escalation.duty_caller import DutyCaller
from notify.rescue_clock import RescueClock
from notify.webhook_notifier import WebhookNotifier
from store.journal import Journal, JournalLocked
from store.journal_files import JournalDamaged, JournalUnavailable
from store.records.repository import PartitionMismatch, Records, RecordsUnavailable

log = logging.getLogger("liftwatch.monitor")

EXPECTED_ERRORS = (
    ClientIdContested,
    JournalDamaged,
    JournalLocked,
    JournalUnavailable,
    PartitionMismatch,
    RecordsUnavailable,
)
COLLECT_AFTER = 200_000
"""Decoding makes many small values that die together: looking for cycles among them costs a third of its time."""


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Add nothing: the configuration has every setting of the monitor."""


def run(_: argparse.Namespace, settings: Configuration) -> int:
    """Run the monitor until SIGINT or SIGTERM."""
    done = warm_up(tuned_rules(settings))
    if done.compiled:
        log.warning("%s", summary(done))
    with open_monitor(settings) as monitor:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: monitor.stop())
        collect_seldom()
        monitor.run()
    return 0


def collect_seldom() -> None:
    """Make Python's cycle collector run less often than by default, for the rest of the process."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


@contextmanager
def open_monitor(settings: Configuration) -> Iterator[Monitor]:
    """Open the journal, and yield a monitor that waits for an unavailable broker, records or time series."""
    rules, webhooks, address = tuned_rules(settings), webhook_endpoints(settings), broker_address(settings)
    senders = notification_senders(settings)
    where = settings.monitor
    with (
        Records.opened_at_first_use(settings.records_url, settings.records_key_path) as records,
        Journal.open(where.data_dir / "journal", where.journal_limit_mb << 20) as journal,
    ):
        with suppress(RecordsUnavailable):  # unavailable: the partition is claimed later
            records.claim(partition(settings))
        journal.lock()  # before connecting: a second monitor would take over the first one's session at the broker
        dispatcher = NotificationDispatcher(records, senders, settings.dashboards.public_url)
        notifiers: list[Notifier] = [
            *(Announcer(records, address, client_id(settings, feed.role), feed) for feed in FEEDS),
            DutyCaller(records, on_owed=dispatcher.wake.set, kinds=frozenset(senders)),
            RescueClock(records, rescue_times(settings), rescue_points(settings)),
            dispatcher,
            HealthKeeper(records, lambda: open_series(settings, writable=False), settings.health.alarms_per_lift_month),
        ]
        if webhooks:
            notifiers.append(WebhookNotifier(records, webhooks))
        yield Monitor(
            MqttSource(address, client_id(settings, "monitor")),
            journal,
            records,
            lambda: open_series(settings, writable=True),
            rules,
            notifiers,
            partition=partition(settings),
            raw_days=settings.timeseries.raw_days,
            measured_days=settings.timeseries.measured_days,
            keep_years=settings.records.keep_years,
            batch_s=where.batch_s,
            batch_messages=where.batch_messages,
            http_address=(where.http_host, where.http_port) if where.http_port else None,
        )
