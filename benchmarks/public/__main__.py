"""Measures the detector library on folders of public data, each of which may be left out."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.public import nab, skab, ucr

BENCHMARKS = {"skab": skab.report, "nab": nab.report, "ucr": ucr.report}
SOURCES = {"skab": "waico/SKAB", "nab": "numenta/NAB", "ucr": "the UCR anomaly archive"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.public", description=__doc__)
    for name, source in SOURCES.items():
        parser.add_argument(f"--{name}", type=Path, metavar="DIR", help=f"a copy of {source}")
    options = parser.parse_args()
    for name, report in BENCHMARKS.items():
        folder = getattr(options, name)
        if folder is None:
            print(f"{name}: no folder given, not measured (--{name} DIR: a copy of {SOURCES[name]})")
            continue
        if not folder.is_dir():
            parser.error(f"--{name} {folder}: no such folder")
        for line in report(folder):
            print(line, flush=True)


if __name__ == "__main__":
    main()
