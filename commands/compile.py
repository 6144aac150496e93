"""`liftwatch compile`: compiles the recurrences ahead of time, so that the monitor starts at once."""

from __future__ import annotations

import argparse
import time

from commands.wiring.compilation import summary
from configuration import Configuration
from detectors.catalogue import RULES
from ingest.warm_up import WarmUp, warm_up
from simulator.buildings.fleet import fleet
from simulator.world.world import World
from telemetry.compiled import compilations, not_kept

WORLD_LIFTS, WORLD_SECONDS, MORNING = 20, 5, 8.0
"""The simulated world that compiles the simulator's recurrences: some of its cars move in its first seconds."""

EXPECTED_ERRORS: tuple[type[Exception], ...] = ()


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Add nothing."""


def run(_: argparse.Namespace, settings: Configuration) -> int:
    """Compile the recurrences that the cache lacks, and report it."""
    print("Compiling the recurrences: about two minutes, once after each update …", flush=True)
    begun, before = time.monotonic(), compilations()
    warm_up(RULES)
    world = World(fleet(WORLD_LIFTS, seed=1), 1, 0, hour=MORNING, vibration=True)
    for _second in range(WORLD_SECONDS):
        world.step()
    print(summary(WarmUp(compilations() - before, time.monotonic() - begun)))
    return 1 if not_kept() else 0
