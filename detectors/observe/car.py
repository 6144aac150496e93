"""The table of rows under its old name."""

from __future__ import annotations

from detectors.observe.features import IMPACT_MPS2
from detectors.observe.rows import DOOR_CLOSES_S, EVENTS, RowTable

Car = RowTable

__all__ = ["DOOR_CLOSES_S", "EVENTS", "IMPACT_MPS2", "Car"]
