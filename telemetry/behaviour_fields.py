"""The kinds of behaviour that are observed at a lift, and the names of what is noted of each; NaN is unknown."""

from __future__ import annotations

from collections.abc import Mapping

EVIDENCE: Mapping[str, tuple[str, ...]] = {
    "door-blocking": ("duration_s", "blocked_s", "reversals", "landing"),
    "jumping": ("duration_s", "shaken_s", "sway_mps2"),
    "empty-running": ("duration_s", "trips", "run_s"),
    "overload": ("duration_s", "landing"),
    "maintenance-visit": (
        *("duration_s", "inspection_s", "inspection_trips", "test_trips", "door_cycles", "alarm_presses"),
        *("lower_landings", "upper_landings"),
    ),
}
"""What is noted of each kind. `landing` is an index of the lift's floors; in `lower_landings` the bit k is set for a
visited landing of index k, in `upper_landings` for that of `LANDINGS_A_FIELD` + k."""
KINDS = tuple(EVIDENCE)
LANDINGS_A_FIELD = 50
"""So many bits are exact in a float64."""
FIELDS_OF = {kind: tuple(f"{kind.replace('-', '_')}_{name}" for name in names) for kind, names in EVIDENCE.items()}
"""The stored fields of each kind, in the order of `EVIDENCE`; the row's instant is the begin."""
FIELDS = tuple(name for names in FIELDS_OF.values() for name in names)
