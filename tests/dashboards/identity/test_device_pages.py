"""Pages of devices as HTML: what they list, what their forms do, and who may use which."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from dashboards.api.context import Settings
from dashboards.api.device_administration import IMPORT_LIMIT
from registry.devices import CERTIFICATE, GATEWAY, LIFT, PASSWORD, Credential, Device
from registry.lift_facts import LiftFacts
from telemetry.instant import DAY_NS
from tests.dashboards.applications import Client, create_app
from tests.dashboards.identity.accounts import BY, Accounts, sign_in
from tests.loopback import until

PAGE = {"accept": "text/html"}
Post = Callable[..., tuple[int, str]]


@pytest.fixture(name="post")
def poster(client: TestClient) -> Post:
    """A function that sends a form with the token, and returns the status with the redirect or the page."""

    def post(path: str, **fields: str) -> tuple[int, str]:
        answer = client.post(path, data={"csrf": client.headers.get("X-CSRF-Token", ""), **fields}, headers=PAGE)
        return answer.status_code, answer.headers.get("location") or answer.text

    return post


def add(accounts: Accounts, device_id: str, *lifts: str, kind: str = GATEWAY, days: int | None = None) -> None:
    ends_ns = None if days is None else time.time_ns() + days * DAY_NS
    credential = Credential(PASSWORD) if days is None else Credential(CERTIFICATE, None, device_id, "AA:BB", ends_ns)
    accounts.records.add_devices([Device(device_id, kind, lifts, credential)], BY, accounts.now_ns)


def rows_of(page: str) -> list[str]:
    """Return the ids of the devices in the table of a page."""
    return [re.sub(r"<[^>]+>", "", row).strip() for row in re.findall(r'<th scope="row">(.*?)\n', page)]


def test_the_list_has_the_devices_of_the_scope_with_state_and_last_message(
    client: TestClient, accounts: Accounts
) -> None:
    add(accounts, "GW-7", "L001", "L002")
    add(accounts, "L001", "L001", kind=LIFT)
    add(accounts, "L002", "L002", kind=LIFT)
    accounts.records.revoke_devices(["L001"], BY, accounts.now_ns)
    sign_in(client, "boss")
    page = client.get("/devices", headers=PAGE).text
    assert rows_of(page) == ["L001"]
    assert "Revoked" in page
    assert "2001-09-09 01:46 UTC" in page
    assert "$7$" not in page
    sign_in(client, "admin")
    assert rows_of(client.get("/devices", headers=PAGE).text) == ["GW-7", "L001", "L002"]


def test_the_list_is_filtered_by_state_and_text(client: TestClient, accounts: Accounts) -> None:
    add(accounts, "GW-7", "L001", days=400)
    add(accounts, "GW-8", "L002", days=20)
    add(accounts, "GW-9", "L003", days=-1)
    sign_in(client, "admin")

    def listed(**query: str) -> list[str]:
        return rows_of(client.get("/devices", params=query, headers=PAGE).text)

    assert listed(state="valid") == ["GW-7", "GW-8"]
    assert listed(state="expiring") == ["GW-8"]
    assert listed(state="expired") == ["GW-9"]
    assert listed(state="revoked") == []
    assert listed(q="l002") == ["GW-8"]
    assert listed(q="gw", after="GW-7", state="none-such") == ["GW-8", "GW-9"]
    assert "19 days left" in client.get("/devices", headers=PAGE).text


def test_a_password_is_on_the_page_that_answers_the_form_and_is_not_stored(
    client: TestClient, accounts: Accounts
) -> None:
    sign_in(client, "boss")
    fields = {"csrf": client.headers["X-CSRF-Token"], "kind": "lift", "device_id": " L001 "}
    answer = client.post("/devices", data=fields, headers=PAGE)
    assert answer.status_code == 200
    assert 'value="password of L001"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "password of" not in client.get("/devices", headers=PAGE).text
    assert "password of" not in client.get("/devices/L001", headers=PAGE).text
    assert accounts.records.device("L001").created_by == "Boss"


def test_a_gateway_is_added_renewed_and_revoked_only_where_confirmed(
    client: TestClient, accounts: Accounts, post: Post
) -> None:
    sign_in(client, "admin")
    assert post("/devices", kind="gateway", device_id="GW-7", lifts="L001, L002\nL003")[0] == 200
    assert accounts.records.device("GW-7").lifts == ("L001", "L002", "L003")
    for act in ("rotate", "revoke"):
        status, page = post(f"/devices/GW-7/{act}")
        assert (status, "Confirmation: is missing" in page) == (422, True)
    assert accounts.records.device("GW-7").rotated_ns is None
    status, page = post("/devices/GW-7/rotate", confirm="yes")
    assert (status, 'value="password of GW-7"' in page) == (200, True)
    assert post("/devices/GW-7/revoke", confirm="yes") == (303, "/devices/GW-7?did=yes")
    assert "The device is revoked." in client.get("/devices/GW-7?did=yes", headers=PAGE).text
    assert post("/devices/GW-7/rotate", confirm="yes")[0] == 409
    assert post("/devices/GW-7/delete", confirm="yes")[0] == 404
    assert post("/devices", kind="gateway", device_id="GW-7", lifts="L001 L002 L003")[0] == 200


def test_many_devices_are_added_from_csv_and_each_refused_line_is_named(
    client: TestClient, accounts: Accounts, post: Post
) -> None:
    add(accounts, "L003", "L003", kind=LIFT)
    sign_in(client, "admin")
    lines = ("device_id,lifts,credential", "L001,,", "GW-7,L002;L004,password", "L003,,", "GW/8,L002,", "L009,,")
    status, page = post("/devices/import", csv="\n".join((*lines, "L002,,certificate")))
    assert status == 200
    assert "device_id,password\nL001,password of L001\nGW-7,password of GW-7\n" in page
    for number, reason in ((4, "L003 is a device already"), (5, "not an id"), (6, "no lift"), (7, "a certificate")):
        assert re.search(rf"Line {number}:[^<]*{reason}", page), number
    assert {each.device_id for each in accounts.records.devices()} == {"L001", "GW-7", "L003"}
    assert post("/devices/import", csv="lift\nL001")[0] == 422
    too_many = "\n".join(("device_id", *(f"X{n}" for n in range(IMPORT_LIMIT + 1))))
    assert post("/devices/import", csv=too_many)[0] == 422


def test_a_form_of_devices_without_its_token_is_refused(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "admin")
    for headers in (PAGE, {**PAGE, "X-CSRF-Token": "forged"}):
        answer = client.post("/devices", data={"kind": "lift", "device_id": "L001"}, headers=headers)
        assert answer.status_code == 403
    assert accounts.records.devices() == []


def test_a_firm_does_not_change_devices_of_lifts_that_it_only_made(
    client: TestClient, accounts: Accounts, post: Post
) -> None:
    made = LiftFacts("L004", "d0", maintenance_firm="Other", manufacturer="Firm")
    accounts.records.put_lifts([made], BY, accounts.now_ns)
    add(accounts, "L004", "L004", kind=LIFT)
    sign_in(client, "boss")
    until(lambda: rows_of(client.get("/devices", headers=PAGE).text) == ["L004"], "the lift in the view of the fleet")
    page = client.get("/devices", headers=PAGE).text
    assert 'href="/devices/L004"' not in page
    assert "Another organisation maintains its lifts" in page
    assert post("/devices/L004/revoke", confirm="yes")[0] == 403
    assert post("/devices/L002/revoke", confirm="yes")[0] == 404
    assert post("/devices", kind="lift", device_id="L002")[0] == 404


def test_the_page_is_linked_where_the_role_may_manage_devices(client: TestClient, accounts: Accounts) -> None:
    for login, is_linked in (("boss", True), ("mechanic", False), ("viewer", False)):
        sign_in(client, login)
        assert ('href="/devices"' in client.get("/", headers=PAGE).text) is is_linked
        assert (client.get("/devices", headers=PAGE).status_code == 200) is is_linked


def test_a_server_that_may_not_write_the_brokers_files_says_so_and_has_no_forms(
    settings: Settings, accounts: Accounts
) -> None:
    add(accounts, "GW-7", "L001")
    assert settings.devices is not None
    why = "This server has no key of the authority: use `liftwatch devices` where the key is."
    hindered = replace(settings, devices=replace(settings.devices, hindrance=lambda: why))
    with Client(create_app(hindered), base_url="http://localhost") as client:
        sign_in(client, "admin")
        for path in ("/devices", "/devices/GW-7"):
            page = client.get(f"{path}?lang=en", headers=PAGE).text
            assert why in page
            assert 'method="post"' not in page
            assert "证书机构的密钥" in client.get(f"{path}?lang=zh", headers=PAGE).text


def test_the_language_of_a_forms_answer_is_changed_on_the_page_itself(
    client: TestClient, accounts: Accounts, post: Post
) -> None:
    sign_in(client, "admin")
    _, page = post("/devices/import", csv="device_id\nL001")
    assert 'href="/devices?lang=zh"' in page
    _, page = post("/devices/L001/rotate")
    assert 'href="/devices/L001?lang=zh"' in page
    _, page = post(f"/people/{accounts.mechanic.person_id}/link")
    assert f'href="/people/{accounts.mechanic.person_id}?lang=zh"' in page
