"""The time limit of a test: what runs out of time fails alone, and a busy machine alone makes nothing fail.

pytest-timeout raises in the main thread of the test, and the fixtures stop their servers. Where that does not help (a
call into C that never returns, a fixture that hangs while it stops), a watchdog ends the process after half the limit
more: pytest-xdist reports that test as failed and replaces the worker.
"""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

STDERR = pytest.StashKey[int]()
EXTRA = 1.5


def pytest_configure(config: pytest.Config) -> None:
    """Keep standard error for the watchdog, before pytest captures it, and let Hypothesis take its time."""
    config.stash[STDERR] = os.dup(2)
    settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("busy machine")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Watch a test and its fixtures."""
    watch(item)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(trylast=True)
def pytest_exception_interact(node: pytest.Item | pytest.Collector) -> None:
    """Watch what is left of a test that failed: pytest has stopped both timers for the sake of a debugger."""
    if isinstance(node, pytest.Item) and not node.config.getoption("usepdb"):
        watch(node)


def watch(item: pytest.Item) -> None:
    """End this process where `item` takes half as long again as its limit."""
    marker = item.get_closest_marker("timeout")
    given = marker.args[0] if marker else item.config.getoption("timeout") or item.config.getini("timeout")
    if float(given or 0) > 0:
        faulthandler.dump_traceback_later(EXTRA * float(given), exit=True, file=item.config.stash[STDERR])
