"""The health of the fleet as columns of its view: a lift that is not judged now has none, whatever was stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from store.records.repository import HealthRecord

GRADES = ("red", "orange", "yellow", "blue")
UNKNOWN = "unknown"
GRADES_AND_UNKNOWN = (*GRADES, UNKNOWN)
RED, ORANGE = GRADES.index("red"), GRADES.index("orange")
TENS = 10


@dataclass(frozen=True, slots=True)
class FleetHealth:
    """The health of each lift, 0 to 100, NaN unknown; its grade, an index into `GRADES_AND_UNKNOWN`; and its record."""

    score: NDArray[np.float64]
    grade: NDArray[np.int8]
    records: Mapping[str, HealthRecord]

    def item(self, row: int, lift_id: str) -> dict[str, Any]:
        """Return what a list shows of the health of a lift."""
        is_known, grade = bool(np.isfinite(self.score[row])), GRADES_AND_UNKNOWN[self.grade[row]]
        return {
            "health": int(self.score[row]) if is_known else None,
            "grade": None if grade == UNKNOWN else grade,
            "health_reason": orjson.loads(self.records[lift_id].document)["reason"] if is_known else None,
        }

    def distribution(self, inside: NDArray[Any]) -> dict[str, Any]:
        """Return how many of some lifts have each grade, and a health of each ten."""
        grades = np.bincount(self.grade[inside], minlength=len(GRADES_AND_UNKNOWN)).tolist()
        score = self.score[inside]
        tens = np.minimum(score[np.isfinite(score)] // TENS, TENS - 1).astype(np.intp)
        return {
            "grades": dict(zip(GRADES_AND_UNKNOWN, grades, strict=True)),
            "tens": np.bincount(tens, minlength=TENS).tolist(),
        }


def fleet_health(
    lift_ids: list[str],
    records: Mapping[str, HealthRecord],
    is_judged: NDArray[np.bool_],
    open_alerts: NDArray[np.int64],
) -> FleetHealth:
    """Return the health of these lifts; `open_alerts` are the numbers of critical and of major ones, (n, 2).

    The grade of a lift whose health is unknown is that of its open alerts. A grade is never better than these.
    """
    score = np.full(len(lift_ids), np.nan)
    grade = np.full(len(lift_ids), GRADES_AND_UNKNOWN.index(UNKNOWN), dtype=np.int8)
    for row, lift_id in enumerate(lift_ids):
        found = records.get(lift_id)
        if found is not None and is_judged[row] and found.score is not None:
            score[row], grade[row] = found.score, GRADES.index(found.grade or "blue")
    grade[(open_alerts[:, 1] > 0) & (grade > ORANGE)] = ORANGE
    grade[open_alerts[:, 0] > 0] = RED
    return FleetHealth(score, grade, records)
