"""Symptom labelling: records when each symptom of an active fault or near miss begins and ends.

    shows   ▁▁▔▔▔▁▁▁▁▔▔▁▁     a symptom lasts from where `shows` is true until neither `shows` nor `holds` is true;
    holds   ▁▁▔▔▔▔▔▔▔▔▔▔▁     a label is written when the symptom ends, if it lasted `after_s` and the fault had begun
    label     ├─────────┤

Labels depend on the ground truth only.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simulator.faults.labels import Label
from simulator.faults.symptom import GroundTruth
from simulator.faults.symptom_table import SYMPTOMS
from telemetry.arrays import F64, Bools, Index

LAST_SYMPTOM_S = 180.0
"""How long after a fault's end its last symptoms may last: a car may still have to run home at crawling speed."""
DECIMALS = 3
_NO_LIFTS = np.zeros(0, dtype=np.intp)
_EVERY = np.arange(len(SYMPTOMS))
_AFTER_S = np.array([symptom.after_s for symptom in SYMPTOMS])[:, None]


class SymptomRecorder:
    """The open labels of all active faults; `since_s` and `until_s` are (symptoms, labels), NaN where a symptom is
    absent."""

    def __init__(self) -> None:
        self.labels: list[Label] = []
        self._written: list[bool] = []
        self._since_s = np.empty((len(SYMPTOMS), 0))
        self._until_s = np.empty((len(SYMPTOMS), 0))

    @property
    def lifts(self) -> NDArray[np.intp]:
        """The lifts with an active fault, sorted."""
        if not self.labels:
            return _NO_LIFTS
        return np.unique(np.array([label.lift for label in self.labels], dtype=np.intp))

    def begin(self, label: Label) -> None:
        """Add the label of a fault; its `onset_s` is infinite until the fault shows its first symptom."""
        self.labels.append(label)
        self._written.append(False)
        blank = np.full((len(SYMPTOMS), 1), np.nan)
        self._since_s, self._until_s = np.hstack([self._since_s, blank]), np.hstack([self._until_s, blank])

    def set_course(self, lift: int, number: int, onset_s: float, end_s: float, failure_s: float | None) -> None:
        """Set the onset, the end and the functional failure of a fault."""
        k = next(k for k, label in enumerate(self.labels) if (label.lift, label.number) == (lift, number))
        self.labels[k] = replace(self.labels[k], onset_s=onset_s, end_s=end_s, functional_failure_s=failure_s)

    def observe(self, truth: GroundTruth, lift: NDArray[np.intp], begin_s: F64) -> list[Label]:
        """Evaluate the symptoms of one second; return the labels of the symptoms and of the faults without symptoms
        that ended."""
        place = np.searchsorted(lift, np.array([label.lift for label in self.labels], dtype=np.intp))
        onset_s = np.array([label.onset_s for label in self.labels])
        shows, holds = _columns(truth)
        found: list[Label] = []
        samples = shows.shape[2]
        seen = np.flatnonzero(shows.any(axis=(1, 2)) | ~np.isnan(self._since_s).all(axis=1))
        shows, holds = shows[seen][:, place], holds[seen][:, place]
        for k in range(samples):
            now_s = np.round(begin_s[lift[place]] + k / samples, DECIMALS)
            since_s = self._since_s[seen]
            runs = ~np.isnan(since_s)
            here = (shows[:, :, k] & (now_s >= onset_s)) | (runs & holds[:, :, k])
            self._since_s[seen] = np.where(here & ~runs, now_s, since_s)
            found += self._close(runs & ~here, seen)
            self._until_s[seen] = np.where(here, now_s + 1 / samples, self._until_s[seen])
        return found + self._retire(begin_s)

    def unfinished(self) -> list[Label]:
        """Return the labels of all faults and symptoms that have not ended."""
        rows = self._close(~np.isnan(self._since_s), _EVERY)
        written = {(row.lift, row.number) for row in rows}
        return rows + [
            label
            for label, was_written in zip(self.labels, self._written, strict=True)
            if not was_written and np.isfinite(label.onset_s) and (label.lift, label.number) not in written
        ]

    def _close(self, ended: Bools, seen: Index) -> list[Label]:
        """Return the labels of these symptoms, a row for each of `seen`, which ended at their `until_s`."""
        rows: list[Label] = []
        if not ended.any():
            return rows
        lasts_s = self._until_s[seen] - self._since_s[seen]
        for row, k in zip(*np.nonzero(ended & (lasts_s > _AFTER_S[seen] - 1e-6)), strict=True):
            symptom = seen[row]
            begin_s, end_s = self._since_s[symptom, k], self._until_s[symptom, k]
            self._written[k] = True
            rows.append(
                replace(
                    self.labels[k],
                    symptom=SYMPTOMS[symptom].slug,
                    symptom_onset_s=round(float(begin_s), DECIMALS),
                    symptom_end_s=round(float(end_s), DECIMALS),
                )
            )
        self._since_s[seen] = np.where(ended, np.nan, self._since_s[seen])
        return rows

    def _retire(self, begin_s: F64) -> list[Label]:
        """Remove the labels of faults that are over; return the labels of those that showed no symptom."""
        if not self.labels:
            return []
        end_s = np.array([label.end_s for label in self.labels])
        now_s = begin_s[[label.lift for label in self.labels]] + 1
        silent = np.isnan(self._since_s).all(axis=0)
        over = (now_s > end_s + LAST_SYMPTOM_S) | ((now_s > end_s + 1) & silent)
        rows = self._close(~np.isnan(self._since_s) & over, _EVERY)
        rows += [
            label for label, gone, written in zip(self.labels, over, self._written, strict=True) if gone and not written
        ]
        self._select(~over)
        return rows

    def cancel(self, lift: int, number: int) -> None:
        """Remove the label of a fault that never begins."""
        self._select(np.array([(label.lift, label.number) != (lift, number) for label in self.labels]))

    def _select(self, these: Bools) -> None:
        keep = np.flatnonzero(these)
        self.labels, self._written = [self.labels[k] for k in keep], [self._written[k] for k in keep]
        self._since_s, self._until_s = self._since_s[:, keep], self._until_s[:, keep]


def _columns(truth: GroundTruth) -> tuple[Bools, Bools]:
    """Return where each symptom shows and where it holds, (symptoms, lifts, samples)."""
    shows, holds = np.empty((2, len(SYMPTOMS), *truth.z_m.shape), dtype=np.bool_)
    for symptom, showing, holding in zip(SYMPTOMS, shows, holds, strict=True):
        showing[...] = symptom.shows(truth)
        holding[...] = showing if symptom.holds is None else symptom.holds(truth)
    return shows, holds
