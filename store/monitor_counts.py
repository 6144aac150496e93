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
RULE_SET_ASIDE = "rule_set_aside"
"""The count `rule_set_aside:<slug>` names a rule that broke."""
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


def rules_set_aside(counts: Iterable[str]) -> list[str]:
    """Return the slugs of the rules that broke in a monitor and are not judged, by the names of its counts."""
    names = {key.partition(":") for key in counts}
    return sorted(slug for name, _, slug in names if name == RULE_SET_ASIDE)


def set_aside_warnings(slugs: Iterable[str]) -> list[str]:
    """Return a line that lists the rules that are set aside, where there are any."""
    listed = ", ".join(slugs)
    return [f"rules set aside: {listed}"] if listed else []


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
