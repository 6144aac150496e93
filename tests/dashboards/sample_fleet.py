"""Sample values shared by the tests of the dashboards: a fleet of lifts L000, L001, … in 2001."""

from __future__ import annotations

from typing import Any

import numpy as np

from alerts.alert import FIRING, Alert
from dashboards.live.fleet_view import lift_index
from dashboards.live.polled_records import empty_table
from registry.facts import Floor, LiftFacts
from store.live import LiveTable
from store.records.lifts import Registered
from telemetry.streams import ONLINE

T0_NS = 1_000_000_000_000_000_000  # 2001-09-09T01:46:40Z
EMPTY_INDEX = lift_index([], empty_table())


def table(count: int, **columns: Any) -> LiveTable:
    """Return the picture that the monitor last wrote of `count` lifts: all online, standing at their lowest landing."""
    made: dict[str, Any] = {
        "lift_id": np.array([f"L{row:03}" for row in range(count)], dtype=np.str_),
        "district": np.array([f"d{row % 2}" for row in range(count)], dtype=np.str_),
        "last_seen_ns": np.full(count, T0_NS),
        "link": np.full(count, ONLINE, dtype=np.int8),
        "blind": np.full(count, "", dtype="U16"),
        "blind_since_ns": np.zeros(count, dtype=np.int64),
        "landing": np.zeros(count, dtype=np.int32),
        **{name: np.zeros(count) for name in ("position_m", "direction", "speed_mps", "door", "presence", "mode")},
        "power": np.zeros(count),
        "last_trip_ns": np.zeros(count, dtype=np.int64),
        **{name: np.zeros(count, dtype=np.int64) for name in ("received", "gaps", "repeats", "late", "steps")},
    }
    return LiveTable(**made | columns)


def facts(lift_id: str, **others: Any) -> LiftFacts:
    """Return a lift of four floors."""
    number = int(lift_id[-1]) if lift_id[-1].isdigit() else 0
    known: dict[str, Any] = {
        "name": f"Lift {lift_id}",
        "address": f"Garden Road {number}",
        "maintenance_firm": f"Firm {number % 2}",
        "rated_speed_mps": 1.75,
        "floors": tuple(Floor(str(level), 3.0 * level) for level in range(4)),
    }
    return LiftFacts(lift_id, f"d{number % 2}", **known | others)


def registered(one: LiftFacts) -> Registered:
    """Return a lift as the registry keeps it."""
    return Registered(one, registered=True)


def alert(lift_id: str, severity: str = "major", onset_ns: int = T0_NS, **others: Any) -> Alert:
    """Return a firing alert."""
    made: dict[str, Any] = {
        "id": f"alert-{lift_id}-{severity}",
        "district": "d0",
        "rule": "door-held-open",
        "state": FIRING,
        "noticed_ns": onset_ns,
        "last_ns": onset_ns,
    }
    return Alert(lift_id=lift_id, severity=severity, onset_ns=onset_ns, **made | others)
