"""The schedule of faults and near misses: which occurs at which lift and when; open values are drawn from the seed.

    FaultRequest(lift, cause, ..) ─► FaultOccurrence, drawn before the world begins ─► due, second by second

The values drawn for a lift depend on (seed, lift, number of earlier requests for it), never on other lifts.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulator.faults.cause import FAULT, FORMS, GROWING, INTERMITTENT
from simulator.faults.cause_table import BY_NUMBER, CAUSES, NUMBER, InvalidFaultRequest, unknown_cause
from simulator.maths import rng
from simulator.maths.calendar import DAY_S

YEAR_S = 365.25 * DAY_S
PRONENESS_SD = 0.5
"""Lifts differ in their failure rate: the standard deviation of its logarithm."""
GROWTH_EXPONENT = (1.0, 2.0)
INTERMITTENT_DURATION = 20.0
"""The duration of an intermittent fault over that of a sudden fault."""
AFTER_FAILURE = 0.25
"""The time after functional failure over the growth time before it."""
DURATION_SD, DURATION_LIMITS = 0.47, (0.25, 3.0)
"""A sudden fault without a requested duration lasts a log-normal multiple of its cause's default, within these limits:
like call-out times, with a 95th percentile of 2.2 medians."""
FAULTS_LIMIT = 1 << 20
_DRAWS = 8


@dataclass(frozen=True, slots=True)
class FaultRequest:
    """A request for a fault or near miss; None means the cause's default, or for `severity` a drawn value.

    `onset_s` is a simulated time or the two times between which it is drawn: from then on the cause waits for its
    situation. `growth_days` is the time from the first physical sign to functional failure. `name` is the name of the
    request in messages to people.
    """

    lift_id: str
    cause: str
    onset_s: float | tuple[float, float] = 0.0
    for_s: float | None = None
    severity: float | None = None
    form: str | None = None
    growth_days: float | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if self.cause not in CAUSES:
            raise InvalidFaultRequest(unknown_cause(self.cause))
        if self.form is not None and self.form not in FORMS:
            raise InvalidFaultRequest(f"form: {self.form!r} is not one of {', '.join(FORMS)}")
        if self.severity is not None and not 0 <= self.severity <= 1:
            raise InvalidFaultRequest(f"severity: {self.severity!r} is not between 0 and 1")
        if self.for_s is not None and not 0 < self.for_s < float("inf"):
            raise InvalidFaultRequest(f"for_s: {self.for_s!r} is not a number of seconds above 0")
        if self.growth_days is not None and not 0 < self.growth_days < float("inf"):
            raise InvalidFaultRequest(f"growth_days: {self.growth_days!r} is not a number of days above 0")
        first, last = self.onset_s if isinstance(self.onset_s, tuple) else (self.onset_s, self.onset_s)
        if not 0 <= first <= last < float("inf"):
            raise InvalidFaultRequest(f"onset_s: {self.onset_s!r} is not a time from the start on, nor two in order")


@dataclass(frozen=True, slots=True)
class FaultOccurrence:
    """One fault or near miss of one lift, with all values drawn; `cause` is the number in the table of causes."""

    lift: int
    number: int
    cause: int
    form: str
    severity: float
    onset_s: float
    for_s: float
    growth_s: float
    growth_exponent: float


class Schedule:
    """The future faults of a world: the requested ones, and random ones at a rate for each cause.

    `row` gives the row of each lift of this world; requests for other lifts are ignored. `building` (n) is the building
    of each lift: some causes affect all its lifts. `rates_per_s` has a rate for each cause of the table; `day_s` is the
    simulated part of each day.
    """

    def __init__(
        self,
        plan: Sequence[FaultRequest],
        row: Mapping[str, int],
        number: NDArray[np.int64],
        building: NDArray[np.int64],
        seed: int,
        rates_per_s: NDArray[np.float64],
        day_s: float = DAY_S,
    ) -> None:
        self._seed, self._number, self._row, self._building = seed, number, row, building
        self._id, self._day_s = list(row), day_s
        self._keys = rng.stream_keys(seed, number, rng.SCHEDULE)
        self._planned = np.zeros(len(number), dtype=np.int64)
        self._coming: list[tuple[float, int, int, FaultOccurrence]] = []
        self._random = rng.RandomStreams(seed, number, rng.FAULTS)
        every = np.arange(len(number))
        prone = np.exp(PRONENESS_SD * self._random.normal(every) - PRONENESS_SD**2 / 2)
        self._rate_per_s, self._mix = rates_per_s.sum() * prone, np.cumsum(rates_per_s)
        self._next_s = np.full(len(number), np.inf)
        self._wait(every, np.zeros(len(number)))
        for planned in plan:
            if planned.lift_id in row:
                self.add(planned)

    def add(self, planned: FaultRequest, now_s: float = 0.0) -> list[FaultOccurrence]:
        """Schedule a request, `now_s` later than its onset; return the drawn occurrences."""
        fault = self.draw(planned, now_s)
        faults = [fault]
        if CAUSES[planned.cause].whole_building:
            mates = np.flatnonzero(self._building == self._building[fault.lift])
            same = replace(planned, onset_s=fault.onset_s, for_s=fault.for_s)
            faults += [self.draw(replace(same, lift_id=self._id[k])) for k in mates if k != fault.lift]
        for one in faults:
            heapq.heappush(self._coming, (one.onset_s, one.lift, one.number, one))
        return faults

    def due(self, until_s: float) -> Iterator[FaultOccurrence]:
        """Yield each occurrence before `until_s` once."""
        for lift in np.flatnonzero(self._next_s < until_s):
            row, at_s = np.array([lift]), float(self._next_s[lift])
            cause = BY_NUMBER[
                1 + int(np.searchsorted(self._mix, self._mix[-1] * self._random.uniform(row)[0], "right"))
            ]
            if not cause.whole_building or self._random.uniform(row)[0] * self._lifts_in_building(int(lift)) < 1.0:
                self.add(FaultRequest(self._id[lift], cause.slug, at_s))
            self._wait(row, np.array([at_s]))
        while self._coming and self._coming[0][0] < until_s:
            yield heapq.heappop(self._coming)[-1]

    def _lifts_in_building(self, lift: int) -> int:
        """Return the number of lifts in a lift's building: faults of a whole building are drawn for each lift and
        thinned by this."""
        return int(np.count_nonzero(self._building == self._building[lift]))

    def _wait(self, lift: NDArray[np.intp], t_s: NDArray[np.float64]) -> None:
        """Draw the time of the next random fault."""
        if self._mix[-1] > 0:
            self._next_s[lift] = t_s - np.log1p(-self._random.uniform(lift)) / self._rate_per_s[lift]

    def draw(self, planned: FaultRequest, now_s: float = 0.0) -> FaultOccurrence:
        """Return the occurrence of a request, with all open values drawn; `now_s` is added to its onset."""
        if planned.lift_id not in self._row:
            raise InvalidFaultRequest(f"lift_id: {planned.lift_id!r} is not simulated here")
        lift, cause = self._row[planned.lift_id], CAUSES[planned.cause]
        counter = _DRAWS * self._planned[lift] + np.arange(_DRAWS)
        bits = rng.hash_bits(self._keys[[lift]], counter)
        when, severity, _, growth_exponent, growth, *_ = rng.uniform(bits).tolist()
        self._planned[lift] += 1
        first, last = planned.onset_s if isinstance(planned.onset_s, tuple) else (planned.onset_s, planned.onset_s)
        form = planned.form or cause.form
        growth_days = planned.growth_days or interpolate(cause.growth_days, growth)
        growth_s = growth_days * self._day_s if form == GROWING else 0.0
        share = (
            float(np.clip(np.exp(DURATION_SD * rng.normal(bits[5])), *DURATION_LIMITS)) if cause.kind == FAULT else 1.0
        )
        lasts_s = {GROWING: (1 + AFTER_FAILURE) * growth_s, INTERMITTENT: INTERMITTENT_DURATION * cause.default_s}
        return FaultOccurrence(
            lift=lift,
            number=int(self._planned[lift]),
            cause=NUMBER[planned.cause],
            form=form,
            severity=severity if planned.severity is None else planned.severity,
            onset_s=now_s + interpolate((first, last), when),
            for_s=planned.for_s or lasts_s.get(form, share * cause.default_s),
            growth_s=growth_s,
            growth_exponent=interpolate(GROWTH_EXPONENT, growth_exponent),
        )

    def course_draws(self, fault: FaultOccurrence) -> Iterator[float]:
        """Return the random numbers for the course of this fault."""
        return rng.uniform_numbers(
            self._seed, int(self._number[fault.lift]) * FAULTS_LIMIT + fault.number, rng.FAULT_COURSE
        )


def fault_rates_per_s(hazard: float, faults_per_lift_hour: float) -> NDArray[np.float64]:
    """Return the rate of each cause of the table, per lift and second.

    `hazard` multiplies the failure rates of a real fleet; `faults_per_lift_hour` is shared equally by all causes.
    """
    faults = np.array([cause.kind == FAULT for cause in BY_NUMBER[1:]])
    rate_per_year = np.array([cause.rate_per_year for cause in BY_NUMBER[1:]])
    return faults * (rate_per_year * hazard / YEAR_S + faults_per_lift_hour / faults.sum() / 3600)


def interpolate(ends: tuple[float, float], share: float) -> float:
    """Return the value at this share of the way between two ends."""
    return ends[0] + (ends[1] - ends[0]) * share
