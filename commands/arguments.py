"""Types of command-line arguments that several commands share; each error message names the values that are allowed."""

from __future__ import annotations

import argparse
from typing import Any

COUNT_LIMIT = 1_000_000
SEED_LIMIT = 2**63 - 1
PORT_LIMIT = 65_535


def given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Return the options of these names that were given on the command line."""
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def count(text: str) -> int:
    """Parse a number of lifts, days or processes."""
    if not text.isdecimal() or not 1 <= int(text) <= COUNT_LIMIT:
        raise argparse.ArgumentTypeError(f"write a whole number from 1 to {COUNT_LIMIT}")
    return int(text)


def seed(text: str) -> int:
    """Parse the seed of a simulated fleet."""
    if not text.isdecimal() or int(text) > SEED_LIMIT:
        raise argparse.ArgumentTypeError(f"write a whole number from 0 to {SEED_LIMIT}")
    return int(text)


def port(text: str) -> int:
    """Parse a port number."""
    if not text.isdecimal() or not 1 <= int(text) <= PORT_LIMIT:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to {PORT_LIMIT}")
    return int(text)


def seconds(text: str) -> float:
    """Parse a duration in seconds, or a speed: a finite number, 0 or more."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError("write a number, 0 or more")
    return number


def speed(text: str) -> float:
    """Parse a speed as a multiple of real time: a finite number above 0."""
    number = seconds(text)
    if number == 0:
        raise argparse.ArgumentTypeError("write a number above 0; 1 is real time")
    return number
