"""The ways of the own account, through the API and by the forms of the page."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from alerts.notification import CODE, TEST
from dashboards.api.context import Settings
from registry.ways import WAYS_LIMIT
from tests.dashboards.applications import create_app
from tests.dashboards.identity.accounts import Accounts, sign_in
from tests.dashboards.identity.test_identity_pages import post

PATH = "/api/v1/account/ways"
MAIL = {"kind": "mail", "address": "li@example.org"}
LEASE_NS = 60 * 10**9


@pytest.fixture
def app(settings: Settings, accounts: Accounts) -> FastAPI:
    """An application that offers every kind of way but voice calls."""
    kinds = ("mail", "sms", "dingtalk", "wecom", "feishu", "apprise", "webhook", "push")
    object.__setattr__(settings, "way_kinds", kinds)
    object.__setattr__(settings, "push_key", "BKey")
    return create_app(settings)


def newest_code(accounts: Accounts) -> str:
    """Return the newest code in the outbox."""
    waiting = accounts.records.claim_notifications(2**62, LEASE_NS, 100)
    return [each.notification.code or "" for each in waiting if each.notification.kind == CODE][-1]


def test_a_way_is_added_verified_tested_and_removed(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "mechanic")
    added = client.post(PATH, json=MAIL)
    way = added.json()
    assert (added.status_code, way["kind"], way["address"], way["verified_at"]) == (201, "mail", "li@example.org", None)
    where = f"{PATH}/{way['way_id']}"
    assert client.post(f"{where}/test").json()["type"].endswith("not-verified")
    wrong = client.post(f"{where}/verify", json={"code": "x"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "code")
    assert client.post(f"{where}/code").status_code == 200
    verified = client.post(f"{where}/verify", json={"code": newest_code(accounts)})
    assert (verified.status_code, verified.json()["verified_at"] is None) == (200, False)
    assert client.post(f"{where}/test").status_code == 202
    waiting = accounts.records.claim_notifications(2**63 - 1 - LEASE_NS, 0, 100)
    assert [each.way_id for each in waiting if each.notification.kind == TEST] == [way["way_id"]]
    assert client.delete(where).status_code == 204
    assert client.delete(where).status_code == 404
    listed = client.get(PATH).json()
    assert (listed["items"], listed["push_key"], "voice" in listed["kinds"]) == ([], "BKey", False)


def test_ways_have_an_order_and_belong_to_one_account(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "mechanic")
    ids = [client.post(PATH, json=MAIL | {"address": f"{name}@example.org"}).json()["way_id"] for name in "abc"]
    ordered = client.put(PATH, json={"way_ids": ids[::-1]})
    assert [each["way_id"] for each in ordered.json()["items"]] == ids[::-1]
    assert client.put(PATH, json={"way_ids": ids[:2]}).status_code == 422
    client.cookies.clear()
    sign_in(client, "boss")
    assert client.get(PATH).json()["items"] == []
    for method, path in (("DELETE", ids[0]), ("POST", f"{ids[0]}/code"), ("POST", f"{ids[0]}/test")):
        assert client.request(method, f"{PATH}/{path}").status_code == 404
    assert client.post(f"{PATH}/{ids[0]}/verify", json={"code": "123456"}).status_code == 404
    assert client.put(PATH, json={"way_ids": ids}).status_code == 422


@pytest.mark.parametrize(
    ("kind", "address", "field"),
    [
        ("mail", "li", "address"),
        ("mail", "li@example.org\r\nBcc: x@y.org", "address"),
        ("sms", "call me", "address"),
        ("webhook", "ftp://example.org", "address"),
        ("dingtalk", "https://", "address"),
        ("apprise", "tgram", "address"),
        ("push", "{}", "address"),
        ("voice", "+8613800138000", "kind"),
        ("pigeon", "loft 3", "kind"),
    ],
)
def test_what_is_no_address_is_refused_with_its_field(
    client: TestClient, accounts: Accounts, kind: str, address: str, field: str
) -> None:
    sign_in(client, "mechanic")
    refused = client.post(PATH, json={"kind": kind, "address": address})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)


def test_a_webhook_is_given_a_secret_and_a_short_one_is_refused(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "mechanic")
    hook = {"kind": "webhook", "address": "https://example.org/hook?token=abcdefgh"}
    made = client.post(PATH, json=hook).json()
    assert made["secret"].startswith("whsec_")
    assert made["address"] == "https://example.org/…efgh"
    assert "secret" not in client.get(PATH).json()["items"][0]
    refused = client.post(PATH, json={"kind": "webhook", "address": "https://example.org/2", "secret": "whsec_YQ=="})
    assert refused.json()["errors"][0]["field"] == "secret"


def test_a_person_has_at_most_ten_ways_and_few_codes_an_hour(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "mechanic")
    answers = [client.post(PATH, json=MAIL | {"address": f"a{n}@example.org"}) for n in range(WAYS_LIMIT + 1)]
    assert {each.status_code for each in answers} == {201, 429}
    assert "an hour" in answers[-1].json()["detail"]


def test_a_token_reads_the_ways_and_changes_none(client: TestClient, accounts: Accounts) -> None:
    token = accounts.token(accounts.mechanic, accounts.firm)
    assert client.get(PATH, headers=token).status_code == 200
    assert client.post(PATH, json=MAIL, headers=token).status_code == 403


def test_the_page_shows_the_ways_and_its_forms_change_them(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "mechanic")
    assert post(client, "/account/ways/add", **MAIL) == (303, "/account?did=way-add#ways")
    (way,) = accounts.records.ways(accounts.mechanic.person_id)
    status, page = post(client, "/account/ways/verify", way=way.way_id, code="1")
    assert (status, "is wrong, or older than 10 minutes" in page) == (422, True)
    assert post(client, "/account/ways/verify", way=way.way_id, code=newest_code(accounts))[0] == 303
    assert post(client, "/account/ways/test", way=way.way_id) == (303, "/account?did=way-test#ways")
    status, page = post(client, "/account/ways/add", kind="webhook", address="https://example.org/hook")
    assert (status, "whsec_" in page) == (200, True)
    hook = accounts.records.ways(accounts.mechanic.person_id)[1]
    post(client, "/account/ways/first", way=hook.way_id)
    assert accounts.records.ways(accounts.mechanic.person_id)[0].way_id == hook.way_id
    post(client, "/account/ways/remove", way=hook.way_id)
    shown = client.get("/account", params={"lang": "zh"}, headers={"accept": "text/html"}).text
    assert ("li@example.org" in shown, "通知方式" in shown, hook.way_id in shown) == (True, True, False)
    status, page = post(client, "/account/ways/add", kind="sms", address="call me")
    assert (status, "不是电话号码" in page, "call me" in page) == (422, True, True)
    assert post(client, "/account/ways/nonsense")[0] == 404
