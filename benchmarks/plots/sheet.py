"""The sheet of a plot: empty axes, colours, and lines at the values of formulas."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

LINE, FORMULA, WORN = "#0b6e99", "#b3432b", "#c98a1b"
WIDE_IN, DPI = 8.0, 110


def sheet(rows: int, high_in: float, columns: int = 1, share_x: bool = False) -> tuple[Figure, NDArray[np.object_]]:
    """Return an empty figure and its axes."""
    figure = Figure(figsize=(WIDE_IN, high_in), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=share_x)
    for one in axes.flat:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(color="#e6eaee", lw=0.6)
        one.tick_params(labelsize=8)
    return figure, axes


def mark(axes: Axes, x: float, text: str, top: float = 0.97) -> None:
    """Draw a line at a place that a formula gives."""
    axes.axvline(x, color=FORMULA, lw=0.9, ls="--")
    axes.text(x, top, f" {text}", color=FORMULA, fontsize=7, va="top", transform=axes.get_xaxis_transform())
