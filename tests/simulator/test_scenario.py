"""Scenario files: reading, checks, and errors that name the field in one line."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.buildings.fleet import fleet
from simulator.faults.cause_table import CAUSES
from simulator.faults.near_misses import WEATHER
from simulator.playback.simulation import Simulation
from simulator.scenarios import scenario
from simulator.scenarios.fault_plan import fault_requests
from simulator.scenarios.library import read, shipped
from simulator.scenarios.scenario import InvalidScenario, Scenario, scenario_lifts

ENTRAPMENT = '[[faults]]\nlift = 2\ncause = "power-cut"\nonset_h = 0.5\n'


def written(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_every_shipped_scenario_is_valid_and_described() -> None:
    library = shipped()
    assert {"morning-peak", "entrapment", "city-power-cut", "bad-gateway"} <= set(library)
    assert all(found.about and found.seconds > 0 for found in library.values())
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert [name for name in library if f"| `{name}` |" not in readme] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lifts = 0", r"lifts = 0: input should be greater"),
        ("lifs = 3", r"lifs is not a key; did you mean lifts\?"),
        ("start = 2001-09-10T07:30:00", r"start = .*timezone"),
        ("start = 9999-12-31T23:59:30Z", r"start: 9999-12-31 .* lifts count from 1970, and a world begins before 2200"),
        ("start = 2262-04-11T23:47:00Z", r"start: 2262-04-11 .* is out of range"),
        ("start = 1969-12-31T23:00:00Z", r"start: 1969-12-31 .* is out of range"),
        ("start = 0001-01-01T00:00:00+08:00", r"start: 0001-01-01 .* is out of range"),
        ("seed = 9223372036854775808", r"seed = 9223372036854775808: input should be less"),
        ('start = "2001-09-10T07:30:00+08:00"', r"start = '2001.*': write a time with .*\+08:00, without quotes$"),
        ("start = 08:00:00", r"start = 08:00:00: write a time with its timezone, such as [^,]*$"),
        ("hours = 25", r"hours = 25: "),
        ("lifts = 1\n" + ENTRAPMENT, r"faults\[0\].lift: 2 is not there; the lifts are 1 to 1"),
        ("hours = 0.5\n" + ENTRAPMENT, r"faults\[0\].onset_h: 0.5 is after the end, 0.5 h from the start"),
        (ENTRAPMENT.replace("cut", "cat"), r"faults\[0\].cause: 'power-cat' is no cause; did you mean power-cut\?"),
        (ENTRAPMENT.replace("onset_h", "onset"), r"faults\[0\].onset is not a key; did you mean onset_h\?"),
        (ENTRAPMENT.replace("lift = 2\n", ""), r"faults\[0\].lift: write either lift"),
        (ENTRAPMENT + "share = 0.5\n", r"faults\[0\].lift: write either lift"),
        (ENTRAPMENT + "for_s = -1\n", r"faults\[0\].for_s = -1: "),
        (ENTRAPMENT.replace('cause = "power-cut"\n', ""), r"faults\[0\].cause is missing"),
        ("lifts = ", r"is not TOML"),
        ("wave_hz = 50", r"wave_hz = 50: input should be greater"),
        ("wave_hz = 105", r"wave_hz = 105: input should be a multiple of 10"),
        ("lifts = 3\nmachines = [4]", r"machines: 4 is not there; the lifts are 1 to 3"),
        ("[buildings]\noffice = 0.5", r"buildings: the shares add up to 0.5, not to 1; a kind"),
        ("[buildings]\noffice = 1.5\nresidential = -0.5", r"buildings.office = 1.5: "),
        ("[buildings]\nofice = 1.0", r"buildings.ofice is not a key; did you mean office\?"),
        ("buildings = 0.5", r"buildings = 0.5: it is a table of its own"),
        ("lifts = true", r"lifts = True: input should be a valid integer"),
        ("lifts = 'ten'", r"lifts = 'ten': input should be a valid integer"),
        ("hours = -1.0", r"hours = -1.0: input should be greater than 0"),
        ("days = 1_000_000", r"days = 1000000: input should be less"),
        ("faults = 'power-cut'", r"faults = 'power-cut': it is a list"),
        ("network = 1", r"network = 1: it is a table of its own"),
        ("[network]\nlost = 'often'", r"network.lost = 'often': input should be a valid number"),
        ("[network]\nloss = 0.1", r"network.loss is not a key; did you mean lost\?"),
        (ENTRAPMENT.replace("lift = 2", "share = 1.5"), r"faults\[0\].share = 1.5: input should be less"),
        ("hours = 1.0\n" + ENTRAPMENT + "spread_s = 3600.0\n", r"faults\[0\].spread_s: onsets would be drawn after"),
        (ENTRAPMENT + 'form = "sudden"\ngrowth_days = 3.0\n', r"faults\[0\].growth_days: it is sudden; only"),
        (ENTRAPMENT + "growth_days = 3.0\n", r"faults\[0\].growth_days: it is sudden; only"),
        (ENTRAPMENT + 'form = "intermittent"\ngrowth_days = 3.0\n', r"faults\[0\].growth_days: it is intermittent"),
        (
            ENTRAPMENT.replace("power-cut", "removal") + 'form = "growing"\n',
            r"faults\[0\].form: removal is a near miss",
        ),
        ("lifts = 5\n" + ENTRAPMENT.replace("lift = 2", "share = 0.0001"), r"faults\[0\].share: 0.0001 of 5 draws no"),
        (ENTRAPMENT.replace("power-cut", WEATHER), r"faults\[0\].cause: .* set up for it by barometers"),
    ],
)
def test_a_scenario_that_contradicts_itself_is_one_line_that_names_the_field(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(InvalidScenario, match=message) as caught:
        read(written(tmp_path, text), {})
    assert "\n" not in str(caught.value)
    assert "mine.toml" in str(caught.value)


def test_a_change_is_checked_against_the_rest_of_the_scenario(tmp_path: Path) -> None:
    with pytest.raises(InvalidScenario, match=r"entrapment: faults\[0\].lift: 3 is not there"):
        read("entrapment", {"lifts": 2})
    assert read("entrapment", {"lifts": 14}).lifts == 14


def test_an_unknown_scenario_is_refused_with_the_most_similar_name() -> None:
    with pytest.raises(InvalidScenario, match=r"'entrapmnt' is neither shipped nor a file; did you mean entrapment\?"):
        read("entrapmnt", {})


def test_a_part_of_each_day_is_simulated() -> None:
    sampled = Scenario(days=60, hours=0.5)
    assert (sampled.seconds, sampled.span_h) == (60 * 1800, 59 * 24 + 0.5)


def test_the_mix_of_buildings_may_be_given() -> None:
    def kinds(**mix: float) -> Counter[str | None]:
        shares: Any = {"buildings": mix} if mix else {}
        return Counter(lift.building_type for lift in scenario_lifts(Scenario(lifts=400, seed=4, **shares)))

    assert kinds(office=1.0) == {"office": 400}
    assert kinds(residential=1.0) == {"residential": 400}
    assert 150 < kinds(office=0.3333, residential=0.6667)["office"] < 300  # offices have more lifts than homes
    assert kinds() == kinds(office=0.15, residential=0.85) == Counter(one.building_type for one in fleet(400, 4))


def test_a_part_of_a_world_of_offices_equals_the_whole() -> None:
    asked = Scenario(lifts=20, seed=4, hours=0.02, hour=8.5, buildings={"office": 1.0})  # type: ignore[arg-type]
    whole, part = (Simulation(asked, asked.start_ns, part=slice(first, None)) for first in (0, 7))
    for _ in range(asked.seconds):
        all_z, some_z = (scene.world.step().z_m for scene in (whole, part))
    assert np.array_equal(all_z[7:], some_z)


def test_a_share_is_drawn_from_the_seed_for_any_fleet_size() -> None:
    fault = {"cause": "power-cut", "share": 0.3, "onset_h": 1.0, "spread_s": 60.0, "severity": 0.5}
    small, large, other = (
        fault_requests(Scenario(lifts=lifts, seed=seed, faults=[fault]), fleet(lifts, seed))  # type: ignore[list-item]
        for lifts, seed in ((100, 1), (200, 1), (200, 2))
    )
    assert 15 < len(small) < 45
    assert large[: len(small)] == small
    assert large != other
    assert {(one.cause, one.onset_s, one.severity) for one in large} == {("power-cut", (3600.0, 3660.0), 0.5)}


def test_trials_are_spread_over_the_fleet_and_the_time() -> None:
    plan = fault_requests(Scenario(lifts=300, hours=6.0, trials=30), fleet(300, 1))
    tried = Counter(one.cause for one in plan)
    assert tried == {slug: 30 for slug, cause in CAUSES.items() if cause.kind == "fault"}
    assert len({one.lift_id for one in plan}) > 200
    assert all(0 <= one.onset_s < 6 * 3600 for one in plan)
    assert plan == fault_requests(Scenario(lifts=300, hours=6.0, trials=30), fleet(300, 1))


def test_every_key_of_a_scenario_is_explained() -> None:
    page = (Path(__file__).parents[2] / "docs" / "world.md").read_text(encoding="utf-8")
    rows = page.partition("## 11.")[2].partition("## 12.")[0]
    tables = (Scenario, scenario.Buildings, scenario.PlannedFault, scenario.NetworkConditions)
    names = {name for table in tables for name in table.model_fields} - {"buildings", "faults", "network"}
    assert [name for name in sorted(names) if f"`{name}`" not in rows] == []


def test_simulated_time_starts_in_2001_by_default() -> None:
    assert Scenario().start_ns == scenario.START.timestamp() * 1e9
    assert (Scenario().traffic_hour, Scenario(hour=3.0).traffic_hour) == (None, 3.0)
    assert read("morning-peak", {}).traffic_hour == 7.5
