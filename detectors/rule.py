"""A rule: a detector, its levels, and its row of the catalogue.

A detector turns a batch into scores; a level turns a score into a finding; the alert book turns findings into
alerts. One module holds a rule's detector and levels; `registry/catalogue.toml` holds its names, sentences and codes.

    score   ___/‾‾‾‾‾‾‾‾\\____        on >= 1 for `hold_s`, by at least `readings` readings: open
    level   ______┌──────────┐__      off >= 1 for `clear_s`: shut
            onset ^ is where the score rose, not where the hold time ended
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from registry.catalogue import SEVERITIES, BadCatalogue, entry
from registry.facts import FleetFacts
from telemetry.arrays import Memory

TREND, MINOR, MAJOR, CRITICAL = range(4)
AGAIN_S = 10.0
"""After how long a condition is found again whose alert a person may have resolved."""


@dataclass(frozen=True, slots=True)
class Score:
    """One level's series over the rows of a table; NaN is unknown and stops every clock without resetting it.

    `on` >= 1: the condition holds (the number is how far along or how many times the limit).  `off` >= 1: the clear
    condition holds.  `since_ns`, where given (0 = nothing better known), is the onset of the condition when that is
    earlier than the row at which `on` rose; it moves the onset alone, the hold time counts from that row.  `evidence`
    is one column for each named quantity, units at the end.  A score that rests on a measured value is NaN at rows that
    do not read it (`rows.v`, not `rows.v_last`): one reading must not be counted twice.
    `is_reported`: `since_ns` is an instant that the lift reported at the row, by its clock as it goes there, even where
    that is before the clock was last set back.
    """

    on: NDArray[np.float64]
    off: NDArray[np.float64]
    evidence: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    since_ns: NDArray[np.int64] | None = None
    is_reported: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """The thresholds and hold times by which a score becomes a finding of one severity.

    `by_hand`: its alert fires until a person resolves it (the alert book sees to that). That may be while the condition
    holds, so the level is found again every `again_s` while it does. `peak` names the evidence that is updated to its
    maximum: while the level is open, each row with a greater value makes a finding. `clears_in_every_mode`: the level
    is shut also in modes and maintenance windows in which the rule is not judged.
    """

    severity: int
    hold_s: float = 0.0
    readings: int = 2
    clear_s: float = 0.0
    clear_readings: int = 2
    by_hand: bool = False
    peak: str = ""
    clears_in_every_mode: bool = False

    @property
    def again_s(self) -> float:
        """The interval after which an open level whose condition holds is found again; 0: never."""
        return AGAIN_S if self.by_hand else 0.0


TableName = Literal["rows", "trips", "features", "rides", "arrivals"]
"""The table that a rule reads (`detectors.observe`)."""
UNTIMED: tuple[TableName, ...] = ("trips", "rides")
"""Tables over which no clock runs: a hold time would never be over. Levels count `readings` there."""
NO_MEMORY = np.dtype([])


class Detector(Protocol):
    """Frozen parameters; state is one record for each lift; a step is pure.

    One score for each level of the rule. A detector without memory has records of `NO_MEMORY`.
    """

    def start(self, n: int) -> Memory: ...

    def step(self, state: Memory, table: Any, facts: FleetFacts, /) -> tuple[Memory, tuple[Score, ...]]: ...


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that is judged. `sentence` is a format string for each language over the evidence's names."""

    code: str
    slug: str
    detector: Detector
    levels: tuple[Level, ...]
    name: Mapping[str, str]
    sentence: Mapping[str, str]
    always_judged: bool = False
    needs: tuple[str, ...] = ()
    fold_s: float = 60.0
    codes: Mapping[str, str] = field(default_factory=dict)
    table: TableName = "rows"
    incident: str | None = None

    @classmethod
    def from_catalogue(
        cls,
        slug: str,
        detector: Detector,
        levels: tuple[Level, ...],
        *,
        needs: tuple[str, ...] = (),
        fold_s: float = 60.0,
        table: TableName = "rows",
    ) -> Rule:
        """Return the rule with the texts of its row of the catalogue; raise BadCatalogue where the row does not fit."""
        row = entry(slug)
        severities = tuple(SEVERITIES[level.severity] for level in levels)
        if severities != row.severities:
            raise BadCatalogue(f"{slug}.severities: {list(row.severities)}, but its levels have {list(severities)}")
        if not row.sentence:
            raise BadCatalogue(f"{slug}.sentence: is missing; a rule that is judged must have one")
        return cls(
            row.code,
            slug,
            detector,
            levels,
            row.name,
            row.sentence,
            row.always_judged,
            needs,
            fold_s,
            row.codes,
            table,
            row.incident,
        )

    @property
    def severity(self) -> int:
        """The highest severity of the rule."""
        return max(level.severity for level in self.levels)


@dataclass(frozen=True, slots=True)
class Finding:
    """A level of a rule opened (`on`) or shut (`off`) for one lift, in the lift's own time; or, while it is open, its
    condition was found again (`on`), or there is `more` of what it found: `evidence` holds the level's peak alone.

    That time never goes back. At `at_ns` it is `ahead_ns` ahead of the lift's clock, at the onset `onset_ahead_ns`: 0
    where the clock was never set back. `is_reported`: the lift reported the onset as an instant, at which nothing began
    that may still hold."""

    lift: int
    rule: str
    kind: str
    severity: int
    onset_ns: int
    at_ns: int
    by_hand: bool
    evidence: Mapping[str, float]
    ahead_ns: int = 0
    onset_ahead_ns: int = 0
    is_reported: bool = False
