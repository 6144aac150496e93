"""The registry as CSV: nothing that a spreadsheet executes is written, and every fact comes back as it was."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.lift_csv import export_csv, read_csv
from registry.lift_facts import FactsError, Floor, LiftFacts, NotUtf8, read_json, read_row

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
FORMULAS = ["=HYPERLINK(1)", "+1", "-1+1", "@SUM(1)", "'=1", "''@x", "＝1", "-5", "'plain", "it's = here"]


def cells(document: str) -> dict[str, str]:
    return next(csv.DictReader(io.StringIO(document)))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_a_spreadsheet_executes_is_written_harmless_and_read_back(text: str) -> None:
    lift = LiftFacts("-1", "d", name=text, floors=(Floor("-1", 0.0), Floor("0", 3.5)))
    written = export_csv([lift])
    assert not [cell for cell in cells(written).values() if cell.startswith((*DANGEROUS, "＝"))]
    assert read_csv(written) == ([lift], [])


def test_a_negative_number_stays_a_number() -> None:
    lift = LiftFacts("A", "d", lat=-33.86, lon=-70.0)
    written = cells(export_csv([lift]))
    assert (float(written["lat"]), float(written["lon"])) == (-33.86, -70.0)


@given(st.text(st.sampled_from("='+-@ a"), min_size=1, max_size=8))
def test_any_text_survives_the_round_trip(text: str) -> None:
    lift, errors = read_row({"lift_id": "A", "district": "d", "name": text})
    assert lift is not None
    assert not errors
    assert read_csv(export_csv([lift])) == ([lift], [])


def test_a_file_in_another_encoding_is_refused_with_the_remedy() -> None:
    document = "lift_id,district,name\nC-gbk,anji,1号客梯\n".encode("gbk")
    with pytest.raises(NotUtf8, match="not UTF-8 at byte 34; save the file as UTF-8"):
        read_csv(document)


def test_a_json_file_in_another_encoding_is_refused_and_its_byte_order_mark_is_taken() -> None:
    with pytest.raises(NotUtf8, match="save the file as UTF-8"):
        read_json('[{"lift_id": "1号"}]'.encode("gbk"))
    assert read_json('\ufeff[{"lift_id": "A", "district": "d"}]'.encode())[0] == [LiftFacts("A", "d")]


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ('\ufefflift_id;district;floors\nA;d;"B1:0;1:4.5"\n', "semicolons"),
        ('"lift_id";"district"\n"A";"d"\n', "semicolons"),
        ("lift_id\tdistrict\nA\td\n", "tabs"),
    ],
)
def test_columns_that_are_not_separated_by_commas_are_refused_with_the_remedy(document: str, name: str) -> None:
    with pytest.raises(FactsError, match=f"separated by {name}; separate them by commas"):
        read_csv(document)


@pytest.mark.parametrize("character", "\u202e\u2066\u200f\u061c")
def test_a_name_with_a_bidirectional_control_character_is_refused_as_such(character: str) -> None:
    [error] = read_row({"lift_id": "A", "district": "d", "name": f"Lift {character}1"})[1]
    assert f"the bidirectional control character U+{ord(character):04X}; remove it" in str(error)


@pytest.mark.parametrize("name", ["UTC+8", "GMT+08:00", "+8", "utc +0800", "Asia/Beijing", "China Standard Time"])
def test_a_zone_that_is_no_place_is_explained(name: str) -> None:
    [error] = read_row({"lift_id": "A", "district": "d", "timezone": name})[1]
    assert "Asia/Shanghai" in str(error)
    assert ("an offset, not a time zone" in str(error)) == any(char.isdigit() for char in name)
