"""`liftwatch compile`: compiles the recurrences ahead of time, so that the monitor starts at once."""

from __future__ import annotations

import argparse

from configuration import Configuration
from detectors.catalogue import RULES
from ingest.warm_up import WarmUp, warm_up
from telemetry.compiled import not_kept

EXPECTED_ERRORS: tuple[type[Exception], ...] = ()


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Add nothing."""


def run(_: argparse.Namespace, settings: Configuration) -> int:
    """Compile the recurrences that the cache lacks, and report it."""
    print("Compiling the recurrences: about half a minute, once after each update …", flush=True)
    print(summary(warm_up(RULES)))
    return 1 if not_kept() else 0


def summary(done: WarmUp) -> str:
    """Return a line with the compiled recurrences, the time, and a remedy where the cache cannot be written."""
    if not done.compiled:
        return f"nothing to compile: the code of every recurrence is in the cache ({done.took_s:.1f} s)"
    compiled = f"{done.compiled} functions compiled in {done.took_s:.1f} s"
    why = not_kept()
    if not why:
        return f"{compiled}; the next start takes them from the cache"
    return f"{compiled}, which every start will do again: the cache cannot be written ({why}); set NUMBA_CACHE_DIR"
