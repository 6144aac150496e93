"""Devices over HTTP: who sees and changes which, and that a password is in one response alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from dashboards.api.context import Settings
from registry.actor import Actor
from registry.devices import GATEWAY, LIFT, MONITOR, PASSWORD, PROGRAM, Credential, Device
from store.records.repository import Records
from tests.dashboards.applications import Client, create_app
from tests.dashboards.sample_fleet import T0_NS

ADA = Actor.named("Ada")


def add(records: Records, device_id: str, *lifts: str, kind: str = GATEWAY) -> None:
    records.add_devices([Device(device_id, kind, lifts, Credential(PASSWORD, "$7$hash"))], ADA, T0_NS)


def test_a_new_device_has_a_password_that_is_shown_once(client: TestClient, records: Records) -> None:
    made = client.post("/api/v1/devices", json={"by": "Eve", "lift_id": "L001"})
    assert made.status_code == 201, made.text
    assert made.json()["password"] == "password of L001"
    assert made.json() | {"kind": "lift", "lifts": ["L001"], "state": "valid", "created_by": "Eve"} == made.json()
    listed = client.get("/api/v1/devices").json()
    assert [one["device_id"] for one in listed["items"]] == ["L001"]
    assert "password of" not in str(listed)
    assert "$7$" not in str(listed)
    assert client.post("/api/v1/devices", json={"by": "Eve", "lift_id": "L001"}).status_code == 409


def test_a_gateway_is_renewed_revoked_and_added_again(client: TestClient, records: Records) -> None:
    gateway = {"by": "Eve", "gateway_id": "GW-7", "lifts": ["L001", "L002"]}
    assert client.post("/api/v1/devices", json=gateway).json()["kind"] == "gateway"
    renewed = client.post("/api/v1/devices/GW-7/rotate?by=Eve").json()
    assert (renewed["password"], renewed["rotated"] is not None) == ("password of GW-7", True)
    revoked = client.post("/api/v1/devices/GW-7/revoke?by=Bob")
    assert (revoked.json()["state"], revoked.json()["revoked_by"]) == ("revoked", "Bob")
    assert "password" not in revoked.json()
    assert client.post("/api/v1/devices/GW-7/rotate?by=Eve").status_code == 409
    assert client.post("/api/v1/devices", json=gateway).status_code == 201
    assert records.device("GW-7").revoked_ns is None


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({}, 422, "name either a lift, or a gateway"),
        ({"lift_id": "L001", "gateway_id": "GW-7"}, 422, "name either a lift, or a gateway"),
        ({"gateway_id": "GW-7"}, 422, "lifts: is empty"),
        ({"gateway_id": "GW-7", "lifts": ["L001", "L001"]}, 422, "named twice"),
        ({"gateway_id": "liftwatch-monitor", "lifts": ["L001"]}, 422, "a name of Liftwatch"),
        ({"gateway_id": "GW/7", "lifts": ["L001"]}, 422, "gateway_id"),
        ({"lift_id": "L999"}, 404, "L999"),
    ],
)
def test_a_bad_request_names_the_field(
    shared_client: TestClient, body: dict[str, object], status: int, says: str
) -> None:
    answer = shared_client.post("/api/v1/devices", json={"by": "Eve", **body})
    assert answer.status_code == status
    assert says in answer.text


def test_a_list_comes_in_pages_and_without_the_programs(client: TestClient, records: Records) -> None:
    records.put_program(Device(MONITOR, PROGRAM, (), Credential(PASSWORD, "$7$hash")), ADA, T0_NS)
    for number in range(5):
        add(records, f"L00{number}", f"L00{number}", kind=LIFT)
    first = client.get("/api/v1/devices", params={"limit": 3}).json()
    rest = client.get("/api/v1/devices", params={"limit": 3, "cursor": first["next"]}).json()
    assert [one["device_id"] for one in first["items"] + rest["items"]] == [f"L00{number}" for number in range(5)]
    assert rest["next"] is None
    assert client.post(f"/api/v1/devices/{MONITOR}/revoke?by=Eve").status_code == 404
    add(records, "GW-7", "L001", "L005")
    of_lift = client.get("/api/v1/devices", params={"lift_id": "L001"}).json()["items"]
    assert [one["device_id"] for one in of_lift] == ["GW-7", "L001"]


@pytest.fixture(name="hindered")
def without_files(settings: Settings) -> Iterator[TestClient]:
    assert settings.devices is not None
    hindered = replace(settings, devices=replace(settings.devices, hindrance=lambda: "no files here"))
    with Client(create_app(hindered), base_url="http://localhost") as asking:
        yield asking


def test_nothing_changes_where_the_server_may_not_write_the_brokers_files(
    hindered: TestClient, records: Records
) -> None:
    answer = hindered.post("/api/v1/devices", json={"by": "Eve", "lift_id": "L001"})
    assert (answer.status_code, answer.json()["detail"]) == (409, "no files here")
    assert records.devices() == []
