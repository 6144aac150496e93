"""The counts of a monitor: the lag of its readers, and all counts as Prometheus metrics.

A count is named `name` or `name:kind`. The readers of the journal are `judging` and `storing`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

LAG_SECONDS, LAG_MESSAGES = "lag_seconds", "lag_messages"
BEHIND_LIMIT_S = 5.0
"""A monitor whose readers are further behind than this is not ready."""
UNKNOWN_MESSAGES = "resumed_without_messages"
GAUGES, GAUGE_UNITS = (LAG_MESSAGES, "held_rows", UNKNOWN_MESSAGES), ("_bytes", "_seconds")
NOT_IN_A_METRIC_NAME = re.compile(r"[^a-zA-Z0-9_]")

WITHOUT = (
    "judging went on at its start without {:.0f} messages that were judged before: see the log for the remedy; what was"
    " under way in them may be found late or again"
)


def behind(counts: Mapping[str, float]) -> list[str]:
    """Return a line for each reader that is behind by `BEHIND_LIMIT_S` or more."""
    lags = {key.partition(":")[2]: value for key, value in counts.items() if key.startswith(f"{LAG_SECONDS}:")}
    return [
        f"{reader} is {lag_s:.0f} s behind ({counts.get(f'{LAG_MESSAGES}:{reader}', 0):.0f} messages)"
        for reader, lag_s in sorted(lags.items())
        if lag_s >= BEHIND_LIMIT_S
    ]


def without(counts: Mapping[str, float]) -> list[str]:
    """Return a line where judging went on without the state of earlier messages."""
    messages = counts.get(UNKNOWN_MESSAGES, 0)
    return [WITHOUT.format(messages)] if messages else []


def metric_families(counts_by_monitor: Mapping[str, Mapping[str, float]]) -> Iterable[Metric]:
    """Return the counts of monitors as metrics, with the labels `monitor` and `kind`."""
    families: dict[str, Any] = {}
    for monitor, counts in sorted(counts_by_monitor.items()):
        for key, value in sorted(counts.items()):
            count, _, kind = key.partition(":")
            name = f"liftwatch_monitor_{NOT_IN_A_METRIC_NAME.sub('_', count)}"
            if name not in families:
                measured = GaugeMetricFamily if count in GAUGES or count.endswith(GAUGE_UNITS) else CounterMetricFamily
                families[name] = measured(name, f"{count} of the monitor", labels=["monitor", "kind"])
            families[name].add_metric([monitor, kind], value)
    return families.values()
