"""The cost of one bundle: a row of the table of benchmarks."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.bundles import READINGS

HEAD = f"{'':<36}{'lifts':>8}{'CPU us':>12}{'lifts/s':>12}{'CPU s a million':>18}\n"
HEAD += f"{'':<36}{'':>8}{'a bundle':>12}{'':>12}{'readings':>18}"


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU microseconds for one bundle, and bundles a second; for a single step, the rate that one core could reach."""

    what: str
    lifts: int
    cpu_us: float
    lifts_per_s: float

    def __str__(self) -> str:
        rates = f"{self.cpu_us:>12.2f}{self.lifts_per_s:>12,.0f}{self.cpu_us / READINGS:>18.3f}"
        return f"{self.what:<36}{self.lifts:>8}{rates}"


def on_one_core(what: str, lifts: int, cpu_us: float) -> Cost:
    """Return the cost of a single step, with the rate that one core could reach."""
    return Cost(what, lifts, cpu_us, 1e6 / cpu_us)
