"""The plots of a report, each an SVG text with a row for each rule: recall, false alarms, delays, lead times."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.bars import BARS
from evaluation.evaluate import Report
from evaluation.scores import Interval, RuleScore

INK, GOOD, WARN, FAINT = "#1d2733", "#0b6e99", "#b3432b", "#9aa5b1"
ROW_IN, WIDTH_IN, MARGIN_IN = 0.24, 7.2, 0.9
LEAST_S = 0.05
"""Where the logarithmic axis begins: shorter delays are drawn there."""
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.edgecolor": FAINT,
    "text.color": INK,
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
}
NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def recall(report: Report) -> str:
    """Draw the recall of each judged rule with expected alerts, its interval and the bar of its group."""
    scores = [one for one in report.scores if one.judged and one.expected]

    def draw(axes: Axes) -> None:
        _whiskers(axes, [one.recall for one in scores], GOOD)
        for row, one in enumerate(scores):
            if one.rule.group in BARS:
                axes.plot([BARS[one.rule.group].recall] * 2, [row - 0.4, row + 0.4], color=WARN, lw=1.5)
        axes.set_xlim(-0.02, 1.02)
        axes.set_xlabel("share of the expected alerts, 95 % interval; stroke: the bar of the class")

    return _chart(scores, draw)


def false_alarms(report: Report) -> str:
    """Draw the false alarms of each judged rule in a lift-month, with the interval."""
    scores = [one for one in report.scores if one.judged]

    def draw(axes: Axes) -> None:
        _whiskers(axes, [one.false_per_lift_month for one in scores], WARN)
        axes.set_xlim(left=0)
        axes.set_xlabel("false alarms in a lift-month, 95 % interval")

    return _chart(scores, draw)


def delays(report: Report) -> str:
    """Draw each delay from the physical onset, and the median, on a logarithmic axis."""
    scores = [one for one in report.scores if one.delays_s]

    def draw(axes: Axes) -> None:
        for row, one in enumerate(scores):
            _strip(axes, row, [max(delay_s, LEAST_S) for delay_s in one.delays_s], max(one.delay_median_s, LEAST_S))
        axes.set_xscale("log")
        axes.set_xlabel("s from the physical onset to the alert; stroke: the median")

    return _chart(scores, draw)


def lead_times(report: Report) -> str:
    """Draw the lead time of each alert before the functional failure of a growing fault."""
    scores = [one for one in report.scores if one.lead_days]

    def draw(axes: Axes) -> None:
        for row, one in enumerate(scores):
            _strip(axes, row, one.lead_days, one.lead_median_days)
        axes.axvline(0, color=WARN, lw=1)
        axes.set_xlabel("days before functional failure; stroke: the median")

    return _chart(scores, draw)


PLOTS: dict[str, Callable[[Report], str]] = {
    "Recall": recall,
    "False alarms": false_alarms,
    "Delay": delays,
    "Lead time": lead_times,
}


def _whiskers(axes: Axes, intervals: Sequence[Interval], colour: str) -> None:
    value, low, high = np.array(intervals, dtype=np.float64).reshape(-1, 3).T
    spread = np.stack([value - low, high - value])
    axes.errorbar(value, np.arange(len(value)), xerr=np.maximum(spread, 0), fmt="o", ms=4, lw=1.2, color=colour)


def _strip(axes: Axes, row: int, values: Sequence[float], median: float) -> None:
    """Draw the values of a rule as dots in its row, and their median as a stroke."""
    axes.scatter(values, np.full(len(values), row), s=10, color=GOOD, alpha=0.4, linewidths=0)
    axes.scatter([median], [row], marker="|", s=130, color=INK)


def _chart(scores: Sequence[RuleScore], draw: Callable[[Axes], None]) -> str:
    """Return an SVG with a row for each rule; nothing where there is no rule to show."""
    if not scores:
        return ""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, MARGIN_IN + ROW_IN * len(scores)), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.set_yticks(range(len(scores)), [f"{one.rule.code} {one.rule.slug}" for one in scores])
        axes.set_ylim(len(scores) - 0.5, -0.5)
        axes.grid(axis="x", color=FAINT, alpha=0.35, lw=0.5)
        axes.spines[["top", "right"]].set_visible(False)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata=NO_METADATA, transparent=True)
    svg = text.getvalue()
    return svg[svg.index("<svg") :]
