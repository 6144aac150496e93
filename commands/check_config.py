"""`liftwatch check-config`: try everything that the configuration names and print how each attempt ended."""

from __future__ import annotations

import argparse

from commands.errors import Unusable
from commands.wiring.broker import broker_address, connected
from commands.wiring.partition import client_id
from commands.wiring.rules import tuned_rules
from commands.wiring.series import open_series
from commands.wiring.webhooks import webhook_endpoints
from configuration import Configuration
from ingest.receive import MqttSource
from store.records.repository import Records, RecordsUnavailable
from store.series.timeseries import TimeSeriesRefused, TimeSeriesUnavailable

EXPECTED_ERRORS = (RecordsUnavailable, TimeSeriesUnavailable, TimeSeriesRefused)


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Add nothing: `--config` names the file."""


def run(_: argparse.Namespace, settings: Configuration) -> int:
    """Try rules, webhooks, broker, records and time series; return exit code 2 where one of them fails."""
    failed = False
    for name, attempt in (
        ("rules", lambda: f"{len(tuned_rules(settings))} rules"),
        ("webhooks", lambda: f"{len(webhook_endpoints(settings))} endpoints"),
        ("broker", lambda: check_broker(settings)),
        ("records", lambda: check_records(settings)),
        ("time series", lambda: check_series(settings)),
    ):
        try:
            print(f"ok     {name}: {attempt()}")
        except (Unusable, *EXPECTED_ERRORS) as error:
            failed = True
            print(f"FAULT  {name}: {error}")
    return 2 if failed else 0


def check_broker(settings: Configuration) -> str:
    """Connect with a session that leaves nothing behind; return address and protocol version."""
    source = connected(MqttSource(broker_address(settings), client_id(settings, "check-monitor"), session_kept_s=0))
    source.close()
    return f"{source.address} by {source.version.name}"


def check_records(settings: Configuration) -> str:
    """Open the records; return their address without its password."""
    with Records.open(settings.records_url) as records:
        return records.name


def check_series(settings: Configuration) -> str:
    """Open the time series; return their kind."""
    open_series(settings, writable=False).close()
    return settings.timeseries.kind
