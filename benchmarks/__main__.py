"""Measures the CPU cost of each step and the throughput of the whole chain, and how long alerts take."""

from __future__ import annotations

import argparse
import os
import platform

from benchmarks import bundles, latency, pipeline, steps
from benchmarks.cost import HEAD

LIFTS = (1_000, 10_000)
CHAINS = (("json", 4_000), ("gateway", 10_000))
"""The payload form of each run of the whole chain, and its largest fleet."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each chain is measured (default 30)")
    parser.add_argument("--lifts", type=int, nargs="+", default=LIFTS, help="sizes of the fleet (default 1000 10000)")
    parser.add_argument("--only", choices=("steps", "chain", "latency"), help="measure only one of these")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} as it began")
    print(f"one bundle: {bundles.READINGS} readings (10 speeds, 10 positions, 3 x 100 vibrations, 3 events)\n")
    if options.only != "latency":
        print(HEAD)
    for lifts in options.lifts if options.only in (None, "steps") else ():
        for cost in steps.measure(lifts):
            print(cost, flush=True)
    for form, limit in CHAINS if options.only in (None, "chain") else ():
        print(pipeline.measure(form, min(limit, max(options.lifts)), options.seconds), flush=True)
    if options.only in (None, "latency"):
        print(f"\n{latency.HEAD}")
        for lifts in sorted({min(size, max(options.lifts)) for size in latency.LIFTS}):
            for line in latency.measure(lifts, round(options.seconds)):
                print(line, flush=True)


if __name__ == "__main__":
    main()
