"""The course of each fault and near miss over time: onset, activations, growth and end.

    sudden         ┌──────────────┐          one activation from the onset to the end
    intermittent   ┌─┐  ┌──┐  ┌─┐ ┐          activations of random length with random gaps
    growing        ..-─ ─ ─┌──────┐          conditions grow, effects become more frequent; then functional failure

A car has at most one active effect; the next one waits. Conditions of one lift add up.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulator.cars import car_faults
from simulator.cars.state import Cars, EventLog
from simulator.faults.cause import GROWING, INTERMITTENT, SUDDEN, Cause
from simulator.faults.cause_table import BY_NUMBER
from simulator.faults.condition_changes import ConditionChanges
from simulator.faults.labels import Label
from simulator.faults.schedule import FaultOccurrence, interpolate
from simulator.physics.suspension import Motion
from simulator.world.ground_truth import GroundTruthObserver
from simulator.world.labelling import SymptomRecorder
from telemetry.arrays import F64

EPISODES = 10
"""The expected number of activations of an intermittent fault; each lasts about as long as a sudden fault."""
ON_SHARE, OFF_SHARE = (0.5, 1.5), (0.3, 1.7)
RARE_AT_FIRST = 3.0
"""How much longer the gaps between activations of a growing effect are at first than at the end."""


@dataclass(slots=True)
class ActiveFault:
    """A fault in progress; times that are not known yet are infinite."""

    fault: FaultOccurrence
    cause: Cause
    draws: Iterator[float]
    onset_s: float = np.inf
    end_s: float = np.inf
    failure_s: float = np.inf
    on: bool = False

    def on_s(self, t_s: float) -> float:
        """Return the duration of an activation that begins at `t_s`."""
        begun_s = min(self.onset_s, t_s)
        left_s = max(begun_s + self.fault.for_s - t_s, 1.0)
        comes_and_goes = self.fault.form == INTERMITTENT or (
            self.fault.form == GROWING and self.cause.effect is not None
        )
        if not comes_and_goes or t_s >= begun_s + self.fault.growth_s > begun_s:
            return min(left_s, self.cause.max_on_s)
        usual_s = min(self.cause.default_s, self.cause.max_on_s, self._span_s / EPISODES)
        return min(usual_s * interpolate(ON_SHARE, next(self.draws)), left_s)

    def off_s(self, t_s: float) -> float:
        """Return the gap after an activation that ends at `t_s`."""
        off_s = self._span_s / EPISODES * interpolate(OFF_SHARE, next(self.draws))
        if self.fault.form != GROWING:
            return off_s
        left_s = max(self.failure_s - t_s, 0.0)
        return min(off_s * (1 + RARE_AT_FIRST * left_s / self._span_s) / (1 + RARE_AT_FIRST / 2), left_s)

    @property
    def _span_s(self) -> float:
        return self.fault.growth_s if self.fault.form == GROWING else self.fault.for_s


class FaultCourses:
    """The faults in progress of a world's cars. In each second: `begin` the due faults, `advance`, simulate, then
    `write`."""

    def __init__(self, cars: Cars) -> None:
        self._cars = cars
        self._wear, self._recorder, self._observer = (
            ConditionChanges(cars.condition),
            SymptomRecorder(),
            GroundTruthObserver(cars),
        )
        self._active: dict[tuple[int, int], ActiveFault] = {}
        self._agenda: list[tuple[float, int, int]] = []

    def begin(self, fault: FaultOccurrence, draws: Iterator[float], t_s: float) -> None:
        """Start a fault at `t_s`; it becomes active when its situation occurs."""
        cause = BY_NUMBER[fault.cause]
        active = self._active[fault.lift, fault.number] = ActiveFault(fault, cause, draws)
        self._recorder.begin(Label(fault.lift, fault.number, cause, fault.form, fault.severity, np.inf, np.inf))
        self._start(active, t_s)

    def advance(self, begin_s: F64, second: int) -> None:
        """Start and end the activations that are due in the second that begins."""
        if self._recorder.labels:
            self._observer.begin_second(self._cars)
        while self._agenda and self._agenda[0][0] < second + 1:
            _, lift, number = heapq.heappop(self._agenda)
            active = self._active[lift, number]
            if active.on:
                self._stop(active, float(begin_s[lift]))
            else:
                self._start(active, float(begin_s[lift]))
        self._wear.step(second)

    def write(self, log: EventLog, motion: Motion, begin_s: F64) -> list[Label]:
        """Evaluate a simulated second; return the labels of the symptoms and faults that ended in it."""
        for fault, t_s in log.activated:
            self._begin(self._active[fault.lift, fault.number], t_s)
        labels: list[Label] = []
        lift = self._recorder.lifts
        if len(lift):
            labels = self._recorder.observe(
                self._observer.observe(self._cars, log, motion, lift, begin_s), lift, begin_s
            )
        for fault in log.cleared:
            self._stop(self._active[fault.lift, fault.number], float(begin_s[fault.lift]) + 1)
        return labels

    def unfinished(self) -> list[Label]:
        """Return the labels of the faults that have not ended."""
        return self._recorder.unfinished()

    def _start(self, active: ActiveFault, t_s: float) -> None:
        """Start an activation: an effect waits for its car and its situation, a condition applies at once."""
        if t_s >= active.end_s - 1:
            self._stop(active, t_s)
            return
        if active.cause.keeps_condition and active.onset_s == np.inf:
            self._begin(active, t_s)
        if active.cause.effect is None:
            self._begin(active, t_s)
            self._schedule(active, t_s + active.on_s(t_s))
        elif active.fault.lift in self._cars.active_faults:
            active_faults = self._cars.active_faults[active.fault.lift]
            if active.cause.whole_building and active_faults.cause == active.fault.cause:
                self._cancel(active)  # the request of a neighbour has already affected the building
            else:
                self._schedule(active, t_s + 1)
        else:
            car_faults.inject(self._cars, active.fault, active.on_s(t_s), t_s)

    def _begin(self, active: ActiveFault, t_s: float) -> None:
        """Mark a fault as active; at its first activation, fix its onset, functional failure and end."""
        active.on = True
        self._wear.add(active.fault, min(active.onset_s, t_s))
        if active.onset_s < np.inf:
            return
        fault = active.fault
        active.onset_s, active.end_s = t_s, t_s + fault.for_s
        fails = fault.form == GROWING and fault.growth_s < fault.for_s
        active.failure_s = t_s + fault.growth_s if fault.form == GROWING else np.inf
        failure_s = active.failure_s if fails else None
        self._recorder.set_course(fault.lift, fault.number, t_s, active.end_s, failure_s)

    def _stop(self, active: ActiveFault, t_s: float) -> None:
        """End an activation, and the fault itself if it is over."""
        active.on = False
        over = active.fault.form == SUDDEN or t_s >= active.end_s - 1
        if over or not active.cause.keeps_condition:
            self._wear.remove(active.fault)
        if over:
            del self._active[active.fault.lift, active.fault.number]
        else:
            self._schedule(active, t_s + active.off_s(t_s))

    def _cancel(self, active: ActiveFault) -> None:
        """Remove a fault that has not begun."""
        del self._active[active.fault.lift, active.fault.number]
        self._recorder.cancel(active.fault.lift, active.fault.number)

    def _schedule(self, active: ActiveFault, t_s: float) -> None:
        heapq.heappush(self._agenda, (t_s, active.fault.lift, active.fault.number))
