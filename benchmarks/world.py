"""Measures how much faster than real time one core simulates a world: `python -m benchmarks.world`.

CPU seconds of this process alone, the best of some rounds: other load on a shared machine can only add to them.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from typing import Any

from simulator.buildings.fleet import fleet
from simulator.world.world import World

SEED, START_NS, MORNING = 7, 1_000_000_000 * 10**9, 8.0
KINDS: dict[str, dict[str, Any]] = {
    "speed, position, door, infrared": {},
    "and 3 x 100 Hz vibration": {"vibration": True},
    "and 3 x 400 Hz vibration": {"vibration": True, "wave_hz": 400},
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.world", description=__doc__)
    parser.add_argument("--lifts", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=10, help="of the world, in each round (default 10)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for kind, ratio in measure(options.lifts, options.seconds, options.rounds):
        print(f"{options.lifts} lifts, {kind:<34}{ratio:>7.1f} x real time")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB at most")


def measure(lifts: int, seconds: int, rounds: int) -> Iterator[tuple[str, float]]:
    """Yield how many seconds of a busy morning one CPU second simulates, for each kind of world."""
    facts = fleet(lifts, SEED)
    for kind, more in KINDS.items():
        world = World(facts, SEED, START_NS, hour=MORNING, **more)
        world.step()
        yield kind, seconds / min(_cpu_s(world, seconds) for _ in range(rounds))


def _cpu_s(world: World, seconds: int) -> float:
    began_s = time.process_time()
    for _ in range(seconds):
        world.step()
    return time.process_time() - began_s


if __name__ == "__main__":
    main()
