"""Gaps in a lift's readings: the longest interval after which the reading at its begin still holds.

interval   0.1 0.1 0.1 0.1      7.0        0.1       longer than `GAP_S`, and than `GAP_INTERVALS` of the interval
reading    x   x   x   x   x           x   x         before, is a gap: clocks stop across it

Missing sequence numbers are counted in `telemetry.order.numbering`.
"""

from __future__ import annotations

from telemetry.compiled import compiled

NEVER_NS = -(2**62)
"""An instant before all others: nothing was read yet."""
GAP_S = 3.0
GAP_INTERVALS = 3
GAP_MOST_S = 61.0
"""No interval is longer than a heartbeat of a minute."""
GAP_NS, GAP_MOST_NS = int(GAP_S * 1e9), int(GAP_MOST_S * 1e9)


@compiled
def longest_ns(interval_ns: int) -> int:
    """Return the longest next interval that is no gap, given the last one (0: there was none)."""
    return min(max(GAP_INTERVALS * interval_ns, GAP_NS), GAP_MOST_NS)


@compiled
def age_s(t_ns: int, then_ns: int) -> float:
    """Return the seconds from `then_ns` to `t_ns`: more than a century where that is `NEVER_NS`."""
    return (t_ns - then_ns) / 1e9
