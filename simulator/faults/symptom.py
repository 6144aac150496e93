"""Definition of a symptom: a physical state that is recognised in the noise-free state of the lifts.

A symptom is a fact of the world (the position of the car, the state of the door, who is inside, what is not healthy),
never a sensor reading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.catalogue import entry
from telemetry.arrays import F64, Bools


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """The noise-free state of k lifts at ten samples of a second: arrays (k, 10), or (k, 1) where constant within the
    second.

    `level_offset_m` is the distance of the car from the nearest landing. `stop_error_m` is the distance of the drive's
    stop position from the nearest landing (rope stretch under load and its correction are not counted). `reversals`
    counts the door reversals since the door was closed, `cycles` the door openings since the last run; `sprung`: the
    door has opened while the car ran. Of the current or last run: `heading` is the direction (+1 up), `run_s` the
    elapsed time, `healthy_run_s` the duration of the same run by a healthy lift, `peak_mps` the top speed,
    `healthy_peak_mps` the top speed of a healthy lift. `overdue_s` is the time since a healthy brake would have stopped
    the car (negative before). `shaken_mps2` is the RMS over the second of the acceleration of the car on its ropes.
    `effect(name)` returns a column of the active effects (`cause.EffectTable`), `condition(name)` one of
    `condition.Condition`.
    """

    z_m: F64
    v_mps: F64
    a_mps2: F64
    level_offset_m: F64
    stop_error_m: F64
    door: NDArray[np.int64]
    presence: Bools
    curtain: Bools
    reversals: NDArray[np.int64]
    cycles: NDArray[np.int64]
    sprung: Bools
    heading: F64
    run_s: F64
    healthy_run_s: F64
    peak_mps: F64
    healthy_peak_mps: F64
    door_zone_m: F64
    rated_mps: F64
    top_m: F64
    chain_open: Bools
    overdue_s: F64
    shaken_mps2: F64
    alarm: Bools
    battery: Bools
    mode: NDArray[np.int8]
    silent: Bools
    effect: Callable[[str], NDArray[Any]]
    condition: Callable[[str], NDArray[Any]]

    @property
    def at_rest(self) -> Bools:
        """Where the car stands still."""
        return self.v_mps == 0

    @property
    def slowing_mps2(self) -> F64:
        """The deceleration of the car, negative while it accelerates."""
        return -self.a_mps2 * np.sign(self.v_mps)


Predicate = Callable[[GroundTruth], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Symptom:
    """One symptom: it begins where `shows` is true, and lasts while `shows` or `holds` is true.

    A label is written only if the symptom lasts `after_s`; the label includes that time. `rules` are the rules that
    should fire for the symptom.
    """

    slug: str
    en: str
    rules: tuple[str, ...]
    shows: Predicate
    holds: Predicate | None = None
    after_s: float = 0.0

    def __post_init__(self) -> None:
        """Raise BadCatalogue for a rule that is not in the catalogue."""
        for rule in self.rules:
            entry(rule)


def impaired(*names: str) -> Predicate:
    """Return a predicate: one of these columns of the condition is not healthy (0)."""
    return lambda t: reduce(np.logical_or, [t.condition(name) != 0 for name in names])


def while_moving(slug: str, en: str, rule: str, *names: str) -> Symptom:
    """Return a symptom of a condition that first shows while the car moves, and lasts until it is repaired."""
    there = impaired(*names)
    return Symptom(slug, en, (rule,), lambda t: there(t) & ~t.at_rest, there)


def while_impaired(slug: str, en: str, rule: str, name: str) -> Symptom:
    """Return a symptom of a sensor or terminal that lasts as long as its condition."""
    return Symptom(slug, en, (rule,), impaired(name))
