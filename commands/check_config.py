"""`liftwatch check-config`: check everything that the configuration names, and print the result of each check.

One line for each check, and all faults at once. Nothing is created, migrated or sent, and no session is left behind.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Iterator
from pathlib import Path

from commands.checks import broker, map_files, notifications, records, series, webhooks
from commands.checks.config_check import ConfigCheck
from commands.checks.folders import usable_folder
from commands.errors import Unusable
from commands.wiring.own_rules import rules_of_file
from commands.wiring.rules import tuned_rules
from configuration import Configuration
from store.records.repository import RecordsUnavailable
from store.series.timeseries import TimeSeriesRefused, TimeSeriesUnavailable

EXPECTED_ERRORS = (RecordsUnavailable, TimeSeriesUnavailable, TimeSeriesRefused)


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Add nothing: `--config` names the file."""


def run(_: argparse.Namespace, settings: Configuration) -> int:
    """Run all checks; return exit code 2 where a check fails."""
    failed: set[str] = set()
    for name, act, needs in checks(settings):
        lacking = sorted(failed.intersection(needs))
        if lacking:
            print(f"-      {name}: not tried, {' and '.join(lacking)} failed")
            continue
        try:
            print(f"ok     {name}: {act()}")
        except (Unusable, OSError, ValueError, *EXPECTED_ERRORS) as error:
            failed.add(name)
            print(f"FAULT  {name}: {' '.join(str(error).split()).removeprefix(f'{name}: ')}")
    return 2 if failed else 0


def checks(settings: Configuration) -> Iterator[ConfigCheck]:
    """Return all checks in the order of the configuration file."""
    yield from broker.checks(settings)
    yield ConfigCheck("monitor.data_dir", lambda: usable_folder(settings.monitor.data_dir, "monitor.data_dir"))
    yield from records.checks(settings)
    yield from series.checks(settings)
    yield from notifications.checks(settings)
    yield from map_files.checks(settings)
    yield from webhooks.checks(settings)
    for path in settings.detection.rule_files:
        yield ConfigCheck(f"detection.rule_files {path}", functools.partial(_rules_in, path))
    yield from (rule_check(settings, slug) for slug in settings.rules)


def _rules_in(path: Path) -> str:
    return f"{len(rules_of_file(path))} rules"


def rule_check(settings: Configuration, slug: str) -> ConfigCheck:
    """Return the check of the thresholds of one rule."""
    alone = settings.model_copy(update={"rules": {slug: settings.rules[slug]}})
    return ConfigCheck(f"rules.{slug}", lambda: f"{len(tuned_rules(alone))} rules")
