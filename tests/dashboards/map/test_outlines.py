"""Outlines of districts: what is read of the operator's GeoJSON, and the remedy for what cannot be."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from commands.secure_demo import DISTRICTS_FILE
from dashboards.api.map.outlines import read_outlines
from simulator.buildings.fleet import DISTRICTS, fleet

RING = [[120.0, 30.0], [121.0, 30.0], [121.0, 31.0], [120.0, 30.0]]


def document(**changes: Any) -> bytes:
    """Return a collection of one outline."""
    geometry = {"type": "Polygon", "coordinates": [RING]} | changes.pop("geometry", {})
    feature = {"type": "Feature", "properties": {"district": "north"} | changes, "geometry": geometry}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def test_an_outline_keeps_geometry_district_and_name_alone() -> None:
    (outline,) = read_outlines(document(name="北区 · North", secret="a note of the operator"))
    assert outline["properties"] == {"district": "north", "name": "北区 · North"}
    assert outline["geometry"] == {"type": "Polygon", "coordinates": [RING]}


def test_a_district_without_a_name_is_named_by_its_slug() -> None:
    assert read_outlines(document())[0]["properties"]["name"] == "north"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"<kml/>", "not JSON"),
        (b'{"type": "Feature"}', "not a GeoJSON FeatureCollection"),
        (document(district="North side"), r"features\[0\].properties.district is 'North side'; write the slug"),
        (document(name=""), r"features\[0\].properties.name is no text"),
        (document(geometry={"type": "Point"}), "'Point'; only Polygon"),
        (document(geometry={"coordinates": []}), "no list of rings"),
        (document(geometry={"coordinates": [RING[:3]]}), r"coordinates\[0\] is no ring"),
        (document(geometry={"coordinates": [[[30, 120], *RING[1:3], [30, 120]]]}), "no longitude and latitude"),
        (document(geometry={"coordinates": [[["a", 1], *RING[1:3], ["a", 1]]]}), "no longitude and latitude"),
        (b'{"features": [7]}', "district is None"),
        (
            json.dumps(
                {"features": [json.loads(document(geometry={"coordinates": [RING] * 30_000}))["features"][0]]}
            ).encode(),
            "simplify",
        ),
    ],
)
def test_a_fault_names_its_place_and_the_remedy(text: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_outlines(text)


def test_the_lifts_of_the_demonstration_are_within_their_districts() -> None:
    rings = {
        each["properties"]["district"]: each["geometry"]["coordinates"][0]
        for each in read_outlines(DISTRICTS_FILE.read_bytes())
    }
    assert set(rings) == {slug for slug, *_ in DISTRICTS}
    assert [
        lift.lift_id for lift in fleet(2000, 1) if not is_within(lift.lon or 0, lift.lat or 0, rings[lift.district])
    ] == []


def is_within(x: float, y: float, ring: list[list[float]]) -> bool:
    """Return whether a ray from a point crosses a ring an odd number of times."""
    sides = pairwise(ring)
    return (
        sum((a[1] > y) != (b[1] > y) and x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0] for a, b in sides) % 2
        == 1
    )
