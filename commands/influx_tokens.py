"""`liftwatch influx-tokens`: tokens for the monitor, the dashboards and Grafana, each with the fewest permissions.

Each has a folder of its own, `NAME/token`, so that a service can be given its token alone.

The token in `timeseries.token_file` must be the operator's own; after this the services need it no more.
"""

from __future__ import annotations

import argparse
import os
from contextlib import closing
from pathlib import Path

from influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException

from commands.errors import Unusable
from commands.wiring.audited import audit_command
from commands.wiring.series import open_series
from configuration import Configuration
from store.records.audit.writing import AuditSubject
from store.records.database import RecordsUnavailable
from store.series.influx import BUCKETS, TIMEOUT_MS
from store.series.influx_tokens import TOKEN_NAMES, create_token, has_token
from store.series.timeseries import TimeSeriesRefused, TimeSeriesUnavailable

EXPECTED_ERRORS = (TimeSeriesUnavailable, TimeSeriesRefused, RecordsUnavailable)
FILE_MODE = 0o640


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="the file NAME/token of each")


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """Make the buckets, and each token that has no file or that the server does not have."""
    where = settings.timeseries
    if where.kind != "influxdb":
        raise Unusable('timeseries.kind: set it to "influxdb"; files need no tokens')
    open_series(settings, writable=True).close()
    with closing(InfluxDBClient(where.url, where.token() or "", org=where.org, timeout=TIMEOUT_MS)) as client:
        try:
            for name in TOKEN_NAMES:
                path = options.to / name / "token"
                if not (path.exists() and has_token(client, where.org, name)):
                    write_token(path, create_token(client, where.org, name, BUCKETS))
        except ApiException as error:
            raise Unusable(f"timeseries.token_file: InfluxDB refuses it ({error.status}); use the operator's") from None
    audit_command(settings, "series.tokens", [AuditSubject("series", {"names": list(TOKEN_NAMES)})])
    print(f"tokens in {options.to}: {', '.join(TOKEN_NAMES)}")
    return 0


def write_token(path: Path, token: str) -> None:
    """Write a token to a file that its owner and group may read."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "w", encoding="ascii") as file:
            file.write(token)
    except OSError as error:
        raise Unusable(f"--to: cannot write {path} ({error.strerror}); name a folder of yours") from None
