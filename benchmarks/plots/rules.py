"""Draws the examples of docs/rules: the fault of each rule's own test, and the alert that the rule raises.

Run from the root: `python -m benchmarks.plots.rules [slug ...]`; each drawing is docs/rules/SLUG.png.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.plots.sheet import DPI, FORMULA, LINE, WORN, mark, sheet
from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.observe import tables
from detectors.rule import Finding, Rule
from registry.catalogue import SEVERITIES
from telemetry.streams import DOOR_STATES
from tests.detectors.world import BEGIN_NS, Fault, facts_of

FOLDER = Path("docs/rules")
STATES = {"door": DOOR_STATES, "presence": ("no person", "person"), "curtain": ("free", "blocked"),
    "power": ("mains", "battery")}  # fmt: skip
"""The event streams that are drawn where the example has them, and their states from below."""
DAY_S, BEFORE_S = 86_400.0, 250.0
"""Of an example that lasts longer than a day, so much before the onset of its alert is drawn, and all from there on."""
LEAST_RANGE = 1.0
"""The noise of a standing car fills no axis: speed and position have at least this range, in m/s and m."""


def example(rule: Rule) -> Figure:
    """Draw the readings of the rule's example, its score, and its alert from the onset to the end."""
    stories = importlib.import_module(f"tests.detectors.test_{rule.slug.replace('-', '_')}")
    fault: Fault = stories.fault()
    stream, facts = fault.stream(), facts_of([fault.facts])
    _, seen = tables.step(tables.start(1), stream, facts)
    table = getattr(seen, rule.table)
    _, scores = rule.detector.step(rule.detector.start(1), table, facts)
    drawn = [name for name in STATES if len(np.unique(getattr(stream, name))) > 2]  # NaN is one
    figure, sheets = sheet(3 + len(drawn), 4.4 + 0.7 * len(drawn), share_x=True)
    speed, place, *events, score = sheets[:, 0]
    t_s = (stream.t_ns - BEGIN_NS) / 1e9
    for axes, column, name in ((speed, stream.v_mps, "m/s"), (place, stream.z_m, "m")):
        known = column[~np.isnan(column)]
        middle, half = (known.max() + known.min()) / 2, max(np.ptp(known) * 0.55, LEAST_RANGE / 2)
        axes.plot(t_s[~np.isnan(column)], known, color=LINE, lw=1.1)
        axes.set_ylim(middle - half, middle + half)
        axes.set_ylabel(name, fontsize=8)
    for axes, name in zip(events, drawn, strict=True):
        _draw_states(axes, t_s, getattr(stream, name), name)
    at_s = (table.t_ns - BEGIN_NS) / 1e9
    for each, level in zip(scores, rule.levels, strict=True):
        dots = "." if rule.table in ("trips", "rides") else ""
        score.plot(at_s, np.clip(each.on, 0.0, 3.0), marker=dots, lw=1.1, label=SEVERITIES[level.severity])
    score.axhline(1.0, color=FORMULA, lw=0.9, ls="--")
    score.set_ylabel("score", fontsize=8)
    score.legend(fontsize=7, frameon=False, loc="center left")
    found = Judge([rule], 1).step(stream, facts)
    _draw_alerts(score, found, float(t_s[-1]))
    if np.ptp(t_s) > DAY_S:
        score.set_xlim((found[0].onset_ns - BEGIN_NS) / 1e9 - BEFORE_S, t_s[-1])
    score.set_xlabel("seconds", fontsize=8)
    figure.suptitle(f"{rule.code} {rule.name['en']}: the example of its test", fontsize=10)
    return figure


def _draw_states(axes: Axes, t_s: Any, column: Any, name: str) -> None:
    """Draw the reports of an event stream as steps that last until the end."""
    known = ~np.isnan(column)
    axes.step([*t_s[known], t_s[-1]], [*column[known], column[known][-1]], where="post", color=WORN, lw=1.2)
    axes.set_yticks(range(len(STATES[name])), STATES[name])
    axes.set_ylim(-0.3, len(STATES[name]) - 0.7)


def _draw_alerts(axes: Axes, found: list[Finding], end_s: float) -> None:
    """Draw each alert from when it is noticed until it ends, and mark its onset."""
    for one in found:
        if one.kind != "on":
            continue
        noticed_s = (one.at_ns - BEGIN_NS) / 1e9
        ends_s = [(f.at_ns - BEGIN_NS) / 1e9 for f in found if f.kind == "off" and f.severity == one.severity]
        until_s = next((end for end in ends_s if end > noticed_s), end_s)
        axes.axvspan(noticed_s, until_s, color=FORMULA, alpha=0.12, lw=0)
        mark(axes, (one.onset_ns - BEGIN_NS) / 1e9, "onset")


def main() -> None:
    """Draw the named rules, or all that have a page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plots.rules", description=__doc__)
    parser.add_argument("slugs", nargs="*", help="the rules (default: all that have a page in docs/rules)")
    parser.add_argument("--to", type=Path, default=FOLDER, help=f"the folder (default: {FOLDER})")
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    for slug in options.slugs or sorted(page.stem for page in FOLDER.glob("*.md") if page.stem in BY_SLUG):
        example(BY_SLUG[slug]).savefig(options.to / f"{slug}.png", dpi=DPI, metadata={"Software": None})
        print(options.to / f"{slug}.png")


if __name__ == "__main__":
    main()
