"""What a failed test leaves open (a process, a socket, a database) is closed at once, and blamed on no other test."""

from __future__ import annotations

import gc
import sys
import warnings

import pytest

_failed: set[str] = set()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember a test that failed."""
    if report.failed:
        _failed.add(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_runtest_logfinish(nodeid: str) -> None:
    """Collect what a failed test referred to, and ignore the warnings about what was still open."""
    if nodeid in _failed:
        for name in ("last_exc", "last_type", "last_value", "last_traceback"):  # for a debugger, and they keep frames
            vars(sys).pop(name, None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gc.collect()
