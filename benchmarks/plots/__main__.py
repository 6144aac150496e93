"""Draws the plots of docs/world.md.

Run from the root: `python -m benchmarks.plots`; each plot is a file in docs/world/.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.plots.machine import machine
from benchmarks.plots.ropes import ropes
from benchmarks.plots.sheet import DPI
from benchmarks.plots.stops import stops
from benchmarks.plots.trip import trip
from benchmarks.plots.vibration import vibration

FOLDER = Path("docs/world")
PLOTS: dict[str, Callable[[], Figure]] = {
    "trip": trip,
    "vibration": vibration,
    "ropes": ropes,
    "stops": stops,
    "machine": machine,
}


def main() -> None:
    """Draw the named plots, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plots", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *PLOTS], help="the plots (default: all)")
    parser.add_argument("--to", type=Path, default=FOLDER, help=f"the folder (default: {FOLDER})")
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    for name in options.names or PLOTS:
        figure = PLOTS[name]()
        figure.savefig(options.to / f"{name}.png", dpi=DPI, metadata={"Software": None})
        print(options.to / f"{name}.png")


if __name__ == "__main__":
    main()
