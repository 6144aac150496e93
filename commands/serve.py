"""`liftwatch serve`: the pages and the HTTP API, until a signal ends the process."""

from __future__ import annotations

import argparse
import functools
import sys

from commands.errors import Unusable
from commands.wiring.broker import broker_address
from commands.wiring.certificates import server_certificate
from commands.wiring.device_actions import device_actions
from commands.wiring.first_link import first_link
from commands.wiring.map import map_settings
from commands.wiring.notifications import push_public_key, way_kinds
from commands.wiring.records import open_sealed_records
from commands.wiring.rescue import rescue_points, rescue_times
from commands.wiring.rules import tuned_rules
from commands.wiring.series import open_series
from commands.wiring.sign_in import sign_in_settings
from configuration import Configuration
from dashboards import app
from dashboards.api.context import Settings as DashboardSettings
from simulator.faults.cause_table import CAUSES
from simulator.playback import injection
from store.records.repository import Records, RecordsUnavailable

EXPECTED_ERRORS = (RecordsUnavailable,)


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Add nothing: the configuration has every setting of the server."""


def run(_: argparse.Namespace, settings: Configuration) -> int:
    """Serve until SIGINT or SIGTERM."""
    where = settings.dashboards
    Records.opened_at_first_use(settings.records_url).close()  # refuses what is no address of a database
    certificate_file, key_file = server_certificate(settings)
    inject = functools.partial(injection.inject, broker_address(settings)) if where.demo else None
    sign_in, map_of, rules = sign_in_settings(settings), map_settings(settings), tuned_rules(settings)
    if (link := first_link(settings)) is not None:
        print(f"No account yet. Create the first administrator within 30 minutes: {link}", file=sys.stderr, flush=True)
    try:
        app.run(
            DashboardSettings(
                open_records=lambda: open_sealed_records(settings),
                open_series=lambda: open_series(settings, writable=False),
                host=where.host,
                port=where.port,
                hosts=where.hosts,
                proxies=where.proxies,
                public_url=where.public_url,
                certificate_file=certificate_file,
                key_file=key_file,
                demo=where.demo,
                causes=tuple(CAUSES),
                cause_names={slug: {"en": cause.en, "zh": cause.zh} for slug, cause in CAUSES.items()},
                inject=inject,
                sign_in=sign_in,
                map=map_of,
                rules=rules,
                devices=device_actions(settings),
                way_kinds=way_kinds(settings),
                push_key=push_public_key(settings),
                photos_dir=settings.monitor.data_dir / "photos",
                photo_days=where.photo_days,
                rescue_times=rescue_times(settings),
                rescue_points=rescue_points(settings),
            )
        )
    except OSError as error:
        raise Unusable(
            f"port {where.port} on {where.host} cannot be had for the pages ({error.strerror}); "
            "end what uses it or set dashboards.port"
        ) from None
    return 0
