"""The course of all that befalls a world's lifts: it begins, waits for its situation, comes and goes, grows, ends.

    sudden         ┌──────────────┐          once, from its onset to its end
    intermittent   ┌─┐  ┌──┐  ┌─┐ ┐          on and off, as drawn
    growing        ..-─ ─ ─┌──────┐          conditions grow, acts come more and more often; then functional failure

An act takes hold of one car at a time, and the next waits; conditions of one lift add up.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulator.cars import car_faults
from simulator.cars.state import F64, Cars, Log
from simulator.faults.cause import GROWING, INTERMITTENT, SUDDEN, Cause
from simulator.faults.cause_table import BY_NUMBER
from simulator.faults.condition_changes import Wear
from simulator.faults.labels import Label
from simulator.faults.schedule import Fault, between
from simulator.physics.suspension import Motion
from simulator.world.ground_truth import Witness
from simulator.world.labelling import Diary

EPISODES = 10
"""About how often a fault comes that comes and goes; it stays for about as long as a sudden one."""
ON_SHARE, OFF_SHARE = (0.5, 1.5), (0.3, 1.7)
SELDOM = 3.0
"""How much longer a growing act is away at first than in the end."""


@dataclass(slots=True)
class Run:
    """A fault at work; what has not happened yet is infinite."""

    fault: Fault
    cause: Cause
    dice: Iterator[float]
    onset_s: float = np.inf
    end_s: float = np.inf
    failure_s: float = np.inf
    on: bool = False

    def stays_s(self, t_s: float) -> float:
        """Return how long it stays that comes now."""
        begun_s = min(self.onset_s, t_s)
        left_s = max(begun_s + self.fault.for_s - t_s, 1.0)
        comes_and_goes = self.fault.form == INTERMITTENT or (self.fault.form == GROWING and self.cause.act is not None)
        if not comes_and_goes or t_s >= begun_s + self.fault.growth_s > begun_s:
            return min(left_s, self.cause.stays_s)
        usual_s = min(self.cause.default_s, self.cause.stays_s, self._span_s / EPISODES)
        return min(usual_s * between(ON_SHARE, next(self.dice)), left_s)

    def away_s(self, t_s: float) -> float:
        """Return how long it stays away that goes now."""
        away_s = self._span_s / EPISODES * between(OFF_SHARE, next(self.dice))
        if self.fault.form != GROWING:
            return away_s
        left_s = max(self.failure_s - t_s, 0.0)
        return min(away_s * (1 + SELDOM * left_s / self._span_s) / (1 + SELDOM / 2), left_s)

    @property
    def _span_s(self) -> float:
        return self.fault.growth_s if self.fault.form == GROWING else self.fault.for_s


class Course:
    """All that befalls these cars. Each second: `begin` what is due, `advance`, live, and `write` what was seen."""

    def __init__(self, cars: Cars) -> None:
        self._cars = cars
        self._wear, self._diary, self._witness = Wear(cars.condition), Diary(), Witness(cars)
        self._runs: dict[tuple[int, int], Run] = {}
        self._agenda: list[tuple[float, int, int]] = []

    def begin(self, fault: Fault, dice: Iterator[float], t_s: float) -> None:
        """Let a fault be at work from now on."""
        cause = BY_NUMBER[fault.cause]
        run = self._runs[fault.lift, fault.number] = Run(fault, cause, dice)
        self._diary.open(Label(fault.lift, fault.number, cause, fault.form, fault.severity, np.inf, np.inf))
        self._come(run, t_s)

    def advance(self, begin_s: F64, second: int) -> None:
        """Let come and go what is due in the second that begins."""
        self._witness.before(self._cars)
        while self._agenda and self._agenda[0][0] < second + 1:
            _, lift, number = heapq.heappop(self._agenda)
            run = self._runs[lift, number]
            if run.on:
                self._go(run, float(begin_s[lift]))
            else:
                self._come(run, float(begin_s[lift]))
        self._wear.step(second)

    def write(self, log: Log, motion: Motion, begin_s: F64) -> list[Label]:
        """Take in the second that was lived; return the labels of what has ended in it."""
        for fault, t_s in log.struck:
            self._show(self._runs[fault.lift, fault.number], t_s)
        labels: list[Label] = []
        lift = self._diary.lifts
        if len(lift):
            labels = self._diary.read(self._witness.see(self._cars, log, motion, lift, begin_s), lift, begin_s)
        for fault in log.healed:
            self._go(self._runs[fault.lift, fault.number], float(begin_s[fault.lift]) + 1)
        return labels

    def unfinished(self) -> list[Label]:
        """Return the labels of what still goes on."""
        return self._diary.unfinished()

    def _come(self, run: Run, t_s: float) -> None:
        """Let a fault come: an act waits for its car and its situation, a condition is there at once."""
        if t_s >= run.end_s - 1:
            self._go(run, t_s)
            return
        if run.cause.lasting and run.onset_s == np.inf:
            self._show(run, t_s)
        if run.cause.act is None:
            self._show(run, t_s)
            self._put(run, t_s + run.stays_s(t_s))
        elif run.fault.lift in self._cars.suffers:
            suffers = self._cars.suffers[run.fault.lift]
            if run.cause.whole_building and suffers.cause == run.fault.cause:
                self._drop(run)  # a neighbour's plan has already brought it upon the building
            else:
                self._put(run, t_s + 1)
        else:
            car_faults.inject(self._cars, run.fault, run.stays_s(t_s), t_s)

    def _show(self, run: Run, t_s: float) -> None:
        """A fault shows itself, perhaps for the first time."""
        run.on = True
        self._wear.add(run.fault, min(run.onset_s, t_s))
        if run.onset_s < np.inf:
            return
        fault = run.fault
        run.onset_s, run.end_s = t_s, t_s + fault.for_s
        fails = fault.form == GROWING and fault.growth_s < fault.for_s
        run.failure_s = t_s + fault.growth_s if fault.form == GROWING else np.inf
        failure_s = run.failure_s if fails else None
        self._diary.amend(fault.lift, fault.number, t_s, run.end_s, failure_s)

    def _go(self, run: Run, t_s: float) -> None:
        """A fault goes: for good, or to come again."""
        run.on = False
        over = run.fault.form == SUDDEN or t_s >= run.end_s - 1
        if over or not run.cause.lasting:
            self._wear.remove(run.fault)
        if over:
            del self._runs[run.fault.lift, run.fault.number]
        else:
            self._put(run, t_s + run.away_s(t_s))

    def _drop(self, run: Run) -> None:
        """Forget a fault that has not begun."""
        del self._runs[run.fault.lift, run.fault.number]
        self._diary.drop(run.fault.lift, run.fault.number)

    def _put(self, run: Run, t_s: float) -> None:
        heapq.heappush(self._agenda, (t_s, run.fault.lift, run.fault.number))
