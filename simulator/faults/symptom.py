"""What a symptom is: something that is physically so, told from the noise-free state of the lifts.

The law: a symptom is a fact of the world (where the car is, whether its door is shut, who is inside, what of it is not
sound), never a reading of a sensor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.catalogue import entry

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Truth:
    """The noise-free state of k lifts at ten samples of a second: arrays (k, 10), or (k, 1) where it does not change.

    `off_m` is how far the car is from the nearest landing, `miss_m` how far its drive stops, or will stop, beside it (a
    load that stretches the ropes, and the drive that corrects that, do not count);
    `reversals` counts those of the door since it was closed, `cycles` its openings since the last run; a `sprung` door
    stands open that opened while the car ran. Of the run: `heading` is its sense (+1 up), `run_s` how long it has
    lasted, `sound_run_s` how long a sound one would last, `peak_mps` its highest speed, `sound_peak_mps` what that
    would be. `overdue_s` is the time since a sound brake would have stopped the car (below 0: before that). `act`
    gives the columns of what acts on the lift now (`faults.Effects`), `condition` those of what ails it.
    """

    z_m: F64
    v_mps: F64
    a_mps2: F64
    off_m: F64
    miss_m: F64
    door: NDArray[np.int64]
    presence: Bools
    curtain: Bools
    reversals: NDArray[np.int64]
    cycles: NDArray[np.int64]
    sprung: Bools
    heading: F64
    run_s: F64
    sound_run_s: F64
    peak_mps: F64
    sound_peak_mps: F64
    zone_m: F64
    rated_mps: F64
    top_m: F64
    chain_open: Bools
    overdue_s: F64
    alarm: Bools
    battery: Bools
    mode: NDArray[np.int8]
    silent: Bools
    act: Callable[[str], NDArray[Any]]
    condition: Callable[[str], NDArray[Any]]

    @property
    def still(self) -> Bools:
        """Where the car stands."""
        return self.v_mps == 0

    @property
    def slowing_mps2(self) -> F64:
        """How hard the car slows down."""
        return -self.a_mps2 * np.sign(self.v_mps)


Sees = Callable[[Truth], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Symptom:
    """One symptom: `shows` tells where it is seen; once seen, it stays while `holds` does.

    It counts once it has lasted `after_s`, from its beginning. `rules` are those for which it is a reason to speak.
    """

    slug: str
    en: str
    rules: tuple[str, ...]
    shows: Sees
    holds: Sees | None = None
    after_s: float = 0.0

    def __post_init__(self) -> None:
        """Raise BadCatalogue for a rule that the catalogue does not have."""
        for rule in self.rules:
            entry(rule)


def ails(*names: str) -> Sees:
    """Return where one of these columns of the condition is not sound (0)."""
    return lambda t: np.logical_or.reduce([t.condition(name) != 0 for name in names])


def ridden(slug: str, en: str, rule: str, *names: str) -> Symptom:
    """Return a symptom of a condition that is felt while the car moves, and stays until it is put right."""
    there = ails(*names)
    return Symptom(slug, en, (rule,), lambda t: there(t) & ~t.still, there)


def sensed(slug: str, en: str, rule: str, name: str) -> Symptom:
    """Return a symptom of a sensor or terminal, which is there as long as its condition is."""
    return Symptom(slug, en, (rule,), ails(name))
