"""The plots of docs/world.md and docs/rules: each is on its page, and can be drawn."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.plots import rules
from benchmarks.plots.__main__ import FOLDER, PLOTS
from benchmarks.plots.stops import stops
from benchmarks.plots.trip import s_curve
from detectors.catalogue import BY_SLUG
from registry.catalogue import catalogue

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


def test_every_page_of_a_rule_names_it_and_shows_its_example() -> None:
    pages = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / rules.FOLDER).glob("*.md")}
    index = pages.pop("README")
    assert pages
    for slug, text in pages.items():
        rule = BY_SLUG[slug]
        assert text.startswith(f"# {rule.code} `{slug}`")
        assert f"({slug}.png)" in text
        assert f"[{rule.code} `{slug}`]({slug}.md)" in index
        assert (ROOT / rules.FOLDER / f"{slug}.png").stat().st_size < 200_000


def test_the_list_of_rules_tells_which_are_judged() -> None:
    index = (ROOT / rules.FOLDER / "README.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line.split("|") for line in index.splitlines() if re.match(r"\| \[?[A-Z]\d\d ", line)}
    assert rows.keys() == catalogue().keys()
    assert {slug for slug, cells in rows.items() if cells[4].strip() == "yes"} == BY_SLUG.keys()
    every, judged = len(catalogue()), len(BY_SLUG)
    assert every == judged
    assert f"The catalogue has {every} rules, and all are judged" in index
    assert f"all {every} rules" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_of_a_rule_can_be_drawn(tmp_path: Path) -> None:
    rules.example(BY_SLUG["power-loss"]).savefig(tmp_path / "rule.png")
    assert (tmp_path / "rule.png").stat().st_size > 10_000
