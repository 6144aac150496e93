"""The kinds of incidents (contract, section 3), the most urgent first."""

from __future__ import annotations

ENTRAPMENT, ALARM_CALL, UNSAFE = "entrapment", "alarm-call", "unsafe"
OUT_OF_ORDER, NUISANCE, UPKEEP, DATA = "out-of-order", "nuisance", "upkeep", "data"
INCIDENT_KINDS = (ENTRAPMENT, ALARM_CALL, UNSAFE, OUT_OF_ORDER, NUISANCE, UPKEEP, DATA)
