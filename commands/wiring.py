"""From what the operator decides to the things themselves: the broker, the webhooks, the time series, each tried.

What cannot be used is `Unusable`, or the store's own error, whose text says what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Event
from typing import TypeVar

import configuration
from configuration import Configuration, Unusable
from ingest.monitor import Monitor, Notifier
from ingest.partition import EVERY_LIFT, Partition
from ingest.partition import read as read_partition
from ingest.receive import MqttSource
from mqtt.client import BadCertificates, BrokerAddress, tls_context
from mqtt.connection import BrokerConnection
from notify.announce import Announcer
from notify.deliver import BadSecret, Deliverer, signer
from notify.webhook import Endpoint
from store.journal import Journal
from store.records.repository import Records
from store.series.connect import open_timeseries
from store.series.timeseries import TimeSeries

FIRST_ANSWER_S = 12.0


def broker(settings: Configuration) -> BrokerAddress:
    """Return the address of the broker in `[broker]`; Unusable where its CA file is."""
    where = settings.broker
    address = BrokerAddress(
        where.host,
        where.port,
        where.username,
        where.password(),
        where.tls,
        str(where.ca_file) if where.ca_file else None,
        where.protocol,
    )
    try:
        tls_context(address)
    except BadCertificates as error:
        raise Unusable(str(error)) from None
    return address


def client_id(settings: Configuration, role: str) -> str:
    """Return a client id for a part of the monitor; it names the partition where there are several."""
    mine = partition(settings)
    name = settings.broker.client_id
    return f"{name}-{role}" if mine == EVERY_LIFT else f"{name}-{mine.number}of{mine.of}-{role}"


def partition(settings: Configuration) -> Partition:
    """Return which lifts are this monitor's."""
    try:
        return read_partition(settings.monitor.partition)
    except ValueError as error:
        raise Unusable(f"monitor.partition: {error}") from None


def endpoints(settings: Configuration) -> list[Endpoint]:
    """Return the webhooks with their secrets read and tried."""
    found = []
    for webhook in settings.webhooks:
        name = f"webhooks.{webhook.name}.secret_file"
        secret = configuration.secret(webhook.secret_file, name) or ""
        made = Endpoint(webhook.name, webhook.url, secret, webhook.severities, webhook.districts)
        try:
            signer(made)
        except BadSecret as error:
            raise Unusable(f"{name}: {error}") from None
        found.append(made)
    return found


def timeseries(settings: Configuration, *, writable: bool) -> TimeSeries:
    """Open the time series where the configuration says."""
    where = settings.timeseries
    place = where.url if where.kind == "influxdb" else settings.series_path
    return open_timeseries(
        place,
        token=where.token() or "",
        org=where.org,
        raw_days=where.raw_days,
        minute_days=where.minute_days,
        writable=writable,
    )


@contextmanager
def monitor(settings: Configuration) -> Iterator[Monitor]:
    """Give a monitor whose broker has answered, and what it works with."""
    rules, webhooks, address = configuration.rules(settings), endpoints(settings), broker(settings)
    where = settings.monitor
    with (
        Records.open(settings.records_url) as records,
        Journal.open(where.data_dir / "journal", where.journal_limit_mb << 20) as journal,
    ):
        journal.claim()  # before the broker is met: a second monitor would take the first one's session away
        with closing(timeseries(settings, writable=True)) as series:
            source = connected(MqttSource(address, client_id(settings, "monitor")))
            notifiers: list[Notifier] = [
                Announcer(records, address, client_id(settings, "announcer")),
                Deliverer(records, webhooks),
            ]
            yield Monitor(
                source,
                journal,
                records,
                series,
                rules,
                notifiers,
                partition=partition(settings),
                raw_days=settings.timeseries.raw_days,
                keep_years=settings.records.keep_years,
                batch_s=where.batch_s,
                batch_messages=where.batch_messages,
            )


Connection = TypeVar("Connection", bound=BrokerConnection)


def connected(connection: Connection, ended: Event | None = None) -> Connection:
    """Return the connection once the broker has accepted it; Unusable where it does not."""
    if connection.connect(FIRST_ANSWER_S, ended) is None or (ended and ended.is_set()):
        return connection
    connection.close()
    raise Unusable(connection.unusable())


def met(settings: Configuration) -> str:
    """Say how the broker was reached: by a session of its own that leaves nothing behind."""
    source = connected(MqttSource(broker(settings), client_id(settings, "check-monitor"), session_kept_s=0))
    source.close()
    return f"{source.address} by {source.version.name}"


def kept(settings: Configuration) -> str:
    """Say where the records are, once they could be opened."""
    with Records.open(settings.records_url) as records:
        return records.name


def remembered(settings: Configuration) -> str:
    """Say where the time series are, once they could be opened."""
    timeseries(settings, writable=False).close()
    return settings.timeseries.kind
