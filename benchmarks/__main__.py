"""Print what each step costs and what the whole chain carries, in one table."""

from __future__ import annotations

import argparse
import os
import platform

from benchmarks import bundles, pipeline, steps
from benchmarks.pipeline import Flow

STEP_LIFTS = (1_000, 10_000)
FLOWS = (("json", 4_000), ("gateway", 10_000))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each chain is measured (default 30)")
    parser.add_argument("--only", choices=("steps", "chain"), help="one half of it")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} as it began")
    print(f"one bundle: {bundles.READINGS} readings (10 speeds, 10 positions, 3 x 100 vibrations, 3 events)\n")
    if options.only != "chain":
        print_steps()
    if options.only != "steps":
        print_flows(options.seconds)


def print_steps() -> None:
    """Print CPU microseconds for one bundle, and how many lifts at one bundle a second that makes on one core."""
    costs = {lifts: list(steps.measure(lifts)) for lifts in STEP_LIFTS}
    head = "".join(f"{f'{lifts} lifts':>14}{'lifts/s':>12}" for lifts in STEP_LIFTS)
    print(f"{'CPU microseconds for one bundle':<34}{head}")
    for row in zip(*costs.values(), strict=True):
        print(f"{row[0].step:<34}" + "".join(f"{cost.cpu_us:>14.2f}{1e6 / cost.cpu_us:>12,.0f}" for cost in row))
    print()


def print_flows(for_s: float) -> None:
    """Print what went from a real Mosquitto to the embedded store."""
    print(f"{'Mosquitto to embedded store':<34}{'lifts':>8}{'lifts/s':>12}{'monitor CPU s':>16}{'monitor':>10}")
    print(f"{'':<34}{'':>8}{'':>12}{'a million':>16}{'cores':>10}")
    for form, lifts in FLOWS:
        seen = pipeline.measure(form, lifts, for_s)
        if isinstance(seen, Flow):
            numbers = f"{seen.lifts_per_s:>12,.0f}{seen.cpu_s_per_million:>16.2f}{seen.monitor_cores:>10.2f}"
            print(f"{CALLED[form]:<34}{seen.lifts:>8}{numbers}")
        else:
            print(f"{CALLED[form]:<34}not measured: {seen}")


CALLED = {"json": "one JSON message a lift", "gateway": f"CBOR gateways of {bundles.GATEWAY_LIFTS}"}

if __name__ == "__main__":
    main()
