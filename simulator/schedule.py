"""The schedule: which fault or near miss comes upon which lift and when; what is left open is drawn from the seed.

    Planned(lift, cause, ..) ─► drawn once, before the world begins ─► due, second by second

The law: what is drawn for a lift depends on (seed, lift, how many were planned for it before), never on other lifts.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator import chance
from simulator.causes import CAUSES, NUMBER
from simulator.faults import FORMS

DAY_S = 86_400.0
_DRAWS = 8


class Unknown(ValueError):
    """A fault was asked for that this world cannot bring about."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault or near miss to come; None is the cause's own way, or for `severity` drawn.

    `onset_s` is a second of the world's clock, or the two between which it is drawn: from then on the cause waits for
    its situation. `growth_days` is from the first physical sign to functional failure.
    """

    lift_id: str
    cause: str
    onset_s: float | tuple[float, float] = 0.0
    for_s: float | None = None
    severity: float | None = None
    form: str | None = None
    growth_days: float | None = None

    def __post_init__(self) -> None:
        if self.cause not in CAUSES:
            raise Unknown(f"cause: {self.cause!r} is not one of {', '.join(CAUSES)}")
        if self.form is not None and self.form not in FORMS:
            raise Unknown(f"form: {self.form!r} is not one of {', '.join(FORMS)}")
        if self.severity is not None and not 0 <= self.severity <= 1:
            raise Unknown(f"severity: {self.severity!r} is not between 0 and 1")
        if self.for_s is not None and not 0 < self.for_s < float("inf"):
            raise Unknown(f"for_s: {self.for_s!r} is not a number of seconds above 0")
        if self.growth_days is not None and not 0 < self.growth_days < float("inf"):
            raise Unknown(f"growth_days: {self.growth_days!r} is not a number of days above 0")
        first, last = self.onset_s if isinstance(self.onset_s, tuple) else (self.onset_s, self.onset_s)
        if not 0 <= first <= last < float("inf"):
            raise Unknown(f"onset_s: {self.onset_s!r} is not a time from the start on, nor two in order")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault or near miss of one lift, with everything drawn. `cause` is its number in the table of causes."""

    lift: int
    number: int
    cause: int
    form: str
    severity: float
    onset_s: float
    for_s: float
    growth_s: float


class Schedule:
    """What is still to come in a world whose lifts are `row`; what is planned for other lifts is not its business."""

    def __init__(self, plan: Sequence[Planned], row: Mapping[str, int], number: NDArray[np.int64], seed: int) -> None:
        self._keys = chance.keys(seed, number, chance.SCHEDULE)
        self._row = row
        self._planned = np.zeros(len(number), dtype=np.int64)
        self._coming: list[tuple[float, int, int, Fault]] = []
        for planned in plan:
            if planned.lift_id in row:
                self.add(self.draw(planned))

    def draw(self, planned: Planned, now_s: float = 0.0) -> Fault:
        """Return what was planned with all that was left open; `now_s` is added to its time."""
        if planned.lift_id not in self._row:
            raise Unknown(f"lift_id: {planned.lift_id!r} is not simulated here")
        lift, cause = self._row[planned.lift_id], CAUSES[planned.cause]
        counter = _DRAWS * self._planned[lift] + np.arange(_DRAWS)
        when, severity, *_ = chance.uniform(chance.words(self._keys[[lift]], counter)).tolist()
        self._planned[lift] += 1
        first, last = planned.onset_s if isinstance(planned.onset_s, tuple) else (planned.onset_s, planned.onset_s)
        return Fault(
            lift=lift,
            number=int(self._planned[lift]),
            cause=NUMBER[planned.cause],
            form=planned.form or cause.form,
            severity=severity if planned.severity is None else planned.severity,
            onset_s=now_s + first + (last - first) * when,
            for_s=planned.for_s or cause.default_s,
            growth_s=(planned.growth_days or 0.0) * DAY_S,
        )

    def add(self, fault: Fault, not_before_s: float = 0.0) -> None:
        """Let this fault come when its time has come."""
        heapq.heappush(self._coming, (max(fault.onset_s, not_before_s), fault.lift, fault.number, fault))

    def due(self, until_s: float) -> Iterator[Fault]:
        """Yield, once, what comes before `until_s`."""
        while self._coming and self._coming[0][0] < until_s:
            yield heapq.heappop(self._coming)[-1]
