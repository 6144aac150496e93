"""The plots of docs/world.md: each is on the page, and can be drawn."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.plots.__main__ import FOLDER, PLOTS
from benchmarks.plots.stops import stops
from benchmarks.plots.trip import s_curve

ROOT = Path(__file__).parent.parent


def test_every_plot_is_on_the_page_and_in_the_tree() -> None:
    shown = set(re.findall(r"\(world/(\w+)\.png\)", (ROOT / "docs/world.md").read_text(encoding="utf-8")))
    assert set(PLOTS) <= shown
    assert all((ROOT / FOLDER / f"{name}.png").stat().st_size < 200_000 for name in shown)


def test_the_curve_drawn_beside_a_trip_covers_its_way_in_the_formulas_time() -> None:
    t, z, v, a = s_curve(30.0, 1.75, 0.8, 1.0)
    assert t[-1] == pytest.approx(30 / 1.75 + 1.75 / 0.8 + 0.8 / 1.0)
    assert z[-1] == pytest.approx(30.0, rel=1e-3)
    assert np.interp(t[-1] / 2, t, z) == pytest.approx(15.0, rel=1e-3)
    assert (v.max(), a.max()) == pytest.approx((1.75, 0.8), rel=1e-3)


def test_a_plot_can_be_drawn(tmp_path: Path) -> None:
    stops().savefig(tmp_path / "stops.png")
    assert (tmp_path / "stops.png").stat().st_size > 10_000
