"""From what the operator decides to the things themselves: the broker, the webhooks, the time series, each tried.

What cannot be used is `Unusable`, or the store's own error, whose text says what to do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import configuration
from configuration import Configuration, Unusable
from ingest.monitor import Monitor
from ingest.partition import EVERY_LIFT, Partition
from ingest.partition import read as read_partition
from ingest.receive import MqttSource
from mqtt.client import BrokerAddress
from notify.deliver import BadSecret, signer
from notify.webhook import Endpoint
from store.journal import Journal
from store.records.repository import Records
from store.series.connect import open_timeseries
from store.series.timeseries import TimeSeries

FIRST_ANSWER_S = 12.0


def broker(settings: Configuration) -> BrokerAddress:
    """Return the broker's address as the rooms know it."""
    where, mine = settings.broker, partition(settings)
    return BrokerAddress(
        where.host,
        where.port,
        where.username,
        where.password(),
        where.tls,
        str(where.ca_file) if where.ca_file else None,
        where.client_id if mine == EVERY_LIFT else f"{where.client_id}-{mine.number}of{mine.of}",
        where.protocol,
    )


def partition(settings: Configuration) -> Partition:
    """Return which lifts are this monitor's."""
    try:
        return read_partition(settings.monitor.partition)
    except ValueError as error:
        raise Unusable(f"monitor.partition: {error}") from None


def player_broker(settings: Configuration) -> dict[str, Any]:
    """Return the broker's address as the simulator's player takes it."""
    address = broker(settings)
    return {name: getattr(address, name) for name in ("host", "port", "username", "password")}


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
            yield Monitor(
                reached(address),
                journal,
                records,
                series,
                rules,
                address,
                webhooks,
                partition=partition(settings),
                raw_days=settings.timeseries.raw_days,
                keep_years=settings.records.keep_years,
                batch_s=where.batch_s,
                batch_messages=where.batch_messages,
            )


def reached(address: BrokerAddress) -> MqttSource:
    """Return a source whose broker has answered; Unusable where it does not or refuses us."""
    source = MqttSource(address)
    why = source.reach(FIRST_ANSWER_S)
    if why is None:
        return source
    source.close()
    raise Unusable(unreachable(address.host, address.port, why))


def unreachable(host: str, port: int, why: str) -> str:
    """Say that a broker does not answer or refuses us, and what to do."""
    remedy = "start one, or set host, port, username and password_file in [broker]"
    return f"the broker {host}:{port} cannot be used ({why}); {remedy}"


def met(settings: Configuration) -> str:
    """Say how the broker was reached: by a session of its own that leaves nothing behind."""
    address = broker(settings)
    source = reached(dataclasses.replace(address, client_id=f"{address.client_id}-check", session_kept_s=0))
    source.close()
    return f"{address.host}:{address.port} by {source.version.name}"


def kept(settings: Configuration) -> str:
    """Say where the records are, once they could be opened."""
    with Records.open(settings.records_url) as records:
        return records.name


def remembered(settings: Configuration) -> str:
    """Say where the time series are, once they could be opened."""
    timeseries(settings, writable=False).close()
    return settings.timeseries.kind
