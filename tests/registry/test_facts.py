"""The registry's rows: which are taken, which are refused with which complaint, and that none is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.fact_checks import CHECKS, POSITION_SOURCES, SPEED_SOURCES
from registry.facts import (
    FactsError,
    FleetFacts,
    Floor,
    LiftFacts,
    export_csv,
    export_json,
    fleet,
    patch,
    read_csv,
    read_json,
    read_row,
    updated_fleet,
)

ROW: dict[str, Any] = {
    "lift_id": "HZ-1",
    "district": "xihu",
    "name": "东楼 1 号梯",
    "lat": 30.25,
    "lon": 120.17,
    "timezone": "Asia/Shanghai",
    "installed_on": "2001-03-04",
    "rated_speed_mps": 1.75,
    "rated_load_kg": 1000,
    "floors": [{"label": "B1", "height_m": 0}, {"label": "1", "height_m": 4.5}, {"label": "2", "height_m": 7.5}],
    "door_type": "centre",
    "roping": "2:1",
    "emergency_phone": "+86 571-8888 0000",
    "parks_door_open": True,
}
LIFT = read_row(ROW)[0]
assert LIFT is not None


def faults(**changes: Any) -> list[str]:
    return [str(fault) for fault in read_row(ROW | changes)[1]]


def test_a_row_becomes_a_lift() -> None:
    assert LIFT.floors == (Floor("B1", 0.0), Floor("1", 4.5), Floor("2", 7.5))
    assert (LIFT.rated_speed_mps, LIFT.parks_door_open, LIFT.door_zone_m, LIFT.owner) == (1.75, True, 0.20, None)


def test_every_field_of_the_record_has_a_check_in_the_order_of_the_contract() -> None:
    assert list(CHECKS) == list(LiftFacts.__dataclass_fields__)


def test_all_errors_of_a_row_are_reported_at_once() -> None:
    complaints = faults(lat=95, rated_speed_mps="1,75", door_type="center", rated_sped_mps=1.0)
    assert len(complaints) == 4
    assert complaints[0] == "lat: 95 is out of range; write degrees north from -90 to 90"
    assert "with a point" in complaints[1]
    assert complaints[2] == "door_type: 'center' is not known; write one of centre, side"
    assert complaints[3] == "rated_sped_mps: is not a field of the registry; did you mean rated_speed_mps?"


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [
        ("lift_id", "a b", "A-Z"),
        ("lift_id", "x" * 65, "64"),
        ("lift_id", "", "needs one"),
        ("lift_id", 'a",b=1', "A-Z"),
        ("district", "Xihu", "a-z"),
        ("lat", float("nan"), "degrees north"),
        ("lon", True, "degrees east"),
        ("lon", "1_0", "without a unit"),
        ("timezone", "Asia/Shanghia", "did you mean Asia/Shanghai?"),
        ("installed_on", "2001-02-30", "YYYY-MM-DD"),
        ("installed_on", "20010203", "YYYY-MM-DD"),
        ("rated_speed_mps", 175, "0.05 to 25"),
        pytest.param("rated_speed_mps", 10**400, "metres a second", id="huge"),
        ("rated_load_kg", -1, "kilograms"),
        ("name", "a\tb", "one line"),
        pytest.param("name", "x" * 201, "at most 200", id="long"),
        ("name", 7, "text"),
        ("floors", "1:0;2", "label:height"),
        ("floors", "1:0;2:3;3:3", "from the lowest up"),
        ("floors", "1:1.2;2:3", "at 0"),
        ("floors", [{"label": "1"}], "height_m"),
        ("floors", [{"label": "1:2", "height_m": 0}], "without : and ;"),
        ("floors", {"1": 0}, "label"),
        pytest.param("floors", ";".join(f"{i}:{i}" for i in range(251)), "at most 250", id="tall"),
        ("emergency_phone", "<script>", "digits"),
        ("roping", "two to one", "2:1"),
        ("door_zone_m", 20, "0.01 to 0.5"),
        ("parks_door_open", "maybe", "true or false"),
        ("position_source", "gps", "absolute, tape, laser, encoder, barometer"),
        ("speed_source", "gps", "encoder, integrated, derived"),
        ("bearing_balls", 8.5, "a whole number"),
        ("bearing_balls", "2", "3 to 100"),
        ("bearing_ratio", 5, "0.01 to 0.6"),
        ("bearing_contact_deg", -1, "0 to 60"),
    ],
)
def test_an_invalid_fact_is_refused_with_its_field_and_a_remedy(field: str, value: Any, remedy: str) -> None:
    (complaints,) = faults(**{field: value})
    assert complaints.startswith(f"{field}: ")
    assert remedy in complaints


def test_a_patch_changes_what_it_names_and_null_makes_a_fact_unknown_again() -> None:
    changed, wrong = patch(LIFT, {"rated_speed_mps": 2.5, "name": None, "door_zone_m": None, "floors": "G:0;1:4"})
    assert not wrong
    assert changed is not None
    assert (changed.rated_speed_mps, changed.name, changed.door_zone_m) == (2.5, None, 0.20)
    assert changed.floors == (Floor("G", 0.0), Floor("1", 4.0))
    assert changed.lat == LIFT.lat


def test_a_patch_cannot_rename_a_lift_nor_empty_its_district() -> None:
    changed, wrong = patch(LIFT, {"lift_id": "HZ-2", "district": None})
    assert changed is None
    assert {fault.field for fault in wrong} == {"lift_id", "district"}


def test_refused_rows_do_not_stop_the_others() -> None:
    taken, refused = read_json(json.dumps([ROW, {"district": "x"}, 7, ROW | {"lift_id": "HZ-3"}, ROW]))
    assert [lift.lift_id for lift in taken] == ["HZ-1", "HZ-3"]
    assert [row.number for row in refused] == [2, 3, 5]
    assert str(refused[0].errors[0]) == "lift_id: is missing; every lift needs one"
    assert "row 1 too" in str(refused[2].errors[0])


def test_a_spreadsheet_is_read_with_its_own_row_numbers() -> None:
    header = "\ufefflift_id,district,floors,parks_door_open"
    taken, refused = read_csv("\r\n".join([header, "A,d,1:0;2:3.2,yes", ",,,", "B,d,1:0,no,extra", "C,d", ""]))
    floors = (Floor("1", 0), Floor("2", 3.2))
    assert taken == [LiftFacts("A", "d", floors=floors, parks_door_open=True), LiftFacts("C", "d")]
    assert [(row.number, row.lift_id) for row in refused] == [(4, "B")]
    assert refused[0].errors[0].field == "column 5"


@pytest.mark.parametrize(
    ("document", "remedy"),
    [
        ("", "lift_id"),
        ("lift_id;district\na;b", "lift_id"),
        ("lift_id,district,rated_speed\na,b,1", "did you mean rated_speed_mps?"),
        ("lift_id,district,name,name\n", "two such columns"),
        ('lift_id,district\n"a,b', "not CSV"),
    ],
)
def test_an_invalid_spreadsheet_is_refused_as_a_whole(document: str, remedy: str) -> None:
    with pytest.raises(FactsError, match=r"(?s).*" + remedy.replace("?", r"\?")):
        read_csv(document)


@pytest.mark.parametrize("document", ["", "{", "7", '{"lifts": []}', "[" * 5000, b"\xff"])
def test_json_that_is_no_list_of_lifts_is_refused_as_a_whole(document: str | bytes) -> None:
    with pytest.raises(FactsError, match="list of objects"):
        read_json(document)


TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=20)
HEIGHTS = st.lists(st.floats(0.001, 900), max_size=8, unique=True).map(lambda xs: [0.0, *sorted(xs)])


@st.composite
def lifts(draw: st.DrawFn) -> LiftFacts:
    labels = st.text("ABG123-", min_size=1, max_size=4)
    return LiftFacts(
        lift_id=draw(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)),
        district=draw(st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True)),
        name=draw(st.none() | TEXTS),
        model=draw(st.none() | TEXTS | st.just("X2.0")),
        lat=draw(st.none() | st.floats(-90, 90)),
        rated_speed_mps=draw(st.none() | st.floats(0.05, 25)),
        rated_load_kg=draw(st.none() | st.integers(20, 5000).map(float)),
        floors=tuple(Floor(draw(labels), height) for height in draw(st.just([]) | HEIGHTS)),
        door_type=draw(st.sampled_from([None, "centre", "side"])),
        insured_until=draw(st.none() | st.dates().map(str)),
        parks_door_open=draw(st.booleans()),
        position_source=draw(st.sampled_from(POSITION_SOURCES)),
        speed_source=draw(st.none() | st.sampled_from(SPEED_SOURCES)),
        bearing_balls=draw(st.none() | st.integers(3, 100)),
        bearing_ratio=draw(st.none() | st.floats(0.01, 0.6)),
        bearing_contact_deg=draw(st.none() | st.floats(0, 60)),
    )


@given(st.lists(lifts(), max_size=4, unique_by=lambda lift: lift.lift_id))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_an_export_is_imported_unchanged(fleet_of: list[LiftFacts]) -> None:
    assert read_json(export_json(fleet_of)) == (fleet_of, [])
    assert read_csv(export_csv(fleet_of)) == (fleet_of, [])


@given(
    st.dictionaries(
        st.sampled_from(list(CHECKS)) | st.text(max_size=8),
        st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.lists(st.integers() | st.text()),
    )
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_no_row_raises(row: dict[str, Any]) -> None:
    lift, wrong = read_row(row)
    assert (lift is None) == bool(wrong)


def test_a_fleet_has_its_facts_as_columns_and_nan_where_they_are_unknown() -> None:
    columns = fleet([LIFT, None, LiftFacts("B", "d")])
    assert columns.landings_m.shape == (3, 3)
    assert columns.top_m[0] == 7.5
    assert columns.rated_speed_mps[0] == 1.75
    assert str(columns.top_m[1:].tolist()) == "[nan, nan]"
    assert columns.door_zone_m.tolist() == [0.20, 0.20, 0.20]


def test_a_fleet_marks_lifts_that_lack_a_needed_fact() -> None:
    columns = fleet([LIFT, replace(LIFT, position_source="barometer"), LiftFacts("B", "d"), None])
    assert columns.barometer.tolist() == [False, True, False, False]
    assert columns.lacking["position_source"].tolist() == [False, True, False, True]
    assert columns.lacking["floors"].tolist() == [False, False, True, True]
    assert columns.lacking["rated_speed_mps"].tolist() == [False, False, True, True]


def test_updated_columns_equal_those_of_the_whole_fleet() -> None:
    def lift(name: str, floors: int) -> LiftFacts:
        return LiftFacts(name, "d", rated_speed_mps=1.75, floors=tuple(Floor(str(k), 3.0 * k) for k in range(floors)))

    old = [lift("a", 3), None, lift("c", 5), lift("d", 2)]
    new = [lift("a", 4), None, None, lift("d", 2), None, lift("f", 9)]
    found, whole = updated_fleet(fleet(old), 6, {0: new[0], 2: None, 5: new[5]}), fleet(new)
    for column in FleetFacts.__slots__:
        np.testing.assert_equal(getattr(found, column), getattr(whole, column))
    np.testing.assert_equal(updated_fleet(found, 6, {}).landings_m, whole.landings_m)
