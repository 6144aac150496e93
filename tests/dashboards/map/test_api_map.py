"""The API of the map: points of lifts with their incidents, outlines in the scope, and ranges of the tile archive."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from fastapi.testclient import TestClient

from dashboards.api.context import Settings
from dashboards.api.map.outlines import read_outlines
from dashboards.api.map.routes import lift_points
from dashboards.api.map.settings import BaseTiles, MapSettings
from dashboards.live.fleet_view import fleet_view, lift_index
from registry.actor import Actor
from simulator.buildings.fleet import fleet
from store.records.repository import Records
from tests.dashboards.applications import Client, create_app
from tests.dashboards.map.test_outlines import document
from tests.dashboards.sample_fleet import T0_NS, facts, registered, table

BY = Actor.named("Ann")
ARCHIVE = bytes(range(256)) * 8


@pytest.fixture(name="client")
def asking(settings: Settings, records: Records, tmp_path: Path) -> Iterator[TestClient]:
    """A program that asks for a map of six lifts, of which L000 and L001 have coordinates."""
    for row, lift_id in enumerate(("L000", "L001")):
        records.put_lift(facts(lift_id, lat=30.0 + row, lon=120.123456789), BY, T0_NS)
    (tmp_path / "city.pmtiles").write_bytes(ARCHIVE)
    outlines = read_outlines(document(district="d0")) + read_outlines(document(district="elsewhere"))
    shown = MapSettings(outlines, BaseTiles("raster", file=tmp_path / "city.pmtiles"))
    with Client(create_app(replace(settings, map=shown)), base_url="http://localhost") as client:
        yield client


def test_lifts_are_points_and_those_without_coordinates_are_counted(client: TestClient) -> None:
    found = client.get("/api/v1/map").json()
    assert (found["lifts"], found["without_coordinates"], found["left_out"]) == (6, 4, 0)
    assert [each["properties"] for each in found["features"]] == [
        {"lift_id": "L000", "state": "normal"}, {"lift_id": "L001", "state": "normal"},
    ]  # fmt: skip
    assert found["features"][1]["geometry"] == {"type": "Point", "coordinates": [120.12346, 31.0]}


def test_a_point_has_the_open_incident_of_its_lift(client: TestClient, records: Records) -> None:
    incident = records.report_by_call("L001", "entrapment", None, BY, time.time_ns())
    assert incident is not None
    _, point = client.get("/api/v1/map").json()["features"]
    assert point["properties"] == {
        "lift_id": "L001", "state": "normal", "incident": incident.id, "kind": "entrapment", "severity": "critical",
    }  # fmt: skip


def test_the_filters_are_those_of_the_list_of_lifts(client: TestClient) -> None:
    for query, ids in (({"district": "d1"}, ["L001"]), ({"q": "L000"}, ["L000"]), ({"state": "critical"}, [])):
        found = client.get("/api/v1/map", params=query).json()
        assert [each["properties"]["lift_id"] for each in found["features"]] == ids
    assert client.get("/api/v1/map", params={"state": "bad"}).status_code == 422


def test_outlines_are_of_the_districts_in_which_the_request_has_lifts(client: TestClient) -> None:
    found = client.get("/api/v1/map/districts").json()
    assert [each["properties"]["district"] for each in found["features"]] == ["d0"]


def test_a_range_of_the_archive_is_sent_uncompressed(client: TestClient) -> None:
    answer = client.get("/api/v1/map/tiles", headers={"Range": "bytes=3-9", "Accept-Encoding": "identity"})
    assert (answer.status_code, answer.content) == (206, ARCHIVE[3:10])
    assert answer.headers["content-range"] == f"bytes 3-9/{len(ARCHIVE)}"
    assert client.get("/api/v1/map/tiles", headers={"Range": "bytes=9999-"}).status_code == 416


def test_without_an_archive_there_is_no_route(settings: Settings) -> None:
    with Client(create_app(replace(settings, map=MapSettings())), base_url="http://localhost") as client:
        assert client.get("/api/v1/map/tiles").status_code == 404


def test_the_page_may_request_tiles_of_the_configured_address_alone(settings: Settings) -> None:
    tiles = BaseTiles("raster", url="https://tiles.example:8443/{z}/{x}/{y}.png", attribution="© a <b>")
    with Client(create_app(replace(settings, map=MapSettings((), tiles))), base_url="http://localhost") as client:
        page = client.get("/map")
        policy = page.headers["content-security-policy"]
        assert "connect-src 'self' https://tiles.example:8443" in policy.split("; ")
        assert "© a &lt;b&gt;" in page.text
        assert "tiles.example" not in client.get("/").headers["content-security-policy"]


def test_twenty_thousand_lifts_are_less_than_four_megabytes() -> None:
    lifts = fleet(20_000, 1)
    live = table(0)
    index = lift_index([registered(each) for each in lifts], live)
    view = fleet_view(T0_NS, index, live, {})
    found = lift_points(view, list(range(len(index))), {})
    assert len(found["features"]) == 20_000
    assert len(orjson.dumps(found)) < 4_000_000
    assert not any(math.isnan(value) for each in found["features"] for value in each["geometry"]["coordinates"])
